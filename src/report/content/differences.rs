//! Each arm beside the leader.

use crate::analysis::{Comparison, Difference, bootstrap};
use crate::report::content::ranking::named;
use crate::report::content::words::{known_interval, points, probability, short, verdict, yes_or_no};
use crate::report::document::{Cell, Content, Number, Table};
use crate::report::{Row, Section};

/// Every comparison with the leader; without rows where there is none.
pub(super) fn table(section: &Section) -> Table {
    let (metric, standard) = (section.ranking.metric, section.standard);
    let rows: Vec<(Row, &Comparison)> = section.rows().filter_map(|row| Some((row, row.comparison?))).collect();
    let compared = || rows.iter().map(|(_, comparison)| *comparison);
    let leads = || compared().map(|comparison| comparison.lead.as_ref());
    let alike = |lead: Option<&Difference>| Some(format!("the same in all {}", lead?.same_step()?));
    let mut table = Table::new("Differences to the leader", "");
    named(&mut table, rows.iter().map(|(row, _)| *row));
    table.numbers("difference", leads().map(|lead| lead.map(|lead| points(lead.mean, metric)))).help(format!(
        "Difference: the leader's {} {} minus the arm's, turned so that more is better for the leader, paired by seed; in \
         standard deviations over seeds, pooled over both arms (Cohen's d).",
        section.split(),
        metric.name(),
    ));
    let intervals = leads().map(|lead| {
        let interval = || known_interval(lead.map(|lead| standard.interval(lead)), metric);
        alike(lead).map_or_else(interval, Cell::from)
    });
    table.numbers(section.interval_name(), intervals).help(format!(
        "The intervals are Student's t and, from {} seeds on, the percentiles of 9,999 bootstrap samples.",
        bootstrap::FEWEST
    ));
    if rows.iter().any(|(row, _)| row.found.drawn.is_some()) {
        let drawn = |(row, comparison): &(Row, &Comparison)| {
            let drawn = row.found.drawn.filter(|_| alike(comparison.lead.as_ref()).is_none());
            known_interval(drawn, metric)
        };
        table.numbers("bootstrap interval", rows.iter().map(drawn));
    }
    let deviations = compared().map(|comparison| comparison.effect.deviations.map(|size| Number::fixed(size, 1)));
    table.numbers("in std", deviations);
    table.numbers("p (worse)", compared().map(|comparison| probability(comparison.p_worse))).help(format!(
        "p (worse): one-sided, of this comparison alone; the arm may be the best unless it is {}% or less.",
        short(100.0 * standard.alpha)
    ));
    table.numbers("may be best", rows.iter().map(|(row, _)| yes_or_no(row.may_be_best)));
    table.numbers("p (Holm)", compared().map(|comparison| probability(comparison.p_adjusted))).help(
        "p (Holm): two-sided, adjusted by Holm's method over this table; it decides the verdict, so an interval that just \
         excludes 0 may be not significant. Where all seeds differ by exactly the same step of a coarse score, both are of \
         the sign test.",
    );
    table
        .numbers("p (Wilcoxon)", compared().map(|comparison| probability(comparison.wilcoxon)))
        .help("Wilcoxon's signed-rank p is not adjusted.");
    let detectable = compared().map(|comparison| comparison.detectable.map(|size| points(size, metric)));
    table
        .numbers("detectable", detectable)
        .help("Detectable: the smallest difference by which an arm would be ruled out with 80% power.");
    if compared().any(|comparison| comparison.steps_saved.is_some()) {
        table
            .numbers("steps saved", compared().map(|comparison| steps_saved(section, comparison)))
            .help("Steps saved: how much sooner the leader reached the target.");
    }
    table.numbers("seeds", leads().map(|lead| Number::count(lead.map_or(0, |lead| lead.n))));
    table.numbers("verdict", compared().map(|comparison| verdict(comparison.verdict)));
    table
}

/// `40 [15, 65]`.
fn steps_saved(section: &Section, comparison: &Comparison) -> Option<Cell> {
    let saved = comparison.steps_saved.as_ref()?;
    let steps = |x: f64| Number::fixed(x, 0);
    Some(match section.standard.interval(saved) {
        (low, high) if low.is_infinite() || low == high => steps(saved.mean).into(),
        (low, high) => Content::Estimate(steps(saved.mean), Some((steps(low), steps(high)))).into(),
    })
}
