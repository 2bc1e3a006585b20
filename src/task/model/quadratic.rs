//! A quadratic bowl.

use std::sync::Arc;

use crate::registry::{About, Bounds, Key};
use crate::settings::Settings;
use crate::task::model::{Definition, Function, Kind};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "quadratic",
        revision: 1,
        summary: "a bowl whose curvatures are known: every update can be checked by hand",
        equations: "f(x) = 1/2 sum of curvature_i x_i^2",
        keys: &[
            Key::floats("curvature", &[1.0, 10.0], Bounds::ANY, "one curvature for each coordinate"),
            Key::floats("start", &[], Bounds::ANY, "where to start; all ones unless given"),
        ],
        source: "",
    },
    kind: Kind::Function(build),
};

struct Quadratic {
    curvature: Vec<f64>,
    start: Vec<f64>,
}

fn build(settings: &Settings) -> Result<Arc<dyn Function>, String> {
    let (curvature, mut start) = (settings.floats("curvature"), settings.floats("start"));
    if start.is_empty() {
        start = vec![1.0; curvature.len()];
    }
    if curvature.is_empty() || start.len() != curvature.len() {
        let (n, m) = (curvature.len(), start.len());
        return Err(format!(
            "`curvature` has length {n} and `start` has length {m}; expected one value of each for every coordinate"
        ));
    }
    Ok(Arc::new(Quadratic { curvature, start }))
}

impl Function for Quadratic {
    fn start(&self) -> &[f64] {
        &self.start
    }

    fn value(&self, x: &[f64]) -> f64 {
        0.5 * x.iter().zip(&self.curvature).map(|(x, c)| c * x * x).sum::<f64>()
    }

    fn gradient(&self, x: &[f64]) -> Vec<f64> {
        x.iter().zip(&self.curvature).map(|(x, c)| c * x).collect()
    }

    fn minimum(&self) -> Option<Vec<f64>> {
        self.curvature.iter().all(|c| *c >= 0.0).then(|| vec![0.0; self.curvature.len()])
    }
}
