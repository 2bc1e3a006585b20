//! From the bytes that a program prints to lines, and from lines to measurements.

use crate::metric::Metric;
use crate::program::json;
use crate::program::line::Line;
use crate::program::patterns::Patterns;

/// A line may be this long; what is longer is taken in pieces, none of which is a measurement.
const LONGEST: usize = 1 << 20;

/// How a measurement begins that stands behind other text.
const START: &[u8] = b"{\"step\"";

/// Cuts a stream into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
    /// Whether `rest` goes on a line whose beginning was given away.
    broken: bool,
}

/// A line with its end.
pub(super) struct Printed<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether it is a piece of a longer one.
    pub(super) is_piece: bool,
}

impl Lines {
    /// Takes bytes and hands on the lines that they complete.
    pub(super) fn push<E>(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(Printed) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, after) = bytes.split_at(end + 1);
            bytes = after;
            let is_piece = std::mem::take(&mut self.broken);
            if self.rest.is_empty() {
                take(Printed { bytes: line, is_piece })?;
            } else {
                self.rest.extend_from_slice(line);
                let whole = std::mem::take(&mut self.rest);
                take(Printed { bytes: &whole, is_piece })?;
            }
        }
        self.rest.extend_from_slice(bytes);
        if self.rest.len() > LONGEST {
            self.broken = true;
            let piece = std::mem::take(&mut self.rest);
            take(Printed { bytes: &piece, is_piece: true })?;
        }
        Ok(())
    }

    /// Hands on the last line, which has no end.
    pub(super) fn finish<E>(&mut self, take: impl FnOnce(Printed) -> Result<(), E>) -> Result<(), E> {
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() { Ok(()) } else { take(Printed { bytes: &rest, is_piece: self.broken }) }
    }
}

/// How measurements are told from other output.
pub(super) enum Reader {
    /// As lines of JSON.
    Json,
    /// By regular expressions.
    Patterns(Patterns),
    /// They come in a file of their own.
    Elsewhere,
}

impl Reader {
    /// The measurements of a line, and whether it is nothing else.
    ///
    /// # Errors
    /// In words for the user, where one cannot be.
    pub(super) fn read(&mut self, printed: &Printed, metrics: &[Metric]) -> Result<(Vec<Line>, bool), String> {
        if printed.is_piece {
            return Ok((Vec::new(), false));
        }
        match self {
            Self::Elsewhere => Ok((Vec::new(), false)),
            Self::Json => {
                // Nearly all other output is told by its last character.
                let shown = printed.bytes.trim_ascii_end();
                if !shown.ends_with(b"}") {
                    return Ok((Vec::new(), false));
                }
                // Text without an end of its own may stand before it, such as a bar of progress.
                let start = shown.windows(START.len()).rposition(|part| part == START).unwrap_or(0);
                let line = std::str::from_utf8(&shown[start..]).ok().and_then(|text| json::read(text, metrics));
                let line = line.transpose()?;
                Ok((line.clone().into_iter().collect(), line.is_some()))
            }
            Self::Patterns(patterns) => {
                let text = String::from_utf8_lossy(printed.bytes);
                Ok((patterns.read(text.trim_end())?, false))
            }
        }
    }

    /// What was still to come when the output ended.
    pub(super) fn finish(&mut self) -> Vec<Line> {
        if let Self::Patterns(patterns) = self { patterns.evaluations() } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_may_stand_behind_text_without_an_end() {
        let measured = |text: &str| {
            let printed = Printed { bytes: text.as_bytes(), is_piece: false };
            Reader::Json.read(&printed, &[Metric::LOSS]).unwrap().0.len()
        };
        let line = "{\"step\": 1, \"loss\": 0.5}";
        for before in ["", "  ", "50%|##  |\r100%|####|\r", "saving .. ", "{\"a\": 1} "] {
            assert_eq!(measured(&format!("{before}{line}\n")), 1, "{before}");
        }
        assert_eq!((measured("{\"loss\": 1, \"step\": 2}\r\n"), measured("a {b}\n"), measured("}\n")), (1, 0, 0));
    }

    #[test]
    fn lines_are_put_together_and_endless_ones_taken_in_pieces() {
        let mut lines = Lines::default();
        let mut seen: Vec<(usize, bool)> = Vec::new();
        let mut push = |bytes: &[u8]| {
            lines.push(bytes, |printed| {
                seen.push((printed.bytes.len(), printed.is_piece));
                Ok::<_, ()>(())
            })
        };
        push(b"one\ntw").unwrap();
        push(b"o\n\nth").unwrap();
        push(&vec![b'x'; LONGEST]).unwrap();
        push(b"x\nfour\nfive").unwrap();
        lines
            .finish(|printed| {
                seen.push((printed.bytes.len(), printed.is_piece));
                Ok::<_, ()>(())
            })
            .unwrap();
        assert_eq!(seen, [(4, false), (4, false), (1, false), (LONGEST + 2, true), (2, true), (5, false), (4, false)]);
    }
}
