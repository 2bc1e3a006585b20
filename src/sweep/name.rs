//! What runs, and so their folders, are called.

use std::collections::{HashMap, HashSet};

use crate::config::{Entrant, Experiment, Grid};
use crate::results::Record;
use crate::results::file_name::{Distinct, safe};
use crate::sweep::run::Run;

/// File systems take 255 bytes; locks and temporary folders add to a name.
const LONGEST: usize = 150;

/// The labels of a run's task, optimizer and schedule.
type Labels = [String; 3];
/// What a run is, however it is called.
type Key = (String, Labels);

/// What the runs of an experiment are called.
///
/// A name follows from the config. Runs that are in a folder already keep the names that they have there, though a
/// config that grew would call them otherwise: another label may take the name that theirs had, and a setting that
/// becomes a list is told in the name from then on.
#[derive(Default)]
pub(super) struct Names {
    /// What the names of an arm's runs begin with, all of them different.
    stems: HashMap<Labels, String>,
    /// The names in the folder.
    known: HashMap<Key, String>,
    /// The same without capitals, which some file systems ignore.
    taken: HashSet<String>,
    /// What the names of runs with different settings would begin with alike.
    alike: HashSet<String>,
}

impl Names {
    pub(super) fn new(experiment: &Experiment) -> Self {
        let Experiment { tasks, optimizers, schedules, .. } = experiment;
        let (mut names, mut stems) = (Distinct::default(), HashMap::new());
        for task in tasks {
            for Entrant { grid: optimizer, schedules: own, .. } in
                optimizers.iter().filter(|own| own.enters(&task.label))
            {
                for schedule in schedules.iter().filter(|schedule| own.contains(&schedule.label)) {
                    let labels = [&task.label, &optimizer.label, &schedule.label].map(Clone::clone);
                    let stem = names.name(&labels.join("-"));
                    stems.insert(labels, stem);
                }
            }
        }
        Self { stems, ..Self::default() }
    }

    /// Finds runs whose names would be alike though their settings differ; whether there are any.
    pub(super) fn separate(&mut self, runs: &[Run], experiment: &Experiment) -> bool {
        let mut first: HashMap<String, &Run> = HashMap::new();
        for run in runs {
            let setting = self.setting(run, experiment, &labels(run, experiment)).to_ascii_lowercase();
            let other = *first.entry(setting.clone()).or_insert(run);
            let what = |run: &'_ Run| (run.task, run.optimizer_label.clone(), run.schedule_label.clone());
            if what(other) != what(run) || (&other.optimizer, &other.schedule) != (&run.optimizer, &run.schedule) {
                self.alike.insert(setting);
            }
        }
        !self.alike.is_empty()
    }

    /// Takes the names over that runs have in a folder.
    pub(super) fn adopt(&mut self, records: &[Record]) {
        // Of earlier versions it is not known what they are.
        for record in records.iter().filter(|record| record.identity.is_some()) {
            let labels = [&record.task, &record.optimizer, &record.schedule].map(Clone::clone);
            let key = (record.fingerprint.clone(), labels);
            self.taken.insert(record.run.to_ascii_lowercase());
            self.known.insert(key, record.run.clone());
        }
    }

    /// `digits-adamw-cosine-lr0.003-s0`: the arm's stem, what is swept, and the seed.
    pub(super) fn of(&self, run: &Run, experiment: &Experiment) -> String {
        let labels = labels(run, experiment);
        let setting = self.setting(run, experiment, &labels);
        let key = (run.fingerprint.clone(), labels);
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let mark = &run.fingerprint[..8];
        let is_alike = self.alike.contains(&setting.to_ascii_lowercase());
        let mut begin = setting;
        if let Some(horizon) = run.horizon {
            begin += &format!("-until{horizon}");
        }
        if begin.len() > LONGEST {
            begin = format!("{}-{mark}", &begin[..LONGEST - 30]);
        }
        if begin.starts_with(['.', '-']) {
            begin.insert(0, '_');
        }
        let name = format!("{begin}-s{}", run.seed);
        let is_taken = self.taken.contains(&name.to_ascii_lowercase());
        if is_alike || is_taken { format!("{begin}-{mark}-s{}", run.seed) } else { name }
    }

    /// The arm's stem and what is swept.
    fn setting(&self, run: &Run, experiment: &Experiment, labels: &Labels) -> String {
        let grids = experiment.optimizers.iter().map(|entrant| &entrant.grid);
        let optimizer = grids.into_iter().find(|grid| grid.label == run.optimizer_label);
        let schedule = experiment.schedules.iter().find(|grid| grid.label == run.schedule_label);
        let mut name = self.stems[labels].clone();
        let swept: Vec<&str> = optimizer.into_iter().flat_map(Grid::swept).collect();
        let rate = (!swept.contains(&"lr")).then_some("lr");
        let of_optimizer = rate.into_iter().chain(swept).filter_map(|key| Some((key, run.optimizer.get(key)?)));
        let of_schedule =
            schedule.into_iter().flat_map(Grid::swept).filter_map(|key| Some((key, run.schedule.get(key)?)));
        for (key, value) in of_optimizer.chain(of_schedule) {
            name += &safe(&format!("-{key}{value}"));
        }
        name
    }
}

fn labels(run: &Run, experiment: &Experiment) -> Labels {
    [&experiment.tasks[run.task].label, &run.optimizer_label, &run.schedule_label].map(Clone::clone)
}
