//! Schedule-Free around any other optimizer.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::params::{Parameter, copies};
use crate::optim::averaging::{self, Averaging, AveragingStep};
use crate::optim::build::build;
use crate::optim::definition::Definition;
use crate::optim::memory::{Memory, Slot, misfit};
use crate::optim::optimizer::{Answer, Optimizer, Oracle, State, Step, ask_at};
use crate::optim::pass::{Kernel, sweep};
use crate::optim::real::{Field, Real};
use crate::optim::rule::write_weights;
use crate::optim::sgd;
use crate::registry::{About, Accepts, Bounds, Described, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "schedule_free",
        revision: 2,
        summary: "any optimizer, averaged instead of decayed: no schedule, no stopping time",
        equations: "\
z <- z - lr weight_decay y
z <- the base's update of z, with the gradient taken at y; its own weight decay acts on z
x <- (1 - c) x + c z                         x is evaluated
y <- beta x + (1 - beta) z                   y is trained
c = w / (sum of all w),  w = t^r max(lr s)^weight_lr_power
s: what the base multiplies its rate by of its own accord: prodigy's d after its update, a warmup of its own; else 1",
        keys: &[
            Key::float("lr", 1e-3, Bounds::NON_NEGATIVE, "learning rate of the base, in place of the base's own `lr`"),
            Key::optional(
                "base",
                Accepts::Optimizer,
                "the optimizer that takes the steps; `sgd` at its defaults where absent",
            ),
            averaging::WEIGHT_DECAY,
            averaging::BETA,
            averaging::R,
            averaging::WEIGHT_LR_POWER,
            averaging::EVALUATE_AT,
        ],
        source: averaging::SOURCE,
    },
    memory: "one value per parameter (z), one more (x) where beta is below 0.5, and what the base remembers",
    asks: &[],
    build: |settings| {
        let mut base = match settings.get("base") {
            Some(_) => settings.nested("base").clone(),
            None => sgd::DEFINITION.defaults(),
        };
        // Some rules relate rates of theirs to their peak rate.
        base.set("lr", settings.float("lr").into());
        Box::new(Wrapper {
            averaging: Averaging::of(settings),
            weight_decay: settings.float("weight_decay"),
            base: build(&base),
            composed: false,
            memory: Memory::default(),
        })
    },
};

/// Before and after a step, the weights hold y and the slot z; while the base steps, the weights
/// hold z and the slot x. Where y and z do not tell x well enough, x has a slot of its own, and that of z waits to be
/// written over.
struct Wrapper {
    averaging: Averaging,
    weight_decay: f64,
    base: Box<dyn Optimizer>,
    composed: bool,
    memory: Memory,
}

/// y and z become z, decayed, and x.
struct Enter<'a> {
    averaging: &'a Averaging,
    decay: f64,
}

impl Kernel<1, 0> for Enter<'_> {
    #[inline(always)]
    fn apply<R: Real>(&self, y: R, [z]: [R; 1], _: [R; 0]) -> (R, [R; 1]) {
        (z.clone() - y.clone() * self.decay, [self.averaging.x(y, z)])
    }
}

/// With a slot for x, y and z become z, decayed.
impl Kernel<2, 0> for Enter<'_> {
    #[inline(always)]
    fn apply<R: Real>(&self, y: R, [z, x]: [R; 2], _: [R; 0]) -> (R, [R; 2]) {
        (z.clone() - y * self.decay, [z, x])
    }
}

/// The new z and the old x become y and z.
struct Leave(AveragingStep);

impl Kernel<1, 0> for Leave {
    #[inline(always)]
    fn apply<R: Real>(&self, z: R, [x]: [R; 1], _: [R; 0]) -> (R, [R; 1]) {
        (self.0.y(x, z.clone()), [z])
    }
}

/// With a slot for x, that becomes the new x.
impl Kernel<2, 0> for Leave {
    #[inline(always)]
    fn apply<R: Real>(&self, z: R, [_, x]: [R; 2], _: [R; 0]) -> (R, [R; 2]) {
        let (y, x) = self.0.y_and_x(x, z.clone());
        (y, [z, x])
    }
}

fn slots(keeps_x: bool) -> Vec<Slot> {
    let names: &[&str] = if keeps_x { &["z", "x"] } else { &["z"] };
    names.iter().map(|name| Slot::weights(name)).collect()
}

impl Wrapper {
    fn sweep<K: Kernel<1, 0> + Kernel<2, 0>>(&mut self, parameters: &[Parameter], kernel: &K) -> Result<()> {
        let (composed, keeps_x) = (self.composed, self.averaging.keeps_x());
        for (parameter, slots) in parameters.iter().zip(self.memory.of(parameters, |_| slots(keeps_x))?) {
            write_weights(parameter, |weights| match &mut slots[..] {
                [z, x] => sweep(composed, kernel, weights, [z, x], []),
                slots => sweep(composed, kernel, weights, [&mut slots[0]], []),
            })?;
        }
        Ok(())
    }
}

/// The oracle of a base, which steps from z although its gradient is taken at y: its questions are moved along.
struct Moved<'a> {
    oracle: &'a mut dyn Oracle,
    parameters: &'a [Parameter],
    /// `y - z` for every parameter.
    by: Vec<Tensor>,
}

impl Oracle for Moved<'_> {
    fn ask(&mut self) -> Result<Answer> {
        let moved = self.parameters.iter().zip(&self.by).map(|(parameter, by)| Ok((parameter.var.as_tensor() + by)?));
        let moved = moved.collect::<Result<Vec<_>>>()?;
        ask_at(self.oracle, self.parameters, &moved)
    }
}

impl Optimizer for Wrapper {
    fn step(
        &mut self,
        parameters: &[Parameter],
        gradients: &[Tensor],
        at: &Step,
        oracle: &mut dyn Oracle,
    ) -> Result<()> {
        let y = if self.base.asks() { copies(parameters)? } else { Vec::new() };
        let averaging = self.averaging.clone();
        self.sweep(parameters, &Enter { averaging: &averaging, decay: at.lr * self.weight_decay })?;
        let by = y.iter().zip(parameters).map(|(y, z)| Ok((y - z.var.as_detached_tensor())?)).collect::<Result<_>>()?;
        self.base.step(parameters, gradients, at, &mut Moved { oracle, parameters, by })?;
        let step = self.averaging.advance(at.t, at.lr * self.base.own_factor(at));
        self.sweep(parameters, &Leave(step))
    }

    fn asks(&self) -> bool {
        self.base.asks()
    }

    fn own_factor(&self, at: &Step) -> f64 {
        self.base.own_factor(at)
    }

    fn evaluation_weights(&self, parameters: &[Parameter]) -> Result<Option<Vec<Tensor>>> {
        if self.averaging.evaluates_at_y() || self.memory.tensors().is_empty() {
            return Ok(None);
        }
        let weights = parameters.iter().zip(self.memory.tensors()).map(|(parameter, slots)| {
            let x = slots.get(1).map(Field::new);
            Ok(self.averaging.evaluation(Field::new(&parameter.var), Field::new(&slots[0]), x).tensor()?)
        });
        weights.collect::<Result<_>>().map(Some)
    }

    fn state(&self) -> Result<State> {
        let (scalars, tensors) = (self.averaging.scalars(), self.memory.save()?);
        Ok(State { scalars, tensors, inner: vec![self.base.state()?], ..State::default() })
    }

    fn restore(&mut self, parameters: &[Parameter], mut state: State) -> Result<()> {
        state.expect(self.averaging.scalars().len(), 1)?;
        let base = state.inner.remove(0);
        if state.tensors.is_empty() && !base.tensors.is_empty() {
            return Err(misfit("it holds a base's tensors, and none of the average"));
        }
        let memory = Memory::restored(parameters, |_| slots(self.averaging.keeps_x()), &state.tensors)?;
        self.base.restore(parameters, base)?;
        self.averaging.set_scalars(&state.scalars);
        self.memory = memory;
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.memory.bytes() + self.base.state_bytes()
    }

    fn use_tensor_operations(&mut self) {
        self.composed = true;
        self.base.use_tensor_operations();
    }
}
