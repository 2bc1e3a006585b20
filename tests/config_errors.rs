//! What a mistaken config is told: every file of `tests/configs` beside the message it deserves.
//!
//! `SNAPSHOTS=overwrite cargo test --test config_errors` writes the messages anew, to be read as a
//! stranger would before they are committed.

use std::path::Path;

use optbench::config::Experiment;
use snapbox::{Data, assert_data_eq};

fn message(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
    let text = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
    match Experiment::parse(&format!("{name}.toml"), &text, name, &[]) {
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
    functions,
    halving,
    halving_keys,
    horizons_of_a_function,
    intervals,
    mismatched_data,
    names,
    other_spellings,
    out_of_range,
    plateau_metric,
    samples,
    schedules_of_an_optimizer,
    syntax,
    tasks_of_an_optimizer,
    tuning,
    twice,
    unknown_key,
    unknown_names,
    without_effect,
    wrong_type,
);

#[test]
fn an_override_is_named_in_its_own_mistakes() {
    let text = "steps = 10\n[tasks.digits]\nmodel = \"mlp\"\n[optimizers.adamw]\n";
    let set = |set: &str| Experiment::parse("c.toml", text, "c", &[set.to_owned()]).map_err(|error| error.to_string());
    let message = set("optimizers.adamw.lrr=1").unwrap_err();
    assert!(message.contains("--set optimizers.adamw.lrr=1:1:18"), "{message}");
    assert!(message.contains("did you mean `lr`?"), "{message}");
    assert!(set("steps").is_err());
    assert_eq!(set("epochs=2").unwrap().length.to_string(), "2 epochs", "in place of the steps");
    assert_eq!(set("tasks.digits.dataset=digits").unwrap().tasks[0].dataset.as_ref().unwrap().kind, "digits");
}
