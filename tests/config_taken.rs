//! Configs that look as if something were wrong with them, and are right.

use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::sweep::Plan;
use optbench::task::data::Library;

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
    Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap();
}

#[test]
fn points_that_are_drawn_jointly_are_no_grid() {
    let text = r"
        steps = 10
        [tasks.quadratic]
        [optimizers.adam]
        lr = { log_uniform = [1e-4, 1e-1], samples = 50 }
        eps = { log_uniform = [1e-9, 1e-6], samples = 50 }
        weight_decay = { log_uniform = [1e-4, 1e-1], samples = 50 }
    ";
    assert_eq!(Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap().optimizers[0].grid.len(), 50);
}

#[test]
fn a_claim_is_about_the_tasks_that_have_its_metric() {
    let text = r#"
        steps = 1e3
        eval_every = 1e2
        [tasks.digits]
        model = "cnn"
        [tasks.bowl]
        model = "quadratic"
        [optimizers.adamw]
        [optimizers.sgd]
        [claims.of_accuracy]
        better = "adamw+constant"
        than = "sgd+constant"
        metric = "accuracy"
        [claims.best_against_best]
        better = "adamw+*"
        than = "sgd+*"
    "#;
    let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap();
    let tasks = |claim: usize| -> Vec<&str> {
        experiment.tasks_of(&experiment.claims[claim]).map(|task| task.label.as_str()).collect()
    };
    assert_eq!(tasks(0), ["digits"]);
    assert_eq!(tasks(1), ["digits", "bowl"]);
    assert_eq!(experiment.length.to_string(), "1000 steps", "a whole number, whatever TOML calls it");
    assert_eq!(experiment.tasks[0].dataset.as_ref().unwrap().name(), "digits", "offline unless told otherwise");
}

#[test]
fn a_true_epoch_in_which_a_schedule_comes_to_nothing_is_refused_before_anything_trains() {
    let text = r#"
        epochs = 1
        [tasks.digits]
        model = "logistic"
        [optimizers.sgd]
        [schedules.step]
        every = "0.001 epochs"
    "#;
    let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap();
    let refused = Plan::new(experiment, &Library::default()).err().unwrap().to_string();
    assert!(refused.contains("`every` is 0 steps"), "{refused}");
}

#[test]
fn what_does_not_fit_the_data_is_told_of_all_tasks_at_once() {
    let text = r#"
        epochs = 1
        [tasks.wider]
        model = "cnn"
        batch_size = 200000
        [tasks.wide]
        model = "logistic"
        batch_size = 100000
        [optimizers.sgd]
    "#;
    let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap();
    let refused = Plan::new(experiment, &Library::default()).err().unwrap().to_string();
    let lines: Vec<&str> = refused.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("200000") && lines[1].contains("100000"), "{refused}");
}

#[test]
fn a_label_of_sixty_characters_is_taken_in_any_script() {
    let label = "ж".repeat(60);
    let text = format!(
        "steps = 1\n[tasks.\"{label}\"]\nmodel = \"quadratic\"\n[optimizers.sgd]\n[optimizers.\"{label}\"]\nkind = \"sgd\"\n\
         [claims.\"a+b\"]\nbetter = \"sgd+constant\"\nthan = \"{label}+constant\"\n"
    );
    Experiment::parse(&Catalog::built_in(), "c.toml", &text, "c", &[]).unwrap();
}

#[test]
fn lists_in_nested_tables_are_axes() {
    let read = |base: &str, parts: &str| {
        let text = format!(
            "steps = 10\n[tasks.quadratic]\n[optimizers.schedule_free]\nbase = {base}\n\
             [schedules.chained]\nparts = {parts}\n[schedules.drops]\nkind = \"multi_step\"\ngamma = [0.1, 0.5]\n\
             milestones = [3, 6]\n"
        );
        Experiment::parse(&Catalog::built_in(), "c.toml", &text, "c", &[]).unwrap()
    };
    let cosine = |min: &str| format!("{{ kind = \"cosine\", min_factor = {min} }}");
    let short = read(
        "{ kind = \"adam\", beta1 = [0.8, 0.9], amsgrad = [false, true] }",
        &format!("[\"drops\", {}]", cosine("[0, 0.1]")),
    );
    let long = read(
        "[{ kind = \"adam\", beta1 = 0.8 }, { kind = \"adam\", beta1 = 0.8, amsgrad = true }, \
         { kind = \"adam\", beta1 = 0.9 }, { kind = \"adam\", beta1 = 0.9, amsgrad = true }]",
        &format!(
            "[[{{ kind = \"multi_step\", milestones = [3, 6], gamma = 0.1 }}, {}], \
              [{{ kind = \"multi_step\", milestones = [3, 6], gamma = 0.1 }}, {}], \
              [{{ kind = \"multi_step\", milestones = [3, 6], gamma = 0.5 }}, {}], \
              [{{ kind = \"multi_step\", milestones = [3, 6], gamma = 0.5 }}, {}]]",
            cosine("0"),
            cosine("0.1"),
            cosine("0"),
            cosine("0.1")
        ),
    );
    assert_eq!((short.optimizers[0].grid.len(), short.schedules[0].len()), (4, 4));
    assert_eq!(short.differences(&long), []);
    let again = Experiment::parse(&Catalog::built_in(), "c.toml", &short.to_toml(), "c", &[]).unwrap();
    assert_eq!(short.differences(&again), []);
}

#[test]
fn a_whole_number_may_be_written_as_a_power_of_ten_wherever_it_counts_something() {
    let text = "steps = 1e1\nseeds = 1e1\n[tasks.quadratic]\n[optimizers.sgd]\n";
    assert_eq!(Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap().seeds.len(), 10);
}
