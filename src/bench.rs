//! The command line as a value, so that a program of somebody else's can be it.

use std::process::ExitCode;

use crate::catalog::Catalog;
use crate::registry::{Described, Kinds};
use crate::task::{data, model};
use crate::{cli, optim, schedule};

/// The whole command line, with kinds of your own beside the built-in ones.
///
/// They are listed, checked, swept, resumed, reported and judged as the built-in ones are.
///
/// ```no_run
/// use optbench::optim::rule::{Elementwise, Rule, Slot};
/// use optbench::optim::{Definition, Step, lr, real::Real};
/// use optbench::registry::About;
///
/// /// The sign of the gradient alone decides where a weight goes.
/// struct Sign;
///
/// impl Rule<0> for Sign {
///     type Coefficients = f64;
///
///     fn slots(&self) -> [Slot; 0] {
///         []
///     }
///
///     fn coefficients(&mut self, at: &Step) -> f64 {
///         at.lr
///     }
///
///     fn update<R: Real>(lr: &f64, p: R, g: R, _: [R; 0]) -> (R, [R; 0]) {
///         (p - g.sign() * *lr, [])
///     }
/// }
///
/// static SIGN: Definition = Definition {
///     about: About {
///         name: "my_sign",
///         revision: 1,
///         summary: "a step of one length for every weight",
///         equations: "p <- p - lr sign(g)",
///         keys: &[lr(1e-3)],
///         source: "signSGD, Bernstein et al. 2018, arXiv 1802.04434",
///     },
///     memory: "nothing",
///     asks: &[],
///     build: |_| Elementwise::boxed(Sign),
/// };
///
/// fn main() -> std::process::ExitCode {
///     optbench::Bench::new().optimizer(&SIGN).main()
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Bench {
    catalog: Catalog,
    /// Why kinds were refused.
    problems: Vec<String>,
}

impl Bench {
    /// The built-in kinds.
    pub fn new() -> Self {
        Self { catalog: Catalog::built_in(), problems: Vec::new() }
    }

    /// One more optimizer.
    #[must_use]
    pub fn optimizer(mut self, definition: &'static optim::Definition) -> Self {
        self.add(|catalog| &mut catalog.optimizers, definition);
        self
    }

    /// One more schedule.
    #[must_use]
    pub fn schedule(mut self, definition: &'static schedule::Definition) -> Self {
        self.add(|catalog| &mut catalog.schedules, definition);
        self
    }

    /// One more model.
    #[must_use]
    pub fn model(mut self, definition: &'static model::Definition) -> Self {
        self.add(|catalog| &mut catalog.models, definition);
        self
    }

    /// One more dataset.
    #[must_use]
    pub fn dataset(mut self, definition: &'static data::Definition) -> Self {
        self.add(|catalog| &mut catalog.datasets, definition);
        self
    }

    fn add<D: Described>(&mut self, kinds: impl Fn(&mut Catalog) -> &mut Kinds<D>, definition: &'static D) {
        self.problems.extend(kinds(&mut self.catalog).add(definition).err());
    }

    /// Does what the process was asked for by its arguments. With a kind that cannot be added, such as one whose name is
    /// taken, it says so and does nothing.
    pub fn main(self) -> ExitCode {
        if self.problems.is_empty() {
            return cli::main(&self.catalog);
        }
        for problem in self.problems {
            cli::say(&format!("error: {problem}"));
        }
        ExitCode::from(2)
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_refused_at_the_start() {
        let bench = Bench::new().optimizer(&optim::OPTIMIZERS[0]).model(&model::MODELS[0]);
        assert_eq!(
            bench.problems,
            [
                "optimizer `sgd`: there is one of this name already",
                "model `logistic`: there is one of this name already"
            ]
        );
    }
}
