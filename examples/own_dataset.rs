//! A dataset of your own, beside the built-in ones.
//!
//! ```sh
//! cargo run --release --example own_dataset -- run examples/own_dataset.toml
//! cargo run --release --example own_dataset -- list datasets stripes
//! ```

use std::process::ExitCode;
use std::sync::Arc;

use optbench::Bench;
use optbench::error::Result;
use optbench::registry::{About, Bounds, Key};
use optbench::rng::Stream;
use optbench::settings::Settings;
use optbench::task::data::{Contents, Dataset, Definition, Images, Locator, Origin, Raw};

const SIDE: usize = 12;
const IMAGES: usize = 3_000;
const DIRECTIONS: [(usize, usize); 4] = [(1, 0), (0, 1), (1, 1), (1, SIDE - 1)];

static STRIPES: Definition = Definition {
    about: About {
        name: "stripes",
        // Raise it when the images change: results of other images are then not mixed with new ones.
        revision: 1,
        summary: "3,000 generated images of noisy stripes in four directions",
        equations: "\
pixel(x, y) = 255 if (a x + b y + shift) mod 6 < 3, else 0, plus noise
(a, b)      = (1, 0), (0, 1), (1, 1), (1, -1), the label
train 2,400, val 300, test 300 by a fixed shuffle",
        keys: &[Key::float("noise", 0.5, Bounds::UNIT, "share of every pixel that is drawn at random")],
        source: "this example",
    },
    licence: "MIT OR Apache-2.0",
    contents: Contents::Images,
    // Nothing to download: `Origin::Files` names files with their SHA-256, `Origin::Path` a file of the user's.
    origin: Origin::Embedded,
    load: stripes,
};

fn stripes(settings: &Settings, _: &Locator) -> Result<Dataset> {
    let noise = settings.float("noise");
    // A stream of its own, so that the images are the same on every machine and for every seed of a run.
    let mut stream = Stream::new(0, "stripes");
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..IMAGES {
        let (label, shift) = (stream.below(DIRECTIONS.len()), stream.below(6));
        let (a, b) = DIRECTIONS[label];
        for at in 0..SIDE * SIDE {
            let (x, y) = (at % SIDE, at / SIDE);
            let stripe = if (a * x + b * y + shift) % 6 < 3 { 1.0 } else { 0.0 };
            pixels.push((255.0 * (noise * stream.uniform() + (1.0 - noise) * stripe)) as u8);
        }
        labels.push(label as u8);
    }
    let raw = Raw { name: "stripes", shape: [1, SIDE, SIDE], classes: DIRECTIONS.len(), pixels, labels };
    Ok(Dataset::Images(Arc::new(Images::shuffled(raw, [300, 300], 255.0)?)))
}

fn main() -> ExitCode {
    Bench::new().dataset(&STRIPES).main()
}
