//! A CSV file that grows with its run.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::error::{Error, Result};

/// One of the files of a run that is under way.
pub(super) struct Log {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Log {
    /// Starts a new file with its header.
    pub(super) fn start(path: PathBuf, header: &str) -> Result<Self> {
        let file = File::create_new(&path).map_err(Error::io("create", &path))?;
        let mut log = Self { path, file: BufWriter::with_capacity(1 << 16, file) };
        log.line(format_args!("{header}"))?;
        Ok(log)
    }

    /// Opens a file to go on after its first `bytes`; `None` where it is shorter, or gone.
    pub(super) fn resume(path: PathBuf, bytes: u64) -> Option<Self> {
        let mut file = OpenOptions::new().write(true).open(&path).ok()?;
        if file.metadata().ok()?.len() < bytes {
            return None;
        }
        file.set_len(bytes).ok()?;
        file.seek(SeekFrom::End(0)).ok()?;
        Some(Self { path, file: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: fmt::Arguments) -> Result<()> {
        writeln!(self.file, "{line}").map_err(Error::io("write", &self.path))
    }

    /// Makes everything so far durable; returns how many bytes that is.
    pub(super) fn save(&mut self) -> Result<u64> {
        let mut save = || {
            self.file.flush()?;
            self.file.get_ref().sync_data()?;
            self.file.get_ref().metadata().map(|metadata| metadata.len())
        };
        save().map_err(Error::io("write", &self.path))
    }

    /// Makes the whole file durable; returns its name and how many bytes it has.
    pub(super) fn finish(self) -> std::io::Result<(String, u64)> {
        let file = self.file.into_inner()?;
        file.sync_all()?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, file.metadata()?.len()))
    }
}

/// A number that reads back exactly, or an empty cell.
pub(super) struct Cell(pub(super) Option<f64>);

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(x) if x.fract() == 0.0 && x.abs() < 1e15 => write!(f, "{x}"),
            Some(x) => write!(f, "{x:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_back_exactly() {
        for x in [0.1 + 0.2, 1e-300, 3.0, -0.0, 1e20, f64::INFINITY] {
            assert_eq!(Cell(Some(x)).to_string().parse::<f64>().unwrap().to_bits(), x.to_bits());
        }
        assert!(Cell(Some(f64::NAN)).to_string().parse::<f64>().unwrap().is_nan());
        assert_eq!(Cell(None).to_string(), "");
    }
}
