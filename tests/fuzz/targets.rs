//! What is fuzzed: each target takes any bytes and must come back, with an error or without.
//!
//! Where something is read without an error, it must make sense: a config means the same when it is
//! written and read again, a run's name is a plain file name.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device};
use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::expression::{Declared, Extent, Means, Number, Program, Runner, Site};
use optbench::length::{Length, Timeline};
use optbench::registry::Described;
use optbench::report::render::REPORT;
use optbench::report::{Results, render};
use optbench::results::{Checkpoint, Store};
use optbench::settings::Settings;
use optbench::sweep::{Plan, Shard};
use optbench::task::Split;
use optbench::task::data::{self, Library, Locator, parsers};

/// A name, and what takes the bytes.
pub(crate) type Target = (&'static str, fn(&[u8]));

pub(crate) const TARGETS: &[Target] = &[
    ("config", config),
    ("durations", durations),
    ("formula", formula),
    ("text", text),
    ("images", images),
    ("cifar10", cifar10),
    ("checkpoint", checkpoint),
    ("results", results),
];

/// What parts the files of an input that stands for a folder.
pub(crate) const SEPARATOR: &[u8] = b"\n%%%\n";
/// The run that checkpoints of the corpus belong to.
pub(crate) const FINGERPRINT: &str = "fuzzed";

thread_local! {
    static LIBRARY: Library = Library::default();
    static FOLDER: LazyCell<tempfile::TempDir> = LazyCell::new(|| {
        // In memory where there is such a place: a folder is written for every input.
        let memory = Path::new("/dev/shm");
        tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap()
    });
}

/// The parts of an input that stands for several files.
fn parts(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some(at) = bytes.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        parts.push(&bytes[..at]);
        bytes = &bytes[at + SEPARATOR.len()..];
    }
    parts.push(bytes);
    parts
}

fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(experiment) = Experiment::parse(&Catalog::built_in(), "config.toml", text, "fuzzed", &[]) else { return };
    let written = experiment.to_toml();
    let read = Experiment::parse(&Catalog::built_in(), "resolved.toml", &written, "", &[]);
    let read = read.unwrap_or_else(|error| panic!("what was written does not read back: {error}\n{written}"));
    assert_eq!(read.to_toml(), written, "written and read again, it means something else");
    // Other datasets are files of this machine; those of the corpus are embedded.
    let embedded = |dataset: &Settings| ["digits", "markov"].contains(&dataset.name());
    if !experiment.tasks.iter().all(|task| task.dataset.as_ref().is_none_or(embedded)) {
        return;
    }
    let Ok(plan) = LIBRARY.with(|library| Plan::new(experiment, library)) else { return };
    let mut names = HashSet::new();
    for run in &plan.runs {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        assert!(
            run.name.chars().all(plain) && !run.name.starts_with(['.', '-']) && run.name.len() < 200,
            "{}",
            run.name
        );
        assert!(names.insert(run.name.to_ascii_lowercase()), "{} twice, but for its capitals", run.name);
    }
    for run in plan.runs.iter().take(8) {
        let (schedule, steps) = (plan.schedule(run).unwrap(), plan.tasks[run.task].budget.steps);
        let _ = schedule.warnings(steps);
        for t in [0, 1, steps / 2, steps - 1, steps, u64::MAX] {
            assert!(!schedule.at(t).factor.is_nan(), "{} at {t} of {steps}", plan.label(run));
        }
    }
}

fn durations(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = text.parse::<Shard>();
    let Ok(duration) = text.parse::<Length>() else { return };
    assert_eq!(duration.to_string().parse(), Ok(duration), "{text}");
    for (steps, steps_per_epoch, beta2) in
        [(0, None, None), (u64::MAX, Some(u64::MAX), Some(0.0)), (1000, Some(20), Some(1.0 - f64::EPSILON))]
    {
        let _ = duration.in_steps(&Timeline { steps, steps_per_epoch, beta2 });
    }
}

/// Settings of a model, none of them given.
fn model(name: &str) -> Settings {
    Settings::new(Catalog::built_in().models.find(name).unwrap())
}

/// A formula that is read runs, whatever it computes.
fn formula(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let numbers = ["lr", "t", "T"].map(|name| Declared::number(name, "a number", Extent::Model));
    if let Ok(number) = Number::parse(text, &numbers) {
        let (value, gradient) = (number.at(&[0.1, 3.0, 9.0]), number.gradient().at(&[0.1, 3.0, 9.0]));
        assert_eq!((value.is_finite(), gradient.len()), (number.at(&[0.1, 3.0, 9.0]).is_finite(), 3));
    }
    let weights = [
        Declared::kept("p", "the weight", Extent::Element),
        Declared::number("g", "the gradient", Extent::Element),
        Declared::kept("m", "the state", Extent::Model),
        Declared::truth("is_matrix", "a condition", Extent::Tensor),
    ];
    let Ok(program) = Program::parse(text, &[&weights[..], &numbers].concat()) else { return };
    let state_is_tensor = program.extent("m") == Extent::Element;
    let site = |shape: &[usize]| {
        let tensor = || Some(candle_core::Tensor::ones(shape, DType::F64, &Device::Cpu).unwrap());
        let tensors = vec![tensor(), tensor(), if state_is_tensor { tensor() } else { None }, None, None, None, None];
        Site::new(tensors, vec![f64::from(u8::from(shape.len() > 1)); 7], shape.len() > 1)
    };
    let (mut sites, mut runner) = ([site(&[3, 2]), site(&[5])], Runner::new(program));
    for composed in [false, true] {
        let means = Means { composed, orthogonalize: &|matrix| Ok((matrix * 0.5)?) };
        runner.run(&mut [0.5; 7], &mut sites, &means).unwrap();
    }
}

fn text(bytes: &[u8]) {
    let Some((&[view, length], bytes)) = bytes.split_first_chunk::<2>() else { return };
    let Ok(text) = parsers::text(bytes) else { return };
    let model = model("lstm_lm")
        .with("seq_len", i64::from(length))
        .with("level", if view & 1 == 1 { "word" } else { "char" })
        .with("vocab_size", i64::from(view >> 1))
        .with("stateful", view & 2 == 2);
    let Ok(examples) = text.examples(&model) else { return };
    look_at(&*examples);
}

/// The first and the last example of every split can be had.
fn look_at(examples: &dyn data::Examples) {
    for split in [Split::Train, Split::Validation, Split::Test] {
        let positions = examples.split(split);
        assert!(!positions.is_empty(), "an empty split was let through");
        let (inputs, labels) = examples.batch(&[positions.start, positions.end - 1], DType::F32, &Device::Cpu).unwrap();
        assert_eq!(inputs.elem_count(), 2 * examples.input().len());
        let classes = examples.input().classes() as u32;
        assert!(labels.to_vec1::<u32>().unwrap().iter().all(|&label| label < classes));
    }
}

fn images(bytes: &[u8]) {
    const FILES: [&str; 4] =
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "test-images-idx3-ubyte", "test-labels-idx1-ubyte"];
    FOLDER.with(|folder| {
        let folder = folder.path();
        let mut parts = parts(bytes).into_iter();
        for file in FILES {
            fs::write(folder.join(file), parts.next().unwrap_or_default()).unwrap();
        }
        let idx = Catalog::built_in().datasets.find("idx").unwrap();
        let (settings, load) = (idx.defaults().with("path", folder.to_str().unwrap()), idx.load);
        let Ok(images) = load(&settings, &Locator::default()) else { return };
        look_at(&*images.examples(&model("mlp")).unwrap());
    });
}

fn cifar10(bytes: &[u8]) {
    let _ = parsers::cifar10(bytes);
}

fn checkpoint(bytes: &[u8]) {
    let _ = Checkpoint::read(bytes, FINGERPRINT);
}

fn results(bytes: &[u8]) {
    FOLDER.with(|folder| {
        let root = folder.path();
        fs::create_dir_all(root.join("runs/a")).unwrap();
        let mut parts = parts(bytes).into_iter();
        fs::write(root.join("experiment.toml"), parts.next().unwrap_or_default()).unwrap();
        for file in ["run.toml", "steps.csv", "evals.csv", "gradients.csv", "path.csv"] {
            fs::write(root.join("runs/a").join(file), parts.next().unwrap_or_default()).unwrap();
        }
        let store = Store::new(root);
        let _ = (store.steps("a"), store.evaluations("a"), store.path("a"));
        let looks = store.magnitudes("a").unwrap_or_default();
        let _ = looks.iter().zip(looks.iter().skip(1)).map(|(a, b)| a.distance(b)).collect::<Vec<_>>();
        let Ok(results) = Results::open(&Catalog::built_in(), store) else { return };
        for format in REPORT.iter().filter(|format| !format.is_illustrated) {
            let _ = render(&results, format);
        }
    });
}
