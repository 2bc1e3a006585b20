//! Datasets from the outside: files of the user's own, hostile ones, and `optbench data`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use candle_core::{DType, Device};
use flate2::{Compression, write::GzEncoder};
use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::error::{Error, Result};
use optbench::settings::Settings;
use optbench::task::Split;
use optbench::task::data::{DATASETS, Input, Library, Origin};
use proptest::prelude::*;

const SPLITS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

/// Settings of a dataset, none of them given.
fn dataset(name: &str) -> Settings {
    Settings::new(Catalog::built_in().datasets.find(name).unwrap())
}

/// Settings of a model, none of them given.
fn model(name: &str) -> Settings {
    Settings::new(Catalog::built_in().models.find(name).unwrap())
}

fn reader(length: i64) -> Settings {
    model("lstm_lm").with("seq_len", length)
}

/// Tokens and the tokens after them.
type Part = (Vec<u32>, Vec<u32>);

/// The parts of a text as a model with these keys sees them: windows and their labels.
fn windows(contents: &[u8], model: &Settings) -> Result<(Input, Vec<Part>)> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), contents).unwrap();
    let settings = dataset("text").with("path", file.path().to_str().unwrap());
    let examples = Library::default().load(&settings)?.examples(model)?;
    let mut parts = Vec::new();
    for split in SPLITS {
        let positions: Vec<usize> = examples.split(split).collect();
        let (inputs, labels) = examples.batch(&positions, DType::F32, &Device::Cpu)?;
        assert_eq!(inputs.dims(), [positions.len(), examples.input().len()]);
        parts.push((inputs.flatten_all()?.to_vec1()?, labels.to_vec1()?));
    }
    Ok((examples.input(), parts))
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_text_from_windows_is_the_same_text() {
    let contents = "the quick brown fox.\n".repeat(20);
    let windows_s = format!("\u{feff}{}", contents.replace('\n', "\r\n"));
    assert_eq!(
        windows(windows_s.as_bytes(), &reader(5)).unwrap().1,
        windows(contents.as_bytes(), &reader(5)).unwrap().1
    );
}

#[test]
fn a_text_of_ones_own_is_read_plain_or_gzipped() {
    let contents = "the quick brown fox. ".repeat(20);
    let (input, parts) = windows(contents.as_bytes(), &reader(5)).unwrap();
    assert_eq!(input, Input::Tokens { vocabulary: 17, length: 5 });
    assert_eq!(windows(&packed(contents.as_bytes()), &reader(5)).unwrap().1, parts);
    let words = reader(3).with("level", "word").with("vocab_size", 3);
    let (input, parts) = windows(contents.as_bytes(), &words).unwrap();
    assert_eq!(input.classes(), 4, "three words and the unknown one");
    assert_eq!(parts[0].0[..9], [1, 2, 3, 0, 0, 1, 2, 3, 0]);
}

#[test]
fn hostile_texts_are_refused_in_words() {
    let long = packed("a long text. ".repeat(100).as_bytes());
    for (contents, words) in [
        (&b""[..], "is empty"),
        (b" \n\n", "is empty"),
        (b"abc\xff\xfe", "byte 3 is 0xff"),
        (&long[..long.len() / 2], "does not unpack"),
        (b"\x1f\x8b", "does not unpack"),
        (b"too short", "a window of `seq_len` = 5 needs 6"),
    ] {
        let problem = windows(contents, &reader(5)).unwrap_err();
        assert!(matches!(problem, Error::Data { .. }));
        assert!(problem.to_string().contains(words), "{problem}");
    }
    let nowhere = Library::default().load(&dataset("text").with("path", "nowhere.txt")).unwrap_err().to_string();
    assert!(
        nowhere.contains("cannot read nowhere.txt") && nowhere.contains("\n  help: `path` is relative"),
        "{nowhere}"
    );
    let folder = Library::default().load(&dataset("text").with("path", "/")).unwrap_err().to_string();
    assert!(folder.contains("cannot read /"), "{folder}");
}

proptest! {
    #[test]
    fn any_text_is_windows_or_an_error(contents in "\\PC{0,400}", length in 1i64..12, word in any::<bool>()) {
        let model = reader(length).with("level", if word { "word" } else { "char" });
        if let Ok((input, parts)) = windows(contents.as_bytes(), &model) {
            for (inputs, labels) in parts {
                // Labels are the tokens one further, and windows lie side by side.
                prop_assert_eq!(&inputs[1..], &labels[..labels.len() - 1]);
                prop_assert!(labels.iter().all(|&label| (label as usize) < input.classes()));
            }
        }
    }

    #[test]
    fn any_bytes_are_a_text_or_an_error(contents in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = windows(&contents, &reader(3));
    }
}

#[test]
fn models_get_the_examples_that_they_learn_from() {
    let library = Library::default();
    let digits = library.load(&dataset("digits")).unwrap();
    let text = library.load(&dataset("markov")).unwrap();
    assert!(digits.examples(&model("mlp")).is_ok() && text.examples(&reader(10)).is_ok());
    let problem = digits.examples(&reader(10)).err().unwrap().to_string();
    assert!(problem.contains("`lstm_lm` learns from text, but the dataset is images"), "{problem}");
    let problem = text.examples(&model("mlp")).err().unwrap().to_string();
    assert!(problem.contains("`mlp` learns from images, but the dataset is text"), "{problem}");
}

#[test]
fn a_library_reads_once_and_tells_texts_of_ones_own_apart() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::default();
    for name in ["a.txt", "b.txt", "a.txt"] {
        let path = folder.path().join(name);
        if !path.exists() {
            fs::write(&path, name.repeat(100)).unwrap();
        }
        library.load(&dataset("text").with("path", path.to_str().unwrap())).unwrap();
        // What was read once is not read again.
        fs::write(&path, "").unwrap();
    }
    let digests = library.digests();
    assert_eq!(digests.len(), 2);
    assert!(digests.keys().all(|name| name.starts_with("text /")), "{digests:?}");
}

#[test]
fn the_generated_text_has_a_floor_that_a_memory_lowers() {
    let markov = Library::default().load(&dataset("markov")).unwrap();
    let floor = |model: Settings| markov.examples(&model).unwrap().floor();
    let near = |found: Option<f64>, floor: f64| (found.unwrap() - floor).abs() < 1e-4;
    assert!(near(floor(reader(10).with("stateful", true)), 1.9964));
    assert!(near(floor(reader(10)), (2.4356 + 9.0 * 1.9964) / 10.0));
    assert_eq!(floor(reader(10).with("level", "word")), None);
}

#[test]
fn a_path_alone_names_the_dataset_and_reads_back() {
    let text =
        "steps = 1\n[tasks.mine]\nmodel = \"mlp\"\npath = \"my/images\"\naugment = [\"flip\"]\n[optimizers.sgd]\n";
    let experiment = Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap();
    let dataset = experiment.tasks[0].dataset.as_ref().unwrap();
    assert_eq!((dataset.name(), dataset.text("path")), ("idx", "my/images"));
    let again = Experiment::parse(&Catalog::built_in(), "c.toml", &experiment.to_toml(), "c", &[]).unwrap();
    assert_eq!(again.tasks[0].dataset.as_ref(), Some(dataset));
}

#[test]
fn every_dataset_is_described_and_its_files_can_be_told_apart() {
    for definition in DATASETS {
        let name = definition.about.name;
        assert!(!definition.about.summary.is_empty() && !definition.about.equations.is_empty(), "{name}");
        assert!(!definition.licence.is_empty(), "{name}");
        let Origin::Files(files) = definition.origin else { continue };
        assert!(!files.by_hand.is_empty(), "{name}");
        for file in files.files.iter().chain(&files.archive) {
            assert!(file.bytes > 0 && !file.names.is_empty(), "{name}");
            assert!(
                file.sha256.len() == 64
                    && file.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            );
            assert!(file.mirrors.iter().all(|mirror| mirror.starts_with("https://")), "{name}");
        }
    }
}

/// `optbench`, offline, with a data folder of its own.
fn optbench(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    command.current_dir(folder).args(arguments).env_remove("OPTBENCH_DATA");
    command.env("OPTBENCH_OFFLINE", "1").env("XDG_CACHE_HOME", folder.join("cache")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn damaged_files_are_told_from_missing_ones() {
    let folder = tempfile::tempdir().unwrap();
    let missing = optbench(folder.path(), &["data", "verify", "tiny_shakespeare"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stdout).contains("tiny_shakespeare: missing  tinyshakespeare.txt"));
    fs::write(folder.path().join("tinyshakespeare.txt"), "First Citizen:\n").unwrap();
    let verify = ["data", "verify", "tiny_shakespeare", "--data-dir", "."];
    let damaged = optbench(folder.path(), &verify);
    assert_eq!(damaged.status.code(), Some(1));
    let words = "tiny_shakespeare: damaged  ./tinyshakespeare.txt holds 15 bytes; expected 1115394";
    assert!(text(&damaged.stdout).contains(words), "{}", text(&damaged.stdout));
    let help = "help: `optbench data fetch tiny_shakespeare` fetches what is missing or damaged";
    assert!(text(&damaged.stderr).contains(help), "{}", text(&damaged.stderr));
    let all = optbench(folder.path(), &["data", "verify", "--data-dir", "."]);
    let helps = text(&all.stderr).matches("help:").count();
    assert_eq!(helps, 1, "for the damaged one alone: {}", text(&all.stderr));
    assert_eq!(optbench(folder.path(), &["data", "verify"]).status.code(), Some(0), "nothing that is here is damaged");
}

#[test]
fn the_list_says_where_everything_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("cache/optbench/kjv")).unwrap();
    fs::write(folder.path().join("cache/optbench/kjv/kjv.txt"), "In the beginning").unwrap();
    let listed = text(&optbench(folder.path(), &["data", "list"]).stdout);
    for (name, words) in [
        ("digits", "built in"),
        ("markov", "built in"),
        ("cifar10", "`optbench data fetch cifar10`"),
        ("kjv", "cache/optbench/kjv"),
        ("idx", "named by `path`"),
    ] {
        let line = listed.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        assert!(line.contains(words), "{line}");
    }
    assert_eq!(listed.lines().count(), 1 + DATASETS.len());
    let unknown = optbench(folder.path(), &["data", "list", "minst"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("did you mean `mnist`?"));
}

#[test]
fn the_distance_to_the_floor_is_told_from_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let config = "name = \"f\"\nsteps = 3\nseeds = 2\n[tasks.text]\nmodel = \"lstm_lm\"\nhidden = 8\nseq_len = 10\n\
                  [tasks.digits]\nmodel = \"logistic\"\ndataset = \"digits\"\n[optimizers.adamw]\n";
    fs::write(folder.path().join("f.toml"), config).unwrap();
    assert!(optbench(folder.path(), &["run", "f.toml"]).status.success());
    // Charts and tables follow from the runs' own folders.
    for follows in ["runs.csv", "report.html", "charts/text-loss.svg", "charts/text-perplexity.svg"] {
        fs::remove_file(folder.path().join("results/f").join(follows)).unwrap();
    }
    let report = |format| text(&optbench(folder.path(), &["report", "results/f", "--format", format]).stdout);
    let csv = report("csv");
    let rows: Vec<std::collections::HashMap<String, String>> =
        csv::Reader::from_reader(csv.as_bytes()).into_deserialize().map(Result::unwrap).collect();
    let row = |task: &str| rows.iter().find(|row| row["task"] == task).unwrap();
    let number = |name: &str| row("text")[name].parse::<f64>().unwrap();
    assert!((number("loss_floor") - (2.4356 + 9.0 * 1.9964) / 10.0).abs() < 1e-4);
    let stored: Vec<f64> = (0..2)
        .map(|seed| {
            let run = format!("results/f/runs/text-adamw-constant-lr0.001-s{seed}/evals.csv");
            let evaluations = fs::read_to_string(folder.path().join(run)).unwrap();
            let test = evaluations.lines().find(|line| line.contains(",test,")).unwrap();
            test.split(',').nth(3).unwrap().parse().unwrap()
        })
        .collect();
    let above = f64::midpoint(stored[0], stored[1]) - number("loss_floor");
    assert!((number("above_floor_mean") - above).abs() < 1e-12 && above > 0.5);
    assert_eq!((row("digits")["loss_floor"].as_str(), row("digits")["above_floor_mean"].as_str()), ("", ""));

    let table = report("table");
    let (of_text, of_digits) = table.split_once("On digits").unwrap();
    assert!(of_text.contains("nats above floor") && of_text.contains("is 2.0404 nats"), "{table}");
    assert!(!of_digits.contains("floor"), "{table}");
    assert!(report("markdown").contains("| nats above floor |"));
    assert!(report("json").contains("\"above_floor\""));
    assert!(optbench(folder.path(), &["plot", "results/f"]).status.success());
    for (chart, words) in [("text-loss", "floor 2.0404"), ("text-perplexity", "floor 7.69")] {
        let svg = fs::read_to_string(folder.path().join(format!("results/f/charts/{chart}.svg"))).unwrap();
        assert!(svg.contains(words), "{chart}");
    }
    assert!(!fs::read_to_string(folder.path().join("results/f/charts/digits-loss.svg")).unwrap().contains("floor"));
}

#[test]
fn a_run_without_its_data_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = "steps = 1\n[tasks.clothes]\nmodel = \"mlp\"\ndataset = \"mnist\"\n[optimizers.sgd]\n";
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let output = optbench(folder.path(), &["run", "c.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains("`t10k-images-idx3-ubyte.gz` was not found in"), "{message}");
    assert!(message.contains("help: `optbench data fetch mnist` downloads it; without a network, put"), "{message}");
    assert_eq!(optbench(folder.path(), &["data", "fetch", "mnist"]).status.code(), Some(2), "offline means offline");
}

#[test]
fn byte_pairs_are_learned_from_the_training_part_alone() {
    let line = "the cat sat on the mat\n";
    let text = line.repeat(400) + &"zq zq zq\n".repeat(100);
    let model = reader(6).with("level", "bpe").with("vocab_size", 300);
    let (input, parts) = windows(text.as_bytes(), &model).unwrap();
    let vocabulary = input.classes();
    assert!((257..=300).contains(&vocabulary), "{vocabulary}");
    // A line of the training part is a few tokens; what was never seen is bytes.
    let joined = |tokens: &[u32]| tokens.iter().filter(|&&token| token >= 256).count();
    assert!(joined(&parts[0].0) > parts[0].0.len() / 2 && joined(&parts[2].0) == 0, "{:?}", parts[2].0);
    assert_eq!(parts[0], windows(text.as_bytes(), &model).unwrap().1[0]);
}

#[test]
fn bits_per_byte_need_tokens_that_stand_for_all_of_the_text() {
    let parse = |keys: &str| {
        let config = format!("steps = 2\n[tasks.a]\nmodel = \"transformer_lm\"\n{keys}\n[optimizers.adamw]\n");
        Experiment::parse(&Catalog::built_in(), "a.toml", &config, "a", &[])
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(parse("level = \"bpe\"\nvocab_size = 256\nmetric = \"bits_per_byte\""), Ok(()));
    let problem = parse("level = \"word\"\nmetric = \"bits_per_byte\"").unwrap_err();
    assert!(problem.contains("task `a` has no metric `bits_per_byte`"), "{problem}");
    let problem = parse("level = \"bpe\"\nvocab_size = 255").unwrap_err();
    assert!(problem.contains("`level = \"bpe\"` and at least 256"), "{problem}");
}
