//! Configs that look as if something were wrong with them, and are right.

use optbench::config::Experiment;

#[test]
fn durations_are_not_judged_by_an_epoch_that_nobody_knows_yet() {
    let text = r#"
        epochs = 1
        [tasks.digits]
        model = "logistic"
        batch_size = 1
        [optimizers.sgd]
        [schedules.step]
        every = "0.004 epochs"
        [schedules.cosine_warm_restarts]
        period = "0.4%"
        [schedules.inverse_sqrt]
        timescale = "0.0001%"
    "#;
    Experiment::parse("c.toml", text, "c", &[]).unwrap();
}

#[test]
fn points_that_are_drawn_jointly_are_no_grid() {
    let text = r#"
        steps = 10
        [tasks.quadratic]
        [optimizers.adam]
        lr = { log_uniform = [1e-4, 1e-1], samples = 50 }
        eps = { log_uniform = [1e-9, 1e-6], samples = 50 }
        weight_decay = { log_uniform = [1e-4, 1e-1], samples = 50 }
    "#;
    assert_eq!(Experiment::parse("c.toml", text, "c", &[]).unwrap().optimizers[0].grid.len(), 50);
}
