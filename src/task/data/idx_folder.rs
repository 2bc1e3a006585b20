//! A folder of the user's own with images in the idx format.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::registry::{About, Accepts, Key};
use crate::settings::Settings;
use crate::task::data::arrangement::Arrangement;
use crate::task::data::augment::{self, Augment};
use crate::task::data::idx::{self, Idx, damaged};
use crate::task::data::images::{Images, Scaling};
use crate::task::data::raw::Raw;
use crate::task::data::{Contents, Dataset, Definition, Locator, Origin};

const NAME: &str = "idx";
/// A guard against a wrong path and packed zeros.
const MOST_BYTES: u64 = 2 << 30;
const MOST_VALIDATION: usize = 5_000;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: NAME,
        revision: 1,
        summary: "a folder of images in MNIST's format, of any size and number of classes; `path` alone means this for a model of images",
        equations: "\
files train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte (or test-images-..), t10k-labels-idx1-ubyte, plain
or with .gz; images [n, height, width], or [n, channels, height, width] in files ..-idx4-ubyte
val one tenth of the training part, at most 5,000, by a fixed shuffle; pixels / 255, normalised by the training images",
        keys: &[
            Key::required("path", Accepts::Text, "the folder, as seen from where optbench is started")
                .that_decides_nothing(),
            augment::KEY,
        ],
        source: "the format: yann.lecun.com/exdb/mnist",
    },
    licence: "that of your images",
    contents: Contents::Images,
    origin: Origin::Path,
    load,
};

fn load(settings: &Settings, _: &Locator) -> Result<Dataset> {
    let folder = Path::new(settings.text("path"));
    let train = part(folder, &["train"])?;
    let test = part(folder, &["t10k", "test"])?;
    if train.shape != test.shape {
        let problem =
            format!("test images are {:?}; expected {:?}, as the training images are", test.shape, train.shape);
        return Err(damaged(NAME, folder, &problem));
    }
    let classes = train.classes.max(test.classes);
    let (train, test) = (Raw { classes, ..train }, Raw { classes, ..test });
    let (images, test_images) = (train.labels.len(), test.labels.len());
    let validation = (images / 10).min(MOST_VALIDATION);
    if validation == 0 || test_images == 0 {
        let problem = format!("{images} training and {test_images} test images; expected at least 10 and 1");
        return Err(damaged(NAME, folder, &problem));
    }
    let scaling = Scaling { full_scale: 255.0, moments: None };
    let train = Arrangement::shuffled(vec![train]);
    let images = Images::split(train.followed_by(test), [validation, test_images], scaling, Augment::of(settings));
    Ok(Dataset::Images(Arc::new(images)))
}

/// Images and labels whose files start with one of these words.
fn part(folder: &Path, words: &[&str]) -> Result<Raw> {
    let path = find(folder, words, "images", &[3, 4])?;
    let images = read(&path, &[3, 4])?;
    let path = find(folder, words, "labels", &[1])?;
    let labels = read(&path, &[1])?.bytes;
    let shape = match images.sizes[1..] {
        [height, width] => [1, height, width],
        [channels, height, width] => [channels, height, width],
        _ => [0; 3],
    };
    if shape.contains(&0) {
        return Err(damaged(NAME, &path, &format!("images of {shape:?} hold no pixel")));
    }
    let classes = labels.iter().max().map_or(0, |&label| usize::from(label) + 1).max(2);
    Raw { name: NAME, shape, classes, pixels: images.bytes, labels }.check(&path)
}

fn read(path: &Path, dimensions: &[usize]) -> Result<Idx> {
    idx::read(path, dimensions, MOST_BYTES).map_err(|problem| Error::data(NAME, problem))
}

fn find(folder: &Path, words: &[&str], contents: &str, dimensions: &[usize]) -> Result<PathBuf> {
    let name = |word: &str, n: &usize| format!("{word}-{contents}-idx{n}-ubyte");
    let names = words.iter().flat_map(|word| dimensions.iter().map(move |n| name(word, n)));
    let files = names.flat_map(|name| [folder.join(&name), folder.join(name + ".gz")]);
    files.into_iter().find(|file| file.is_file()).ok_or_else(|| {
        let expected = name(words[0], &dimensions[0]);
        Error::data(
            NAME,
            format!(
                "there is no `{expected}` in {}, with or without .gz\n  \
                 help: `path` names the folder that holds it, as seen from where optbench is started",
                folder.display()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::registry::Described;
    use crate::task::Split;
    use crate::task::data::files::tests::packed;
    use crate::task::data::idx::tests::file;
    use crate::task::model::MODELS;

    fn load_from(files: &[(&str, Vec<u8>)]) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        load(&DEFINITION.defaults().with("path", folder.path().to_str().unwrap()), &Locator::default())
    }

    fn files(n: u32, label: u8) -> Vec<(&'static str, Vec<u8>)> {
        let pixels: Vec<u8> = (0..n * 6).map(|i| i as u8).collect();
        vec![
            ("train-images-idx3-ubyte", file(0x803, &[n, 2, 3], &pixels)),
            ("train-labels-idx1-ubyte", file(0x801, &[n], &vec![label; n as usize])),
            ("test-images-idx3-ubyte", file(0x803, &[2, 2, 3], &pixels[..12])),
            ("test-labels-idx1-ubyte", file(0x801, &[2], &[0, 1])),
        ]
    }

    #[test]
    fn any_size_and_number_of_classes_will_do() {
        let data = load_from(&files(40, 6)).unwrap().examples(&MODELS[0].defaults()).unwrap();
        assert_eq!([Split::Train, Split::Validation, Split::Test].map(|s| data.split(s).len()), [36, 4, 2]);
        assert_eq!((data.input().len(), data.input().classes()), (6, 7));
    }

    #[test]
    fn hostile_folders_are_refused_in_words() {
        let with = |name: &'static str, bytes: Vec<u8>| {
            let mut files = files(40, 6);
            files.retain(|(other, _)| *other != name);
            files.push((name, bytes));
            files
        };
        for (files, words) in [
            (vec![], "there is no `train-images-idx3-ubyte` in"),
            (files(5, 0), "5 training and 2 test images; expected at least 10 and 1"),
            (with("train-labels-idx1-ubyte", file(0x801, &[39], &[0; 39])), "40 images, but 39 labels"),
            (with("train-images-idx3-ubyte", file(0x803, &[u32::MAX; 3], &[])), "promises"),
            (with("train-images-idx3-ubyte", file(0x803, &[40, 0, 3], &[])), "hold no pixel"),
            (with("train-images-idx3-ubyte", b"\x1f\x8b\x08".to_vec()), "does not unpack"),
            // 64 MB in 64 kB: no more of it is unpacked than its header tells of.
            (
                with("train-images-idx3-ubyte", packed(&file(0x803, &[40, 2, 3], &vec![0; 64 << 20]))),
                "the expected 256 bytes",
            ),
            (with("test-images-idx3-ubyte", file(0x803, &[2, 3, 2], &[0; 12])), "test images are [1, 3, 2]"),
        ] {
            let problem = load_from(&files).unwrap_err().to_string();
            assert!(problem.contains(words), "{problem}");
        }
    }
}
