//! What people and scripts read: the ranking in several formats, the tables, the charts, the page.

mod answer;
#[cfg(test)]
mod answer_tests;
mod anytime;
mod baseline_json;
mod baseline_notes;
mod baseline_tables;
mod baseline_words;
pub mod charts;
mod check;
mod check_json;
mod check_tables;
mod check_text;
mod check_words;
mod csv;
mod evidence;
mod format;
mod glob;
mod gradients;
mod html;
mod json;
mod looks;
mod marks;
mod other_values;
mod over_tasks;
mod profiles;
mod render;
pub mod schedules;
mod search;
mod sensitivity;
mod tables;
pub mod tensorboard;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::analysis::anytime::{Stage, stages};
use crate::analysis::sequential::is_extended;
use crate::analysis::{
    Comparison, Progress, Ranking, Roles, Standard, Standing, Warning, caveats, comparisons, note, progress,
    ranking_of, warnings,
};
use crate::catalog::Catalog;
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::results::{Conditions, EXPERIMENT, Inventory, Record, Store};
use crate::sweep::order;
use crate::task::Spec;

pub use check::{Against, Checked, Level};
pub use format::Format;
pub use render::render;
pub use words::with_unit;

/// The version of the JSON documents of `report` and `check`: raised where a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// What there is to say of one task.
pub struct Section<'a> {
    /// Who is ahead.
    pub ranking: Ranking<'a>,
    /// Each arm against the first, in the order of the ranking.
    pub comparisons: Vec<Option<Comparison>>,
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

impl<'a> Section<'a> {
    /// What there is to say of a ranking of these runs, and of how many of the experiment's they are.
    pub fn new(ranking: Ranking<'a>, records: &'a [Record], experiment: Option<&'a Experiment>) -> Self {
        Self::under(Standard::FIXED, ranking, records, experiment)
    }

    /// The same under another standard.
    pub fn under(
        standard: Standard,
        ranking: Ranking<'a>,
        records: &'a [Record],
        experiment: Option<&'a Experiment>,
    ) -> Self {
        let comparisons = comparisons(&ranking, standard);
        Self::with(standard, ranking, comparisons, records, experiment)
    }

    fn with(
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
        Self { ranking, comparisons, warnings, standard, experiment, spec, records, stages }
    }

    /// The places of the arms that may be the best, in order.
    pub fn may_be_best(&self) -> impl Iterator<Item = usize> {
        (0..self.ranking.ranks.len()).filter(|&place| self.may_be_best_at(place))
    }

    /// Whether the arm at a place may be the best.
    pub fn may_be_best_at(&self, place: usize) -> bool {
        // The leader has no comparison.
        let compared = self.comparisons[place].as_ref();
        self.ranking.ranks[place].is_ranked() && compared.is_none_or(|comparison| comparison.may_be_best)
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

    /// What weakens the comparison of the arm at a place with the leader; of the leader, what weakens its own standing.
    pub fn note_at(&self, place: usize) -> Option<String> {
        let (leader, arm) = (&self.ranking.ranks[0], &self.ranking.ranks[place]);
        let pair = if place == 0 { vec![leader] } else { vec![leader, arm] };
        note(&caveats(&pair, self.ranking.metric, self.experiment))
    }

    /// Why the rows of the ranking are not in the order of the reported scores; `None` where they are.
    pub fn order_note(&self) -> Option<String> {
        let metric = self.ranking.metric;
        let ranked = self.ranking.ranks.iter().enumerate().filter(|(_, rank)| rank.is_ranked());
        let scores: Vec<(usize, f64)> =
            ranked.filter_map(|(place, rank)| Some((place, rank.best.finite_mean(metric)?))).collect();
        let rises = scores.windows(2).any(|pair| metric.better(pair[1].1, pair[0].1));
        let best = scores.iter().copied().reduce(|a, b| if metric.better(b.1, a.1) { b } else { a })?;
        let lost = self.ranking.ranks.iter().any(|rank| rank.is_ranked() && rank.best.lost_in(metric) > 0);
        let behind = if lost { "; an arm that lost seeds ranks behind those that lost fewer" } else { "" };
        let split = self.split();
        let first = if best.0 == 0 {
            format!("on {split}, some are in another order")
        } else {
            format!("on {split}, {} (row {}) has the best mean", self.ranking.ranks[best.0].name(), best.0 + 1)
        };
        rises.then(|| format!("Rows are in the order of validation, which also chose the settings{behind}; {first}."))
    }

    /// `so far, with 9 of 12 runs, ` before what more runs may change; nothing of a whole sweep.
    fn so_far(&self) -> String {
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

/// The results of one experiment, read back.
pub struct Results {
    /// The folder.
    pub store: Store,
    /// What was to be run.
    pub experiment: Experiment,
    /// What has run, in the order of the experiment.
    pub records: Vec<Record>,
    /// Whether there is more of the runs than their records.
    pub curves: bool,
    /// Whether seeds were added after results had been seen.
    pub extended: bool,
    /// What of it is judged, and by which standard.
    pub standing: Standing,
}

impl Results {
    /// Reads the folder of an experiment.
    ///
    /// # Errors
    /// When it is none, or something in it is damaged.
    pub fn open(catalog: &Catalog, store: Store) -> Result<Self> {
        store.refuse_file()?;
        let there = store.inventory();
        let curves = there.as_ref().is_ok_and(Inventory::has_folders);
        let records = there.and_then(Inventory::records);
        Self::with(catalog, store, records, curves)
    }

    /// Reads the folder of an experiment without the runs that are damaged; also tells what is wrong with these.
    ///
    /// # Errors
    /// When it is none, or anything but runs is damaged.
    pub fn open_sound(catalog: &Catalog, store: Store) -> Result<(Self, Vec<String>)> {
        store.refuse_file()?;
        let there = store.inventory()?;
        Self::of_sound(catalog, store, there)
    }

    /// The same, of a folder whose runs were read before.
    ///
    /// # Errors
    /// See [`Results::open_sound`].
    pub fn of_sound(catalog: &Catalog, store: Store, there: Inventory) -> Result<(Self, Vec<String>)> {
        let curves = there.has_folders();
        let (records, flaws) = there.sound();
        Ok((Self::with(catalog, store, Ok(records), curves)?, flaws))
    }

    fn with(catalog: &Catalog, store: Store, records: Result<Vec<Record>>, has_folders: bool) -> Result<Self> {
        let path = store.root().join(EXPERIMENT);
        let Some(text) = store.read(EXPERIMENT)? else {
            return Err(Error::Usage(format!(
                "{} holds no experiment: there is no {}",
                store.root().display(),
                path.display()
            )));
        };
        let experiment = Experiment::stored(catalog, &path.display().to_string(), &text)?;
        let mut records = records?;
        marks::fill(&store, &experiment, &mut records)?;
        order::sort(&mut records, &experiment);
        let curves = records.is_empty() || has_folders;
        let provenance = store.provenance_if_sound().unwrap_or_default();
        let extended = is_extended(&experiment, &provenance.extended);
        let standing = Standing::of(&experiment, &records, extended);
        Ok(Self { store, experiment, records, curves, extended, standing })
    }

    /// Reads the folder of an experiment to judge what has run.
    ///
    /// # Errors
    /// See [`Results::open`]; also where nothing has run.
    pub fn open_run(catalog: &Catalog, store: Store) -> Result<Self> {
        let results = Self::open(catalog, store)?;
        if results.records.is_empty() {
            return Err(Error::Usage(format!(
                "{} holds no run: nothing has finished there yet\n  help: `optbench run` trains what its {EXPERIMENT} plans",
                results.store.root().display()
            )));
        }
        Ok(results)
    }

    /// Warnings where the runs do not belong together: of other data, or from builds of different commits.
    ///
    /// # Errors
    /// When `provenance.json` is needed and cannot be read.
    pub fn mixed(&self) -> Result<Vec<String>> {
        let mut warnings = self.conditions()?.mixed_data();
        warnings.extend(self.mixed_builds());
        Ok(warnings)
    }

    /// The conditions that the runs were trained under.
    ///
    /// # Errors
    /// When `provenance.json` is needed and cannot be read.
    pub fn conditions(&self) -> Result<Conditions> {
        Conditions::of(&self.store, &self.records, &self.experiment.tasks)
    }

    /// A warning where the runs come from builds of different commits, as far as these are known.
    fn mixed_builds(&self) -> Option<String> {
        let mut runs: BTreeMap<&str, usize> = BTreeMap::new();
        for commit in self.records.iter().filter_map(|record| record.commit.as_deref()) {
            *runs.entry(commit).or_default() += 1;
        }
        let counts: Vec<String> = runs.iter().map(|(commit, n)| format!("{n} from {commit:.10}")).collect();
        (counts.len() > 1).then(|| {
            format!(
                "the runs were trained by builds of different commits, and numbers may differ: {}",
                counts.join(", ")
            )
        })
    }

    /// The records that are judged: those of the latest look, where looks are planned.
    pub fn judged(&self) -> &[Record] {
        self.standing.records(&self.records)
    }

    /// Who is ahead on each task on which something has run.
    pub fn rankings(&self) -> Vec<Ranking<'_>> {
        self.rankings_of_all().filter(|ranking| !ranking.ranks.is_empty()).collect()
    }

    fn rankings_of_all(&self) -> impl Iterator<Item = Ranking<'_>> {
        let roles = Roles::of(self.standing.experiment(&self.experiment));
        self.experiment.tasks.iter().map(move |task| {
            let mut ranking = ranking_of(self.judged(), &task.label, task.metric, &roles);
            self.standing.order(&mut ranking);
            ranking
        })
    }

    /// What there is to say, task by task, of those without a run, too.
    pub fn sections(&self) -> Vec<Section<'_>> {
        let experiment = self.standing.experiment(&self.experiment);
        let sections = self.rankings_of_all().map(|ranking| {
            let comparisons = self.standing.comparisons(&ranking);
            Section::with(self.standing.standard, ranking, comparisons, self.judged(), Some(experiment))
        });
        sections.collect()
    }

    /// Writes everything that follows from the runs: tables, charts and the page.
    ///
    /// Where all runs are known without their curves, charts and page stay as they are.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self) -> Result<()> {
        self.store.pack(&self.records)?;
        self.store.write("runs.csv", csv::runs(&self.records, &self.experiment.judge_seeds)?)?;
        self.store.write("summary.csv", csv::summary(&self.records, &self.experiment.judge_seeds)?)?;
        if !self.curves {
            return Ok(());
        }
        let charts = charts::draw(self, &charts::Choice::default())?;
        charts::save(&self.store.charts(), &charts, charts::SVG_AND_PNG)?;
        self.store.write("report.html", html::page(self, &charts)?)
    }
}
