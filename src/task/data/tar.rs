//! As much of the tar format as a dataset's archive needs: plain files with short names.

use std::io::{self, Read};

/// A header, and the unit in which contents are padded.
const BLOCK: usize = 512;

/// Calls `keep` with the name and the contents of every plain file of an archive.
///
/// # Errors
/// When the archive is damaged, or `keep` refuses.
pub(super) fn read(
    mut archive: impl Read,
    mut keep: impl FnMut(&str, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let damaged = |problem: &str| io::Error::new(io::ErrorKind::InvalidData, problem.to_owned());
    loop {
        let mut header = [0; BLOCK];
        match archive.read_exact(&mut header) {
            // Some archives end without the two empty blocks that should close them.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            result => result?,
        }
        if header.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let recorded = octal(&header[148..156]).ok_or_else(|| damaged("a header has no checksum"))?;
        let sum =
            header.iter().enumerate().map(|(i, &byte)| u64::from(if (148..156).contains(&i) { b' ' } else { byte }));
        if sum.sum::<u64>() != recorded {
            return Err(damaged("the checksum of a header is wrong"));
        }
        let size = octal(&header[124..136]).ok_or_else(|| damaged("a header has no size"))?;
        let mut contents = archive.by_ref().take(size);
        if matches!(header[156], b'0' | 0) {
            let name = header[..100].split(|&byte| byte == 0).next().unwrap_or_default();
            keep(&String::from_utf8_lossy(name), &mut contents)?;
        }
        let padding = size.next_multiple_of(BLOCK as u64) - size;
        io::copy(&mut contents, &mut io::sink())?;
        io::copy(&mut archive.by_ref().take(padding), &mut io::sink())?;
    }
}

/// A number in octal digits, closed by a space or a zero.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    // 11 digits are the most that a header has room for.
    if text.is_empty() || text.len() > 11 { None } else { u64::from_str_radix(text, 8).ok() }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An archive with these files.
    pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, contents) in files {
            let mut header = [0; BLOCK];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..135].copy_from_slice(format!("{:011o}", contents.len()).as_bytes());
            header[148..156].copy_from_slice(b"        ");
            header[156] = b'0';
            let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
            header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
            header[154] = 0;
            bytes.extend(header);
            bytes.extend(*contents);
            bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        }
        bytes.resize(bytes.len() + 2 * BLOCK, 0);
        bytes
    }

    fn files(bytes: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        read(bytes, |name, contents| {
            let mut held = Vec::new();
            contents.read_to_end(&mut held)?;
            files.push((name.to_owned(), held));
            Ok(())
        })?;
        Ok(files)
    }

    #[test]
    fn files_come_out_as_they_went_in() {
        let long = vec![7; 1300];
        let read = files(&archive(&[("a/one", b"1"), ("a/none", b""), ("a/long", &long)])).unwrap();
        assert_eq!(read, [("a/one".into(), vec![b'1']), ("a/none".into(), vec![]), ("a/long".into(), long)]);
    }

    #[test]
    fn a_file_that_is_not_read_is_passed_over() {
        let mut names = Vec::new();
        let bytes = archive(&[("a", &[1; 700]), ("b", b"2")]);
        read(&bytes[..], |name, _| {
            names.push(name.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn damage_is_found() {
        let mut bytes = archive(&[("a", b"1")]);
        bytes[3] ^= 1;
        assert!(files(&bytes).unwrap_err().to_string().contains("checksum"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            flips in prop::collection::vec((0usize..2048, any::<u8>()), 0..8),
            end in 0usize..2048,
        ) {
            let mut bytes = archive(&[("a", b"1"), ("b", &[2; 600])]);
            for (at, byte) in flips {
                bytes[at] = byte;
            }
            bytes.truncate(end);
            let _ = files(&bytes);
        }
    }
}
