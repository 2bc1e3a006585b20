//! The runs of an experiment: tasks x optimizers x schedules x hyper-parameters x seeds.

use candle_core::{Device, DeviceLocation};

use crate::checksum::sha256;
use crate::config::{Budget, Entrant, Experiment, Grid, Rung};
use crate::error::Result;
use crate::length::Timeline;
use crate::results::{Conditions, Identity, Mark, Record};
use crate::rng::Stream;
use crate::settings::EXTERNAL;
use crate::sweep::groups;
use crate::sweep::horizon::Dependence;
use crate::sweep::identity::Numbers;
use crate::sweep::name::Names;
use crate::sweep::prepared::{Prepared, Problems};
use crate::sweep::run::Run;
use crate::sweep::trainer::Job;
use crate::sweep::witness::Snapshots;
use crate::task::data::Library;
use crate::train::{Observer, Outcome, Snapshot};
use crate::{optim, schedule};

/// An experiment made ready to run.
pub struct Plan {
    /// The experiment.
    pub experiment: Experiment,
    /// Its tasks, made ready, in order.
    pub tasks: Vec<Prepared>,
    /// The kind of device that trains: `cpu` or `cuda`.
    pub device: &'static str,
    names: Names,
    /// All runs, in an order that is the same in every process; of a search the first tries, see [`Plan::due`].
    pub runs: Vec<Run>,
    /// Whether seeds were added after results had been seen, so that a look decides by another standard.
    pub extended: bool,
}

impl Plan {
    /// Lists the runs of an experiment on the CPU and loads the data that they need.
    ///
    /// # Errors
    /// See [`Plan::on`].
    pub fn new(experiment: Experiment, library: &Library) -> Result<Self> {
        Self::on(&Device::Cpu, experiment, library)
    }

    /// Lists the runs of an experiment on a device and loads the data that they need.
    ///
    /// # Errors
    /// When a dataset is missing, or with everything that does not fit the data, one problem a line.
    pub fn on(device: &Device, experiment: Experiment, library: &Library) -> Result<Self> {
        let mut plan = Self {
            tasks: Vec::new(),
            device: match device.location() {
                DeviceLocation::Cpu => "cpu",
                DeviceLocation::Cuda { .. } => "cuda",
                DeviceLocation::Metal { .. } => "metal",
            },
            names: Names::new(&experiment),
            runs: Vec::new(),
            extended: false,
            experiment,
        };
        let mut problems = Problems::default();
        for spec in &plan.experiment.tasks {
            let prepared = Prepared::new(device, spec, &plan.experiment, library);
            plan.tasks.extend(problems.keep(prepared)?);
        }
        if plan.tasks.len() == plan.experiment.tasks.len() {
            problems.extend(groups::problems(&plan.experiment, &plan.tasks));
        }
        problems.none()?;
        plan.list_runs();
        let mut problems = Problems::default();
        for run in &plan.runs {
            // Whatever cannot be built is found before anything trains.
            problems.keep(plan.tasks[run.task].trainer.check(&plan.job(run)))?;
        }
        problems.none()?;
        Ok(plan)
    }

    fn list_runs(&mut self) {
        let experiment = &self.experiment;
        let mut runs = Vec::new();
        let mut dependence = Dependence::default();
        for task in 0..experiment.tasks.len() {
            let label = &experiment.tasks[task].label;
            for Entrant { grid, schedules, .. } in experiment.optimizers.iter().filter(|own| own.enters(label)) {
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
                                runs.push(self.named(Run { seed, ..length.clone() }));
                            }
                        }
                    }
                }
            }
        }
        self.runs = runs;
        if self.names.separate(&self.runs, &self.experiment) {
            self.name_all();
        }
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
        run.fingerprint = sha256(self.identity_text(&run));
        run.name = self.names.of(&run, &self.experiment);
        run
    }

    /// The step that the runs of a rung end at; `None` for whole ones.
    pub(super) fn horizon(&self, task: usize, rung: Rung) -> Option<u64> {
        let whole = self.tasks[task].budget.steps;
        Some((rung.share * whole as f64).round().max(1.0) as u64).filter(|steps| *steps < whole)
    }

    /// Calls the runs that are in a folder already as they are called there.
    pub fn adopt(&mut self, records: &[Record]) {
        self.names.adopt(records);
        self.name_all();
    }

    fn name_all(&mut self) {
        let names: Vec<String> = self.runs.iter().map(|run| self.names.of(run, &self.experiment)).collect();
        for (run, name) in self.runs.iter_mut().zip(names) {
            run.name = name;
        }
    }

    /// Everything that decides the numbers of a run, as canonical TOML.
    pub fn identity_text(&self, run: &Run) -> String {
        self.numbers(run).text()
    }

    /// The conditions of a run, which are kept with its record.
    pub fn identity(&self, run: &Run) -> Identity {
        self.numbers(run).identity()
    }

    fn numbers<'a>(&'a self, run: &'a Run) -> Numbers<'a> {
        Numbers {
            run,
            spec: &self.experiment.tasks[run.task],
            data: self.tasks[run.task].data.as_ref(),
            files: &self.tasks[run.task].files,
            device: if self.experiment.tasks[run.task].is_trained_here() { self.device } else { EXTERNAL },
            budget: self.budget(run),
            horizons: &self.tasks[run.task].horizons,
        }
    }

    /// The conditions under which all runs would be trained now.
    pub fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        for run in &self.runs {
            conditions.add(&self.experiment.tasks[run.task].label, &self.identity(run));
        }
        conditions
    }

    /// The run of full length, and one for each horizon at which that one cannot stand for it.
    fn lengths(&self, run: &Run, dependence: &mut Dependence) -> Vec<Run> {
        let long = self.timeline(run);
        // A program is told how long the run is, and may do with it what it likes.
        let is_told = !self.experiment.tasks[run.task].is_trained_here();
        let mut depends =
            |horizon: &u64| is_told || dependence.on_length(&run.optimizer, &run.schedule, &long, *horizon);
        let (apart, stands_for): (Vec<u64>, Vec<u64>) = self.tasks[run.task].horizons.iter().partition(|h| depends(h));
        let early = apart.iter().map(|horizon| Run { horizon: Some(*horizon), ..run.clone() });
        std::iter::once(Run { stands_for, ..run.clone() }).chain(early).collect()
    }

    /// The length of a run and the time between its evaluations, which is that of the longest run.
    pub fn budget(&self, run: &Run) -> Budget {
        let budget = self.tasks[run.task].budget;
        Budget { steps: run.horizon.unwrap_or(budget.steps), ..budget }
    }

    /// The label of a run's schedule, with the keys that the sweep varies.
    pub fn label(&self, run: &Run) -> String {
        let grid = self.experiment.schedules.iter().find(|grid| grid.label == run.schedule_label);
        let swept = grid.into_iter().flat_map(Grid::swept);
        let values = swept.filter_map(|key| Some(format!(" {key} {}", run.schedule.get(key)?)));
        run.schedule_label.clone() + &values.collect::<String>()
    }

    /// What the config says without effect, and what is odd about the schedules of these runs, each sentence once.
    ///
    /// # Errors
    /// When a schedule cannot be built.
    pub fn warnings(&self, runs: &[&Run]) -> Result<Vec<String>> {
        let mut warnings = self.experiment.idle.clone();
        for run in runs {
            if run.schedule.is_external() {
                continue;
            }
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

    /// The steps at which claims ask for the scores of a run of full length, to be filled in as it passes them.
    pub fn marks_of(&self, run: &Run) -> Vec<Mark> {
        if run.horizon.is_some() {
            return Vec::new();
        }
        let (task, timeline) = (&self.experiment.tasks[run.task], self.timeline(run));
        let claimed = self.experiment.claims_that_reach(task);
        let steps = claimed.filter_map(|(_, reaches)| reaches.within.in_steps(&timeline).ok());
        let mut steps: Vec<u64> = steps.collect();
        steps.sort_unstable();
        steps.dedup();
        steps.into_iter().map(|steps| Mark { steps, validation: None }).collect()
    }

    /// The timeline of a run.
    pub fn timeline(&self, run: &Run) -> Timeline {
        Timeline {
            steps: self.budget(run).steps,
            steps_per_epoch: self.tasks[run.task].facts.steps_per_epoch,
            beta2: optim::second_moment_decay(&run.optimizer),
        }
    }

    /// Builds the schedule of a run.
    ///
    /// # Errors
    /// When a duration has no meaning for its task.
    pub fn schedule(&self, run: &Run) -> Result<Box<dyn schedule::Schedule>> {
        self.job(run).schedule()
    }

    /// A run, as its trainer is told.
    pub fn job<'a>(&'a self, run: &'a Run) -> Job<'a> {
        Job {
            run,
            spec: &self.experiment.tasks[run.task],
            budget: self.budget(run),
            horizons: if run.horizon.is_none() { &self.tasks[run.task].horizons } else { &[] },
            timeline: self.timeline(run),
            place: None,
        }
    }

    /// Trains a run, which is kept nowhere: see [`Trainer::train`](crate::sweep::Trainer::train).
    ///
    /// # Errors
    /// When the run fails, or the observer.
    pub fn train(&self, run: &Run, resume: Option<Snapshot>, observer: &mut dyn Observer) -> Result<Outcome> {
        self.tasks[run.task].trainer.train(&self.job(run), resume, observer)
    }
}

/// Which of `settings` settings are tried: all of them, or as many as asked for, drawn at random and
/// the same for every optimizer and schedule that has as many.
pub(super) fn drawn(settings: usize, tries: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..settings).collect();
    if tries < settings {
        Stream::new(0, "tries").shuffle(&mut places);
        places.truncate(tries);
        places.sort_unstable();
    }
    places
}
