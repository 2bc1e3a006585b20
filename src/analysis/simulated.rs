//! Records without a training, for tests.

use crate::metric::Scores;
use crate::results::{Record, Status};

/// The runs of one optimizer at one setting on the task `task`.
#[derive(Debug, Clone)]
pub(crate) struct Arm {
    pub(crate) optimizer: &'static str,
    pub(crate) lr: f64,
    /// The final validation loss of seed 0, 1, ...; NaN diverged.
    pub(crate) validation: Vec<f64>,
    pub(crate) test: Option<Vec<f64>>,
    pub(crate) steps_to_target: Option<u64>,
}

impl Arm {
    pub(crate) fn new(optimizer: &'static str, validation: &[f64]) -> Self {
        Self { optimizer, lr: 0.1, validation: validation.to_vec(), test: None, steps_to_target: None }
    }

    pub(crate) fn at(optimizer: &'static str, lr: f64, validation: &[f64]) -> Self {
        Self { lr, ..Self::new(optimizer, validation) }
    }
}

pub(crate) fn records(arms: &[Arm]) -> Vec<Record> {
    let runs = arms.iter().flat_map(|arm| (0..arm.validation.len()).map(move |seed| record(arm, seed)));
    runs.collect()
}

fn record(arm: &Arm, seed: usize) -> Record {
    let scores = Scores::of_loss;
    let diverged = arm.validation[seed].is_nan();
    Record {
        optbench: None,
        commit: None,
        is_independent: false,
        computed_by: None,
        run: format!("{}-lr{}-s{seed}", arm.optimizer, arm.lr),
        fingerprint: String::new(),
        identity: None,
        task: "task".into(),
        optimizer: arm.optimizer.into(),
        schedule: "constant".into(),
        seed: seed as u64,
        hyper_parameters: vec![("lr".into(), arm.lr.into())],
        status: if diverged { Status::Diverged } else { Status::Finished },
        horizon: None,
        error: None,
        steps: 100,
        gradient_evaluations: None,
        validation: Some(scores(if diverged { 9.0 } else { arm.validation[seed] })),
        test: arm.test.as_ref().filter(|_| !diverged).map(|test| scores(test[seed])),
        best: None,
        steps_to_target: arm.steps_to_target,
        seconds: 1.0,
        gradient_seconds: 0.8,
        optimizer_seconds: 0.1,
        evaluation_seconds: 0.1,
        state_bytes: 0,
        loss_floor: None,
        validation_examples: None,
        test_examples: None,
        marks: Vec::new(),
        horizons: Vec::new(),
    }
}
