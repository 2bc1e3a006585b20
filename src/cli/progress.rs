//! Progress of a sweep: bars on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::say;
use crate::metric::Metric;
use crate::results::{Record, Status};
use crate::sweep::{Plan, Progress, Run};

/// A bar for the sweep and one for each run that is under way.
pub(super) struct Bars {
    all: MultiProgress,
    sweep: ProgressBar,
    workers: Vec<ProgressBar>,
    lines: bool,
    done: AtomicUsize,
    total: usize,
}

impl Bars {
    pub(super) fn new(plan: &Plan, jobs: usize, total: usize) -> Self {
        let lines = !stderr().is_terminal();
        let target = if lines { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(10) };
        let all = MultiProgress::with_draw_target(target);
        let sweep = all.add(
            ProgressBar::new(total as u64)
                .with_style(style("{bar:30} {pos}/{len} runs  {elapsed_precise} elapsed, {eta_precise} left")),
        );
        sweep.set_message(plan.experiment.name.clone());
        let workers = (0..jobs)
            .map(|_| {
                all.add(ProgressBar::new(1).with_style(style("{bar:30} {pos}/{len} steps  {msg} {wide_msg_tail}")))
            })
            .collect();
        if !lines {
            sweep.enable_steady_tick(Duration::from_millis(200));
        }
        Self { all, sweep, workers, lines, done: AtomicUsize::new(0), total }
    }

    /// Takes the bars away.
    pub(super) fn finish(&self) {
        for bar in self.workers.iter().chain([&self.sweep]) {
            bar.finish_and_clear();
        }
        // The terminal is the next printer's again.
        let _ = self.all.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let template = template.replace(" {wide_msg_tail}", "");
    ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

impl Progress for Bars {
    fn started(&self, worker: usize, run: &Run, steps: u64) {
        let bar = &self.workers[worker];
        bar.reset();
        bar.set_length(steps);
        bar.set_message(run.name.clone());
    }

    fn step(&self, worker: usize, step: u64) {
        if !self.lines {
            self.workers[worker].set_position(step);
        }
    }

    fn finished(&self, _worker: usize, record: &Record) {
        self.sweep.inc(1);
        let done = 1 + self.done.fetch_add(1, Ordering::Relaxed);
        if self.lines {
            say(&format!("[{done}/{}] {} {}", self.total, record.run, outcome(record)));
        }
    }
}

/// What became of a run, in a few words.
fn outcome(record: &Record) -> String {
    let result = match record.status {
        Status::Diverged => format!("diverged at step {}", record.steps),
        Status::Failed => format!("failed: {}", record.error.as_deref().unwrap_or_default()),
        Status::Finished => match record.validation {
            Some(scores) => match scores.get(Metric::Accuracy) {
                Some(accuracy) => format!("val accuracy {:.2}%", 100.0 * accuracy),
                None => format!("val loss {:.6}", scores.loss),
            },
            None => "finished".into(),
        },
    };
    format!("{result} in {:.1} s", record.seconds)
}
