//! When a training counts as diverged: any score of any evaluation that is not finite.

use candle_core::{Device, Tensor};
use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::error::Result;
use optbench::metric::{Metric, Scores};
use optbench::nn::params::Parameter;
use optbench::sweep::{InProcess, Plan};
use optbench::task::data::Library;
use optbench::task::{self, Problem, Split};
use optbench::train::{Course, Ending, Outcome, Training, train};

const CONFIG: &str = "steps = 20\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\nlr = 0.1\n";

/// A bowl whose gradients are in order, and whose evaluations are as scripted.
struct Scripted {
    bowl: Box<dyn Problem>,
    validation: Scores,
    test: Scores,
}

impl Problem for Scripted {
    fn parameters(&self) -> &[Parameter] {
        self.bowl.parameters()
    }

    fn gradients(&mut self, t: u64) -> Result<(f64, Vec<Tensor>)> {
        self.bowl.gradients(t)
    }

    fn evaluate(&mut self, split: Split) -> Result<Option<Scores>> {
        Ok(Some(if split == Split::Test { &self.test } else { &self.validation }.clone()))
    }
}

fn trained(validation: &Scores, test: &Scores, horizons: Vec<u64>) -> Outcome {
    let plan = Plan::new(
        Experiment::parse(&Catalog::built_in(), "bowl.toml", CONFIG, "bowl", &[]).unwrap(),
        &Library::default(),
    )
    .unwrap();
    let mut training = training(&plan);
    let bowl = training.problem;
    training.problem = Box::new(Scripted { bowl, validation: validation.clone(), test: test.clone() });
    training.course = Course { steps: 20, eval_every: 5, horizons };
    train(training, None, &mut ()).unwrap()
}

/// What the only run of a plan is trained with.
fn training(plan: &Plan) -> Training {
    let task = task::build(&plan.experiment.tasks[0], &Library::default()).unwrap();
    InProcess { task, device: Device::Cpu }.training(&plan.job(&plan.runs[0])).unwrap()
}

fn perplexity(loss: f64) -> Scores {
    Scores::of_loss(loss).with(Metric::PERPLEXITY, loss.exp())
}

#[test]
fn every_score_is_judged_on_both_splits() {
    let fine = perplexity(1.0);
    let end = |validation: &Scores, test: &Scores| {
        let Outcome { ending, steps, .. } = trained(validation, test, Vec::new());
        (ending, steps)
    };
    assert_eq!(end(&fine, &fine), (Ending::Finished, 20));
    assert_eq!(end(&perplexity(710.0), &fine), (Ending::Diverged, 0), "exp(710) is infinite, 710 is not");
    for worst in [f64::NAN, f64::INFINITY, 710.0] {
        assert_eq!(
            end(&fine, &perplexity(worst)),
            (Ending::Diverged, 20),
            "a test loss of {worst} after the last step"
        );
    }
}

#[test]
fn a_horizon_without_a_finite_test_score_ends_the_run() {
    let outcome = trained(&perplexity(1.0), &perplexity(f64::NAN), vec![7]);
    assert_eq!((outcome.ending, outcome.steps), (Ending::Diverged, 7));
}

#[test]
fn a_gradient_as_large_as_its_number_can_be_is_finite() {
    let config = "steps = 3\n[tasks.bowl]\nmodel = \"quadratic\"\ndtype = \"f64\"\ncurvature = [1e200]\nstart = [1.0]\n\
                  [optimizers.sgd]\nlr = 1e-200\n";
    let plan = Plan::new(
        Experiment::parse(&Catalog::built_in(), "bowl.toml", config, "bowl", &[]).unwrap(),
        &Library::default(),
    )
    .unwrap();
    // The square of the gradient, 1e400, is beyond any number; its length is not.
    assert_eq!(plan.train(&plan.runs[0], None, &mut ()).unwrap().ending, Ending::Finished);
}
