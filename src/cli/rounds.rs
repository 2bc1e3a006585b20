//! What a sweep that goes by rounds says of them: searches, judge seeds and planned looks.

use crate::cli::{programs, say};
use crate::error::{Error, Result};
use crate::length::Length;
use crate::results::{Record, Store};
use crate::sweep::{Due, Plan, Run, Shard};
use crate::words::count;

/// Says what is about to be trained.
pub(super) fn announce(plan: &Plan, due: &Due, round: usize, missing: &[&Run], jobs: usize) {
    let experiment = &plan.experiment;
    let mut title = experiment.name.clone();
    if let Some(look) = look(plan, due) {
        title += &format!(": {look}");
    }
    let judges = |run: &&Run| experiment.judge_seeds.contains(&run.seed);
    let to_train = format!("{} to train", count(missing.len(), "run"));
    if !missing.is_empty() && missing.iter().all(judges) {
        return say(&format!("{title}: the chosen settings under the judge seeds: {to_train}"));
    }
    if round > 1 && experiment.tuning.is_some() {
        return say(&format!("{title}: round {round} of the search: {to_train}"));
    }
    let before = due.runs.len() - missing.len();
    let before = if before > 0 { format!("; {before} done before") } else { String::new() };
    say(&format!("{title}: {} of {} to train, {jobs} at a time{before}", count(missing.len(), "run"), due.runs.len()));
}

/// `look 2 of 5 (5 seeds)`; `None` where no looks are planned.
fn look(plan: &Plan, due: &Due) -> Option<String> {
    let looks = plan.experiment.looks();
    let seeds = looks.get(due.look)?;
    Some(format!("look {} of {} ({seeds} {})", due.look + 1, looks.len(), plan.experiment.looks_count()))
}

/// What `--dry-run` prints: the first runs, and what the whole may come to.
///
/// # Errors
/// When the command of a training program has a placeholder without a value.
pub(super) fn outlook(plan: &Plan, store: &Store, first: &[Run], shard: Shard) -> Result<String> {
    let experiment = &plan.experiment;
    let mut text = String::new();
    for run in first {
        text += &format!("{}  {}\n", run.name, Length::Steps(plan.budget(run).steps));
        text += &programs::command(plan, run, store)?;
    }
    if let Some(tuning) = experiment.tuning {
        text += "\nThe search, for every optimizer under every schedule, on every task:\n";
        for rung in tuning.rungs() {
            let tries = if rung.tries == 1 { "1 try".to_owned() } else { format!("{} tries", rung.tries) };
            text += &format!("  {tries} of {}% of the steps\n", short(100.0 * rung.share));
        }
        let others = experiment.seeds.len() - 1;
        let best = if tuning.finalists == 1 { "the best".into() } else { format!("the best {}", tuning.finalists) };
        text += &format!("  {best} again under {}\n", count(others, "more seed"));
    }
    if !experiment.judge_seeds.is_empty() {
        let judges = count(experiment.judge_seeds.len(), "judge seed");
        text += &format!("\nThe chosen settings of every optimizer and schedule again under {judges}\n");
    }
    let all = plan.outlook(shard);
    let looks: Vec<String> = experiment.looks().iter().map(ToString::to_string).collect();
    if looks.len() > 1 {
        let (looks, counted, until) = (looks.join(", "), experiment.looks_count(), experiment.looks_decide());
        text += &format!("\nLooks at {looks} {counted}: training stops at the first at which {until}\n");
        return Ok(text + &format!("\nat most {}, {} in total\n", count(all.runs, "run"), Length::Steps(all.steps)));
    }
    Ok(text + &format!("\n{}, {} in total\n", count(all.runs, "run"), Length::Steps(all.steps)))
}

/// Looks need the runs of every part in one folder. A part that has trained its own and finds none of another part
/// would wait for ever.
pub(super) fn refuse_lonely_part(plan: &Plan, due: &Due, done: &[Record], shard: Shard, round: usize) -> Result<()> {
    let own = &due.runs;
    let others = || done.iter().any(|record| own.iter().all(|run| run.name != record.run));
    if shard.is_whole() || plan.experiment.looks().is_empty() || round > 1 || own.is_empty() || others() {
        return Ok(());
    }
    Err(Error::Usage(
        "planned looks need the runs of all parts in one folder, and this folder has no run of another part\n  \
         help: start every `--shard` with the same `--out`, on a file system that they share; or give `seeds` a fixed number"
            .into(),
    ))
}

/// What to do where other parts have not trained their runs of a look yet; `None` where nothing is missing.
pub(super) fn waiting(plan: &Plan, done: &[Record], shard: Shard) -> Option<String> {
    if shard.is_whole() {
        return None;
    }
    let due = plan.due(done, Shard::WHOLE);
    let look = look(plan, &due)?;
    let missing = due.runs.iter().filter(|run| done.iter().all(|record| record.run != run.name)).count();
    (missing > 0).then(|| {
        format!(
            "{look}: this part is trained; {} of other parts {} missing, and nothing is decided before they are there\n  \
             help: run the same command again once the other parts have ended",
            count(missing, "run"),
            if missing == 1 { "is" } else { "are" }
        )
    })
}

/// Three digits are enough for a share.
fn short(x: f64) -> String {
    format!("{x:.1}").trim_end_matches(".0").to_owned()
}
