//! The Python module and the examples in Python, with the Python that is there.
#![expect(clippy::print_stdout, reason = "what is not there to test with is said")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Python to test with, where it is new enough and has some modules; says so where not.
fn python(modules: &[&str]) -> Option<String> {
    let python = env::var("OPTBENCH_PYTHON").unwrap_or_else(|_| "python3".into());
    let imports: String = modules.iter().map(|module| format!("; import {module}")).collect();
    let program = format!("import sys; assert sys.version_info >= (3, 9){imports}");
    if Command::new(&python).args(["-c", &program]).output().is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let needed = ["Python 3.9"].iter().chain(modules).copied().collect::<Vec<_>>().join(", ");
    println!("not tested: `{python}` has not all of {needed} (OPTBENCH_PYTHON names another one)");
    None
}

#[test]
fn the_module_has_the_version_of_the_command() {
    let module = fs::read_to_string(root().join("python/optbench/__init__.py")).unwrap();
    let version = format!("__version__ = \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(module.contains(&version), "expected {version}");
}

#[test]
fn the_python_module_does_what_its_tests_say() {
    let Some(python) = python(&[]) else { return };
    let tests = ["-m", "unittest", "discover", "-s", "python/tests"];
    let output = Command::new(python)
        .args(tests)
        .current_dir(root())
        .env("PYTHONPATH", "python")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("\nOK"), "{said}");
    assert!(!said.contains("Ran 0 tests"), "{said}");
}

/// Runs an example's config in a folder, with the module as it is here; returns what it printed.
fn run(python: &str, name: &str, folder: &Path, settings: &[&str]) -> (String, PathBuf) {
    let config = root().join("examples/python").join(format!("{name}.toml"));
    let text = fs::read_to_string(&config).unwrap();
    // Its command says `python`, which only an environment has everywhere.
    let text = text.replace("\"python\"", &format!("{python:?}"));
    let copy = folder.join(format!("{name}.toml"));
    fs::write(&copy, text).unwrap();
    fs::copy(config.with_extension("py"), folder.join(format!("{name}.py"))).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    command.current_dir(folder).env("PYTHONPATH", root().join("python")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg("run").arg(copy).args(["--jobs", "2", "--out", "out"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    let [out, talk] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(status.success(), "{name}:\n{out}{talk}");
    (out, folder.join("out"))
}

fn runs(results: &Path) -> usize {
    let text = fs::read_to_string(results.join("runs.csv")).unwrap();
    assert_eq!(text.matches(",finished,").count(), text.lines().count() - 1, "{text}");
    text.lines().count() - 1
}

#[test]
fn the_script_in_numpy_is_compared() {
    let Some(python) = python(&["numpy"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (report, results) = run(&python, "numpy_logistic", folder.path(), &["steps=100", "seeds=2"]);
    assert_eq!(runs(&results), 2 * 3 * 2 * 2, "optimizers, rates, schedules, seeds");
    assert!(report.contains("On blobs, ") && report.contains("val accuracy"), "{report}");
    // The schedule is optbench's: the last rate of a cosine is nearly 0.
    let steps = fs::read_to_string(results.join("runs/blobs-sgd-cosine-lr0.01-s0/steps.csv")).unwrap();
    let rate = |row: &str| row.split(',').nth(2).unwrap().parse::<f64>().unwrap();
    assert_eq!((steps.lines().count(), steps.lines().nth(1).map(rate)), (101, Some(0.01)));
    assert!(rate(steps.lines().last().unwrap()) < 1e-4, "{steps}");
}

#[test]
fn the_script_that_knows_nothing_is_read_by_patterns() {
    let Some(python) = python(&[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (report, results) = run(&python, "unchanged", folder.path(), &["seeds=2", "steps=60"]);
    assert_eq!(runs(&results), 2 * 2 * 2 * 2, "optimizers, rates, schedules, seeds");
    assert!(report.contains("heavy_ball") && report.contains("val mse"), "{report}");
}

#[test]
fn the_script_in_pytorch_is_compared() {
    let Some(python) = python(&["numpy", "torch", "schedulefree"]) else { return };
    let listed =
        Command::new(env!("CARGO_BIN_EXE_optbench")).args(["data", "verify", "fashion_mnist"]).output().unwrap();
    if !listed.status.success() {
        println!("not tested: Fashion-MNIST is not here (`optbench data fetch fashion_mnist`)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let short = ["steps=60", "seeds=1", "eval_every=30"];
    let (report, results) = run(&python, "pytorch_mnist", folder.path(), &short);
    assert_eq!(runs(&results), 4, "optimizers x schedules");
    assert!(report.contains("schedule_free_adamw+constant"), "{report}");
}
