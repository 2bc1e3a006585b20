//! Configs that ask for the absurd, or for places that are not theirs: refused in words before anything is touched.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn optbench(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_optbench")).current_dir(folder).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const BOWL: &str = "seeds = 1\nsteps = 3\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\n";
const DIGITS: &str = "seeds = 1\nsteps = 3\n[tasks.digits]\nmodel = \"mlp\"\n[optimizers.sgd]\n";

#[test]
fn absurd_sizes_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("optimizers.sgd.lr=[{}]", vec!["1"; 10_001].join(","));
    let axis = "{ log = [1e-5, 1], points = 10000 }";
    let (lr, momentum) =
        (format!("optimizers.sgd.lr={axis}"), "optimizers.sgd.momentum={ linear = [0, 0.9], points = 10000 }");
    let parts = "schedules.a={ kind = \"chained\", parts = [\"b\", \"b\", \"b\", \"b\", \"b\", \"b\", \"b\", \"b\"] }";
    let more = parts.replace("schedules.a", "schedules.b").replace("\"b\"", "\"c\"");
    let most = parts.replace("schedules.a", "schedules.c").replace("\"b\"", "\"d\"");
    let last = parts.replace("schedules.a", "schedules.d").replace("\"b\"", "\"constant\"");
    for (config, sets, words) in [
        (DIGITS, vec!["tasks.digits.hidden=[1000000000]"], "expected a whole number, at least 1 and at most 65536"),
        (DIGITS, vec!["tasks.digits.hidden=[65536, 65536, 65536, 65536]"], "a run takes at least"),
        (DIGITS, vec!["tasks.digits.batch_size=1000000000000"], "at most 1048576"),
        (DIGITS, vec!["tasks.digits.batch_size=1000000"], "more than the 1437 training examples"),
        (BOWL, vec!["steps=1000000000000000000"], "at most 1000000000000"),
        (BOWL, vec!["epochs=1e18"], "at most 1000000000"),
        (BOWL, vec!["seeds=1000000000000"], "1 to 10000"),
        (BOWL, vec!["optimizers.sgd.lr={ log = [1e-5, 1], points = 1000000000000 }"], "at most 10000"),
        (BOWL, vec![&lr, momentum], "the sweep spans 100000000 runs"),
        (BOWL, vec![&long], "a list of 10001 values"),
        (BOWL, vec![parts, &more, &most, &last], "too many parts"),
    ] {
        fs::write(folder.path().join("absurd.toml"), config).unwrap();
        let sets: Vec<&str> = sets.into_iter().flat_map(|set| ["--set", set]).collect();
        let output = optbench(folder.path(), &[&["run", "absurd.toml"], &sets[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{words}: {}", said(&output));
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
        assert!(!folder.path().join("results").exists(), "{words}");
    }
    fs::write(folder.path().join("absurd.toml"), BOWL).unwrap();
    let preview = optbench(folder.path(), &["schedule", "absurd.toml", "--set", "steps=1000000000000"]);
    assert_eq!(preview.status.code(), Some(2));
    assert!(
        said(&preview).contains("a preview of 1000000000000 steps") && said(&preview).contains("TB"),
        "{}",
        said(&preview)
    );
}

#[test]
fn results_stay_in_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("\"{}\"", "x".repeat(101));
    for name in [
        "\"../x\"",
        "\"/tmp/x\"",
        "\"a/b\"",
        "\"a\\\\b\"",
        "\"..\"",
        "\".\"",
        "\"\"",
        "\"-x\"",
        "\"a\\u0000b\"",
        "\"con\"",
        "\"NUL.txt\"",
        "\"lpt1\"",
        "\"x.\"",
        &long,
    ] {
        fs::write(folder.path().join("named.toml"), format!("name = {name}\n{BOWL}")).unwrap();
        let output = optbench(folder.path(), &["run", "named.toml"]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", said(&output));
        assert!(said(&output).contains("the results folder is named after it"), "{name}: {}", said(&output));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");
    // A file's own name serves where there is none, made safe.
    for (file, name) in [("...toml", "_._"), ("my config?.toml", "my_config_"), ("aux.toml", "_aux")] {
        fs::write(folder.path().join(file), BOWL).unwrap();
        let output = optbench(folder.path(), &["run", file]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(folder.path().join("results").join(name).join("runs.csv").is_file(), "{file}");
    }
    let written: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(written.len(), 5, "{written:?}");
}

#[test]
fn a_folder_that_is_somebody_else_s_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), BOWL).unwrap();
    assert!(optbench(folder.path(), &["run", "small.toml", "--out", "mine"]).status.success());
    for file in ["charts/helm/values.yaml", "tensorboard/log", "runs/log", "report.html"] {
        let path = folder.path().join("proj").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "precious").unwrap();
        for arguments in [
            &["run", "small.toml", "--out", "proj"][..],
            &["run", "small.toml", "--out", "proj", "--fresh", "--yes"],
            &["merge", "mine", "--out", "proj"],
        ] {
            let output = optbench(folder.path(), arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
            let first = file.split('/').next().unwrap();
            let expected = format!("proj was not made by optbench: it has {first} but no experiment.toml");
            assert!(said(&output).contains(&expected), "{arguments:?}: {}", said(&output));
        }
        assert_eq!(fs::read_to_string(path).unwrap(), "precious");
        assert_eq!(fs::read_dir(folder.path().join("proj")).unwrap().count(), 1);
        fs::remove_dir_all(folder.path().join("proj")).unwrap();
    }
}

#[test]
fn labels_that_come_to_the_same_file_name_keep_apart() {
    let folder = tempfile::tempdir().unwrap();
    let labels = ["a/b", "a_b", "A_B", "a\\\\b", "../../a"];
    let mut config = "name = \"labels\"\nseeds = 1\nsteps = 3\n[optimizers.sgd]\n".to_owned();
    for label in labels {
        config += &format!("[tasks.\"{label}\"]\nmodel = \"quadratic\"\n");
    }
    fs::write(folder.path().join("labels.toml"), config).unwrap();
    let output = optbench(folder.path(), &["run", "labels.toml"]);
    assert!(output.status.success(), "{}", said(&output));
    let names = |at: &str| -> Vec<String> {
        let entries = fs::read_dir(folder.path().join("results/labels").join(at)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().to_lowercase()).collect();
        names.sort();
        let held = names.len();
        names.dedup();
        assert_eq!(names.len(), held, "{at}: names that differ in their capitals alone");
        names
    };
    assert_eq!(names("runs").len(), labels.len());
    let losses = names("charts").iter().filter(|name| name.ends_with("-loss.svg")).count();
    assert_eq!(losses, labels.len());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "a config and results");
}
