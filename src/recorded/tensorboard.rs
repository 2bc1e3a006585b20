//! TensorBoard's event files: the scalars in them.
//!
//! A file is a sequence of records (`TFRecord`): length, checksum, bytes, checksum. The bytes are a protocol buffer message
//! `Event` (tensorflow/core/util/event.proto) with a step and a summary of values; a scalar is a `simple_value` or, as
//! TensorFlow 2 and newer writers have it, a tensor with one element.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::recorded::sheet::{Row, Sheet, mistake};

/// Whether a file is called as TensorBoard's are.
pub(super) fn is_events(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(".tfevents."))
}

/// Reads the scalars of a file as a long table: step, tag, value. The line of a row is the number of its record.
///
/// # Errors
/// When the file cannot be read, or is damaged. A last record that is not whole is left out: its writer was interrupted.
pub(super) fn read(path: &Path, run: &str) -> Result<Sheet> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let damaged = |number: u64| mistake(path, None, &format!("is damaged: record {number} cannot be read"));
    let mut rows = Vec::new();
    let (mut rest, mut number) = (&bytes[..], 0);
    while !rest.is_empty() {
        number += 1;
        let Some((record, after)) = record(rest).map_err(|Damaged| damaged(number))? else { break };
        rest = after;
        let (step, scalars) = event(record).map_err(|Damaged| damaged(number))?;
        let row =
            |(tag, value): (String, f64)| Row { line: number, cells: vec![step.to_string(), tag, value.to_string()] };
        rows.extend(scalars.into_iter().map(row));
    }
    let columns = ["step", "tag", "value"].map(Into::into).into();
    Ok(Sheet { path: path.to_owned(), run: run.to_owned(), columns, rows, later_rows_win: true, ..Sheet::default() })
}

/// Bytes that are not what they should be: a checksum is another, or they are no message.
struct Damaged;

/// The bytes of a record, and those that follow.
type Parted<'a> = (&'a [u8], &'a [u8]);

/// The first record and what follows; nothing of one that was cut off.
fn record(bytes: &[u8]) -> Result<Option<Parted<'_>>, Damaged> {
    let Some((header, rest)) = bytes.split_at_checked(12) else { return Ok(None) };
    let (length, checksum) = header.split_at(8);
    if masked(length).to_le_bytes() != *checksum {
        return Err(Damaged);
    }
    let length = length.try_into().map_err(|_| Damaged)?;
    let length = usize::try_from(u64::from_le_bytes(length)).map_err(|_| Damaged)?;
    let Some((record, rest)) = rest.split_at_checked(length) else { return Ok(None) };
    let Some((checksum, rest)) = rest.split_at_checked(4) else { return Ok(None) };
    if masked(record).to_le_bytes() == *checksum { Ok(Some((record, rest))) } else { Err(Damaged) }
}

/// The CRC-32C, turned and shifted as `TFRecord` wants it.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The step of an event, and its scalars by their tags.
fn event(bytes: &[u8]) -> Result<(u64, Vec<(String, f64)>), Damaged> {
    let (mut step, mut scalars) = (0, Vec::new());
    for field in fields(bytes)? {
        match field {
            (2, Field::Number(number)) => step = number,
            (5, Field::Bytes(summary)) => {
                for field in fields(summary)? {
                    if let (1, Field::Bytes(value)) = field {
                        scalars.extend(scalar(value)?);
                    }
                }
            }
            _ => {}
        }
    }
    Ok((step, scalars))
}

/// A value of a summary, where it is a scalar: `tag = 1`, `simple_value = 2`, `tensor = 8`.
fn scalar(bytes: &[u8]) -> Result<Option<(String, f64)>, Damaged> {
    let (mut tag, mut value) = (String::new(), None);
    for field in fields(bytes)? {
        match field {
            (1, Field::Bytes(text)) => tag = String::from_utf8_lossy(text).into_owned(),
            (2, Field::Four(four)) => value = Some(f64::from(f32::from_le_bytes(four))),
            (8, Field::Bytes(tensor)) => value = single(tensor)?,
            _ => {}
        }
    }
    Ok(value.map(|value| (tag, value)))
}

/// The only number of a tensor: `dtype = 1`, `tensor_content = 4`, `float_val = 5`, `double_val = 6`.
fn single(bytes: &[u8]) -> Result<Option<f64>, Damaged> {
    const FLOAT: u64 = 1;
    const DOUBLE: u64 = 2;
    let (mut dtype, mut content) = (0, &[][..]);
    for field in fields(bytes)? {
        match field {
            (1, Field::Number(number)) => dtype = number,
            (4..=6, Field::Bytes(bytes)) => content = bytes,
            (5, Field::Four(four)) => return Ok(Some(f32::from_le_bytes(four).into())),
            (6, Field::Eight(eight)) => return Ok(Some(f64::from_le_bytes(eight))),
            _ => {}
        }
    }
    Ok(match (dtype, content.len()) {
        (FLOAT, 4) => Some(f32::from_le_bytes(content.try_into().map_err(|_| Damaged)?).into()),
        (DOUBLE, 8) => Some(f64::from_le_bytes(content.try_into().map_err(|_| Damaged)?)),
        _ => None,
    })
}

/// The value of a field of a message, by how it is written.
enum Field<'a> {
    Number(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

/// The fields of a message with their numbers.
fn fields(bytes: &[u8]) -> Result<Vec<(u64, Field<'_>)>, Damaged> {
    read_fields(bytes).ok_or(Damaged)
}

fn read_fields(mut bytes: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let mut take = |length: usize| {
            let (taken, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            Some(taken)
        };
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)?),
            1 => Field::Eight(take(8)?.try_into().ok()?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (taken, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Field::Bytes(taken)
            }
            5 => Field::Four(take(4)?.try_into().ok()?),
            _ => return None,
        };
        fields.push((key >> 3, field));
    }
    Some(fields)
}

/// A number of seven bits a byte, the lowest first; the eighth bit says whether more follow.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(record: &[u8]) -> Vec<u8> {
        let length = (record.len() as u64).to_le_bytes();
        [&length[..], &masked(&length).to_le_bytes(), record, &masked(record).to_le_bytes()].concat()
    }

    /// `wall_time = 1`, `step = 2`, then a summary of one value.
    fn scalar_event(step: u8, value: &[u8]) -> Vec<u8> {
        let value = [&[0x0a, value.len() as u8], value].concat();
        let time = [&[0x09][..], &1.5f64.to_le_bytes()].concat();
        framed(&[&time[..], &[0x10, step, 0x2a, value.len() as u8], &value].concat())
    }

    fn read(bytes: &[u8]) -> Result<Vec<(u64, String)>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.out.tfevents.1.host");
        fs::write(&path, bytes).unwrap();
        assert!(is_events(&path));
        Ok(super::read(&path, "a")?.rows.into_iter().map(|row| (row.line, row.cells.join(" "))).collect())
    }

    #[test]
    fn scalars_of_every_form_are_read_and_a_torn_end_is_left_out() {
        let version = framed(&[&[0x09][..], &1.5f64.to_le_bytes(), &[0x1a, 13], b"brain.Event:2"].concat());
        let simple = scalar_event(7, &[&[0x0a, 4][..], b"loss", &[0x15], &0.5f32.to_le_bytes()].concat());
        let of_tensor = |content: &[u8]| {
            let tensor = [&[0x42, content.len() as u8], content].concat();
            scalar_event(8, &[&[0x0a, 4][..], b"loss", &tensor].concat())
        };
        let float = of_tensor(&[&[0x08, 1, 0x2a, 4][..], &0.25f32.to_le_bytes()].concat());
        let double = of_tensor(&[&[0x08, 2, 0x22, 8][..], &0.125f64.to_le_bytes()].concat());
        let image = of_tensor(&[0x08, 7, 0x42, 1, b'x']);
        let file = [&version[..], &simple, &float, &double, &image].concat();
        let expected = [(2, "7 loss 0.5".to_owned()), (3, "8 loss 0.25".into()), (4, "8 loss 0.125".into())];
        assert_eq!(read(&file).unwrap(), expected);
        let torn = &file[..version.len() + simple.len() + float.len() - 1];
        assert_eq!(read(torn).unwrap(), expected[..1]);
        let mut flipped = file.clone();
        flipped[version.len() + 20] ^= 1;
        assert!(read(&flipped).unwrap_err().to_string().contains("record 2 cannot be read"));
    }
}
