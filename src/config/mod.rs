//! The config: one TOML file that states a whole experiment.
//!
//! Reading finds every mistake of a file at once; what it returns is complete, with each default
//! filled in, and [`Experiment::to_toml`] writes it so that it can be read again.

use std::fs;
use std::io;
use std::path::Path;

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::length::{Length, Timeline};
use crate::task::Spec;

mod anytime;
mod arm;
mod around;
mod axis;
mod bar;
mod claim;
mod diagnostics;
mod entrant;
mod experiment;
mod feasible;
mod foreign;
mod grid;
mod groups;
mod idle;
mod label;
mod names;
mod reaches;
mod resolved;
mod sampling;
mod section;
mod seeds;
mod shorthand;
mod single;
mod source;
mod spread;
mod task;
mod text;
mod tuning;
mod value;

pub use anytime::Anytime;
pub use arm::Arm;
pub use around::Around;
pub use bar::Bar;
pub use claim::{At, Claim};
pub use entrant::Entrant;
pub use grid::Grid;
pub use reaches::Reaches;
pub use resolved::Difference;
pub use seeds::Stage;
pub use single::Single;
pub use tuning::{Halving, Rung, Tuning};

use diagnostics::Diagnostics;

/// What stands for the standard input where a config is named.
const STANDARD_INPUT: &str = "-";

/// An experiment as a config states it, all defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// The name; its results live in `results/<name>/`.
    pub name: String,
    /// The seeds that every arm is run under.
    pub seeds: Vec<u64>,
    /// The numbers of [`Experiment::seeds`] at which a verdict may be reached, rising up to all of them; empty where
    /// their number is fixed.
    pub seed_looks: Vec<usize>,
    /// The seeds that the chosen settings alone are run under, and that alone are reported; empty where `seeds` do both.
    pub judge_seeds: Vec<u64>,
    /// What [`Experiment::seed_looks`] are, of [`Experiment::judge_seeds`].
    pub judge_looks: Vec<usize>,
    /// How long a run trains.
    pub length: Length,
    /// The time between two evaluations.
    pub eval_every: Length,
    /// The time between two checkpoints; by the clock where it is not given.
    pub checkpoint_every: Option<Length>,
    /// Whether the sizes of gradients and updates are recorded: `probe = ["gradients"]`.
    pub probes_gradients: bool,
    /// The tasks.
    pub tasks: Vec<Spec>,
    /// The optimizers, each with where it is run.
    pub optimizers: Vec<Entrant>,
    /// The schedules.
    pub schedules: Vec<Grid>,
    /// The earlier stopping times at which arms are compared, if any.
    pub anytime: Option<Anytime>,
    /// How the settings are searched; every one is run under every seed where it is `None`.
    pub tuning: Option<Tuning>,
    /// What is claimed of the results.
    pub claims: Vec<Claim>,
    /// What the config says without effect, each in one sentence: no mistake, but hardly meant.
    pub idle: Vec<String>,
}

impl Experiment {
    /// Reads a config file, with `KEY=VALUE` overrides laid over it; `-` is the standard input.
    ///
    /// # Errors
    /// When the file cannot be read, or with every mistake found in it.
    pub fn load(catalog: &Catalog, path: &Path, overrides: &[String]) -> Result<Self> {
        let refused = |error: io::Error| Error::Usage(format!("cannot read the config `{}`: {error}", path.display()));
        if path.as_os_str() == STANDARD_INPUT {
            let text = io::read_to_string(io::stdin().lock()).map_err(refused)?;
            return Self::parse(catalog, "<stdin>", &text, "stdin", overrides);
        }
        let text = fs::read_to_string(path).map_err(refused)?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let mut experiment = Self::parse(catalog, &path.display().to_string(), &text, &stem, overrides)?;
        let folder = path.parent().unwrap_or(path);
        for task in &mut experiment.tasks {
            task.start_in(folder)?;
        }
        Ok(experiment)
    }

    /// Reads the text of a config; `source` names it in errors, `default_name` is the experiment's
    /// name where the text gives none.
    ///
    /// # Errors
    /// With every mistake found in it.
    pub fn parse(
        catalog: &Catalog,
        source: &str,
        text: &str,
        default_name: &str,
        overrides: &[String],
    ) -> Result<Self> {
        Self::read(Diagnostics::new(catalog), source, text, default_name, overrides)
    }

    /// Reads the experiment.toml of results; `source` names it in errors. It may state what is an error in a
    /// config that is to be run: a claim that earlier versions judged, and that cannot be decided.
    ///
    /// # Errors
    /// With every mistake found in it.
    pub fn stored(catalog: &Catalog, source: &str, text: &str) -> Result<Self> {
        Self::read(Diagnostics::of_stored(catalog), source, text, "", &[])
    }

    fn read(
        mut diagnostics: Diagnostics,
        source: &str,
        text: &str,
        default_name: &str,
        overrides: &[String],
    ) -> Result<Self> {
        let file = diagnostics.source(source, text);
        let (mut table, mut errors) = source::parse(file, text);
        for set in overrides {
            let (patch, more) = set_argument(set, &mut diagnostics);
            errors.extend(more);
            // A run has one length: an override replaces it, whichever way the file states it.
            for (given, other) in [("steps", "epochs"), ("epochs", "steps")] {
                if patch.get(given).is_some() {
                    table.0.retain(|entry| entry.key != other);
                }
            }
            source::merge(&mut table, patch);
        }
        let experiment = experiment::read(&table, default_name, &mut diagnostics);
        if !errors.is_empty() {
            diagnostics.forget_missing();
        }
        for error in errors {
            diagnostics.add(&error.place, error.message);
        }
        diagnostics.into_result()?;
        Ok(experiment)
    }

    /// How many updates and evaluations a run of a task has.
    ///
    /// # Errors
    /// In words for the user, where the task lacks what a duration is measured in.
    pub fn budget(&self, steps_per_epoch: Option<u64>) -> Result<Budget, String> {
        let timeline = Timeline { steps: 0, steps_per_epoch, beta2: None };
        let steps = self.length.in_steps(&timeline)?.max(1);
        let eval_every = self.eval_every.in_steps(&Timeline { steps, ..timeline })?.max(1);
        Ok(Budget { steps, eval_every })
    }

    /// The tasks that a claim is about.
    pub fn tasks_of<'a>(&'a self, claim: &'a Claim) -> impl Iterator<Item = &'a Spec> {
        self.tasks.iter().filter(|task| claim.is_about(task, &self.optimizers))
    }

    /// The claims that an arm reaches a score on a task, with what they say of it.
    pub fn claims_that_reach<'a>(&'a self, task: &'a Spec) -> impl Iterator<Item = (&'a Claim, Reaches)> + 'a {
        let claims = self.claims.iter().filter(|claim| claim.is_about(task, &self.optimizers));
        claims.filter_map(|claim| Some((claim, claim.reaches?)))
    }

    /// The horizons of the anytime comparison in steps, rising, each before the end of the run.
    ///
    /// # Errors
    /// In words for the user, where a horizon does not lie within the run of a task.
    pub fn horizons(&self, steps_per_epoch: Option<u64>) -> Result<Vec<u64>, String> {
        let Some(anytime) = &self.anytime else { return Ok(Vec::new()) };
        let Budget { steps, .. } = self.budget(steps_per_epoch)?;
        let timeline = Timeline { steps, steps_per_epoch, beta2: None };
        let in_steps = |horizon: &Length| match horizon.in_steps(&timeline)? {
            at if (1..steps).contains(&at) => Ok(at),
            at => Err(format!("the horizon {horizon} is step {at}, which is not inside the run of {steps} steps")),
        };
        let mut horizons = anytime.horizons.iter().map(in_steps).collect::<Result<Vec<u64>, String>>()?;
        horizons.sort_unstable();
        horizons.dedup();
        Ok(horizons)
    }
}

/// The length of a run in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Updates.
    pub steps: u64,
    /// Updates between two evaluations.
    pub eval_every: u64,
}

/// Parses one `--set KEY=VALUE`. A value that is no TOML is text: `--set tasks.t.dataset=digits`.
fn set_argument(set: &str, diagnostics: &mut Diagnostics) -> (source::Table, Vec<source::SyntaxError>) {
    let is_toml = |text: &str| source::parse(0, text).1.is_empty();
    let as_text =
        |(key, value): (&str, &str)| format!("{key}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    let quoted = set.split_once('=').map(as_text).filter(|quoted| !is_toml(set) && is_toml(quoted));
    let text = quoted.unwrap_or_else(|| set.to_owned());
    let number = diagnostics.source(format!("--set {set}"), text.clone());
    source::parse(number, &text)
}
