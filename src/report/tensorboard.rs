//! The curves of every run as `TensorBoard` event files.
//!
//! They follow from `steps.csv` and `evals.csv`, so they are whole after any interruption. An event
//! file is a sequence of records (`TFRecord`): length, checksum, bytes, checksum; the bytes are a
//! protocol buffer message `Event` (tensorflow/core/util/event.proto). Of that message five
//! fields are needed, which are written here by hand.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};
use crate::report::Results;
use crate::results::Record;

/// The most points of a curve of steps, as `TensorBoard` shows by default.
const POINTS: usize = 1000;

/// Writes `tensorboard/<run>/events.out.tfevents...` for every run, in the folder of the experiment.
///
/// # Errors
/// When curves cannot be read or the folder cannot be written to.
pub fn write(results: &Results) -> Result<()> {
    let root = results.store.root().join("tensorboard");
    for record in &results.records {
        let folder = root.join(&record.run);
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        let start = started(results, record);
        // The name says when the run began: TensorBoard reads the files of a folder in that order.
        let name = format!("tensorboard/{}/events.out.tfevents.{}.optbench", record.run, start.as_secs());
        let bytes = events(results, record, start.as_secs_f64())?;
        for old in fs::read_dir(&folder).map_err(Error::io("read", &folder))?.flatten() {
            if old.path() != results.store.root().join(&name) {
                fs::remove_file(old.path()).map_err(Error::io("remove", old.path()))?;
            }
        }
        results.store.write(&name, bytes)?;
    }
    Ok(())
}

/// When the run began, as the age of its record and its length tell.
fn started(results: &Results, record: &Record) -> Duration {
    let written = fs::metadata(results.store.run(&record.run).join("run.toml")).and_then(|file| file.modified());
    let written = written.unwrap_or(SystemTime::UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
    written.saturating_sub(Duration::try_from_secs_f64(record.seconds).unwrap_or_default())
}

/// The whole file of a run.
fn events(results: &Results, record: &Record, start: f64) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    append(&mut file, &version(start));
    let seconds = record.seconds / record.steps.max(1) as f64;
    let time = |step: u64| start + seconds * step as f64;
    let steps = results.store.steps(&record.run)?;
    let every = steps.len().div_ceil(POINTS).max(1);
    let last = steps.len().saturating_sub(1);
    for (_, row) in steps.iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last) {
        let rate = row.lr.map(|lr| ("train/lr".to_owned(), lr));
        let scalars: Vec<(String, f64)> = [("train/loss".to_owned(), row.loss)].into_iter().chain(rate).collect();
        append(&mut file, &scalar_event(time(row.step), row.step, &scalars));
    }
    for row in results.store.evaluations(&record.run)? {
        let scores = row.scores.iter();
        let scalars = scores.map(|(metric, score)| (format!("{}/{}", row.split, metric.name()), score));
        let scalars: Vec<(String, f64)> = scalars.collect();
        append(&mut file, &scalar_event(time(row.step), row.step, &scalars));
    }
    Ok(file)
}

/// The first event of a file: `wall_time = 1`, `file_version = 3`.
fn version(time: f64) -> Vec<u8> {
    let mut event = fixed64(1, time);
    event.extend(bytes(3, b"brain.Event:2"));
    event
}

/// `wall_time = 1`, `step = 2`, `summary = 5` of values = 1 with `tag = 1` and `simple_value = 2`.
fn scalar_event(time: f64, step: u64, scalars: &[(String, f64)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in scalars {
        let mut scalar = bytes(1, tag.as_bytes());
        scalar.push(key(2, 5));
        scalar.extend((*value as f32).to_le_bytes());
        summary.extend(bytes(1, &scalar));
    }
    let mut event = fixed64(1, time);
    event.push(key(2, 0));
    event.extend(varint(step));
    event.extend(bytes(5, &summary));
    event
}

/// The key of a field: its number and how its value is written.
fn key(field: u8, wire: u8) -> u8 {
    field << 3 | wire
}

fn fixed64(field: u8, value: f64) -> Vec<u8> {
    let mut text = vec![key(field, 1)];
    text.extend(value.to_le_bytes());
    text
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut text = vec![key(field, 2)];
    text.extend(varint(value.len() as u64));
    text.extend(value);
    text
}

/// Seven bits at a time, the lowest first; the eighth says whether more follow.
fn varint(mut value: u64) -> Vec<u8> {
    let mut text = Vec::new();
    while value > 0x7f {
        text.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    text.push(value as u8);
    text
}

/// Adds a record: length, its checksum, the bytes, their checksum.
fn append(file: &mut Vec<u8>, record: &[u8]) {
    let length = (record.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked(&length).to_le_bytes());
    file.extend(record);
    file.extend(masked(record).to_le_bytes());
}

/// The CRC-32C, turned and shifted as `TFRecord` wants it.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_protocol_buffers_are() {
        // The examples of the format's own documentation.
        assert_eq!(varint(1), [1]);
        assert_eq!(varint(150), [0x96, 0x01]);
        assert_eq!(varint(u64::MAX).len(), 10);
        assert_eq!(bytes(2, b"testing"), [&[0x12, 0x07][..], b"testing"].concat());
    }

    #[test]
    fn a_record_carries_its_length_and_checksums() {
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283, "the check value of CRC-32C");
        let mut file = Vec::new();
        append(&mut file, &version(0.0));
        assert_eq!(file.len(), 8 + 4 + 24 + 4);
        assert_eq!(file[..8], 24u64.to_le_bytes());
        // As the first record of a file that TensorFlow writes.
        assert_eq!(masked(&24u64.to_le_bytes()), u32::from_le_bytes(file[8..12].try_into().unwrap()));
        assert_eq!(file[8..12], [0xa3, 0x7f, 0x4b, 0x22]);
    }
}
