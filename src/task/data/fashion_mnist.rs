//! Fashion-MNIST: photographs of clothes in ten classes.

use crate::error::Result;
use crate::registry::About;
use crate::settings::Settings;
use crate::task::data::augment;
use crate::task::data::images::Scaling;
use crate::task::data::{Contents, DataFile, Dataset, Definition, Files, Locator, Origin, idx};

const NAME: &str = "fashion_mnist";
const VALIDATION: usize = 5_000;
const SCALING: Scaling = Scaling::bytes(&[(0.2860, 0.3530)]);

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: NAME,
        revision: 1,
        summary: "70,000 photographs of clothes, 28 by 28 pixels, ten classes",
        equations: "train 55,000 and val 5,000 by a fixed shuffle of the official training part, test 10,000; \
                    pixels / 255, normalised by mean 0.2860 and deviation 0.3530",
        keys: &[augment::KEY],
        source: "Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747; github.com/zalandoresearch/fashion-mnist",
    },
    licence: "MIT",
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
                concat!("https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/", $name, ".gz"),
                concat!("https://storage.googleapis.com/tensorflow/tf-keras-datasets/", $name, ".gz"),
            ],
        }
    };
}

static FILES: Files = Files {
    folders: &["fashion-mnist", "FashionMNIST/raw", "dataset-fashion-mnist", "datasets/fashion-mnist"],
    vague: &["-ubyte", "-ubyte.gz"],
    files: &[
        file!(
            "train-images-idx3-ubyte",
            47_040_016,
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        file!("train-labels-idx1-ubyte", 60_008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        file!("t10k-images-idx3-ubyte", 7_840_016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        file!("t10k-labels-idx1-ubyte", 10_008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ],
    archive: None,
    by_hand: "Debian has the files in the package dataset-fashion-mnist",
};

fn load(settings: &Settings, locator: &Locator) -> Result<Dataset> {
    idx::known(NAME, &FILES, VALIDATION, SCALING, settings, locator)
}
