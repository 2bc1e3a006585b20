//! Runs that no memory would hold are refused before any memory is touched.

use crate::error::{Error, Result};
use crate::optim::Common;
use crate::settings::Value;
use crate::sweep::plan::Plan;
use crate::sweep::run::Run;
use crate::system::{self, Memory};
use crate::task::Footprint;

/// Where the system does not say how much memory it has.
const UNKNOWN: Memory = Memory { bytes: 1e12, limit: "no machine has more than" };

/// How many runs fit into memory at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// So many, at least 1 and at most as many as were asked for.
    pub jobs: usize,
    /// Why these are fewer than were asked for, where they are.
    pub problem: Option<String>,
}

/// What a run holds in memory at the least.
struct Taken<'a> {
    run: &'a Run,
    /// Copies of its weights that an average keeps.
    snapshots: f64,
    bytes: f64,
}

impl<'a> Taken<'a> {
    fn by(run: &'a Run, snapshots: f64, footprint: &Footprint) -> Self {
        Self { run, snapshots, bytes: footprint.bytes() + snapshots * footprint.weights.bytes }
    }
}

impl Plan {
    /// Refuses tasks of which a single run would not fit into the memory that this process may use, and tells how
    /// many fit at a time, of `jobs` that are asked for.
    ///
    /// # Errors
    /// With the bytes that it would take, and the keys that it depends on.
    pub fn room(&self, jobs: usize) -> Result<Room> {
        self.room_in(system::memory().unwrap_or(UNKNOWN), jobs)
    }

    fn room_in(&self, memory: Memory, jobs: usize) -> Result<Room> {
        let mut runs: Vec<f64> = Vec::new();
        for (place, task) in self.tasks.iter().enumerate() {
            let own = self.runs.iter().filter(|run| run.task == place);
            match task.trainer.footprint(memory.bytes)? {
                None => runs.extend(own.map(|_| 0.0)),
                Some(footprint) => {
                    // An average over the latest snapshots holds each of them.
                    let taken = own.map(|run| Taken::by(run, self.snapshots_of(run), &footprint));
                    let taken: Vec<Taken> = taken.collect();
                    self.refuse_larger_than(memory, place, &footprint, &taken)?;
                    runs.extend(taken.iter().map(|taken| taken.bytes));
                }
            }
        }
        // The largest may well be trained at the same time.
        runs.sort_by(|a, b| b.total_cmp(a));
        let mut together = 0.0;
        let fits = |bytes: &&f64| {
            together += **bytes;
            together <= memory.bytes
        };
        let fit = runs.iter().take_while(fits).count();
        let asked = jobs.min(runs.len());
        let problem = (fit < asked).then(|| {
            format!(
                "{asked} runs at a time take at least {}; {} {}",
                in_words(runs[..asked].iter().sum()),
                memory.limit,
                in_words(memory.bytes)
            )
        });
        Ok(Room { jobs: if problem.is_some() { fit.max(1) } else { jobs }, problem })
    }

    fn snapshots_of(&self, run: &Run) -> f64 {
        let average = self.job(run).optimizer_settings().ok().and_then(|settings| Common::of(&settings).average);
        average.map_or(0.0, |average| average.kept(self.budget(run).steps) as f64)
    }

    fn refuse_larger_than(&self, memory: Memory, place: usize, footprint: &Footprint, taken: &[Taken]) -> Result<()> {
        let spec = &self.experiment.tasks[place];
        if let Some(wide) = taken.iter().find(|taken| taken.snapshots > 1.0 && taken.bytes > memory.bytes) {
            return Err(Error::Usage(format!(
                "task `{}`: a run of optimizer `{}` takes at least {}, because {} snapshots of {} of weights are \
                 averaged; {} {}\n  help: the size depends on `average_window` and `average_every`",
                spec.label,
                wide.run.optimizer_label,
                in_words(wide.bytes),
                wide.snapshots,
                in_words(footprint.weights.bytes),
                memory.limit,
                in_words(memory.bytes),
            )));
        }
        if footprint.bytes() > memory.bytes {
            let (name, sides, bytes) = &footprint.weights.largest;
            let sides: Vec<String> = sides.iter().map(ToString::to_string).collect();
            let is_size = |value: &Value| match value {
                Value::Integer(_) => true,
                Value::List(list) => matches!(list.first(), Some(Value::Integer(_))),
                _ => false,
            };
            let keys = spec.model.iter().filter(|(_, value)| is_size(value)).map(|(key, _)| format!("`{key}`"));
            let keys: Vec<String> = keys.chain(["`batch_size`".to_owned()]).collect();
            return Err(Error::Usage(format!(
                "task `{}`: a run takes at least {}: {} for weights (the largest, `{name}`, is {} and takes {}), as much \
                 for their gradients, and {} for the outputs of the widest layer for one batch; {} {}\n  \
                 help: the size depends on {}",
                spec.label,
                in_words(footprint.bytes()),
                in_words(footprint.weights.bytes),
                sides.join(" x "),
                in_words(*bytes),
                in_words(footprint.batch_bytes),
                memory.limit,
                in_words(memory.bytes),
                keys.join(", "),
            )));
        }
        Ok(())
    }
}

/// Bytes as people say them: `1.5 GB`.
pub fn in_words(bytes: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match UNITS.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::config::Experiment;
    use crate::task::data::Library;

    fn room(task: &str, bytes: f64, jobs: usize) -> Result<Room> {
        let text = format!("steps = 100\n[tasks.t]\n{task}\n[optimizers.sgd]\n");
        let plan =
            Plan::new(Experiment::parse(&Catalog::built_in(), "", &text, "t", &[]).unwrap(), &Library::default())
                .unwrap();
        plan.room_in(Memory { bytes, limit: "the Slurm job may use" }, jobs)
    }

    fn refused(task: &str, memory: f64) -> Option<String> {
        room(task, memory, 1).err().map(|error| error.to_string())
    }

    #[test]
    fn as_many_runs_are_trained_at_a_time_as_memory_holds() {
        // 64 x 4096 weights and 4096 x 10, in f32, with their gradients: 2.4 MB a run, three seeds.
        let wide = "model = \"mlp\"\nhidden = [4096]\nbatch_size = 1";
        let room = |bytes, jobs| room(wide, bytes, jobs).unwrap();
        assert_eq!(room(1e9, 64), Room { jobs: 64, problem: None });
        let tight = room(6e6, 64);
        assert_eq!(tight.jobs, 2);
        let problem = tight.problem.unwrap();
        assert!(problem.starts_with("3 runs at a time take at least 7."), "no more than there are: {problem}");
        assert!(problem.ends_with("; the Slurm job may use 6.0 MB"), "{problem}");
        assert_eq!(room(6e6, 2).problem, None);
        assert_eq!(room(3e6, 3).jobs, 1);
    }

    #[test]
    fn what_no_memory_holds_is_refused_with_its_size_and_its_keys() {
        let message = refused("model = \"mlp\"\nhidden = [65536, 65536, 65536]", 64e9).unwrap();
        for words in
            ["task `t`", "at least 68.", "`fc2.weight`, is 65536 x 65536 and takes 17.2 GB", "`hidden`, `batch_size`"]
        {
            assert!(message.contains(words), "{words}: {message}");
        }
        let text = "model = \"lstm_lm\"\nseq_len = 16384\nhidden = 4096\nbatch_size = 16";
        let message = refused(text, 4e9).unwrap();
        assert!(message.contains("17.2 GB for the outputs of the widest layer"), "{message}");
        let every = "model = \"resnet\"\ndataset = \"digits\"\nwidth = 4096\nblocks = [64, 64, 64]";
        assert!(refused(every, 1e9).unwrap().contains("at least"));
        assert_eq!(refused("model = \"mlp\"", 64e9), None);
        let lawa = "model = \"mlp\"\n[optimizers.wide]\nkind = \"sgd\"\naverage = \"lawa\"\naverage_every = 1\n";
        let message = refused(&format!("{lawa}average_window = 1000000"), 1e6).unwrap();
        assert!(
            message.contains("optimizer `wide` takes at least 10.") && message.contains("100 snapshots"),
            "{message}"
        );
        assert_eq!(refused(&format!("{lawa}average_window = 2"), 1e6), None);
        assert_eq!(refused("model = \"quadratic\"", 1.0), None);
    }

    #[test]
    fn bytes_are_said_in_words() {
        assert_eq!([12.0, 2048.0, 3.4e10].map(in_words), ["12 bytes", "2.0 kB", "34.0 GB"]);
    }
}
