//! What a program prints beside its measurements: kept in a file, up to a limit, and its end in memory.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;

/// Bytes from the beginning that are kept.
const HEAD: u64 = 16 << 20;
/// Bytes from the end that are kept of what is longer.
const TAIL: usize = 256 << 10;
/// Lines that a message about a failure shows, and the characters of one.
const LAST: (usize, usize) = (10, 300);

/// The file, and what is known of the end.
pub(super) struct Output {
    file: BufWriter<File>,
    written: u64,
    /// Bytes that came when the file was full.
    beyond: u64,
    /// The end of everything, twice as much as is kept at most.
    recent: Vec<u8>,
}

impl Output {
    /// Opens the file, to go on behind what an earlier part of the run has written.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let written = file.metadata()?.len();
        Ok(Self { file: BufWriter::new(file), written, beyond: 0, recent: Vec::new() })
    }

    /// Adds a line, which has its end with it where the program printed one.
    pub(super) fn line(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.recent.extend_from_slice(line);
        if self.recent.len() > 2 * TAIL {
            self.recent.drain(..self.recent.len() - TAIL);
        }
        if self.written < HEAD {
            self.written += line.len() as u64;
            return self.file.write_all(line);
        }
        self.beyond += line.len() as u64;
        Ok(())
    }

    /// Adds a line of optbench's own.
    pub(super) fn note(&mut self, text: &str) -> std::io::Result<()> {
        self.file.write_all(format!("[optbench] {text}\n").as_bytes())
    }

    /// Hands everything so far to the system.
    pub(super) fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }

    /// Writes the end of what was too long.
    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        let beyond = std::mem::take(&mut self.beyond);
        let kept = self.recent.len().min(TAIL).min(usize::try_from(beyond).unwrap_or(TAIL));
        let left_out = beyond - kept as u64;
        if left_out > 0 {
            self.note(&format!("{left_out} bytes of output were left out here"))?;
        }
        self.file.write_all(&self.recent[self.recent.len() - kept..])?;
        self.file.flush()
    }

    /// The last lines that are not blank.
    pub(super) fn last(&self) -> Vec<String> {
        let lines = self.recent.rsplit(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let text = |line: &[u8]| {
            // A character takes at most four bytes.
            let start = &line[..line.len().min(4 * LAST.1)];
            String::from_utf8_lossy(start).trim_end().chars().take(LAST.1).collect::<String>()
        };
        let mut last: Vec<String> = lines.map(text).take(LAST.0).collect();
        // What comes again and again says no more than once.
        last.dedup();
        last.reverse();
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_long_output_the_beginning_and_the_end_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output.log");
        let mut output = Output::open(&path).unwrap();
        output.line(b"the beginning\n").unwrap();
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        for _ in 0..20_000 {
            output.line(&line).unwrap();
        }
        output.line(b"  \nthe end\n").unwrap();
        output.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.len() < (HEAD as usize) + TAIL + 4096);
        assert!(text.starts_with("the beginning\n") && text.ends_with("the end\n"));
        let left_out: usize = text.split("[optbench] ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let note = format!("[optbench] {left_out} bytes of output were left out here\n");
        assert_eq!(text.len() - note.len() + left_out, 14 + 20_000 * 1024 + 11);
        assert_eq!(output.last(), ["x".repeat(LAST.1), "the end".into()]);
    }
}
