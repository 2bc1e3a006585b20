//! A short, repeatable part of the fuzzing: the cases that were found once, the seeds, and mutations of both.
//!
//! `OPTBENCH_EXECUTIONS=1000000 cargo test --release --test fuzz` tries more of them, of other ones with
//! `OPTBENCH_FUZZ_SEED=1`, of some targets alone with `OPTBENCH_FUZZ=config,results`. An input that ends a target is
//! left in `target/fuzz-crashes`. `scripts/fuzz` is guided by coverage and goes deeper.
#![expect(clippy::print_stdout, reason = "the counts are what a long run is for")]

use std::fs;
use std::io::Write;
use std::panic;
use std::path::Path;
use std::time::Instant;

use candle_core::{Device, Tensor};
use flate2::Compression;
use flate2::write::GzEncoder;
use optbench::catalog::Catalog;
use optbench::checksum::sha256;
use optbench::results::{Checkpoint, Extent};
use optbench::rng::Stream;
use optbench::train::{Snapshot, Times};

mod limit;
mod targets;

use targets::{FINGERPRINT, SEPARATOR, TARGETS, Target};

#[global_allocator]
static ALLOCATOR: limit::Limited = limit::Limited;

/// Mutations of each target unless the environment asks for more.
const EXECUTIONS: u64 = 2_000;

fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file() && path.extension().is_none_or(|extension| extension != "stderr"));
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let magic = 0x0800 | sizes.len() as u32;
    std::iter::once(&magic).chain(sizes).flat_map(|word| word.to_be_bytes()).chain(data.iter().copied()).collect()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn a_checkpoint() -> Vec<u8> {
    let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
    let checkpoint = Checkpoint {
        snapshot: Snapshot {
            steps: 7,
            times: Times::default(),
            tensors: vec![("weights.0".into(), tensor(&[1.0, 2.0])), ("state.0.z".into(), tensor(&[4.0]))],
            words: [("optimizer".to_owned(), "sgd".to_owned())].into(),
        },
        extents: vec![Extent { length: 100, checksum: 1 }, Extent { length: 50, checksum: 2 }],
        seconds: 2.5,
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    checkpoint.write(&path, FINGERPRINT).unwrap();
    fs::read(path).unwrap()
}

const RUN: &str = "\
run = \"a\"\nfingerprint = \"0123456789abcdef\"\ntask = \"bowl\"\noptimizer = \"sgd\"\nschedule = \"constant\"\nseed = 0\n\
hyper_parameters = [[\"lr\", \"0.1\"], [\"momentum\", \"0\"]]\nstatus = \"finished\"\nsteps = 20\nsteps_to_target = 10\n\
seconds = 0.5\ngradient_seconds = 0.25\noptimizer_seconds = 0.125\nevaluation_seconds = 0.0625\nstate_bytes = 16\n\
[identity]\ndevice = \"cpu\"\n[identity.data]\ndataset = \"text\"\npath = \"my.txt\"\nsha256 = \"ab\"\n\
[identity.revisions]\n\"optimizer sgd\" = 1\n\
[validation]\nloss = 0.5\naccuracy = 0.75\nperplexity = 1.5\n[best]\nloss = 0.25\n";
const STEPS: &str = "step,epoch,lr,loss,grad_norm\n1,,0.1,2.5,1e-3\n2,,0.1,NaN,inf\n";
const EVALUATIONS: &str = "step,epoch,split,loss,accuracy,perplexity\n0,,val,2.5,,\n20,0.5,val,0.5,0.75,1.5\n";
const GRADIENTS: &str = "step,of,zeros,mean,median,deviation,first,counts\n\
                         1,gradient,0,-0.5,-0.5,0.5,-10,1 0 2\n10,update,2,,,,0,\n";
const PATH: &str = "step,x,y\n0,1,1\n1,0.9,NaN\n";
const BOWL: &str = "name = \"fuzzed\"\nseeds = [0]\nsteps = 20\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\nlr = [0.1, 1]\n";

/// What a target reads well.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "config" => [files("configs"), files("tests/configs")].concat(),
        "durations" => {
            let texts = ["10 epochs", "500 steps", "1_000", "30%", "2.5 epochs", "untuned", "1/4", "12 / 16"];
            texts.iter().map(|text| text.as_bytes().to_vec()).collect()
        }
        "formula" => {
            let settings = files("tests/formulas").into_iter().map(|file| String::from_utf8(file).unwrap());
            let updates: Vec<Vec<u8>> = settings
                .flat_map(|text| {
                    text.split("\"\"\"").skip(1).step_by(2).map(|text| text.trim().into()).collect::<Vec<_>>()
                })
                .collect();
            let own: [&[u8]; 3] = [
                b"0.5 * (1 + cos(3 * t / T)) ^ -lr",
                b"m = where(is_matrix, orthogonalize(g), g / (all_norm(g) + 1e-8))\np = p - lr * m",
                b"m = 0.9 * m + maximum(abs(g)) # one number\np = clip(p, -m,\n rms(p)) - (not is_matrix and t > 2 or m == T)",
            ];
            updates.into_iter().chain(own.map(<[u8]>::to_vec)).collect()
        }
        "text" => {
            let long =
                "The quick brown fox, don't you know, jumps over the lazy dog\u{2019}s \u{e9}t\u{e9}.\n".repeat(9);
            [[0, 4], [9, 3], [2, 1], [7, 200]].iter().map(|head| [&head[..], long.as_bytes()].concat()).collect()
        }
        "images" => {
            let pixels: Vec<u8> = (0..=255).collect();
            let grey = [
                idx(&[20, 2, 3], &pixels[..120]),
                idx(&[20], &[1; 20]),
                idx(&[2, 2, 3], &pixels[..12]),
                idx(&[2], &[0, 9]),
            ];
            let colour = [
                idx(&[20, 3, 2, 2], &pixels[..240]),
                idx(&[20], &[0; 20]),
                idx(&[1, 3, 2, 2], &pixels[..12]),
                idx(&[1], &[0]),
            ];
            let packed = grey.clone().map(|file| gzipped(&file));
            [grey, colour, packed].iter().map(|folder| folder.join(SEPARATOR)).collect()
        }
        "cifar10" => vec![vec![3; 3073], vec![9; 6146]],
        "checkpoint" => vec![a_checkpoint()],
        "results" => vec![[BOWL, RUN, STEPS, EVALUATIONS, GRADIENTS, PATH].map(str::as_bytes).join(SEPARATOR)],
        other => panic!("the target {other} has no seeds"),
    }
}

/// Words that mean something to one reader or another, and numbers at the edge of what fits.
const WORDS: [&[u8]; 24] = [
    b"0",
    b"-1",
    b"1e308",
    b"1e-400",
    b"nan",
    b"inf",
    b"9223372036854775807",
    b"18446744073709551616",
    b"0x7fffffffffffffff",
    b"[",
    b"]]",
    b"{",
    b"=",
    b"\"",
    b"\n[a]\n",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\x1f\x8b\x08",
    b"%",
    b"epochs",
    b"parts = [",
    b"\n%%%\n",
    b",",
    b"\xe2\x82\xac",
];

/// One to eight small changes.
fn mutate(seed: &[u8], other: &[u8], dice: &mut Stream) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(8) {
        let at = dice.below(bytes.len() + 1);
        let most = 1 << dice.below(10);
        let to = (at + dice.below(most)).min(bytes.len());
        match dice.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
            2 => drop(bytes.drain(at..to)),
            3 => drop(bytes.splice(at..at, WORDS[dice.below(WORDS.len())].iter().copied())),
            4 => drop(bytes.splice(at..to, WORDS[dice.below(WORDS.len())].iter().copied())),
            5 => {
                let copied = bytes[at..to].to_vec();
                bytes.splice(at..at, copied);
            }
            _ => {
                let from = dice.below(other.len() + 1);
                let end = (from + dice.below(64)).min(other.len());
                bytes.splice(at..to, other[from..end].iter().copied());
            }
        }
        bytes.truncate(1 << 14);
    }
    bytes
}

/// Gives an input to a target, and keeps it where the target does not come back.
fn execute((name, target): &Target, bytes: &[u8]) {
    let outcome = panic::catch_unwind(|| target(bytes));
    if let Err(cause) = outcome {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz-crashes");
        let input = folder.join(format!("{name}-{}", &sha256(bytes)[..12]));
        fs::create_dir_all(&folder).and_then(|()| fs::write(&input, bytes)).unwrap();
        println!("{name}: the input is kept as {}", input.display());
        panic::resume_unwind(cause);
    }
}

#[test]
fn found_cases_and_their_neighbours_are_read_or_refused() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let executions = number("OPTBENCH_EXECUTIONS").unwrap_or(EXECUTIONS);
    let chosen = std::env::var("OPTBENCH_FUZZ").unwrap_or_default();
    let is_chosen = |(name, _): &&Target| chosen.is_empty() || chosen.split(',').any(|one| one == *name);
    for target in TARGETS.iter().filter(is_chosen) {
        let name = target.0;
        let corpus = [seeds(name), files(&format!("tests/fuzz/cases/{name}"))].concat();
        for bytes in &corpus {
            execute(target, bytes);
        }
        let begun = Instant::now();
        let mut dice = Stream::new(number("OPTBENCH_FUZZ_SEED").unwrap_or(0), name);
        for _ in 0..executions {
            let (one, other) = (dice.below(corpus.len()), dice.below(corpus.len()));
            execute(target, &mutate(&corpus[one], &corpus[other], &mut dice));
        }
        let seconds = begun.elapsed().as_secs();
        println!("{name}: {} inputs, {executions} mutations in {seconds} s", corpus.len());
    }
}

/// A target whose seeds are all refused would be fuzzed in its anteroom alone.
#[test]
fn the_seeds_are_read_well() {
    let well = |name: &str, good: &dyn Fn(&[u8]) -> bool| assert!(seeds(name).iter().any(|seed| good(seed)), "{name}");
    well("formula", &|bytes| {
        let number = |name: &str| optbench::expression::Declared::number(name, "", optbench::expression::Extent::Model);
        let text = std::str::from_utf8(bytes).unwrap();
        optbench::expression::Number::parse(text, &["lr", "t", "T"].map(number)).is_ok()
    });
    well("cifar10", &|bytes| optbench::task::data::parsers::cifar10(bytes).is_ok());
    well("text", &|bytes| optbench::task::data::parsers::text(&bytes[2..]).is_ok());
    well("checkpoint", &|bytes| Checkpoint::read(bytes, FINGERPRINT).is_some());
    well("results", &|bytes| {
        let parts: Vec<&str> = std::str::from_utf8(bytes).unwrap().split("\n%%%\n").collect();
        toml::from_str::<optbench::results::Record>(parts[1]).is_ok()
            && optbench::config::Experiment::parse(&Catalog::built_in(), "", parts[0], "", &[]).is_ok()
    });
}

/// Leaves the seeds where `scripts/fuzz` asks for them.
#[test]
fn seeds_for_the_fuzzer() {
    let Some(folder) = std::env::var_os("OPTBENCH_FUZZ_SEEDS") else { return };
    for (name, _) in TARGETS {
        let folder = Path::new(&folder).join(name);
        fs::create_dir_all(&folder).unwrap();
        for (i, seed) in seeds(name).iter().enumerate() {
            fs::write(folder.join(format!("seed-{i}")), seed).unwrap();
        }
    }
}
