//! What a mistaken config is told: every file of `tests/configs` beside the message it deserves.
//!
//! `SNAPSHOTS=overwrite cargo test --test config_errors` writes the messages anew, to be read as a
//! stranger would before they are committed.

use std::path::Path;

use optbench::catalog::Catalog;
use optbench::config::Experiment;
use snapbox::{Data, assert_data_eq};

fn message(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
    let text = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
    match Experiment::parse(&Catalog::built_in(), &format!("{name}.toml"), &text, name, &[]) {
        Ok(_) => panic!("{name}.toml was taken"),
        Err(error) => format!("{error}\n"),
    }
}

macro_rules! mistaken {
    ($($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            let expected = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(concat!("tests/configs/", stringify!($name), ".stderr"));
            assert_data_eq!(message(stringify!($name)), Data::read_from(&expected, None).raw());
        })+

        #[test]
        fn every_config_is_tested() {
            let tested = [$(stringify!($name)),+];
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
                assert!(tested.contains(&stem.as_str()), "{stem} is not tested");
            }
        }
    };
}

mistaken!(
    absolute_claims,
    all_at_once,
    anytime,
    axes,
    both_lengths,
    claims,
    claims_of_many,
    claims_of_nothing,
    claims_without_a_task,
    dependent_keys,
    durations,
    empty,
    epochs_of_a_function,
    field_spellings,
    foreign_names,
    formulas,
    functions,
    groups,
    halving,
    halving_keys,
    horizons_of_a_function,
    intervals,
    margins,
    mismatched_data,
    names,
    not_finite,
    other_spellings,
    out_of_range,
    plateau_metric,
    samples,
    schedules_of_an_optimizer,
    syntax,
    tasks_of_an_optimizer,
    tuning,
    seeds,
    judge_seeds,
    shared_seeds,
    looks_of_a_function,
    twice,
    unknown_key,
    unknown_names,
    untuned,
    without_effect,
    words,
    wrong_type,
);

#[test]
fn an_override_is_named_in_its_own_mistakes() {
    let text = "steps = 10\n[tasks.digits]\nmodel = \"mlp\"\n[optimizers.adamw]\n";
    let set = |set: &str| {
        Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[set.to_owned()])
            .map_err(|error| error.to_string())
    };
    let message = set("optimizers.adamw.lrr=1").unwrap_err();
    assert!(message.contains("--set optimizers.adamw.lrr=1:1:18"), "{message}");
    assert!(message.contains("did you mean `lr`?"), "{message}");
    assert!(set("steps").is_err());
    assert_eq!(set("epochs=2").unwrap().length.to_string(), "2 epochs", "in place of the steps");
    assert_eq!(set("tasks.digits.dataset=digits").unwrap().tasks[0].dataset.as_ref().unwrap().name(), "digits");
}

#[test]
fn of_many_mistakes_the_first_are_shown_and_the_others_counted() {
    let many = |n: usize| {
        let keys: String = (0..n).map(|i| format!("unknown_{i} = 1\n")).collect();
        let text = format!("steps = 1\n{keys}[tasks.quadratic]\n[optimizers.sgd]\n");
        Experiment::parse(&Catalog::built_in(), "c.toml", &text, "c", &[]).unwrap_err().to_string()
    };
    assert_eq!(many(50).matches("error:").count(), 50);
    assert!(!many(50).contains("more mistake"));
    assert!(many(51).ends_with("\n\nand 1 more mistake"));
    let message = many(20_000);
    assert_eq!(message.matches("error:").count(), 50);
    assert!(message.ends_with("\n\nand 19950 more mistakes"));
}

#[test]
fn labels_are_short_and_nothing_in_a_message_commands_the_terminal() {
    let long = "x".repeat(61);
    let rest = "[optimizers.sgd]\ndecay = \"\\u001b[2J\"\ntasks = \"\u{9b}2J\"\n";
    for label in ["", "\\u001b]0;title\\u0007", "line\\nbreak", &long] {
        let tables = ["tasks", "optimizers", "schedules", "claims"].map(|section| format!("[{section}.\"{label}\"]\n"));
        let [task, optimizer, schedule, claim] = tables;
        let text = format!(
            "steps = 1\n[tasks.bowl]\nmodel = \"quadratic\"\n{task}model = \"quadratic\"\n{optimizer}kind = \"sgd\"\n\
             {schedule}kind = \"constant\"\n{claim}better = \"a\"\nthan = \"b\"\n{rest}"
        );
        let message = Experiment::parse(&Catalog::built_in(), "c.toml", &text, "c", &[]).unwrap_err().to_string();
        assert_eq!(message.matches("expected 1 to 60 characters").count(), 4, "{message}");
        assert!(!message.contains(|c: char| c.is_control() && c != '\n'), "{message:?}");
    }
}
