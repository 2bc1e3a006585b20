//! A CSV file that grows with its run.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IntoInnerError, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::error::{Error, Result};

/// One of the files of a run that is under way.
pub(super) struct Log {
    path: PathBuf,
    file: BufWriter<Summed>,
}

/// How much of a file was written at a checkpoint, and the CRC-32C of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Bytes.
    pub length: u64,
    /// Their checksum.
    pub checksum: u32,
}

/// A file that knows what was written to it.
struct Summed {
    file: File,
    extent: Extent,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.extent.length += written as u64;
        self.extent.checksum = crc32c::crc32c_append(self.extent.checksum, &bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Log {
    /// Starts a new file with its header.
    pub(super) fn start(path: PathBuf, header: &str) -> Result<Self> {
        let file = File::create_new(&path).map_err(Error::io("create", &path))?;
        let mut log = Self::new(path, file, Extent { length: 0, checksum: 0 });
        log.line(format_args!("{header}"))?;
        Ok(log)
    }

    /// Opens a file to go on behind what was written; `None` where that does not stand there any more.
    pub(super) fn resume(path: PathBuf, extent: Extent) -> Option<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(&path).ok()?;
        let mut written = Vec::new();
        (&mut file).take(extent.length).read_to_end(&mut written).ok()?;
        if written.len() as u64 != extent.length || crc32c::crc32c(&written) != extent.checksum {
            return None;
        }
        file.set_len(extent.length).ok()?;
        Some(Self::new(path, file, extent))
    }

    /// Opens a file to go on behind the last whole line, whoever wrote it; `None` where it does not begin with the header.
    pub(super) fn go_on(path: PathBuf, header: &str) -> Option<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(&path).ok()?;
        let mut written = Vec::new();
        file.read_to_end(&mut written).ok()?;
        let whole = written.iter().rposition(|byte| *byte == b'\n')? + 1;
        written.truncate(whole);
        written.strip_prefix(header.as_bytes())?.strip_prefix(b"\n")?;
        Self::cut_to(path, file, &written)
    }

    /// Takes away the rows from the first one on whose step is not to be kept.
    pub(super) fn cut(&mut self, keeps: impl Fn(u64) -> bool) -> Result<()> {
        self.flush()?;
        let cut = || {
            let written = std::fs::read(&self.path)?;
            let rows = written.split_inclusive(|byte| *byte == b'\n').skip(1);
            let step = |row: &[u8]| std::str::from_utf8(row.split(|byte| *byte == b',').next()?).ok()?.parse().ok();
            let kept: usize = rows.take_while(|row| step(row).is_some_and(&keeps)).map(<[u8]>::len).sum();
            let header = written.split_inclusive(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len);
            let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
            Self::cut_to(self.path.clone(), file, &written[..header + kept])
                .ok_or_else(|| std::io::Error::other("cannot be cut"))
        };
        *self = cut().map_err(Error::io("write", &self.path))?;
        Ok(())
    }

    fn cut_to(path: PathBuf, mut file: File, kept: &[u8]) -> Option<Self> {
        let extent = Extent { length: kept.len() as u64, checksum: crc32c::crc32c(kept) };
        file.set_len(extent.length).ok()?;
        file.seek(SeekFrom::End(0)).ok()?;
        Some(Self::new(path, file, extent))
    }

    /// Hands everything so far to the system.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(Error::io("write", &self.path))
    }

    fn new(path: PathBuf, file: File, extent: Extent) -> Self {
        Self { path, file: BufWriter::with_capacity(1 << 16, Summed { file, extent }) }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: fmt::Arguments) -> Result<()> {
        writeln!(self.file, "{line}").map_err(Error::io("write", &self.path))
    }

    /// Makes everything so far durable; returns how much that is.
    pub(super) fn save(&mut self) -> Result<Extent> {
        let mut save = || {
            self.file.flush()?;
            let Summed { file, extent } = self.file.get_ref();
            file.sync_data()?;
            Ok(*extent)
        };
        save().map_err(Error::io("write", &self.path))
    }

    /// Makes the whole file durable; returns its name and how many bytes it has.
    pub(super) fn finish(self) -> std::io::Result<(String, u64)> {
        let Summed { file, extent } = self.file.into_inner().map_err(IntoInnerError::into_error)?;
        file.sync_all()?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, extent.length))
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
    fn a_file_is_gone_on_with_where_it_holds_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.csv");
        let mut log = Log::start(path.clone(), "step").unwrap();
        log.line(format_args!("1")).unwrap();
        let extent = log.save().unwrap();
        log.line(format_args!("a row after the checkpoint")).unwrap();
        drop(log);
        let mut resumed = Log::resume(path.clone(), extent).unwrap();
        resumed.line(format_args!("2")).unwrap();
        assert_eq!(resumed.save().unwrap(), Extent { length: 9, checksum: crc32c::crc32c(b"step\n1\n2\n") });
        assert_eq!(std::fs::read(&path).unwrap(), b"step\n1\n2\n");
        for other in ["step\n\0\n2\n", "step\n", ""] {
            std::fs::write(&path, other).unwrap();
            assert!(Log::resume(path.clone(), extent).is_none(), "{other:?}");
        }
    }

    #[test]
    fn rows_beyond_a_step_are_cut_off_and_half_a_row_never_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.csv");
        std::fs::write(&path, "step,loss\n1,0.5\n2,0.25\n3,0.1\n4,0.").unwrap();
        assert!(Log::go_on(path.clone(), "step,other").is_none());
        let mut log = Log::go_on(path.clone(), "step,loss").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"step,loss\n1,0.5\n2,0.25\n3,0.1\n");
        log.cut(|step| step <= 2).unwrap();
        log.line(format_args!("3,0.2")).unwrap();
        let whole = b"step,loss\n1,0.5\n2,0.25\n3,0.2\n";
        assert_eq!(log.save().unwrap(), Extent { length: whole.len() as u64, checksum: crc32c::crc32c(whole) });
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn cells_read_back_exactly() {
        for x in [0.1 + 0.2, 1e-300, 3.0, -0.0, 1e20, f64::INFINITY] {
            assert_eq!(Cell(Some(x)).to_string().parse::<f64>().unwrap().to_bits(), x.to_bits());
        }
        assert!(Cell(Some(f64::NAN)).to_string().parse::<f64>().unwrap().is_nan());
        assert_eq!(Cell(None).to_string(), "");
    }
}
