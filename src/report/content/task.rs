//! What is said of one task.

use crate::analysis::{Rank, Warning, detectable};
use crate::error::Result;
use crate::report::Section;
use crate::report::content::{
    anytime, arms, cost, differences, gradients, other_values, ranking, search, sensitivity, settings, tries,
};
use crate::report::document::{Table, Task};
use crate::results::Store;

/// One task.
pub(super) fn task(section: &Section, store: &Store) -> Result<Task> {
    let probed = gradients::seen(store, &section.ranking)?;
    let at_horizons = section.at_horizons();
    let (sensitivity, other_values) = (sensitivity::table(section), other_values::table(section));
    // Of a single arm, what other values cost is the answer.
    let [first, second] =
        if section.ranking.ranks.len() == 1 { [other_values, sensitivity] } else { [sensitivity, other_values] };
    let tables = [
        differences::table(section),
        anytime::table(section, &at_horizons),
        first,
        second,
        tries::table(section),
        search::table(section),
        cost::table(section),
        gradients::table(&probed),
        settings::table(section),
    ];
    let answer = section.headline();
    let (first, rest) = match answer.split_once(". ") {
        Some((first, rest)) => (format!("{first}."), rest.to_owned()),
        None => (answer.clone(), String::new()),
    };
    let look = section.standard.look;
    let said = |warning: &Warning| warning.to_string();
    Ok(Task {
        task: section.ranking.task.clone(),
        metric: section.ranking.metric.name().to_owned(),
        answer,
        may_be_best: section.may_be_best().map(Rank::name).collect(),
        note: section.note(),
        basis: section.standard.basis.name().to_owned(),
        look: look.map(|look| look.number),
        looks: look.map(|look| look.of),
        level: section.standard.alpha,
        detectable: detectable(&section.comparisons),
        order_note: section.order_note(),
        loss_floor: section.ranking.loss_floor(),
        warnings: section.warnings.iter().map(said).collect(),
        anytime: anytime::facts(section, &at_horizons),
        ranks: section.rows().map(|row| arms::arm(section, row, &probed)).collect(),
        first,
        rest,
        subtitle: section.subtitle(),
        caveats: section.caveats().map(said).collect(),
        others: section.other_warnings().map(said).collect(),
        anytime_said: anytime::answers(&at_horizons),
        ranking: ranking::table(section),
        tables: tables.into_iter().filter(|table: &Table| !table.is_empty()).collect(),
        figures: Vec::new(),
    })
}
