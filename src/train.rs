//! The training loop: a problem, an optimizer, a schedule and a budget become records.
//!
//! No input, no output and no config in here: an [`Observer`] sees what happens. The loop owns the
//! evaluation points: whatever weights an optimizer trains at, its evaluations are at those it
//! would deliver, and the training goes on from exactly where it was.

use std::time::{Duration, Instant};

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::metric::Scores;
use crate::nn::params::{Parameter, assign, copies, norm};
use crate::optim::{Answer, Optimizer, Oracle, State, Statistics, Step, clipping};
use crate::schedule::Schedule;
use crate::task::{Problem, Split};

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
    /// Updates to do.
    pub steps: u64,
    /// Updates between two evaluations.
    pub eval_every: u64,
    /// The steps before the last at which it is evaluated on both splits, beside the other evaluations.
    ///
    /// They change no update: a schedule that listens to evaluations does not hear of them.
    pub horizons: Vec<u64>,
    /// Where to go on from, instead of from the start.
    pub resume: Option<Snapshot>,
}

/// Everything that a training needs to go on, bit for bit, from between two updates.
///
/// Batches and random numbers are not in it: they depend on the seed and the step alone.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Updates done.
    pub steps: u64,
    /// The weights, parameter by parameter.
    pub weights: Vec<Tensor>,
    /// What the problem carries along beside them.
    pub problem: Vec<Tensor>,
    /// What the optimizer remembers.
    pub optimizer: State,
    /// What the schedule has learned.
    pub schedule: Vec<f64>,
    /// Gradients that the optimizer asked for beside the one of every update.
    pub asked: u64,
    /// Where the time went so far.
    pub times: Times,
}

/// One update, as it is logged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRecord {
    /// Updates done, this one included.
    pub step: u64,
    /// The rate of this update.
    pub lr: f64,
    /// The training loss where the gradient was taken.
    pub loss: f64,
    /// The length of the whole gradient, before any clipping.
    pub grad_norm: f64,
}

/// One evaluation, as it is logged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluationRecord {
    /// Updates done.
    pub step: u64,
    /// What was evaluated on.
    pub split: Split,
    /// What was measured.
    pub scores: Scores,
}

/// The inside of one update, for an observer that asked to look.
pub struct Look<'a> {
    /// Updates done, this one included.
    pub step: u64,
    /// The gradient, parameter by parameter, before any clipping.
    pub gradients: &'a [Tensor],
    /// The weights that the gradient was taken at.
    pub before: &'a [Tensor],
    /// The weights that the next gradient is taken at.
    pub after: Vec<Tensor>,
    /// The weights that an evaluation would be of, where they are not those of `after`.
    pub delivered: Option<Vec<Tensor>>,
}

/// Sees what happens in a training. Every method may stay as it is.
pub trait Observer {
    /// An update was done, or found impossible because it diverged.
    ///
    /// # Errors
    /// Ends the training.
    fn step(&mut self, _record: &StepRecord) -> Result<()> {
        Ok(())
    }

    /// An evaluation was done.
    ///
    /// # Errors
    /// Ends the training.
    fn evaluation(&mut self, _record: &EvaluationRecord) -> Result<()> {
        Ok(())
    }

    /// Asked before every update, by the number it will have: whether to look inside.
    fn watches(&mut self, _step: u64) -> bool {
        false
    }

    /// The inside of an update that was asked for and done.
    ///
    /// # Errors
    /// Ends the training.
    fn look(&mut self, _look: &Look) -> Result<()> {
        Ok(())
    }

    /// Asked before every update; `false` interrupts the training.
    fn proceed(&mut self) -> bool {
        true
    }

    /// Asked before every update and at an interruption: whether to be given a snapshot now.
    fn wants_snapshot(&mut self) -> bool {
        false
    }

    /// A snapshot, of the state after the last record that was seen.
    ///
    /// # Errors
    /// Ends the training.
    fn snapshot(&mut self, _snapshot: &Snapshot) -> Result<()> {
        Ok(())
    }
}

/// An observer that looks away.
impl Observer for () {}

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

/// Where the time of a training went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// Batches, forward and backward passes.
    pub gradients: Duration,
    /// Updates of the weights.
    pub optimizer: Duration,
    /// Evaluations.
    pub evaluation: Duration,
}

/// Trains from the first update, or from where a snapshot was taken, to the last.
///
/// # Errors
/// When a tensor operation or the observer fails. Divergence is an outcome, not an error.
pub fn train(mut training: Training, observer: &mut dyn Observer) -> Result<Outcome> {
    // Clones share their tensors: an optimizer that asks for gradients holds these while the problem computes.
    let parameters = training.problem.parameters().to_vec();
    let (mut times, mut steps, mut asked) = (Times::default(), 0, 0);
    let mut ending = Ending::Finished;
    if let Some(snapshot) = training.resume.take() {
        (steps, asked, times) = (snapshot.steps, snapshot.asked, snapshot.times);
        training.go_back_to(snapshot)?;
    } else if !training.evaluate(0, Split::Validation, &mut times, observer)? {
        ending = Ending::Diverged;
    }
    while ending == Ending::Finished && steps < training.steps {
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
        let horizon = training.horizons.contains(&steps) && steps < training.steps;
        if !finite || horizon || steps == training.steps || steps.is_multiple_of(training.eval_every) {
            finite &= training.evaluate(steps, Split::Validation, &mut times, observer)?;
        }
        if horizon && finite {
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
        Ok(Snapshot {
            steps,
            weights: copies(self.problem.parameters())?,
            problem: self.problem.state()?,
            optimizer: self.optimizer.state()?,
            schedule: self.schedule.state(),
            asked,
            times,
        })
    }

    fn go_back_to(&mut self, snapshot: Snapshot) -> Result<()> {
        assign(self.problem.parameters(), &snapshot.weights)?;
        self.problem.restore(snapshot.problem)?;
        self.optimizer.restore(self.problem.parameters(), snapshot.optimizer)?;
        self.schedule.restore(&snapshot.schedule);
        Ok(())
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
            steps: self.steps,
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
        observer.step(&StepRecord { step: t + 1, lr, loss, grad_norm })?;
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
        observer.evaluation(&EvaluationRecord { step, split, scores })?;
        // No update follows the last evaluation, and what a horizon adds is not the schedule's to hear.
        if split == Split::Validation && step > 0 && step.is_multiple_of(self.eval_every) {
            self.schedule.observe(step, &scores);
        }
        Ok(scores.are_finite())
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
