//! The files that a dataset consists of, and reading them without trusting them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::checksum::sha256;
use crate::error::{Error, Result};

/// Where the contents of a dataset come from.
#[derive(Debug, Clone, Copy)]
pub enum Origin {
    /// They are part of optbench.
    Embedded,
    /// The user names a file or a folder by the key `path`.
    Path,
    /// Known files, looked up or downloaded.
    Files(&'static Files),
}

/// The files of a dataset.
#[derive(Debug)]
pub struct Files {
    /// Folders in which they are looked for, below every folder of the search and beside it.
    pub folders: &'static [&'static str],
    /// Endings of names that other datasets use as well: such files count in those folders alone.
    pub vague: &'static [&'static str],
    /// Every file.
    pub files: &'static [DataFile],
    /// An archive that holds all of them, for datasets that are published so.
    pub archive: Option<DataFile>,
    /// How to come by the files where nothing can be downloaded.
    pub by_hand: &'static str,
}

/// A file with known contents.
#[derive(Debug)]
pub struct DataFile {
    /// The names that it goes by; downloads are kept under the first.
    pub names: &'static [&'static str],
    /// Its size in bytes; unpacked where it is gzipped.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal; that of the unpacked contents where it is gzipped.
    pub sha256: &'static str,
    /// Addresses of copies, tried in turn; empty where there are none to rely on.
    pub mirrors: &'static [&'static str],
}

impl Files {
    /// Whether a file can be downloaded.
    pub fn has_mirrors(&self, file: &DataFile) -> bool {
        self.archive.is_some() || !file.mirrors.is_empty()
    }
}

impl DataFile {
    /// The contents of a copy of this file, unpacked.
    ///
    /// # Errors
    /// In words, when the copy is not what it should be.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let room = usize::try_from(self.bytes + 1).map_err(|_| "it does not fit into memory".to_owned())?;
        let bytes = read_into(Vec::with_capacity(room), path, self.bytes)?;
        if bytes.len() as u64 != self.bytes {
            return Err(format!("{} holds {} bytes; expected {}", path.display(), bytes.len(), self.bytes));
        }
        let found = sha256(&bytes);
        if found != self.sha256 {
            return Err(format!("{} has the SHA-256 {found}; expected {}", path.display(), self.sha256));
        }
        Ok(bytes)
    }
}

/// The bytes of a file, unpacked where it is gzipped, but never more than `limit`.
///
/// # Errors
/// In words, when the file cannot be read, is damaged, or holds more than the limit.
pub(super) fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    read_into(Vec::new(), path, limit)
}

/// The same, into memory that is there already.
fn read_into(bytes: Vec<u8>, path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let bytes = read_first(bytes, path, limit + 1)?;
    if bytes.len() as u64 > limit {
        return Err(format!("{} holds more than the expected {limit} bytes", path.display()));
    }
    Ok(bytes)
}

/// The first bytes of a file, unpacked where it is gzipped: as many as there are, at most `count`.
///
/// # Errors
/// In words, when the file cannot be read or is damaged.
pub(super) fn read_first(mut bytes: Vec<u8>, path: &Path, count: u64) -> Result<Vec<u8>, String> {
    let place = path.display();
    let cannot = |error: std::io::Error| format!("cannot read {place}: {error}");
    let mut start = Vec::new();
    let mut file = File::open(path).map_err(cannot)?;
    file.by_ref().take(2).read_to_end(&mut start).map_err(cannot)?;
    let gzipped = start == [0x1f, 0x8b];
    let whole = start.as_slice().chain(file);
    if gzipped {
        let unpacked = MultiGzDecoder::new(whole).take(count).read_to_end(&mut bytes);
        unpacked.map_err(|error| format!("{place} does not unpack: {error}; is it complete?"))?;
    } else {
        whole.take(count).read_to_end(&mut bytes).map_err(cannot)?;
    }
    Ok(bytes)
}

/// The bytes of a file that the user names by `path`.
pub(super) fn read_named(dataset: &str, path: &Path, limit: u64) -> Result<Vec<u8>> {
    read_file(path, limit).map_err(|problem| {
        Error::data(
            dataset,
            format!("{problem}\n  help: `path` is relative to the folder in which optbench is started"),
        )
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const ABC: DataFile = DataFile {
        names: &["abc"],
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        mirrors: &[],
    };

    pub(in crate::task::data) fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(contents: &[u8]) -> Result<Vec<u8>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), contents).unwrap();
        ABC.read(file.path())
    }

    #[test]
    fn plain_and_gzipped_contents_are_the_same() {
        assert_eq!(read(b"abc").unwrap(), b"abc");
        assert_eq!(read(&packed(b"abc")).unwrap(), b"abc");
    }

    #[test]
    fn other_contents_are_refused_in_words() {
        let bomb = packed(&vec![0; 1 << 20]);
        for (contents, words) in [
            (&b"abd"[..], "SHA-256"),
            (b"ab", "holds 2 bytes; expected 3"),
            (b"", "holds 0 bytes"),
            (b"abcd", "more than the expected 3 bytes"),
            (&bomb, "more than the expected 3 bytes"),
            (&packed(b"abc")[..12], "does not unpack"),
            (b"\x1f\x8bnonsense", "does not unpack"),
        ] {
            let problem = read(contents).unwrap_err();
            assert!(problem.contains(words), "{problem}");
        }
        assert!(ABC.read(Path::new("/nowhere/abc")).unwrap_err().contains("cannot read"));
    }
}
