//! A panic in a run is the failure of that run alone: its message is kept, and the sweep goes on.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::error::{Error, Result};

thread_local! {
    /// What a panic on this thread said; `None` while nobody waits for one.
    static HEARD: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does some work and makes an error of a panic in it.
///
/// # Errors
/// Those of the work, and [`Error::Panicked`] with the message and where it came from.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(listen);
    HEARD.set(Some(String::new()));
    // Whatever the work was changing is dropped with it, or only asked for how far it had come.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    let heard = HEARD.take().filter(|heard| !heard.is_empty());
    outcome.unwrap_or_else(|payload| Err(Error::Panicked(heard.unwrap_or_else(|| message(&*payload)))))
}

/// Keeps the panics that somebody waits for from the terminal; all others are printed as before.
fn listen() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let waits = HEARD.with_borrow_mut(|heard| {
            let Some(heard) = heard else { return false };
            *heard = message(info.payload());
            if let Some(place) = info.location() {
                *heard += &format!(" (at {place})");
            }
            true
        });
        if !waits {
            before(info);
        }
    }));
}

/// What a panic was given to say.
fn message(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use candle_core::{Device, Tensor};

    use super::*;
    use crate::catalog::Catalog;
    use crate::config::Experiment;
    use crate::metric::Scores;
    use crate::nn::params::Parameter;
    use crate::results::{Record, Status, Store};
    use crate::sweep::{Plan, Progress, Run, execute};
    use crate::task::data::Library;
    use crate::task::{Problem, Split, Task};

    #[test]
    fn a_panic_becomes_an_error_with_its_message_and_its_place() {
        let said = |work: fn() -> Result<()>| caught(work).unwrap_err().to_string();
        let formatted = said(|| panic!("{} is too many", 7));
        assert!(formatted.contains("7 is too many (at src"), "{formatted}");
        assert!(said(|| std::panic::panic_any(7)).contains("a panic without a message"));
        // A pool's thread is not the one that waits: its panic arrives as a payload alone.
        let elsewhere = said(|| {
            let payload = std::thread::spawn(|| panic!("far away")).join().unwrap_err();
            std::panic::resume_unwind(payload)
        });
        assert!(elsewhere.contains("far away"), "{elsewhere}");
        assert!(caught(|| Ok(3)).is_ok_and(|three| three == 3));
    }

    /// A task that panics under one seed, in the middle of the run.
    struct Breaks(Arc<dyn Task>);

    impl Task for Breaks {
        fn steps_per_epoch(&self) -> Option<u64> {
            self.0.steps_per_epoch()
        }

        fn problem(&self, seed: u64, device: &Device) -> Result<Box<dyn Problem>> {
            let sound = self.0.problem(seed, device)?;
            Ok(if seed == 1 { Box::new(Breaking(sound)) } else { sound })
        }
    }

    struct Breaking(Box<dyn Problem>);

    impl Problem for Breaking {
        fn parameters(&self) -> &[Parameter] {
            self.0.parameters()
        }

        fn gradients(&mut self, t: u64) -> Result<(f64, Vec<Tensor>)> {
            assert!(t < 3, "gradient {t} breaks");
            self.0.gradients(t)
        }

        fn evaluate(&mut self, split: Split) -> Result<Option<Scores>> {
            self.0.evaluate(split)
        }
    }

    struct Silent;

    impl Progress for Silent {
        fn started(&self, _: usize, _: &Run, _: u64) {}
        fn step(&self, _: usize, _: u64) {}
        fn finished(&self, _: usize, _: &Record) {}
    }

    #[test]
    fn a_run_that_panics_is_recorded_as_failed_and_the_others_are_trained() {
        let config = "seeds = 4\nsteps = 9\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\n";
        let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", config, "c", &[]).unwrap();
        let mut plan = Plan::new(experiment, &Library::default()).unwrap();
        let sound = plan.tasks[0].clone();
        plan.tasks[0] = Arc::new(Breaks(sound.clone()));
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store.create().unwrap();
        let train = |plan: &Plan, jobs: usize| {
            let missing = plan.runs.iter().filter(|run| store.finished(&run.name).unwrap().is_none()).collect();
            execute(plan, missing, &store, &Device::Cpu, jobs, &AtomicBool::new(false), &Silent).unwrap()
        };
        let execution = train(&plan, 1);
        let [(name, error)] = &execution.failed[..] else { panic!("{execution:?}") };
        assert!(name.ends_with("-s1") && error.contains("gradient 3 breaks (at src"), "{name}: {error}");
        assert_eq!(execution.trained, 4);
        let record = store.load(name).unwrap().unwrap();
        assert_eq!((record.status, record.steps, record.error.as_ref()), (Status::Failed, 3, Some(error)));
        // Once it is mended, the same command trains what failed.
        plan.tasks[0] = sound;
        let execution = train(&plan, 2);
        assert_eq!((execution.trained, execution.failed.len()), (1, 0));
        assert!(plan.runs.iter().all(|run| store.finished(&run.name).unwrap().is_some()));
    }
}
