//! The command line that was given, with something changed, to be pasted into a shell.

use std::path::{Path, PathBuf};

/// The two ways on from a folder whose results are not those of this experiment, as commands to paste.
pub(super) fn beside_or_fresh(root: &Path) -> String {
    let words = given();
    let out = quoted(&beside(root).display().to_string());
    let beside = format!("`{} --out {out}` keeps these results and trains in another folder", without(&words, true));
    // `submit` deletes nothing.
    if words.iter().any(|word| word == "submit") {
        return beside;
    }
    format!("{beside}; `{} --fresh` deletes them and trains everything again", without(&words, false))
}

fn given() -> Vec<String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The folder, or the first beside it that is not there yet.
pub(super) fn free(root: &Path) -> PathBuf {
    if root.exists() { beside(root) } else { root.to_path_buf() }
}

/// The first folder beside this one that is not there yet.
fn beside(root: &Path) -> PathBuf {
    let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let numbered = (2..).map(|number| root.with_file_name(format!("{name}-{number}")));
    numbered.into_iter().find(|folder| !folder.exists()).unwrap_or_else(|| root.to_path_buf())
}

/// The words without what contradicts `--out` or `--fresh`.
fn without(words: &[String], other_folder: bool) -> String {
    const FLAGS: [&str; 3] = ["--extend", "--fresh", "--dry-run"];
    let mut kept = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if FLAGS.contains(&word.as_str()) || (other_folder && word.starts_with("--out=")) {
            continue;
        }
        if other_folder && word == "--out" {
            words.next();
            continue;
        }
        kept.push(quoted(word));
    }
    kept.join(" ")
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "_-./=:,+@%".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_given_back_as_a_shell_reads_it() {
        let words: Vec<String> =
            ["optbench", "run", "my config.toml", "--out", "a", "--extend", "--set", "optimizers.sgd.lr=[0.1, 1]"]
                .map(str::to_owned)
                .into();
        assert_eq!(without(&words, true), "optbench run 'my config.toml' --set 'optimizers.sgd.lr=[0.1, 1]'");
        assert_eq!(without(&words, false), "optbench run 'my config.toml' --out a --set 'optimizers.sgd.lr=[0.1, 1]'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("small");
        std::fs::create_dir(folder.path().join("small-2")).unwrap();
        assert_eq!(beside(&root), folder.path().join("small-3"));
    }
}
