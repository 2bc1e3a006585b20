//! The runs of an experiment: tasks x optimizers x schedules x hyper-parameters x seeds.

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::config::{Budget, Experiment, Grid};
use crate::duration::Timeline;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::sweep::Snapshots;
use crate::sweep::horizon::Dependence;
use crate::sweep::tuning::drawn;
use crate::task::data::Library;
use crate::task::{self, Spec, Task};
use crate::{optim, schedule};

/// One training of the sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The name of the run and of its folder.
    pub name: String,
    /// The place of the task in the experiment.
    pub task: usize,
    /// The optimizer's label.
    pub optimizer_label: String,
    /// The optimizer and its hyper-parameters.
    pub optimizer: Settings,
    /// The schedule's label.
    pub schedule_label: String,
    /// The schedule and its keys.
    pub schedule: Settings,
    /// The seed.
    pub seed: u64,
    /// The horizon that it ends at, where that is before the experiment's full length.
    pub horizon: Option<u64>,
    /// The horizons at which it stands for a run that ends there, because nothing in it depends on its length.
    pub stands_for: Vec<u64>,
    /// The hash of everything that decides the run's numbers.
    pub fingerprint: String,
}

impl Run {
    /// The hyper-parameters as they are printed: the optimizer's, then the schedule's as `schedule.KEY`.
    pub fn hyper_parameters(&self) -> Vec<(String, String)> {
        let optimizer = self.optimizer.iter().map(|(key, value)| (key.to_owned(), value.to_string()));
        let schedule = self.schedule.iter().map(|(key, value)| (format!("schedule.{key}"), value.to_string()));
        optimizer.chain(schedule).collect()
    }
}

/// An experiment made ready to run.
pub struct Plan {
    /// The experiment.
    pub experiment: Experiment,
    /// Its tasks with their data, in order.
    pub tasks: Vec<Arc<dyn Task>>,
    /// The length of a run of each task.
    pub budgets: Vec<Budget>,
    /// The horizons of the anytime comparison of each task, in steps.
    pub horizons: Vec<Vec<u64>>,
    /// Beginnings of file names, in small letters, that the labels of several arms come to.
    ambiguous: HashSet<String>,
    /// All runs, in an order that is the same in every process; of a search the first tries, see [`Plan::due`].
    pub runs: Vec<Run>,
}

impl Plan {
    /// Lists the runs of an experiment and loads the data that they need.
    ///
    /// # Errors
    /// When a dataset is missing, or the length of a run makes no sense for a task.
    pub fn new(experiment: Experiment, library: &Library) -> Result<Self> {
        let mut plan = Self {
            tasks: Vec::new(),
            budgets: Vec::new(),
            horizons: Vec::new(),
            ambiguous: HashSet::new(),
            runs: Vec::new(),
            experiment,
        };
        for spec in &plan.experiment.tasks {
            let task = task::build(spec, library)?;
            let mistaken = |problem| Error::Usage(format!("task `{}`: {problem}", spec.label));
            plan.budgets.push(plan.experiment.budget(task.steps_per_epoch()).map_err(mistaken)?);
            plan.horizons.push(plan.experiment.horizons(task.steps_per_epoch()).map_err(mistaken)?);
            plan.tasks.push(task);
        }
        plan.ambiguous = plan.shared_stems();
        plan.list_runs();
        for run in &plan.runs {
            // Whatever cannot be built is found before anything trains.
            plan.schedule(run)?;
            plan.optimizer(run)?;
        }
        Ok(plan)
    }

    /// Labels may be made safe to the same name, and some file systems ignore capitals.
    fn shared_stems(&self) -> HashSet<String> {
        let Experiment { tasks, optimizers, schedules, .. } = &self.experiment;
        let (mut seen, mut shared) = (HashSet::new(), HashSet::new());
        for task in tasks {
            for (optimizer, own) in optimizers {
                for schedule in schedules.iter().filter(|schedule| own.contains(&schedule.label)) {
                    let stem = format!("{}-{}-{}", task.label, optimizer.label, schedule.label);
                    let stem = file_name(&stem).to_ascii_lowercase();
                    if !seen.insert(stem.clone()) {
                        shared.insert(stem);
                    }
                }
            }
        }
        shared
    }

    fn list_runs(&mut self) {
        let experiment = &self.experiment;
        let mut runs = Vec::new();
        let mut names = HashSet::new();
        let mut dependence = Dependence::default();
        for task in 0..experiment.tasks.len() {
            for (grid, schedules) in &experiment.optimizers {
                for schedule in experiment.schedules.iter().filter(|schedule| schedules.contains(&schedule.label)) {
                    for run in self.settings(task, grid, schedule) {
                        let (lengths, seeds) = match experiment.tuning {
                            None => (self.lengths(&run, &mut dependence), &experiment.seeds[..]),
                            Some(tuning) => {
                                let horizon = self.horizon(task, tuning.rungs()[0]);
                                (vec![Run { horizon, ..run }], &experiment.seeds[..1])
                            }
                        };
                        for length in lengths {
                            for &seed in seeds {
                                let mut run = self.named(Run { seed, ..length.clone() });
                                if !names.insert(run.name.to_ascii_lowercase()) {
                                    run.name = format!("{}-{}", run.name, &run.fingerprint[..8]);
                                }
                                runs.push(run);
                            }
                        }
                    }
                }
            }
        }
        self.runs = runs;
    }

    /// A run for each setting of an optimizer and a schedule that the experiment tries, without seed and name.
    fn settings(&self, task: usize, optimizer: &Grid, schedule: &Grid) -> Vec<Run> {
        let schedules = schedule.variants();
        let mut runs: Vec<Run> = Vec::new();
        for variant in optimizer.variants() {
            runs.extend(schedules.iter().map(|schedule_variant| Run {
                name: String::new(),
                task,
                optimizer_label: optimizer.label.clone(),
                optimizer: variant.clone(),
                schedule_label: schedule.label.clone(),
                schedule: schedule_variant.clone(),
                seed: 0,
                horizon: None,
                stands_for: Vec::new(),
                fingerprint: String::new(),
            }));
        }
        match self.experiment.tuning {
            None => runs,
            Some(tuning) => drawn(runs.len(), tuning.tries()).into_iter().map(|place| runs[place].clone()).collect(),
        }
    }

    /// The run with the name and the fingerprint that belong to the rest of it.
    pub(super) fn named(&self, mut run: Run) -> Run {
        let task = &self.experiment.tasks[run.task];
        run.fingerprint = fingerprint(&run, task, self.budget(&run), &self.horizons[run.task]);
        let optimizer = self.experiment.optimizers.iter().map(|(grid, _)| grid);
        let optimizer = optimizer.into_iter().find(|grid| grid.label == run.optimizer_label);
        let schedule = self.experiment.schedules.iter().find(|grid| grid.label == run.schedule_label);
        let swept: Vec<String> = optimizer.into_iter().flat_map(Grid::swept).map(str::to_owned).collect();
        let swept_schedule: Vec<String> = schedule.into_iter().flat_map(Grid::swept).map(str::to_owned).collect();
        run.name = name(&run, &task.label, &swept, &swept_schedule);
        if self.ambiguous.contains(&file_name(&stem(&run, &task.label)).to_ascii_lowercase()) {
            run.name = format!("{}-{}", run.name, &run.fingerprint[..8]);
        }
        run
    }

    /// The run of full length, and one for each horizon at which that one cannot stand for it.
    fn lengths(&self, run: &Run, dependence: &mut Dependence) -> Vec<Run> {
        let long = self.timeline(run);
        let mut depends = |horizon: &u64| dependence.on_length(&run.optimizer, &run.schedule, &long, *horizon);
        let (apart, stands_for): (Vec<u64>, Vec<u64>) = self.horizons[run.task].iter().partition(|h| depends(h));
        let early = apart.iter().map(|horizon| Run { horizon: Some(*horizon), ..run.clone() });
        std::iter::once(Run { stands_for, ..run.clone() }).chain(early).collect()
    }

    /// The length of a run and the time between its evaluations, which is that of the longest run.
    pub fn budget(&self, run: &Run) -> Budget {
        let budget = self.budgets[run.task];
        Budget { steps: run.horizon.unwrap_or(budget.steps), ..budget }
    }

    /// The label of a run's schedule, with the keys that the sweep varies.
    pub fn label(&self, run: &Run) -> String {
        let grid = self.experiment.schedules.iter().find(|grid| grid.label == run.schedule_label);
        let swept = grid.into_iter().flat_map(Grid::swept);
        let values = swept.filter_map(|key| Some(format!(" {key} {}", run.schedule.get(key)?)));
        run.schedule_label.clone() + &values.collect::<String>()
    }

    /// What is odd about the schedules of these runs, each sentence once.
    ///
    /// # Errors
    /// When a schedule cannot be built.
    pub fn warnings(&self, runs: &[&Run]) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        for run in runs {
            for warning in self.schedule(run)?.warnings(self.budget(run).steps) {
                let task = &self.experiment.tasks[run.task].label;
                let warning = format!("schedule `{}` on task `{task}`: {warning}", self.label(run));
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        Ok(warnings)
    }

    /// When checkpoints of a run are due.
    pub fn snapshots(&self, run: &Run) -> Snapshots {
        let every = self.experiment.checkpoint_every.and_then(|every| every.in_steps(&self.timeline(run)).ok());
        every.map_or(Snapshots::Automatic, |steps| Snapshots::Every(steps.max(1)))
    }

    /// The timeline of a run.
    pub fn timeline(&self, run: &Run) -> Timeline {
        Timeline {
            steps: self.budget(run).steps,
            steps_per_epoch: self.tasks[run.task].steps_per_epoch(),
            beta2: run.optimizer.optional_float("beta2"),
        }
    }

    /// Builds the schedule of a run.
    ///
    /// # Errors
    /// When a duration has no meaning for its task.
    pub fn schedule(&self, run: &Run) -> Result<Box<dyn schedule::Schedule>> {
        schedule::build(&run.schedule, &self.timeline(run))
            .map_err(|problem| Error::Usage(format!("schedule `{}`: {problem}", run.schedule_label)))
    }

    /// Builds the optimizer of a run.
    ///
    /// # Errors
    /// When a duration has no meaning for its task.
    pub fn optimizer(&self, run: &Run) -> Result<Box<dyn optim::Optimizer>> {
        let settings = run
            .optimizer
            .in_steps(&self.timeline(run))
            .map_err(|problem| Error::Usage(format!("optimizer `{}`: {problem}", run.optimizer_label)))?;
        Ok(optim::build(&settings))
    }
}

/// The hash of everything that decides the numbers of a run.
fn fingerprint(run: &Run, spec: &Spec, budget: Budget, horizons: &[u64]) -> String {
    // The task's label, target and metric judge a run; they do not change it.
    let decides = (&spec.model, &spec.dataset, spec.batch_size, spec.dtype, &run.optimizer, &run.schedule);
    let mut text = format!("{decides:?} {} {budget:?}", run.seed);
    if run.horizon.is_none() && !horizons.is_empty() {
        // They change no update, but what is evaluated.
        text += &format!(" {horizons:?} {:?}", run.stands_for);
    }
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// What the names of an arm's runs begin with.
fn stem(run: &Run, task: &str) -> String {
    format!("{task}-{}-{}", run.optimizer_label, run.schedule_label)
}

/// The text with `_` for whatever is odd in the name of a file.
fn file_name(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}

/// `digits-adamw-cosine-lr0.003-s0`: labels, what is swept, and the seed, as a file name.
fn name(run: &Run, task: &str, swept: &[String], swept_schedule: &[String]) -> String {
    let mut name = stem(run, task);
    let rate = std::iter::once("lr").filter(|lr| !swept.iter().any(|key| key == lr));
    let swept = rate.chain(swept.iter().map(String::as_str));
    let optimizer = swept.filter_map(|key| Some((key, run.optimizer.get(key)?)));
    let schedule = swept_schedule.iter().filter_map(|key| Some((key.as_str(), run.schedule.get(key)?)));
    for (key, value) in optimizer.chain(schedule) {
        name += &format!("-{key}{value}");
    }
    if let Some(horizon) = run.horizon {
        name += &format!("-until{horizon}");
    }
    name += &format!("-s{}", run.seed);
    let mut safe = file_name(&name);
    if safe.len() > 150 {
        // File systems take 255 bytes; locks and temporary folders add to the name.
        safe = format!("{}-{}-s{}", &safe[..120], &run.fingerprint[..8], run.seed);
    }
    if safe.starts_with(['.', '-']) { format!("_{safe}") } else { safe }
}

/// One of several equal parts of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// The whole sweep.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// The `index`-th, from 1, of `count` parts.
    ///
    /// # Panics
    /// When there is no such part.
    pub fn new(index: usize, count: usize) -> Self {
        assert!((1..=count).contains(&index), "part {index} of {count}");
        Self { index, count }
    }

    /// Whether the run at this place belongs to the part.
    pub fn contains(self, place: usize) -> bool {
        // Dealt out like cards, so that every part has its share of the slow tasks.
        place % self.count == self.index - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(i, n)| Some((i.trim().parse().ok()?, n.trim().parse().ok()?)));
        match parsed {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err(format!("`{text}` is no part; expected I/N with I from 1 to N, such as 2/4")),
        }
    }
}
