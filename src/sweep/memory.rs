//! Runs that no memory would hold are refused before any memory is touched.

use std::fs;

use crate::error::{Error, Result};
use crate::optim::snapshots_kept;
use crate::settings::Value;
use crate::sweep::Plan;
use crate::task::Footprint;

/// Where the system does not say how much memory it has.
const UNKNOWN: f64 = 1e12;

impl Plan {
    /// Refuses tasks of which a single run would not fit into the memory of this machine.
    ///
    /// # Errors
    /// With the bytes that it would take, and the keys that it depends on.
    pub fn refuse_oversized(&self) -> Result<()> {
        self.refuse_larger_than(memory())
    }

    fn refuse_larger_than(&self, memory: f64) -> Result<()> {
        for (place, (task, spec)) in self.tasks.iter().zip(&self.experiment.tasks).enumerate() {
            let Some(footprint) = task.footprint(memory)? else { continue };
            self.refuse_wide_average(place, &footprint, memory)?;
            if footprint.bytes() <= memory {
                continue;
            }
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
                "task `{}`: a run takes at least {}: {} for weights (the largest, {name}, is {} and takes {}), as much \
                 for their gradients, and {} for the widest layer's numbers of a batch; this machine has {}\n  \
                 help: they depend on {}",
                spec.label,
                in_words(footprint.bytes()),
                in_words(footprint.weights.bytes),
                sides.join(" x "),
                in_words(*bytes),
                in_words(footprint.batch_bytes),
                in_words(memory),
                keys.join(", "),
            )));
        }
        Ok(())
    }
}

impl Plan {
    /// An average over the latest snapshots holds each of them.
    fn refuse_wide_average(&self, task: usize, footprint: &Footprint, memory: f64) -> Result<()> {
        for run in self.runs.iter().filter(|run| run.task == task) {
            let Ok(settings) = run.optimizer.in_steps(&self.timeline(run)) else { continue };
            let snapshots = snapshots_kept(&settings, self.budget(run).steps) as f64;
            let bytes = footprint.bytes() + snapshots * footprint.weights.bytes;
            if snapshots > 1.0 && bytes > memory {
                return Err(Error::Usage(format!(
                    "task `{}`: a run of optimizer `{}` takes at least {}: {snapshots} snapshots of {} of weights are \
                     averaged; this machine has {}\n  help: they depend on `average_window` and `average_every`",
                    self.experiment.tasks[task].label,
                    run.optimizer_label,
                    in_words(bytes),
                    in_words(footprint.weights.bytes),
                    in_words(memory),
                )));
            }
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

/// The memory of this machine, or what a container leaves of it.
fn memory() -> f64 {
    let total = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
    });
    let contained = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    total.unwrap_or(UNKNOWN).min(contained.unwrap_or(f64::INFINITY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Experiment;
    use crate::task::data::Library;

    fn refused(task: &str, memory: f64) -> Option<String> {
        let text = format!("steps = 100\n[tasks.t]\n{task}\n[optimizers.sgd]\n");
        let plan = Plan::new(Experiment::parse("", &text, "t", &[]).unwrap(), &Library::default()).unwrap();
        plan.refuse_larger_than(memory).err().map(|error| error.to_string())
    }

    #[test]
    fn what_no_memory_holds_is_refused_with_its_size_and_its_keys() {
        let message = refused("model = \"mlp\"\nhidden = [65536, 65536, 65536]", 64e9).unwrap();
        for words in
            ["task `t`", "at least 68.", "fc2.weight, is 65536 x 65536 and takes 17.2 GB", "`hidden`, `batch_size`"]
        {
            assert!(message.contains(words), "{words}: {message}");
        }
        let text = "model = \"lstm_lm\"\nseq_len = 16384\nhidden = 4096\nbatch_size = 16";
        let message = refused(text, 4e9).unwrap();
        assert!(message.contains("17.2 GB for the widest layer's numbers"), "{message}");
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
