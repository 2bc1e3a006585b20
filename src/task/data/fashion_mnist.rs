//! Fashion-MNIST: photographs of clothes in ten classes.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::registry::About;
use crate::settings::Settings;
use crate::task::data::images::Raw;
use crate::task::data::{Dataset, Definition, Input, Locator, idx};

const NAME: &str = "fashion_mnist";
const INPUT: Input = Input::Image { shape: [1, 28, 28], classes: 10 };
const VALIDATION: usize = 5_000;
const FOLDERS: [&str; 5] =
    [NAME, "fashion-mnist", "FashionMNIST/raw", "dataset-fashion-mnist", "datasets/fashion-mnist"];

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: NAME,
        summary: "70,000 photographs of clothes, 28 by 28 pixels, ten classes",
        equations: "train 55,000 and val 5,000 by a fixed shuffle of the official training part, test 10,000; \
                    pixels / 255, normalised by mean 0.2860 and deviation 0.3530",
        keys: &[],
        source: "Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747; github.com/zalandoresearch/fashion-mnist",
    },
    licence: "MIT",
    load,
};

fn load(_: &Settings, locator: &Locator) -> Result<Dataset> {
    let train = part(locator, "train", 60_000)?.shuffled();
    let test = part(locator, "t10k", 10_000)?;
    let test_images = test.labels.len();
    let images = train.followed_by(test).split(VALIDATION, test_images, 255.0, Some((0.2860, 0.3530)));
    Ok(Dataset::Images(Arc::new(images)))
}

fn part(locator: &Locator, part: &str, count: usize) -> Result<Raw> {
    let file = |contents: &str, dimensions: usize| {
        let name = format!("{part}-{contents}-idx{dimensions}-ubyte");
        let path = locator.find(NAME, &FOLDERS, &[&format!("{name}.gz"), &name])?;
        idx::read(NAME, &path, dimensions).map(|idx| (path, idx))
    };
    let (path, images) = file("images", 3)?;
    if images.sizes != [count, 28, 28] {
        let problem = format!("{} holds {:?} images; expected [{count}, 28, 28]", path.display(), images.sizes);
        return Err(Error::data(NAME, problem));
    }
    let (_, labels) = file("labels", 1)?;
    let raw = Raw { name: NAME, input: INPUT, pixels: images.bytes, labels: labels.bytes };
    raw.check()?;
    Ok(raw)
}
