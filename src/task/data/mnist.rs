//! MNIST: handwritten digits.

use crate::error::Result;
use crate::registry::About;
use crate::settings::Settings;
use crate::task::data::augment;
use crate::task::data::images::Scaling;
use crate::task::data::{Contents, DataFile, Dataset, Definition, Files, Locator, Origin, idx};

const NAME: &str = "mnist";
const VALIDATION: usize = 5_000;
const SCALING: Scaling = Scaling::bytes(&[(0.1307, 0.3081)]);

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: NAME,
        revision: 1,
        summary: "70,000 handwritten digits, 28 by 28 pixels",
        equations: "train 55,000 and val 5,000 by a fixed shuffle of the official training part, test 10,000; \
                    pixels / 255, normalised by mean 0.1307 and deviation 0.3081",
        keys: &[augment::KEY],
        source: "LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition",
    },
    licence: "CC BY-SA 3.0 (Y. LeCun and C. Cortes)",
    contents: Contents::Images,
    origin: Origin::Files(&FILES),
    load,
};

/// A file with its mirrors, which keep it under the same name.
macro_rules! file {
    ($name:literal, $bytes:literal, $sha256:literal) => {
        DataFile {
            names: &[concat!($name, ".gz"), $name],
            bytes: $bytes,
            sha256: $sha256,
            mirrors: &[
                concat!("https://storage.googleapis.com/cvdf-datasets/mnist/", $name, ".gz"),
                concat!("https://ossci-datasets.s3.amazonaws.com/mnist/", $name, ".gz"),
            ],
        }
    };
}

static FILES: Files = Files {
    folders: &["MNIST/raw", "MNIST", "dataset-mnist", "datasets/mnist"],
    vague: &["-ubyte", "-ubyte.gz"],
    files: &[
        file!(
            "train-images-idx3-ubyte",
            47_040_016,
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        file!("train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        file!("t10k-images-idx3-ubyte", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        file!("t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ],
    archive: None,
    by_hand: "torchvision keeps the same files in MNIST/raw",
};

fn load(settings: &Settings, locator: &Locator) -> Result<Dataset> {
    idx::known(NAME, &FILES, VALIDATION, SCALING, settings, locator)
}
