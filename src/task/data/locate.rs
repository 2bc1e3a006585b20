//! Where the files of a dataset lie.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};

use crate::error::{Error, Result};
use crate::task::data::files::{DataFile, Files};

/// Looks for dataset files in `--data-dir`, `OPTBENCH_DATA`, the system's data folders and the
/// user's cache, in this order.
#[derive(Clone, Default)]
pub struct Locator {
    data_dir: Option<PathBuf>,
    source: Option<Arc<dyn Source>>,
}

/// Where files come from that lie nowhere yet.
pub trait Source: Send + Sync {
    /// Puts a file of a dataset, or all files of its archive, into the folder.
    ///
    /// # Errors
    /// When no copy is to be had.
    fn fetch(&self, dataset: &str, files: &Files, file: &DataFile, folder: &Path) -> Result<()>;
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locator").field("data_dir", &self.data_dir).finish_non_exhaustive()
    }
}

impl Locator {
    /// A locator that looks in `data_dir` first.
    pub fn new(data_dir: Option<PathBuf>) -> Self {
        Self { data_dir, source: None }
    }

    /// The same locator, fetching what it does not find.
    #[must_use]
    pub fn with_source(self, source: Arc<dyn Source>) -> Self {
        Self { source: Some(source), ..self }
    }

    /// The folders in the order in which they are searched.
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = self.data_dir.iter().cloned().collect();
        folders.extend(env::var_os("OPTBENCH_DATA").filter(|folder| !folder.is_empty()).map(PathBuf::from));
        folders.extend(["/usr/local/share", "/usr/share"].map(PathBuf::from));
        folders.extend(cache());
        folders
    }

    /// The folder that downloads of a dataset go to: below `--data-dir` where it is given, else
    /// below the user's cache.
    pub fn download_folder(&self, dataset: &str) -> PathBuf {
        self.data_dir.clone().or_else(cache).unwrap_or_else(env::temp_dir).join(dataset)
    }

    /// Every copy of a file, in the order of the search.
    pub fn copies(&self, dataset: &str, files: &Files, file: &DataFile) -> Vec<PathBuf> {
        let own = || [dataset].into_iter().chain(files.folders.iter().copied());
        let mut copies = Vec::new();
        for folder in self.folders() {
            let vague = |name: &str| files.vague.iter().any(|ending| name.ends_with(ending));
            let is_own = own().any(|own| folder.ends_with(own));
            let beside = file.names.iter().filter(|name| is_own || !vague(name)).map(|name| folder.join(name));
            let inside =
                own().flat_map(|own| file.names.iter().map(|name| folder.join(own).join(name)).collect::<Vec<_>>());
            copies.extend(inside.chain(beside).filter(|path| path.is_file()));
        }
        copies
    }

    /// A sound copy of a file, with its contents unpacked; fetched where there is none.
    ///
    /// # Errors
    /// When there is none, or none that is sound: the error says which file to put where.
    pub fn read(&self, dataset: &str, files: &Files, file: &DataFile) -> Result<(PathBuf, Vec<u8>)> {
        if self.copies(dataset, files, file).is_empty() {
            self.fetch(dataset, files, file)?;
        }
        let found = sound(dataset, self.copies(dataset, files, file), file);
        found.unwrap_or_else(|| Err(self.missing(dataset, files, file)))
    }

    /// Puts a file where it is found from now on, whatever lies there already.
    ///
    /// # Errors
    /// When no copy is to be had: the error says which file to put where.
    pub fn fetch(&self, dataset: &str, files: &Files, file: &DataFile) -> Result<()> {
        let source = self.source.as_ref().filter(|_| files.has_mirrors(file));
        let Some(source) = source else { return Err(self.missing(dataset, files, file)) };
        source.fetch(dataset, files, file, &self.download_folder(dataset)).map_err(|error| match error {
            Error::Data { problem, .. } => {
                Error::data(dataset, format!("{problem}\n  help: {}", self.by_hand(dataset, files, file)))
            }
            error => error,
        })
    }

    fn missing(&self, dataset: &str, files: &Files, file: &DataFile) -> Error {
        let searched: Vec<String> = self.folders().iter().map(|folder| folder.display().to_string()).collect();
        Error::data(
            dataset,
            format!(
                "`{}` was not found in {}\n  help: {}",
                file.names[0],
                searched.join(", "),
                self.advice(dataset, files, file)
            ),
        )
    }

    fn advice(&self, dataset: &str, files: &Files, file: &DataFile) -> String {
        let by_hand = self.by_hand(dataset, files, file);
        if files.has_mirrors(file) {
            format!("`optbench data fetch {dataset}` downloads it; without a network, {by_hand}")
        } else {
            by_hand
        }
    }

    fn by_hand(&self, dataset: &str, files: &Files, file: &DataFile) -> String {
        format!(
            "put `{}` into {}, or name its folder by --data-dir or OPTBENCH_DATA; {}",
            file.names[0],
            self.download_folder(dataset).display(),
            files.by_hand
        )
    }
}

/// The first sound copy; where all are damaged, what is wrong with the first. Nothing where there is no copy.
fn sound(dataset: &str, copies: Vec<PathBuf>, file: &DataFile) -> Option<Result<(PathBuf, Vec<u8>)>> {
    let mut first_problem = None;
    for path in copies {
        match file.read(&path) {
            Ok(bytes) => return Some(Ok((path, bytes))),
            Err(problem) => first_problem = first_problem.or(Some(problem)),
        }
    }
    first_problem.map(|problem| {
        let help = format!("remove it, or fetch a sound copy: `optbench data fetch {dataset}`");
        Err(Error::data(dataset, format!("{problem}\n  help: {help}")))
    })
}

/// The user's cache: `$XDG_CACHE_HOME` or `~/.cache` on Linux, `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows.
fn cache() -> Option<PathBuf> {
    choose_native_strategy().ok().map(|home| home.cache_dir().join("optbench"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static FILES: Files = Files {
        folders: &["letters/raw"],
        vague: &["input.txt"],
        files: &[DataFile { names: &["abc.txt", "input.txt"], bytes: 3, sha256: ABC, mirrors: &["https://localhost"] }],
        archive: None,
        by_hand: "say it",
    };

    fn found(root: &Path, files: &[(&str, &str)]) -> Result<PathBuf> {
        for (name, contents) in files {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), contents).unwrap();
        }
        Locator::new(Some(root.into())).read("alphabet", &FILES, &FILES.files[0]).map(|(path, _)| path)
    }

    #[test]
    fn files_are_found_in_the_folders_of_the_dataset_and_beside_them() {
        for name in ["abc.txt", "alphabet/abc.txt", "letters/raw/input.txt"] {
            let root = tempfile::tempdir().unwrap();
            assert_eq!(found(root.path(), &[(name, "abc")]).unwrap(), root.path().join(name));
        }
        let own = tempfile::tempdir().unwrap().path().join("letters/raw");
        assert!(found(&own, &[("input.txt", "abc")]).is_ok());
    }

    #[test]
    fn a_vague_name_counts_in_the_datasets_own_folders_alone() {
        let root = tempfile::tempdir().unwrap();
        let problem = found(root.path(), &[("input.txt", "something else")]).unwrap_err().to_string();
        assert!(problem.contains("`abc.txt` was not found in"), "{problem}");
        assert!(
            problem.contains("help: `optbench data fetch alphabet` downloads it; without a network, put"),
            "{problem}"
        );
        assert!(problem.ends_with("say it"), "{problem}");
    }

    #[test]
    fn a_sound_copy_is_preferred_and_a_damaged_one_named() {
        let root = tempfile::tempdir().unwrap();
        let problem = found(root.path(), &[("alphabet/abc.txt", "abd")]).unwrap_err().to_string();
        assert!(problem.contains("alphabet/abc.txt has the SHA-256"), "{problem}");
        assert!(
            problem.contains("help: remove it, or fetch a sound copy: `optbench data fetch alphabet`"),
            "{problem}"
        );
        assert_eq!(found(root.path(), &[("abc.txt", "abc")]).unwrap(), root.path().join("abc.txt"));
    }
}
