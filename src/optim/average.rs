//! Averages of the weights, around any optimizer: evaluated instead of the latest weights.

use std::collections::VecDeque;

use candle_core::Tensor;

use crate::choice::Choice;
use crate::error::Result;
use crate::length::Length;
use crate::nn::params::Parameter;
use crate::optim::memory::{bytes, fitting, misfit, misfit_kind};
use crate::optim::optimizer::{Optimizer, Oracle, State, Step};
use crate::optim::pass::{Kernel, sweep};
use crate::optim::real::Real;
use crate::registry::{Accepts, Bounds, Key};
use crate::settings::Settings;

crate::choice! {
    /// The averages by their names.
    enum Kind { Ema = "ema", Swa = "swa", Lawa = "lawa" }
}

/// Which average: of all weights, fading (ema); of snapshots late in the run (swa, Izmailov et al.
/// 2018, arXiv 1803.05407); of the latest snapshots (lawa, Kaddour 2022, arXiv 2209.14981).
pub(super) const KIND: Key = Key::optional(
    "average",
    Accepts::Choice(Kind::WORDS),
    "evaluate an average of the weights: a fading one (ema), of late snapshots (swa), of the latest ones (lawa)",
);
pub(super) const DECAY: Key = Key::float(
    "average_decay",
    0.999,
    Bounds::DECAY,
    "ema: how much of itself it keeps a step; corrected for its start, so that the weights after n updates count \
     decay^(age) / (1 + decay + .. + decay^(n - 1)) (torch's AveragedModel gives the first weights decay^(n - 1) instead)",
)
.only_beside("average", &["ema"]);
pub(super) const START: Key =
    Key::length("average_start", Length::Percent(75.0), "swa: when the first snapshot is taken")
        .only_beside("average", &["swa"]);
pub(super) const EVERY: Key =
    Key::interval("average_every", Length::Percent(1.0), "swa, lawa: how long from one snapshot to the next")
        .only_beside("average", &["swa", "lawa"]);
pub(super) const WINDOW: Key =
    Key::integer("average_window", 5, Bounds::at_least(1.0), "lawa: how many of the latest snapshots are averaged")
        .only_beside("average", &["lawa"]);

/// An average of the weights, as settings ask for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Average {
    /// Of all weights: those of every update fade by this factor.
    Fading {
        /// How much of itself the average keeps a step.
        decay: f64,
    },
    /// Of snapshots late in the run.
    Late {
        /// Updates before the first snapshot.
        start: u64,
        /// Updates from one snapshot to the next.
        every: u64,
    },
    /// Of the latest snapshots.
    Latest {
        /// Updates from one snapshot to the next.
        every: u64,
        /// How many snapshots.
        window: usize,
    },
}

/// The optimizer, evaluated at an average where there is one.
pub(super) fn around(inner: Box<dyn Optimizer>, average: Option<Average>) -> Box<dyn Optimizer> {
    match average {
        Some(average) => Box::new(Averaged { inner, average, count: 0, kept: VecDeque::new(), composed: false }),
        None => inner,
    }
}

impl Average {
    /// As settings whose durations are measured in steps ask for it, if they do.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        let every = || settings.steps(EVERY.name).max(1);
        Some(match settings.optional_choice(KIND.name)? {
            Kind::Ema => Self::Fading { decay: settings.float(DECAY.name) },
            Kind::Swa => Self::Late { start: settings.steps(START.name), every: every() },
            Kind::Lawa => Self::Latest { every: every(), window: settings.count(WINDOW.name) },
        })
    }

    /// How many sets of weights it holds at the end of a run of so many steps.
    pub fn kept(&self, steps: u64) -> u64 {
        match *self {
            Self::Latest { every, window } => (window as u64).min(steps / every),
            Self::Fading { .. } | Self::Late { .. } => 1,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Fading { .. } => Kind::Ema,
            Self::Late { .. } => Kind::Swa,
            Self::Latest { .. } => Kind::Lawa,
        }
    }

    /// Whether the weights after `updates` updates belong in the average.
    fn takes(&self, updates: u64) -> bool {
        match *self {
            Self::Fading { .. } => true,
            Self::Late { start, every } => updates >= start && (updates - start).is_multiple_of(every),
            Self::Latest { every, .. } => updates.is_multiple_of(every),
        }
    }

    /// The share of the newest weights in the average of `count` weights.
    fn share(&self, count: f64) -> f64 {
        match *self {
            // As if the average had begun at the first weights: no trace of a start from 0.
            Self::Fading { decay } => (1.0 - decay) / (1.0 - decay.powf(count)),
            Self::Late { .. } | Self::Latest { .. } => 1.0 / count,
        }
    }
}

/// An optimizer whose evaluation weights are averaged.
struct Averaged {
    inner: Box<dyn Optimizer>,
    average: Average,
    /// Weights averaged so far.
    count: u64,
    /// The running average, or the latest snapshots.
    kept: VecDeque<Vec<Tensor>>,
    composed: bool,
}

/// The name under which the `i`-th parameter of a snapshot is saved.
fn name_of(snapshot: usize, i: usize) -> String {
    format!("{i}.average.{snapshot}")
}

/// Moves an average towards newer weights.
struct Towards(f64);

impl Kernel<0, 1> for Towards {
    #[inline(always)]
    fn apply<R: Real>(&self, average: R, _: [R; 0], [newest]: [R; 1]) -> (R, [R; 0]) {
        (average.clone() + (newest - average) * self.0, [])
    }
}

impl Averaged {
    /// The weights that the optimizer itself would have evaluated.
    fn newest(&self, parameters: &[Parameter]) -> Result<Vec<Tensor>> {
        let trained = || parameters.iter().map(|parameter| parameter.var.as_detached_tensor()).collect();
        Ok(self.inner.evaluation_weights(parameters)?.unwrap_or_else(trained))
    }

    fn take(&mut self, newest: &[Tensor]) -> Result<()> {
        self.count += 1;
        let copies = || newest.iter().map(Tensor::copy).collect::<candle_core::Result<_>>();
        if let Average::Latest { window, .. } = self.average {
            self.kept.push_back(copies()?);
            while self.kept.len() > window {
                self.kept.pop_front();
            }
            return Ok(());
        }
        let Some(average) = self.kept.front_mut() else {
            self.kept.push_back(copies()?);
            return Ok(());
        };
        let towards = Towards(self.average.share(self.count as f64));
        for (average, newest) in average.iter_mut().zip(newest) {
            sweep(self.composed, &towards, average, [], [newest])?;
        }
        Ok(())
    }
}

impl Optimizer for Averaged {
    fn step(
        &mut self,
        parameters: &[Parameter],
        gradients: &[Tensor],
        at: &Step,
        oracle: &mut dyn Oracle,
    ) -> Result<()> {
        self.inner.step(parameters, gradients, at, oracle)?;
        if self.average.takes(at.t + 1) {
            let newest = self.newest(parameters)?;
            self.take(&newest)?;
        }
        Ok(())
    }

    fn asks(&self) -> bool {
        self.inner.asks()
    }

    fn own_factor(&self, at: &Step) -> f64 {
        self.inner.own_factor(at)
    }

    fn evaluation_weights(&self, parameters: &[Parameter]) -> Result<Option<Vec<Tensor>>> {
        let Some(first) = self.kept.front() else {
            return self.inner.evaluation_weights(parameters);
        };
        let mut average = first.iter().map(Tensor::copy).collect::<candle_core::Result<Vec<_>>>()?;
        for (i, snapshot) in self.kept.iter().enumerate().skip(1) {
            let towards = Towards(1.0 / (i + 1) as f64);
            for (average, newer) in average.iter_mut().zip(snapshot) {
                sweep(self.composed, &towards, average, [], [newer])?;
            }
        }
        Ok(Some(average))
    }

    fn state(&self) -> Result<State> {
        let mut tensors = Vec::new();
        for (s, snapshot) in self.kept.iter().enumerate() {
            for (i, tensor) in snapshot.iter().enumerate() {
                tensors.push((name_of(s, i), tensor.copy()?));
            }
        }
        let kind = self.average.kind().word().to_owned();
        Ok(State { kind, scalars: vec![self.count as f64], tensors, inner: vec![self.inner.state()?] })
    }

    fn restore(&mut self, parameters: &[Parameter], mut state: State) -> Result<()> {
        let kind = self.average.kind().word();
        if state.kind != kind {
            return Err(misfit_kind(&state, kind));
        }
        state.expect(1, 1)?;
        let n = parameters.len().max(1);
        if !state.tensors.len().is_multiple_of(n) {
            return Err(misfit(&format!("it holds {} averaged tensors for {n} parameters", state.tensors.len())));
        }
        let snapshots = state.tensors.chunks(n).enumerate().map(|(s, snapshot)| {
            let tensors = snapshot.iter().zip(parameters).enumerate();
            tensors.map(|(i, (saved, parameter))| fitting(saved, &name_of(s, i), parameter.var.as_tensor())).collect()
        });
        let kept = snapshots.collect::<Result<_>>()?;
        self.inner.restore(parameters, state.inner.remove(0))?;
        (self.kept, self.count) = (kept, state.scalars[0] as u64);
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        bytes(self.kept.iter().flatten()) + self.inner.state_bytes()
    }

    fn use_tensor_operations(&mut self) {
        self.composed = true;
        self.inner.use_tensor_operations();
    }
}
