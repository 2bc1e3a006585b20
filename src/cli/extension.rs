//! `optbench run --extend --dry-run`: what would be added to the results that are there.

use crate::analysis::sequential::is_extended;
use crate::catalog::Catalog;
use crate::cli::admission::{Beside, Changes, admit};
use crate::cli::guard::missing;
use crate::error::Result;
use crate::length::Length;
use crate::results::{Inventory, Store};
use crate::sweep::{Plan, Run, Shard};
use crate::words::count;

/// The runs that would be trained, and what else would change. Refuses what `--extend` would refuse.
pub(super) fn preview(
    catalog: &Catalog,
    store: &Store,
    there: &Inventory,
    plan: &mut Plan,
    shard: Shard,
) -> Result<String> {
    let Changes { seeds, targets } = admit(catalog, store, there, plan, Beside::Extending)?;
    let mut added = store.provenance_if_sound()?.extended;
    added.extend(&seeds);
    plan.extended = is_extended(&plan.experiment, &added);
    let done = there.all_done();
    let due = plan.due(&done, shard).runs;
    let new = missing(store, there, &due.iter().collect::<Vec<&Run>>())?;
    let mut text = String::new();
    for run in &new {
        text += &format!("{}  {}\n", run.name, Length::Steps(plan.budget(run).steps));
    }
    let steps = Length::Steps(new.iter().map(|run| plan.budget(run).steps).sum());
    text += &format!("\n{}, {steps} in total; ", count(new.len(), "new run"));
    text += &match due.len() - new.len() {
        1 => "1 run is there and stays as it is\n".to_owned(),
        n => format!("{n} runs are there and stay as they are\n"),
    };
    if plan.has_rounds() {
        text += "More runs may follow, which depend on the results of these.\n";
    }
    if !seeds.is_empty() && !done.is_empty() {
        let seeds: Vec<String> = seeds.iter().map(ToString::to_string).collect();
        text +=
            &format!("Seeds added to results ({}) are noted in provenance.json under `extended`.\n", seeds.join(", "));
    }
    for task in targets {
        text += &format!("Task `{task}` has another target: when each run reached it is read from its evaluations.\n");
    }
    Ok(text)
}
