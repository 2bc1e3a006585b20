//! The folder of one experiment on disk.
//!
//! A run appears under `runs/` by the renaming of a finished folder: what is there is whole.
//! Everything else in the folder follows from `runs/` and can be written again at any time, but for
//! packed records whose runs have no folder any more.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::disk::{remove_temporary, replace};
use crate::error::{Error, Result};

/// The resolved config: the first file that is written and the last that is removed, so that it tells whose the
/// others are.
pub const EXPERIMENT: &str = "experiment.toml";
/// What else optbench writes.
const FOLDERS: [&str; 3] = ["runs", "charts", "tensorboard"];
/// How the folders of runs that are under way end.
pub(super) const PARTIAL: &str = ".partial";
const FILES: [&str; 5] = ["provenance.json", "records.toml", "runs.csv", "summary.csv", "report.html"];

/// What the name of a run's lock ends with.
pub(super) const LOCK: &str = ".lock";

/// The results folder of one experiment.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The folder at `root`, whether it exists or not.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the charts lie.
    pub fn charts(&self) -> PathBuf {
        self.root.join("charts")
    }

    /// The folder of a run.
    pub fn run(&self, run: &str) -> PathBuf {
        self.runs().join(run)
    }

    pub(super) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Makes the folder ready to take runs.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self) -> Result<()> {
        fs::create_dir_all(self.runs()).map_err(Error::io("create", self.runs()))?;
        fs::create_dir_all(self.charts()).map_err(Error::io("create", self.charts()))
    }

    /// Removes everything that optbench wrote there.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn clear(&self) -> Result<()> {
        let gone = |result: std::io::Result<()>, path: &Path| match result {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
            _ => Ok(()),
        };
        for folder in FOLDERS {
            let folder = self.root.join(folder);
            gone(fs::remove_dir_all(&folder), &folder)?;
        }
        for file in FILES.into_iter().chain([EXPERIMENT]) {
            let file = self.root.join(file);
            gone(fs::remove_file(&file), &file)?;
        }
        Ok(())
    }

    /// The first thing there that is called as what optbench writes, where no experiment tells that optbench wrote it.
    pub fn foreign(&self) -> Option<&'static str> {
        let is_there = |name: &&str| self.root.join(name).symlink_metadata().is_ok();
        if is_there(&EXPERIMENT) { None } else { FOLDERS.into_iter().chain(FILES).find(is_there) }
    }

    /// Removes what killed processes were writing, and their locks; only for who holds the folder alone.
    pub fn sweep(&self) {
        for folder in [&self.root, &self.runs()] {
            remove_temporary(folder);
        }
        // Of a run that was done when its process was killed nobody would take the lock, and remove it, again.
        for entry in fs::read_dir(self.runs()).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(LOCK)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The text of a file in the folder, if it is there.
    ///
    /// # Errors
    /// When it is there but cannot be read.
    pub fn read(&self, file: &str) -> Result<Option<String>> {
        text(&self.root.join(file))
    }

    /// Writes a file of the folder: the old one stays until the new one is whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &str, contents: impl AsRef<[u8]>) -> Result<()> {
        let path = self.root.join(file);
        replace(&path, contents.as_ref()).map_err(Error::io("write", &path))
    }

    /// The names of all runs in the folder, in order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let runs = self.runs();
        let entries = match fs::read_dir(&runs) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(Error::io("read", runs)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(Error::io("read", &runs))?;
            let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'));
            names.extend(name.filter(|_| entry.path().is_dir()));
        }
        names.sort();
        Ok(names)
    }

    /// The folders of runs that are under way, or were when something interrupted them.
    pub(super) fn under_way(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.runs()).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_partial =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(PARTIAL));
        entries.filter(is_partial).collect()
    }

    /// A folder of results is no file.
    ///
    /// # Errors
    /// In words for the user, where it is one.
    pub fn refuse_file(&self) -> Result<()> {
        if self.root.is_file() {
            let root = self.root.display();
            return Err(Error::Usage(format!("`{root}` is a file; expected the folder of an experiment's results")));
        }
        Ok(())
    }
}

/// The text of a file, if it is there.
pub(super) fn text(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(None),
            ErrorKind::InvalidData => Err(Error::damaged(path, &"it is not UTF-8 text")),
            _ => Err(Error::io("read", path)(error)),
        },
    }
}
