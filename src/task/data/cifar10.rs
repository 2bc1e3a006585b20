//! CIFAR-10: small colour photographs of ten kinds of things, in the binary version.

use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::registry::About;
use crate::settings::Settings;
use crate::task::data::arrangement::Arrangement;
use crate::task::data::augment::{self, Augment};
use crate::task::data::idx::damaged;
use crate::task::data::images::{Images, Scaling};
use crate::task::data::raw::Raw;
use crate::task::data::{Contents, DataFile, Dataset, Definition, Files, Locator, Origin};

const NAME: &str = "cifar10";
const SHAPE: [usize; 3] = [3, 32, 32];
const CLASSES: usize = 10;
const VALIDATION: usize = 5_000;
/// A record is a label and the red, green and blue planes of an image.
const RECORD: usize = 1 + 3 * 32 * 32;
const SCALING: Scaling = Scaling::bytes(&[(0.4914, 0.2470), (0.4822, 0.2435), (0.4465, 0.2616)]);

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: NAME,
        revision: 1,
        summary: "60,000 colour photographs, 32 by 32 pixels, ten classes",
        equations: "train 45,000 and val 5,000 by a fixed shuffle of the official training part, test 10,000; \
                    pixels / 255, normalised by means 0.4914, 0.4822, 0.4465 and deviations 0.2470, 0.2435, 0.2616",
        keys: &[augment::KEY],
        source: "Krizhevsky 2009, Learning multiple layers of features from tiny images; www.cs.toronto.edu/~kriz/cifar.html",
    },
    licence: "none stated: for research, with the report above cited",
    contents: Contents::Images,
    origin: Origin::Files(&FILES),
    load,
};

/// One of the six files of the archive.
const fn file(names: &'static [&'static str], sha256: &'static str) -> DataFile {
    DataFile { names, bytes: 10_000 * RECORD as u64, sha256, mirrors: &[] }
}

static FILES: Files = Files {
    folders: &["cifar-10-batches-bin", "cifar10/cifar-10-batches-bin", "CIFAR10/cifar-10-batches-bin"],
    vague: &[],
    files: &[
        file(&["data_batch_1.bin"], "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
        file(&["data_batch_2.bin"], "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
        file(&["data_batch_3.bin"], "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
        file(&["data_batch_4.bin"], "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
        file(&["data_batch_5.bin"], "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
        file(&["test_batch.bin"], "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
    ],
    archive: Some(DataFile {
        names: &["cifar-10-binary.tar.gz"],
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        mirrors: &[
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",
        ],
    }),
    by_hand: "the files are those of the archive cifar-10-binary.tar.gz",
};

fn load(settings: &Settings, locator: &Locator) -> Result<Dataset> {
    let mut train = Vec::new();
    let mut test = None;
    for file in FILES.files {
        let (path, bytes) = locator.read(NAME, &FILES, file)?;
        let part = parse(&bytes).map_err(|problem| damaged(NAME, &path, &problem))?.check(&path)?;
        if file.names[0] == "test_batch.bin" {
            test = Some(part);
        } else {
            train.push(part);
        }
    }
    let test = test.ok_or_else(|| damaged(NAME, Path::new("test_batch.bin"), "is missing"))?;
    let test_images = test.labels.len();
    let train = Arrangement::shuffled(train);
    let images = Images::split(train.followed_by(test), [VALIDATION, test_images], SCALING, Augment::of(settings));
    Ok(Dataset::Images(Arc::new(images)))
}

/// Reads the records of a file.
pub(super) fn parse(bytes: &[u8]) -> Result<Raw, String> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
        return Err(format!("holds {} bytes; expected records of {RECORD}", bytes.len()));
    }
    let records = bytes.chunks_exact(RECORD);
    Ok(Raw {
        name: NAME,
        shape: SHAPE,
        classes: CLASSES,
        pixels: records.clone().flat_map(|record| &record[1..]).copied().collect(),
        labels: records.map(|record| record[0]).collect(),
    })
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};
    use proptest::prelude::*;

    use super::*;
    use crate::task::data::Examples;

    #[test]
    fn a_record_is_a_label_and_three_planes() {
        let record = |label: u8| [vec![label], vec![255; 1024], vec![0; 1024], vec![51; 1024]].concat();
        let raw = parse(&[record(3), record(9)].concat()).unwrap().check(Path::new("batch.bin")).unwrap();
        let images = Images::split(Arrangement::default().followed_by(raw), [1, 0], SCALING, Augment::default());
        let (image, label) = images.batch(&[1], DType::F64, &Device::Cpu).unwrap();
        assert_eq!((image.dims(), label.to_vec1::<u32>().unwrap()), (&[1, 3, 32, 32][..], vec![9]));
        for (channel, byte) in [1.0, 0.0, 0.2].into_iter().enumerate() {
            let (mean, deviation) = SCALING.moments.unwrap()[channel];
            let pixel = image.get(0).unwrap().get(channel).unwrap().get(31).unwrap().get(31).unwrap();
            assert!((pixel.to_scalar::<f64>().unwrap() - (byte - mean) / deviation).abs() < 1e-12);
        }
    }

    #[test]
    fn what_are_no_records_is_refused() {
        assert!(parse(&[]).unwrap_err().contains("expected records of 3073"));
        assert!(parse(&[0; RECORD + 1]).is_err());
        let wild = parse(&[10; RECORD]).unwrap().check(Path::new("batch.bin")).unwrap_err().to_string();
        assert!(wild.contains("batch.bin: label 10 of image 0; expected 0 to 9"), "{wild}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..3 * RECORD)) {
            if let Ok(raw) = parse(&bytes) {
                let _ = raw.check(Path::new("batch.bin"));
            }
        }
    }
}
