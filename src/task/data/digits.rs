//! Handwritten digits, embedded: the dataset that needs no file and no network.

use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;

use crate::error::{Error, Result};
use crate::registry::About;
use crate::settings::Settings;
use crate::task::data::{Contents, Dataset, Definition, Images, Locator, Origin, Raw};

/// 1,797 rows of 64 pixels from 0 to 16 and the label, one byte each, gzipped.
const BYTES: &[u8] = include_bytes!("../../../assets/digits.bin.gz");
const SHAPE: [usize; 3] = [1, 8, 8];
const VALIDATION: usize = 180;
const TEST: usize = 180;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "digits",
        revision: 1,
        summary: "1,797 handwritten digits of 8 by 8 pixels, embedded in optbench",
        equations: "train 1,437, val 180, test 180 by a fixed shuffle; pixels / 16, normalised",
        keys: &[],
        source: "E. Alpaydin and C. Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning \
                 Repository, doi 10.24432/C50P49 (the test part, as scikit-learn ships it)",
    },
    licence: "CC BY 4.0",
    contents: Contents::Images,
    origin: Origin::Embedded,
    load,
};

fn load(_: &Settings, _: &Locator) -> Result<Dataset> {
    let mut rows = Vec::new();
    GzDecoder::new(BYTES).read_to_end(&mut rows).map_err(|error| Error::data("digits", error.to_string()))?;
    let width = SHAPE.iter().product::<usize>() + 1;
    let raw = Raw {
        name: "digits",
        shape: SHAPE,
        classes: 10,
        pixels: rows.chunks_exact(width).flat_map(|row| &row[..width - 1]).copied().collect(),
        labels: rows.chunks_exact(width).map(|row| row[width - 1]).collect(),
    };
    Ok(Dataset::Images(Arc::new(Images::shuffled(raw, [VALIDATION, TEST], 16.0)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Described;
    use crate::task::Split;
    use crate::task::model::MODELS;

    #[test]
    fn all_digits_are_there() {
        let images =
            load(&DEFINITION.defaults(), &Locator::default()).unwrap().examples(&MODELS[0].defaults()).unwrap();
        let n = |split| images.split(split).len();
        assert_eq!([n(Split::Train), n(Split::Validation), n(Split::Test)], [1437, 180, 180]);
    }
}
