//! The one error type of the library: what went wrong, where, and what would mend it.

use std::path::{Path, PathBuf};

/// Everything that can go wrong outside the optimisation itself.
///
/// A diverged run is not an error: it is a result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One or more mistakes in a config, already rendered with their place and a hint.
    #[error("{rendered}")]
    Config {
        /// The diagnostics as the user reads them, one after the other.
        rendered: String,
        /// How many mistakes they are.
        count: usize,
    },
    /// A dataset file is missing, truncated or not what it says it is.
    #[error("dataset `{dataset}`: {problem}")]
    Data {
        /// The dataset's name.
        dataset: String,
        /// The file, what was found, what was expected, and what mends it.
        problem: String,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `write`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A file of results does not read back.
    #[error("{} is damaged: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A request that cannot be carried out as asked.
    #[error("{0}")]
    Usage(String),
    /// Code that must not panic did: a bug, of optbench or of a kind that was added to it.
    #[error("panic: {0}; this is a bug: please report it together with the config")]
    Panicked(String),
    /// The tensor library refused. Only the first line: the rest is a backtrace.
    #[error("tensor operation failed: {}", .0.to_string().lines().next().unwrap_or_default())]
    Tensor(#[from] candle_core::Error),
}

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// For code that returns candle's errors, such as a model's constructor.
impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Tensor(error) => error,
            error => Self::Msg(error.to_string()),
        }
    }
}

impl Error {
    /// Wraps an input/output error with what was tried on which path; made for `map_err`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    /// A dataset's problem.
    pub fn data(dataset: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Data { dataset: dataset.into(), problem: problem.into() }
    }

    /// A file of results that does not read back.
    pub fn damaged(path: impl Into<PathBuf>, problem: &impl ToString) -> Self {
        Self::Damaged { path: path.into(), problem: problem.to_string() }
    }
}
