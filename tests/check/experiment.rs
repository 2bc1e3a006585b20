//! The experiment that most checks are of, and the command that judges it.

use std::fs;
use std::path::Path;
use std::process::Command;

pub(crate) const CONFIG: &str = r#"
name = "small"
seeds = 3
steps = 40
[tasks.bowl]
model = "quadratic"
[tasks.digits]
model = "mlp"
hidden = [8]
dataset = "digits"
[optimizers.fast]
kind = "sgd"
lr = [0.05, 0.1]
[optimizers.slow]
kind = "sgd"
lr = [0.001, 0.01]
[claims.holds]
better = "fast+constant"
than = "slow+constant"
"#;

pub(crate) const FALSE_CLAIM: &str =
    "[claims.false]\nbetter = \"slow+constant\"\nthan = \"fast+constant\"\nmargin = \"1%\"\n";

pub(crate) fn optbench(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    let command = command.current_dir(folder).args(arguments).env("GITHUB_STEP_SUMMARY", folder.join("summary.md"));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A folder in which the config was run.
pub(crate) fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), config).unwrap();
    let (code, _, said) = optbench(folder.path(), &["run", "small.toml"]);
    assert_eq!(code, 0, "{said}");
    folder
}

/// The folder of an experiment with some of its runs, as an interruption leaves it.
pub(crate) fn keep(folder: &Path, meant: impl Fn(&str) -> bool) {
    for run in fs::read_dir(folder.join("results/small/runs")).unwrap() {
        let run = run.unwrap();
        if !meant(run.file_name().to_str().unwrap()) {
            fs::remove_dir_all(run.path()).unwrap();
        }
    }
    // It remembers what it has seen.
    fs::remove_file(folder.join("results/small/records.toml")).ok();
}
