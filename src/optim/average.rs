//! Averages of the weights, around any optimizer: evaluated instead of the latest weights.

use std::collections::VecDeque;

use candle_core::Tensor;

use crate::error::Result;
use crate::length::Length;
use crate::nn::params::Parameter;
use crate::optim::kinded::misfit_kind;
use crate::optim::memory::{bytes, fitting, misfit};
use crate::optim::pass::{Kernel, sweep};
use crate::optim::real::Real;
use crate::optim::{Optimizer, State, Step};
use crate::registry::{Accepts, Bounds, Key};
use crate::settings::{Settings, Value};

/// Which average: of all weights, fading (ema); of snapshots late in the run (swa, Izmailov et al.
/// 2018, arXiv 1803.05407); of the latest snapshots (lawa, Kaddour 2022, arXiv 2209.14981).
pub(super) const KIND: Key = Key::optional(
    "average",
    Accepts::Choice(&["ema", "swa", "lawa"]),
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

/// The optimizer with the average that its settings ask for, if they do.
pub(super) fn around(inner: Box<dyn Optimizer>, settings: &Settings) -> Box<dyn Optimizer> {
    let Some(Value::Text(kind)) = settings.get(KIND.name) else { return inner };
    let every = || settings.steps(EVERY.name).max(1);
    let average = match kind.as_str() {
        "ema" => Average::Fading { decay: settings.float(DECAY.name) },
        "swa" => Average::Late { start: settings.steps(START.name), every: every() },
        _ => Average::Latest { every: every(), window: settings.count(WINDOW.name) },
    };
    Box::new(Averaged { inner, average, count: 0, kept: VecDeque::new(), composed: false })
}

/// How many sets of weights an optimizer of these settings, in steps, holds for its average at the end of a run.
pub fn snapshots_kept(settings: &Settings, steps: u64) -> u64 {
    match settings.get(KIND.name) {
        Some(Value::Text(kind)) if kind == "lawa" => {
            (settings.count(WINDOW.name) as u64).min(steps / settings.steps(EVERY.name).max(1))
        }
        Some(_) => 1,
        None => 0,
    }
}

enum Average {
    Fading { decay: f64 },
    Late { start: u64, every: u64 },
    Latest { every: u64, window: usize },
}

impl Average {
    /// What it is called before the kind of the optimizer whose weights it averages.
    fn of(&self) -> &'static str {
        match self {
            Self::Fading { .. } => "ema of ",
            Self::Late { .. } => "swa of ",
            Self::Latest { .. } => "lawa of ",
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
            _ => 1.0 / count,
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

const INNER: &str = "inner.";

/// The name under which the `i`-th parameter of a snapshot is saved.
fn name_of(snapshot: usize, i: usize) -> String {
    format!("{snapshot}.{i}.average")
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
    fn step(&mut self, parameters: &[Parameter], gradients: &[Tensor], at: &Step) -> Result<()> {
        self.inner.step(parameters, gradients, at)?;
        if self.average.takes(at.t + 1) {
            let newest = self.newest(parameters)?;
            self.take(&newest)?;
        }
        Ok(())
    }

    fn own_factor(&self, at: &Step) -> f64 {
        self.inner.own_factor(at)
    }

    fn rate(&self, at: &Step) -> f64 {
        self.inner.rate(at)
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
        let mut own = State { scalars: vec![self.count as f64], ..State::default() };
        for (s, snapshot) in self.kept.iter().enumerate() {
            for (i, tensor) in snapshot.iter().enumerate() {
                own.tensors.push((name_of(s, i), tensor.copy()?));
            }
        }
        let mut state = own.around(INNER, self.inner.state()?);
        state.kind = format!("{}{}", self.average.of(), state.kind);
        Ok(state)
    }

    fn restore(&mut self, parameters: &[Parameter], mut state: State) -> Result<()> {
        state.kind = match state.kind.strip_prefix(self.average.of()) {
            Some(inner) => inner.to_owned(),
            None => {
                return Err(misfit_kind(&state.kind, &format!("{}{}", self.average.of(), self.inner.state()?.kind)));
            }
        };
        let (own, inner) = state.unwrap(INNER, 1)?;
        let n = parameters.len().max(1);
        if !own.tensors.len().is_multiple_of(n) {
            return Err(misfit(&format!("it holds {} averaged tensors for {n} parameters", own.tensors.len())));
        }
        let snapshots = own.tensors.chunks(n).enumerate().map(|(s, snapshot)| {
            let tensors = snapshot.iter().zip(parameters).enumerate();
            tensors.map(|(i, (saved, parameter))| fitting(saved, &name_of(s, i), parameter.var.as_tensor())).collect()
        });
        let kept = snapshots.collect::<Result<_>>()?;
        self.inner.restore(parameters, inner)?;
        (self.kept, self.count) = (kept, own.scalars[0] as u64);
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
