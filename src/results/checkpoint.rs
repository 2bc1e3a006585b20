//! Checkpoints: a training between two updates, as a safetensors file.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use candle_core::{DType, Device, Tensor};
use safetensors::{SafeTensors, View};
use sha2::{Digest, Sha256};

use crate::checksum::hexadecimal;
use crate::disk::sync_folder;
use crate::error::{Error, Result};
use crate::results::log::Extent;
use crate::train::{Snapshot, Times};

/// The file of a run that is under way.
pub(super) const CHECKPOINT: &str = "checkpoint.safetensors";
/// Marks a file as a checkpoint of one run under one version: bits may differ between versions.
const FINGERPRINT: &str = "fingerprint";
const VERSION: &str = "optbench";
/// How snapshots are put together: raised where those of before could be misread.
const FORM: (&str, &str) = ("form", "2");
/// SHA-256 of the tensors: a checkpoint that a disk returns with other bits is none.
const DIGEST: &str = "sha256";
/// Steps, times and extents, beside the snapshot's own tensors.
const PROGRESS: &str = "progress";

/// A snapshot, and how far the curves of its run had been written.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The training.
    pub snapshot: Snapshot,
    /// How much of each of the run's files was written.
    pub extents: Vec<Extent>,
    /// Seconds that the run had taken.
    pub seconds: f64,
}

impl Checkpoint {
    /// Writes the checkpoint; an older one stays until the new one is whole.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, path: &Path, fingerprint: &str) -> Result<()> {
        let Snapshot { steps, times, tensors, words } = &self.snapshot;
        let extents: Vec<f64> =
            self.extents.iter().flat_map(|extent| [extent.length as f64, f64::from(extent.checksum)]).collect();
        let seconds = [times.gradients, times.optimizer, times.evaluation].map(|time| time.as_secs_f64());
        let progress = [&[*steps as f64], &seconds[..], &[self.seconds], &extents].concat();
        let progress = (PROGRESS.to_owned(), Tensor::new(progress, &Device::Cpu)?);
        let tensors: Vec<(String, Tensor)> = tensors.iter().cloned().chain([progress]).collect();
        let digest = digest(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)));
        let version = env!("CARGO_PKG_VERSION");
        let own = [(FINGERPRINT, fingerprint), (VERSION, version), FORM, (DIGEST, digest.as_str())];
        let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let marks: HashMap<String, String> = words.clone().into_iter().chain(own).collect();
        let bytes = safetensors::serialize(tensors, Some(marks)).map_err(|error| Error::damaged(path, &error))?;
        let folder = path.parent().unwrap_or(path);
        let new = path.with_extension("new");
        let write = || {
            // Under one name, which the next checkpoint takes again should a kill leave it behind.
            let mut file = File::create(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&new, path)?;
            sync_folder(folder)
        };
        write().map_err(Error::io("write", path))
    }

    /// Reads a checkpoint of this run; `None` where it is of another run or version, or damaged.
    ///
    /// What cannot be read costs the work since the run's start, never a wrong result.
    pub fn read(bytes: &[u8], fingerprint: &str) -> Option<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
        let marks = header.metadata().as_ref()?;
        if marks.get(FINGERPRINT)? != fingerprint || marks.get(VERSION)? != env!("CARGO_PKG_VERSION") {
            return None;
        }
        if marks.get(FORM.0)? != FORM.1 {
            return None;
        }
        let mut tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu).ok()?;
        let digest = digest(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)));
        let progress =
            tensors.remove(PROGRESS).filter(|progress| progress.dtype() == DType::F64)?.to_vec1::<f64>().ok()?;
        let [steps, gradients, optimizer, evaluation, seconds, ref extents @ ..] = progress[..] else {
            return None;
        };
        let extent = |pair: &[f64]| Extent { length: pair[0] as u64, checksum: pair[1] as u32 };
        let extents = extents.chunks_exact(2).map(extent).collect();
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
        let times = Times { gradients: time(gradients)?, optimizer: time(optimizer)?, evaluation: time(evaluation)? };
        if *marks.get(DIGEST)? != digest {
            return None;
        }
        let is_own = |key: &str| [FINGERPRINT, VERSION, FORM.0, DIGEST].contains(&key);
        let words =
            marks.iter().filter(|(key, _)| !is_own(key)).map(|(key, word)| (key.clone(), word.clone())).collect();
        let snapshot = Snapshot { steps: steps as u64, times, tensors: tensors.into_iter().collect(), words };
        Some(Self { snapshot, extents, seconds })
    }
}

/// SHA-256 of tensors and their names, in the order of the names.
fn digest<'a>(tensors: impl Iterator<Item = (&'a str, &'a Tensor)>) -> String {
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort_unstable_by_key(|(name, _)| *name);
    let mut hash = Sha256::new();
    for (name, tensor) in tensors {
        hash.update(format!("{name} {:?} {:?}\n", View::dtype(&tensor), View::shape(&tensor)));
        hash.update(View::data(&tensor));
    }
    hexadecimal(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENTS: [Extent; 2] = [Extent { length: 100, checksum: u32::MAX }, Extent { length: 50, checksum: 7 }];

    fn checkpoint() -> Checkpoint {
        let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        Checkpoint {
            snapshot: Snapshot {
                steps: 7,
                times: Times { gradients: Duration::from_millis(1500), ..Times::default() },
                tensors: vec![("a".into(), tensor(&[1.0, 2.0])), ("0.z".into(), tensor(&[4.0]))],
                words: [("optimizer".to_owned(), "schedule_free around sgd".to_owned())].into(),
            },
            extents: EXTENTS.into(),
            seconds: 2.5,
        }
    }

    #[test]
    fn a_checkpoint_reads_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        checkpoint().write(&path, "f").unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let read = Checkpoint::read(&bytes, "f").unwrap();
        assert_eq!(read.snapshot.words, checkpoint().snapshot.words);
        let tensors: HashMap<String, Tensor> = read.snapshot.tensors.into_iter().collect();
        assert_eq!(tensors.len(), 2, "progress is none of the snapshot's");
        assert_eq!(tensors["a"].to_vec1::<f32>().unwrap(), [1.0, 2.0]);
        assert_eq!(tensors["0.z"].to_vec1::<f32>().unwrap(), [4.0]);
        assert_eq!((read.snapshot.steps, &read.extents[..], read.seconds), (7, &EXTENTS[..], 2.5));
        assert_eq!(read.snapshot.times.gradients, Duration::from_millis(1500));
        assert!(Checkpoint::read(&bytes, "another run").is_none());
    }

    #[test]
    fn no_checkpoint_with_other_bits_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        checkpoint().write(&path, "f").unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        for at in header..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(Checkpoint::read(&flipped, "f").is_none(), "byte {at} of {}", bytes.len());
        }
    }

    #[test]
    fn headers_that_lie_are_found_out_before_memory_is_touched() {
        let lie = |header: &str| {
            let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend(header.as_bytes());
            bytes.extend([0; 16]);
            bytes
        };
        let marks = r#""__metadata__":{"fingerprint":"f","optbench":"0.1.0"}"#;
        for header in [
            format!(
                r#"{{{marks},"weights.0":{{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}}}"#
            ),
            format!(
                r#"{{{marks},"weights.0":{{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,16]}}}}"#
            ),
            format!(
                r#"{{{marks},"weights.0":{{"dtype":"F64","shape":[18446744073709551615],"data_offsets":[0,16]}}}}"#
            ),
        ] {
            assert!(Checkpoint::read(&lie(&header), "f").is_none(), "{header}");
        }
        assert!(Checkpoint::read(&[0xff; 64], "f").is_none(), "a header of 2^64 bytes");
    }

    #[test]
    fn no_torn_checkpoint_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        checkpoint().write(&path, "f").unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for end in 0..bytes.len() {
            assert!(Checkpoint::read(&bytes[..end], "f").is_none(), "torn after {end} of {} bytes", bytes.len());
        }
    }
}
