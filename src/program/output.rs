//! What a program prints beside its measurements: kept in a file, up to a limit, and its last lines in memory.

use std::collections::VecDeque;
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
    left_out: u64,
    tail: VecDeque<u8>,
    last: VecDeque<String>,
}

impl Output {
    /// Opens the file, to go on behind what an earlier part of the run has written.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let written = file.metadata()?.len();
        Ok(Self { file: BufWriter::new(file), written, left_out: 0, tail: VecDeque::new(), last: VecDeque::new() })
    }

    /// Adds a line, which has its end with it where the program printed one.
    pub(super) fn line(&mut self, line: &[u8]) -> std::io::Result<()> {
        let is_blank = line.iter().all(u8::is_ascii_whitespace);
        if !is_blank {
            if self.last.len() == LAST.0 {
                self.last.pop_front();
            }
            // A character takes at most four bytes.
            let start = &line[..line.len().min(4 * LAST.1)];
            let text: String = String::from_utf8_lossy(start).trim_end().chars().take(LAST.1).collect();
            self.last.push_back(text);
        }
        if self.written < HEAD {
            self.written += line.len() as u64;
            return self.file.write_all(line);
        }
        self.left_out += line.len() as u64;
        self.tail.extend(&line[line.len().saturating_sub(TAIL)..]);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
        Ok(())
    }

    /// Adds a line of optbench's own.
    pub(super) fn note(&mut self, text: &str) -> std::io::Result<()> {
        let line = format!("[optbench] {text}\n");
        self.written += line.len() as u64;
        self.file.write_all(line.as_bytes())
    }

    /// Hands everything so far to the system.
    pub(super) fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }

    /// Writes the end of what was too long.
    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        if self.left_out > 0 {
            let tail: Vec<u8> = std::mem::take(&mut self.tail).into();
            let left_out = std::mem::take(&mut self.left_out) - tail.len() as u64;
            if left_out > 0 {
                self.note(&format!("{left_out} bytes of output were left out here"))?;
            }
            self.file.write_all(&tail)?;
        }
        self.file.flush()
    }

    /// The last lines that are not blank.
    pub(super) fn last(&self) -> impl Iterator<Item = &str> {
        self.last.iter().map(String::as_str)
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
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        for _ in 0..20_000 {
            output.line(&line).unwrap();
        }
        output.line(b"the end\n").unwrap();
        output.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.len() < (HEAD as usize) + TAIL + 4096 && text.ends_with("the end\n"));
        assert!(text.contains("bytes of output were left out here"));
        assert_eq!(output.last().last(), Some("the end"));
    }
}
