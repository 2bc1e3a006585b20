//! Rosenbrock's banana.

use std::sync::Arc;

use crate::registry::{About, Bounds, Key};
use crate::settings::Settings;
use crate::task::model::{Definition, Function, Kind};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "rosenbrock",
        revision: 1,
        summary: "a curved valley with its minimum 0 at (1, 1)",
        equations: "f(x, y) = (1 - x)^2 + 100 (y - x^2)^2",
        keys: &[Key::floats("start", &[-1.2, 1.0], Bounds::ANY, "where to start: [x, y]")],
        source: "Rosenbrock 1960, An automatic method for finding the greatest or least value of a function",
    },
    kind: Kind::Function(build),
};

struct Rosenbrock {
    start: [f64; 2],
}

fn build(settings: &Settings) -> Result<Arc<dyn Function>, String> {
    let start = settings.floats("start");
    match *start {
        [x, y] => Ok(Arc::new(Rosenbrock { start: [x, y] })),
        _ => Err(format!("`start` has length {}; expected two numbers, [x, y]", start.len())),
    }
}

impl Function for Rosenbrock {
    fn start(&self) -> &[f64] {
        &self.start
    }

    fn value(&self, x: &[f64]) -> f64 {
        let valley = x[1] - x[0] * x[0];
        (1.0 - x[0]).powi(2) + 100.0 * valley * valley
    }

    fn gradient(&self, x: &[f64]) -> Vec<f64> {
        let valley = x[1] - x[0] * x[0];
        vec![-2.0 * (1.0 - x[0]) - 400.0 * x[0] * valley, 200.0 * valley]
    }

    fn minimum(&self) -> Option<Vec<f64>> {
        Some(vec![1.0, 1.0])
    }
}
