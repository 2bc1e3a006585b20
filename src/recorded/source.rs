//! From files and folders to tables.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::recorded::sheet::{Sheet, mistake};
use crate::recorded::{tensorboard, wandb};

/// What Lightning's CSV logger writes into the folder of a run.
const METRICS: &str = "metrics.csv";
/// The hyper-parameters beside it.
const HYPER_PARAMETERS: &str = "hparams.yaml";

/// Reads a file, or all that a folder holds of runs: CSV files, TensorBoard's events, the folders of Lightning's CSV logger.
///
/// # Errors
/// When something cannot be read, or a folder holds nothing of the kind.
pub fn read(path: &Path) -> Result<Vec<Sheet>> {
    if !path.is_dir() {
        return Ok(vec![file(path, &stem(path))?]);
    }
    let mut files = Vec::new();
    walk(path, &mut files)?;
    if files.is_empty() {
        let expected =
            "holds no runs; expected CSV files, TensorBoard's event files (`*.tfevents.*`), or folders with them";
        return Err(mistake(path, None, expected));
    }
    files.iter().map(|found| file(found, &name(path, found))).collect()
}

fn file(path: &Path, run: &str) -> Result<Sheet> {
    if tensorboard::is_events(path) {
        return tensorboard::read(path, run);
    }
    let mut sheet = wandb::long(Sheet::read(path)?);
    run.clone_into(&mut sheet.run);
    if path.file_name().is_some_and(|name| name == METRICS) {
        let beside = path.with_file_name(HYPER_PARAMETERS);
        sheet.later_rows_win = beside.exists();
        sheet.constants = hyper_parameters(&beside)?;
    }
    Ok(sheet)
}

/// What a file's only run is called: as the folders on the way to it or, where several lie in one folder, as itself.
fn name(root: &Path, file: &Path) -> String {
    let is_alone = file.file_name().is_some_and(|name| name == METRICS) || tensorboard::is_events(file);
    let named = if is_alone { file.parent().unwrap_or(file).to_owned() } else { file.with_extension("") };
    let below = named.strip_prefix(root).unwrap_or(&named);
    let below = if below.as_os_str().is_empty() { root.file_name().map_or(root, Path::new) } else { below };
    below.to_string_lossy().replace(['/', '\\'], "-")
}

fn stem(path: &Path) -> String {
    // One file of a logger alone is called as its folder.
    let is_alone = path.file_name().is_some_and(|name| name == METRICS) || tensorboard::is_events(path);
    let named = if is_alone { path.parent().and_then(Path::file_name) } else { path.file_stem() };
    named.or(path.file_stem()).unwrap_or_default().to_string_lossy().into_owned()
}

/// All files of runs below a folder, in the order of their names.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden {
            continue;
        }
        if path.is_dir() {
            walk(&path, files)?;
        } else if tensorboard::is_events(&path) || path.extension().is_some_and(|extension| extension == "csv") {
            files.push(path);
        }
    }
    Ok(())
}

/// The entries of a flat YAML file, as Lightning writes hyper-parameters: `name: value`. What is nested is left out.
fn hyper_parameters(path: &Path) -> Result<Vec<(String, String)>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(Error::io("read", path))?,
    };
    let entry = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        let is_flat = !name.starts_with([' ', '-', '#']);
        let value = value.trim().trim_matches(['\'', '"']);
        let is_scalar = !value.is_empty() && !value.starts_with(['!', '&', '|', '>', '{', '[']) && value != "null";
        (is_flat && is_scalar).then(|| (name.trim_matches(['\'', '"']).to_owned(), value.to_owned()))
    };
    Ok(text.lines().filter_map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, file: &str, text: &str) {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_folder_of_lightning_tells_its_hyper_parameters() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "logs/version_0/metrics.csv", "epoch,step,val_loss\n0,10,0.5\n");
        put(
            root,
            "logs/version_0/hparams.yaml",
            "lr: 0.01\noptimizer: 'adamw'\nnet: !!python/object:a.B\n  x: 1\nnone: null\n",
        );
        put(root, "logs/version_1/metrics.csv", "epoch,step,val_loss\n0,10,0.25\n");
        let sheets = read(&root.join("logs")).unwrap();
        assert_eq!(sheets.iter().map(|sheet| sheet.run.as_str()).collect::<Vec<_>>(), ["version_0", "version_1"]);
        let expected = [("lr", "0.01"), ("optimizer", "adamw")].map(|(key, value)| (key.into(), value.into()));
        assert_eq!(sheets[0].constants, expected);
        assert_eq!(read(&root.join("logs/version_1")).unwrap()[0].run, "version_1");
        assert_eq!(read(&root.join("logs/version_1/metrics.csv")).unwrap()[0].run, "version_1");
    }

    #[test]
    fn a_folder_without_runs_is_said() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "notes.txt", "none");
        assert!(read(folder.path()).unwrap_err().to_string().contains("holds no runs; expected CSV files"));
        assert!(read(&folder.path().join("none.csv")).is_err());
    }
}
