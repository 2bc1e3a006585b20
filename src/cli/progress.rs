//! Progress of a sweep: bars on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::say;
use crate::metric::Metric;
use crate::report::with_unit;
use crate::results::{Record, Status};
use crate::sweep::{Plan, Progress, Run};

/// Where no bars move, something is said at least so often: a log shows whether a sweep is alive.
const SILENCE: Duration = Duration::from_secs(60);

/// A bar for the sweep and one for each run that is under way.
pub(super) struct Bars {
    all: MultiProgress,
    sweep: ProgressBar,
    workers: Vec<ProgressBar>,
    lines: bool,
    spoken: Mutex<Instant>,
    done: AtomicUsize,
    total: usize,
    /// What the runs of a task are judged by.
    metrics: HashMap<String, Metric>,
}

impl Bars {
    pub(super) fn new(plan: &Plan, jobs: usize, total: usize) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(10);
        // No terminal, or one that cannot move its cursor.
        let lines = target.is_hidden();
        let all = MultiProgress::with_draw_target(target);
        let sweep = all.add(
            ProgressBar::new(total as u64)
                .with_style(style("{bar:30} {pos}/{len} runs  {elapsed_precise} elapsed, {eta_precise} left")),
        );
        let workers = (0..jobs)
            .map(|_| all.add(ProgressBar::new(0).with_style(style("{bar:30} {pos}/{len} steps  {msg}"))))
            .collect();
        if !lines {
            sweep.enable_steady_tick(Duration::from_millis(200));
        }
        let metrics = plan.experiment.tasks.iter().map(|task| (task.label.clone(), task.metric)).collect();
        let (spoken, done) = (Mutex::new(Instant::now()), AtomicUsize::new(0));
        Self { all, sweep, workers, lines, spoken, done, total, metrics }
    }

    /// Says how far the runs under way have come, if nothing was said for a while.
    fn break_silence(&self) {
        let Ok(mut spoken) = self.spoken.lock() else { return };
        if spoken.elapsed() < SILENCE {
            return;
        }
        *spoken = Instant::now();
        let done = self.done.load(Ordering::Relaxed);
        let under_way = self.workers.iter().filter(|bar| bar.length().is_some_and(|steps| bar.position() < steps));
        let runs: Vec<String> = under_way
            .map(|bar| format!("{} at step {} of {}", bar.message(), bar.position(), bar.length().unwrap_or_default()))
            .collect();
        say(&format!("[{done}/{}] under way: {}", self.total, runs.join(", ")));
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
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

impl Progress for Bars {
    fn started(&self, worker: usize, run: &Run, steps: u64) {
        let bar = &self.workers[worker];
        bar.reset();
        bar.set_length(steps);
        bar.set_message(run.name.clone());
    }

    fn step(&self, worker: usize, step: u64) {
        self.workers[worker].set_position(step);
        if self.lines {
            self.break_silence();
        }
    }

    fn noted(&self, run: &str, text: &str) {
        self.all.suspend(|| say(&format!("warning: {run}: {text}")));
    }

    fn finished(&self, _worker: usize, record: &Record) {
        self.sweep.inc(1);
        let done = 1 + self.done.fetch_add(1, Ordering::Relaxed);
        if self.lines {
            let metric = self.metrics.get(&record.task).copied().unwrap_or(Metric::LOSS);
            say(&format!("[{done}/{}] {} {}", self.total, record.run, outcome(record, metric)));
            if let Ok(mut spoken) = self.spoken.lock() {
                *spoken = Instant::now();
            }
        }
    }
}

/// What became of a run, in a few words.
fn outcome(record: &Record, metric: Metric) -> String {
    let result = match record.status {
        Status::Diverged => format!("diverged at step {}", record.steps),
        Status::Failed => {
            // The rest is said once all runs are done.
            format!("failed: {}", record.error.as_deref().and_then(|error| error.lines().next()).unwrap_or_default())
        }
        Status::Finished => match record.validation.as_ref().and_then(|scores| scores.get(metric)) {
            Some(score) => format!("val {} {}", metric.name(), with_unit(score, metric)),
            None => "finished".into(),
        },
    };
    format!("{result} in {:.1} s", record.seconds)
}
