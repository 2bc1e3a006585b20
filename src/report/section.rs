//! What there is to say of one task: the ranking, the comparisons and what weakens them, each found once.

use crate::analysis::anytime::{Stage, stages};
use crate::analysis::search::Search;
use crate::analysis::{
    Comparison, GOOD, Progress, Rank, Ranking, Rate, Standard, Warning, bootstrap, caveats, comparisons, good_range,
    note, progress, rates, warnings,
};
use crate::config::Experiment;
use crate::results::Record;
use crate::task::Spec;

/// What there is to say of one task.
pub struct Section<'a> {
    /// Who is ahead.
    pub ranking: Ranking<'a>,
    /// Each arm against the first, in the order of the ranking.
    pub comparisons: Vec<Option<Comparison>>,
    /// What else was found of each arm, in the same order.
    pub found: Vec<Found>,
    /// What to know before believing it.
    pub warnings: Vec<Warning>,
    /// How sure its verdicts have to be.
    pub standard: Standard,
    /// The experiment, where the ranking is of one.
    pub experiment: Option<&'a Experiment>,
    /// The task.
    pub spec: Option<&'a Spec>,
    /// Every run of the experiment.
    pub records: &'a [Record],
    /// What is known as of each horizon of the anytime comparison; empty where there is none.
    pub stages: Vec<Stage>,
}

/// What was found of an arm beside its scores.
pub struct Found {
    /// What it took to find its settings.
    pub search: Option<Search>,
    /// The learning rates that it was tried with.
    pub rates: Vec<Rate>,
    /// The good ones around the chosen rate; `None` where a search gave some up, which says nothing of these.
    pub good: Option<(f64, f64)>,
    /// The interval of the leader's lead by bootstrap, where there are seeds enough for one.
    pub drawn: Option<(f64, f64)>,
    /// What weakens its comparison with the leader; of the leader, what weakens its own standing.
    pub note: Option<String>,
}

impl Found {
    fn of(
        standard: Standard,
        ranking: &Ranking,
        place: usize,
        comparison: Option<&Comparison>,
        records: &[Record],
        experiment: Option<&Experiment>,
    ) -> Self {
        let rank = &ranking.ranks[place];
        let search = Search::of(rank, &ranking.task, records, experiment);
        let rates = rates(rank);
        let gave_up = search.as_ref().is_some_and(Search::gave_up);
        let pair = if place == 0 { vec![rank] } else { vec![&ranking.ranks[0], rank] };
        let lead = comparison.and_then(|comparison| comparison.lead.as_ref());
        Self {
            good: good_range(&rates, GOOD).filter(|_| !gave_up),
            drawn: lead.and_then(|lead| bootstrap::percentile(&lead.pairs, standard.confidence())),
            note: note(&caveats(&pair, ranking.metric, experiment)),
            search,
            rates,
        }
    }
}

/// An arm of a section.
#[derive(Clone, Copy)]
pub struct Row<'s, 'a> {
    /// Its place, counted from 0.
    pub place: usize,
    /// The arm.
    pub rank: &'s Rank<'a>,
    /// The leader beside it; `None` for the leader.
    pub comparison: Option<&'s Comparison>,
    /// What else was found of it.
    pub found: &'s Found,
    /// Whether it may be the best.
    pub may_be_best: bool,
}

impl Row<'_, '_> {
    /// Whether tries were given up before the end, so that what ran to it says nothing of the others.
    pub fn gave_up(&self) -> bool {
        self.found.search.as_ref().is_some_and(Search::gave_up)
    }
}

impl<'a> Section<'a> {
    /// What there is to say of a ranking of these runs, and of how many of the experiment's they are.
    pub fn new(ranking: Ranking<'a>, records: &'a [Record], experiment: Option<&'a Experiment>) -> Self {
        let comparisons = comparisons(&ranking, Standard::FIXED);
        Self::under(Standard::FIXED, ranking, comparisons, records, experiment)
    }

    /// The same under another standard, by which the arms were compared.
    pub fn under(
        standard: Standard,
        ranking: Ranking<'a>,
        comparisons: Vec<Option<Comparison>>,
        records: &'a [Record],
        experiment: Option<&'a Experiment>,
    ) -> Self {
        let spec = experiment.and_then(|experiment| experiment.tasks.iter().find(|task| task.label == ranking.task));
        let progress = experiment.map(|experiment| progress(experiment, records, &ranking.task, |_, _| true));
        let warnings = warnings(&ranking, &comparisons, experiment, progress);
        let stages = stages(records, &ranking.task);
        let found = comparisons
            .iter()
            .enumerate()
            .map(|(place, comparison)| Found::of(standard, &ranking, place, comparison.as_ref(), records, experiment));
        let found = found.collect();
        Self { ranking, comparisons, found, warnings, standard, experiment, spec, records, stages }
    }

    /// The arms in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_, 'a>> + Clone {
        self.ranking.ranks.iter().enumerate().map(|(place, rank)| {
            // The leader has no comparison.
            let comparison = self.comparisons[place].as_ref();
            let may_be_best = rank.is_ranked() && comparison.is_none_or(|comparison| comparison.may_be_best);
            Row { place, rank, comparison, found: &self.found[place], may_be_best }
        })
    }

    /// The arms that may be the best, in order.
    pub fn may_be_best(&self) -> impl Iterator<Item = &Rank<'a>> {
        self.rows().filter(|row| row.may_be_best).map(|row| row.rank)
    }

    /// Where the reported scores come from.
    pub fn split(&self) -> &'static str {
        if self.is_tested() { "test" } else { "final" }
    }

    /// Whether the reported scores are of a test split.
    pub fn is_tested(&self) -> bool {
        let tested = |rank: &Rank| rank.best.runs.iter().any(|record| record.test.is_some());
        self.ranking.ranks.iter().any(tested)
    }

    /// What weakens the answer, and so stands beside it; the other warnings follow the tables.
    pub fn caveats(&self) -> impl Iterator<Item = &Warning> {
        self.warnings.iter().filter(|warning| is_caveat(warning))
    }

    /// The warnings that are not caveats.
    pub fn other_warnings(&self) -> impl Iterator<Item = &Warning> {
        self.warnings.iter().filter(|warning| !is_caveat(warning))
    }

    /// The caveats as one note; `None` where there are none.
    pub fn note(&self) -> Option<String> {
        note(&self.caveats().cloned().collect::<Vec<_>>())
    }

    /// `so far, with 9 of 12 runs, ` before what more runs may change; nothing of a whole sweep.
    pub fn so_far(&self) -> String {
        let incomplete = |warning: &Warning| match warning {
            Warning::Incomplete(Progress { there, planned }) => {
                Some(format!("so far, with {there} of {planned} runs, "))
            }
            _ => None,
        };
        self.warnings.iter().find_map(incomplete).unwrap_or_default()
    }
}

/// Whether a warning is of a conclusion rather than of a run.
fn is_caveat(warning: &Warning) -> bool {
    matches!(
        warning,
        Warning::Incomplete(_)
            | Warning::FewSeeds { .. }
            | Warning::Edge { .. }
            | Warning::UnequalTries { .. }
            | Warning::OneRate { .. }
            | Warning::SameScores
            | Warning::SearchedSeed
            | Warning::RunnerUp { .. }
    )
}
