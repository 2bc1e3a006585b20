//! The training loop: a problem, an optimizer, a schedule and a budget become records.
//!
//! No input, no output and no config in here: an [`Observer`] sees what happens. The loop owns the
//! evaluation points: whatever weights an optimizer trains at, its evaluations are at those it
//! would deliver, and the training goes on from exactly where it was.

mod observer;
mod snapshot;

use std::time::{Duration, Instant};

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::metric::Scores;
use crate::nn::params::{Parameter, assign, copies, norm};
use crate::optim::{Answer, Optimizer, Oracle, Statistics, Step, clipping};
use crate::schedule::Schedule;
use crate::task::{Problem, Split};

use snapshot::Parts;

pub use observer::{EvaluationRecord, Look, Observer, StepRecord};
pub use snapshot::{Snapshot, Times};

/// The revision of what every run shares: the loop, averages of weights, evaluations, batches and initial weights.
///
/// Add 1 when a change makes the numbers of all runs differ from before, be it in the last digit; what changes the
/// numbers of one kind alone raises the revision of that kind.
pub const REVISION: u32 = 1;

/// Everything that one training needs.
pub struct Training {
    /// The weights and where their gradients come from.
    pub problem: Box<dyn Problem>,
    /// The update rule.
    pub optimizer: Box<dyn Optimizer>,
    /// The multiplier of the learning rate.
    pub schedule: Box<dyn Schedule>,
    /// The peak learning rate.
    pub lr: f64,
    /// The length beyond which gradients are scaled down.
    pub clip_norm: Option<f64>,
    /// What batch normalisation evaluates by; where absent, statistics are estimated anew, on training batches at the
    /// weights that are evaluated, wherever these are not the ones that are trained.
    pub statistics: Option<Statistics>,
    /// How long it is, and where it is evaluated.
    pub course: Course,
}

/// How long a training is, and where it is evaluated: at its start, its end, and in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course {
    /// Updates to do.
    pub steps: u64,
    /// Updates between two evaluations.
    pub eval_every: u64,
    /// The steps before the last at which it is evaluated on both splits, beside the other evaluations.
    ///
    /// They change no update: a schedule that listens to evaluations does not hear of them.
    pub horizons: Vec<u64>,
}

impl Course {
    fn is_horizon(&self, step: u64) -> bool {
        self.horizons.contains(&step) && step < self.steps
    }

    /// Whether it is evaluated after so many updates.
    pub fn is_evaluated(&self, step: u64) -> bool {
        self.is_horizon(step) || step == self.steps || step.is_multiple_of(self.eval_every)
    }

    /// The steps at which it is evaluated, rising.
    pub fn evaluated(&self) -> Vec<u64> {
        let regular = (0..self.steps).step_by(self.eval_every.max(1) as usize);
        let mut all: Vec<u64> = regular.chain(self.horizons.iter().copied()).chain([self.steps]).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// How a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All updates were done.
    Finished,
    /// The loss, the gradient or a score of an evaluation became infinite or not a number.
    Diverged,
    /// The observer asked to stop.
    Interrupted,
}

/// What a training leaves behind beside its records.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// The updates done; for a diverged training the one that could not be done counts.
    pub steps: u64,
    /// Gradients taken: one an update, and those that the optimizer asked for.
    pub gradient_evaluations: u64,
    /// Where the time went.
    pub times: Times,
    /// Bytes of optimizer state at the end.
    pub state_bytes: usize,
}

/// Trains from the first update, or from where a snapshot was taken, to the last.
///
/// # Errors
/// When a tensor operation or the observer fails. Divergence is an outcome, not an error.
pub fn train(mut training: Training, resume: Option<Snapshot>, observer: &mut dyn Observer) -> Result<Outcome> {
    // Clones share their tensors: an optimizer that asks for gradients holds these while the problem computes.
    let parameters = training.problem.parameters().to_vec();
    let (mut times, mut steps, mut asked) = (Times::default(), 0, 0);
    let mut ending = Ending::Finished;
    if let Some(snapshot) = resume {
        (steps, times) = (snapshot.steps, snapshot.times);
        asked = training.go_back_to(snapshot)?;
    } else if !training.evaluate(0, Split::Validation, &mut times, observer)? {
        ending = Ending::Diverged;
    }
    while ending == Ending::Finished && steps < training.course.steps {
        let proceed = observer.proceed();
        if observer.wants_snapshot() {
            observer.snapshot(&training.snapshot(steps, asked, times)?)?;
        }
        if !proceed {
            ending = Ending::Interrupted;
            break;
        }
        let (mut finite, more) = training.update(steps, &parameters, &mut times, observer)?;
        (steps, asked) = (steps + 1, asked + more);
        if !finite || training.course.is_evaluated(steps) {
            finite &= training.evaluate(steps, Split::Validation, &mut times, observer)?;
        }
        if training.course.is_horizon(steps) && finite {
            finite = training.evaluate(steps, Split::Test, &mut times, observer)?;
        }
        if !finite {
            ending = Ending::Diverged;
        }
    }
    if ending != Ending::Interrupted && !training.evaluate(steps, Split::Test, &mut times, observer)? {
        ending = Ending::Diverged;
    }
    let state_bytes = training.optimizer.state_bytes();
    Ok(Outcome { ending, steps, gradient_evaluations: steps + asked, times, state_bytes })
}

impl Training {
    fn snapshot(&mut self, steps: u64, asked: u64, times: Times) -> Result<Snapshot> {
        let parts = Parts {
            weights: copies(self.problem.parameters())?,
            problem: self.problem.state()?,
            optimizer: self.optimizer.state()?,
            schedule: self.schedule.state(),
            asked,
        };
        parts.pack(steps, times)
    }

    /// Takes a snapshot back: how many gradients the optimizer had asked for.
    fn go_back_to(&mut self, snapshot: Snapshot) -> Result<u64> {
        let parts = Parts::unpack(snapshot)?;
        assign(self.problem.parameters(), &parts.weights)?;
        self.problem.restore(parts.problem)?;
        self.optimizer.restore(self.problem.parameters(), parts.optimizer)?;
        self.schedule.restore(&parts.schedule);
        Ok(parts.asked)
    }

    /// Does the update after `t` updates: whether loss and gradient are finite, and how many gradients the optimizer
    /// asked for beside.
    fn update(
        &mut self,
        t: u64,
        parameters: &[Parameter],
        times: &mut Times,
        observer: &mut dyn Observer,
    ) -> Result<(bool, u64)> {
        let start = Instant::now();
        let carried = if self.optimizer.asks() { Some(self.problem.state()?) } else { None };
        let (loss, gradients) = self.problem.gradients(t)?;
        let grad_norm = norm(&gradients)?;
        let computed = Instant::now();
        let point = self.schedule.at(t);
        let at = Step {
            t,
            steps: self.course.steps,
            lr: self.lr * point.factor,
            momentum: point.momentum,
            loss,
            gradient_scale: clipping(self.clip_norm, grad_norm),
        };
        let finite = loss.is_finite() && grad_norm.is_finite();
        let lr = at.lr * self.optimizer.own_factor(&at);
        // What is copied for an observer is not the optimizer's time.
        let before = (finite && observer.watches(t + 1)).then(|| copies(parameters)).transpose()?;
        let copied = Instant::now();
        let mut asked = Asked {
            clip_norm: self.clip_norm,
            t,
            carried,
            count: 0,
            time: Duration::ZERO,
            problem: &mut *self.problem,
        };
        if finite {
            self.optimizer.step(parameters, &gradients, &at, &mut asked)?;
        }
        let (more, answering) = (asked.count, asked.time);
        times.gradients += computed - start + answering;
        times.optimizer += copied.elapsed().saturating_sub(answering);
        if let Some(before) = before {
            let delivered = self.optimizer.evaluation_weights(parameters)?;
            let after = parameters.iter().map(|parameter| parameter.var.as_detached_tensor()).collect();
            observer.look(&Look { step: t + 1, gradients: &gradients, before: &before, after, delivered })?;
        }
        observer.step(&StepRecord { step: t + 1, lr: Some(lr), loss, grad_norm: Some(grad_norm) })?;
        Ok((finite, more))
    }

    /// Evaluates at the weights that the optimizer would deliver, then goes back to those it trains;
    /// `false` where a score is not finite.
    fn evaluate(&mut self, step: u64, split: Split, times: &mut Times, observer: &mut dyn Observer) -> Result<bool> {
        let start = Instant::now();
        let elsewhere = self.optimizer.evaluation_weights(self.problem.parameters())?;
        // Statistics of the weights that are trained say nothing about others.
        let anew = match self.statistics {
            None => elsewhere.is_some(),
            Some(Statistics::Reestimated) => true,
            Some(Statistics::Training) => false,
        };
        let scores = match elsewhere {
            None => self.judge(split, anew)?,
            Some(weights) => {
                let trained = copies(self.problem.parameters())?;
                assign(self.problem.parameters(), &weights)?;
                let scores = self.judge(split, anew);
                assign(self.problem.parameters(), &trained)?;
                scores?
            }
        };
        times.evaluation += start.elapsed();
        let Some(scores) = scores else { return Ok(true) };
        let record = EvaluationRecord { step, split, scores };
        observer.evaluation(&record)?;
        // No update follows the last evaluation, and what a horizon adds is not the schedule's to hear.
        if split == Split::Validation && step > 0 && step.is_multiple_of(self.course.eval_every) {
            self.schedule.observe(step, &record.scores);
        }
        Ok(record.scores.are_finite())
    }

    /// The scores of the current weights, with running statistics estimated anew or not; those of the
    /// training are what they were afterwards.
    fn judge(&mut self, split: Split, anew: bool) -> Result<Option<Scores>> {
        let trained = if anew { self.problem.recalibrate()? } else { None };
        let scores = self.problem.evaluate(split);
        if let Some(trained) = trained {
            self.problem.restore_statistics(trained)?;
        }
        scores
    }
}

/// The problem as an optimizer may ask it in the middle of an update.
struct Asked<'a> {
    problem: &'a mut dyn Problem,
    clip_norm: Option<f64>,
    /// Updates done before this one.
    t: u64,
    /// What the problem carried before the gradient of the update, where the optimizer said that it asks.
    carried: Option<Vec<Tensor>>,
    count: u64,
    time: Duration,
}

impl Oracle for Asked<'_> {
    fn ask(&mut self) -> Result<Answer> {
        let Some(carried) = &self.carried else {
            return Err(Error::Usage("the optimizer asks for a gradient, and did not say that it would".into()));
        };
        let start = Instant::now();
        for parameter in self.problem.parameters() {
            parameter.keep_gradient();
        }
        // From where the update's own gradient set out, and back to where it led.
        let after = self.problem.state()?;
        self.problem.restore(carried.clone())?;
        let (loss, gradients) = self.problem.gradients(self.t)?;
        self.problem.restore(after)?;
        let gradient_scale = clipping(self.clip_norm, norm(&gradients)?);
        self.count += 1;
        self.time += start.elapsed();
        Ok(Answer { loss, gradients, gradient_scale })
    }
}
