//! Where the files of a dataset lie.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// Looks for dataset files in `--data-dir`, `OPTBENCH_DATA`, the system's data folders and the
/// user's cache, in this order.
#[derive(Debug, Clone, Default)]
pub struct Locator {
    data_dir: Option<PathBuf>,
}

impl Locator {
    /// A locator that looks in `data_dir` first.
    pub fn new(data_dir: Option<PathBuf>) -> Self {
        Self { data_dir }
    }

    /// The folders in the order in which they are searched.
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = self.data_dir.iter().cloned().collect();
        folders.extend(env::var_os("OPTBENCH_DATA").map(PathBuf::from));
        folders.extend(["/usr/local/share", "/usr/share"].map(PathBuf::from));
        let cache = env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| env::home_dir().map(|home| home.join(".cache")));
        folders.extend(cache.map(|cache| cache.join("optbench")));
        folders
    }

    /// The first file of one of these names, in one of these sub-folders or beside them.
    ///
    /// # Errors
    /// When no folder has it: the error says which file to put where.
    pub fn find(&self, dataset: &str, sub_folders: &[&str], names: &[&str]) -> Result<PathBuf> {
        let folders = self.folders();
        for folder in &folders {
            for place in sub_folders.iter().map(|sub| folder.join(sub)).chain([folder.clone()]) {
                if let Some(file) = names.iter().map(|name| place.join(name)).find(|file| file.is_file()) {
                    return Ok(file);
                }
            }
        }
        let searched: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        Err(Error::data(
            dataset,
            format!(
                "`{}` was not found in {}\n  help: put it into a folder `{}` and name the folder above it by --data-dir or OPTBENCH_DATA",
                names[0],
                searched.join(", "),
                sub_folders.first().unwrap_or(&dataset),
            ),
        ))
    }
}

/// The bytes of a file, unpacked where it is gzipped, but never more than `limit`.
///
/// # Errors
/// When the file cannot be read, is damaged, or holds more than the limit.
pub(super) fn read_file(dataset: &str, path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut magic = [0; 2];
    let gzipped = file.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    let file = File::open(path).map_err(Error::io("read", path))?;
    let source: Box<dyn Read> = if gzipped { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes).map_err(|error| {
        Error::data(dataset, format!("{} does not unpack: {error}; is it complete?", path.display()))
    })?;
    if bytes.len() as u64 > limit {
        return Err(Error::data(dataset, format!("{} holds more than the expected {limit} bytes", path.display())));
    }
    Ok(bytes)
}
