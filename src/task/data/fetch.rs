//! Fetching the files of datasets: from mirrors, or out of a downloaded archive.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use tar::Archive;

use crate::checksum::hexadecimal;
use crate::disk::temporary;
use crate::error::{Error, Result};
use crate::task::data::download::Downloader;
use crate::task::data::files::{DataFile, Files};
use crate::task::data::locate::Source;

/// A download may be larger than what it unpacks to by the framing of gzip, but not by much.
const FRAMING: u64 = 1 << 16;

impl Source for Downloader {
    fn fetch(&self, dataset: &str, files: &Files, file: &DataFile, folder: &Path) -> Result<()> {
        let data = |problem: String| Error::data(dataset, problem);
        if let Some(archive) = &files.archive {
            let path = folder.join(archive.names[0]);
            let check = |path: &Path| hash_file(path, archive.bytes, archive.sha256);
            self.fetch(archive.mirrors, &path, archive.bytes, &check).map_err(data)?;
            unpack(&path, files, folder).map_err(data)?;
            // Its files are there: the archive would only take up room.
            return fs::remove_file(&path).map_err(Error::io("remove", &path));
        }
        if file.mirrors.is_empty() {
            return Err(data(format!("`{}` is not to be downloaded from anywhere", file.names[0])));
        }
        let check = |path: &Path| file.read(path).map(drop);
        let target = folder.join(file.names[0]);
        self.fetch(file.mirrors, &target, file.bytes + FRAMING, &check).map_err(data)
    }
}

/// Checks the size and the SHA-256 of a file as it lies there, without holding it in memory.
///
/// # Errors
/// In words, when they are others.
fn hash_file(path: &Path, bytes: u64, expected: &str) -> Result<(), String> {
    let place = path.display();
    let cannot = |error: io::Error| format!("cannot read {place}: {error}");
    let mut file = File::open(path).map_err(cannot)?;
    let found = file.metadata().map_err(cannot)?.len();
    if found != bytes {
        return Err(format!("{place} holds {found} bytes; expected {bytes}"));
    }
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(cannot)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    let found = hexadecimal(&hash.finalize());
    if found == expected { Ok(()) } else { Err(format!("{place} has the SHA-256 {found}; expected {expected}")) }
}

/// Puts the files of a dataset out of its archive into a folder. What else the archive holds is passed over.
fn unpack(archive: &Path, files: &Files, folder: &Path) -> Result<(), String> {
    let place = archive.display();
    let source = File::open(archive).map_err(|error| format!("cannot read {place}: {error}"))?;
    let kept = keep(&mut Archive::new(GzDecoder::new(source)), files, folder)
        .map_err(|error| format!("{place} does not unpack: {error}"))?;
    if kept == files.files.len() { Ok(()) } else { Err(format!("{place} holds {kept} of {} files", files.files.len())) }
}

/// Puts the files of a dataset that an archive holds into a folder; how many there were.
fn keep(archive: &mut Archive<impl Read>, files: &Files, folder: &Path) -> io::Result<usize> {
    let mut kept = 0;
    for entry in archive.entries()? {
        let mut entry = entry?;
        // Only names that are expected, and without their folders: no file lands anywhere else.
        let path = entry.path()?.into_owned();
        let file = files.files.iter().find(|file| path.file_name().is_some_and(|name| name == file.names[0]));
        let Some(file) = file.filter(|_| entry.header().entry_type().is_file()) else { continue };
        let mut temporary = temporary(folder)?;
        io::copy(&mut entry.by_ref().take(file.bytes + 1), &mut temporary)?;
        temporary.as_file().sync_all()?;
        file.read(temporary.path()).map_err(io::Error::other)?;
        temporary.persist(folder.join(file.names[0]))?;
        kept += 1;
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static FILES: Files = Files {
        folders: &[],
        vague: &[],
        files: &[
            DataFile { names: &["one.bin"], bytes: 3, sha256: ABC, mirrors: &[] },
            DataFile { names: &["two.bin"], bytes: 3, sha256: ABC, mirrors: &[] },
        ],
        archive: None,
        by_hand: "",
    };

    fn unpacked(files: &[(&str, &[u8])]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.tar.gz");
        let encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        let mut archive = tar::Builder::new(encoder);
        for (name, contents) in files {
            let mut header = tar::Header::new_old();
            // Beside what the builder would take: archives from elsewhere name what they like.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(contents.len() as u64);
            header.set_cksum();
            archive.append(&header, *contents).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap();
        unpack(&path, &FILES, folder.path())?;
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        Ok(names)
    }

    #[test]
    fn the_expected_files_come_out_and_nothing_else() {
        let files: [(&str, &[u8]); 3] = [("../../one.bin", b"abc"), ("x/readme.html", b"hello"), ("x/two.bin", b"abc")];
        assert_eq!(unpacked(&files).unwrap(), ["archive.tar.gz", "one.bin", "two.bin"]);
    }

    #[test]
    fn an_archive_with_other_files_is_refused() {
        assert!(unpacked(&[("one.bin", b"abc")]).unwrap_err().contains("holds 1 of 2 files"));
        assert!(unpacked(&[("one.bin", b"abd"), ("two.bin", b"abc")]).unwrap_err().contains("SHA-256"));
        assert!(unpacked(&[("one.bin", &[0; 5000])]).unwrap_err().contains("more than the expected 3 bytes"));
    }
}
