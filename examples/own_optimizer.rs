//! An optimizer of your own, beside the built-in ones.
//!
//! ```sh
//! cargo run --release --example own_optimizer -- run examples/own_optimizer.toml
//! cargo run --release --example own_optimizer -- list optimizers soft_sign
//! ```

use std::process::ExitCode;

use optbench::Bench;
use optbench::optim::real::{Real, ema};
use optbench::optim::rule::{Elementwise, Rule, Slot};
use optbench::optim::{Definition, Step, lr};
use optbench::registry::{About, Bounds, Key};

static SOFT_SIGN: Definition = Definition {
    about: About {
        name: "soft_sign",
        // Raise it when the numbers change: results of another rule are then not mixed with new ones.
        revision: 1,
        summary: "steps along the momentum over its size, softened where it is small",
        equations: "\
m <- beta m + (1 - beta) g
p <- p (1 - lr weight_decay)
p <- p - lr m / (|m| + softness)",
        keys: &[
            lr(1e-3),
            Key::float("weight_decay", 0.0, Bounds::NON_NEGATIVE, "strength of the decoupled decay"),
            Key::float("beta", 0.9, Bounds::DECAY, "decay of the mean of gradients"),
            Key::float("softness", 1e-3, Bounds::POSITIVE, "a momentum of this size makes half a step"),
        ],
        source: "this example",
    },
    memory: "one value per parameter",
    asks: &[],
    build: |settings| {
        Elementwise::boxed(SoftSign {
            weight_decay: settings.float("weight_decay"),
            beta: settings.float("beta"),
            softness: settings.float("softness"),
        })
    },
};

struct SoftSign {
    weight_decay: f64,
    beta: f64,
    softness: f64,
}

/// What depends on the step alone.
struct Coefficients {
    lr: f64,
    shrink: f64,
    beta: f64,
    softness: f64,
}

/// One remembered number for every weight: checkpoints, memory and averages follow from it by themselves.
impl Rule<1> for SoftSign {
    type Coefficients = Coefficients;

    fn slots(&self) -> [Slot; 1] {
        [Slot::zero("momentum")]
    }

    fn coefficients(&mut self, at: &Step) -> Coefficients {
        Coefficients {
            lr: at.lr,
            shrink: 1.0 - at.lr * self.weight_decay,
            // Schedules such as one_cycle move it.
            beta: at.momentum.unwrap_or(self.beta),
            softness: self.softness,
        }
    }

    /// The same lines run as one vectorised pass on the CPU and as tensor operations on a GPU.
    #[inline(always)]
    fn update<R: Real>(k: &Coefficients, p: R, g: R, [m]: [R; 1]) -> (R, [R; 1]) {
        let m = ema(m, g, k.beta);
        (p * k.shrink - m.clone() / (m.clone().abs() + k.softness) * k.lr, [m])
    }
}

fn main() -> ExitCode {
    Bench::new().optimizer(&SOFT_SIGN).main()
}
