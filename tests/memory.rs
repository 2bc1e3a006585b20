//! A language model that carries its memory reads the text in order, row by row.

use std::fs;

use candle_core::{DType, Device, Tensor};
use optbench::catalog::Catalog;
use optbench::metric::Metric;
use optbench::nn::params::Init;
use optbench::registry::Described;
use optbench::settings::Settings;
use optbench::task::data::{Input, Library};
use optbench::task::model::{self, Kind, Pass};
use optbench::task::{self, Problem, Spec, Split};

const WINDOW: usize = 5;
const ROWS: usize = 3;
const ALPHABET: &[u8] = b"abcdefg";

/// A text without a rhythm, in numbers: no two places of it look alike.
fn tokens(length: usize) -> Vec<u32> {
    let mut state = 1u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % ALPHABET.len() as u64) as u32
    };
    (0..length).map(next).collect()
}

fn keys() -> Settings {
    Catalog::built_in()
        .models
        .find("lstm_lm")
        .unwrap()
        .defaults()
        .with("embedding", 4)
        .with("hidden", 6)
        .with("layers", 2)
        .with("seq_len", WINDOW as i64)
}

/// The problem of learning this text with a memory that is carried along.
fn problem(tokens: &[u32]) -> Box<dyn Problem> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text: Vec<u8> = tokens.iter().map(|&token| ALPHABET[token as usize]).collect();
    fs::write(file.path(), text).unwrap();
    let spec = Spec {
        label: "text".into(),
        model: keys().with("stateful", true),
        dataset: Some(
            Catalog::built_in().datasets.find("text").unwrap().defaults().with("path", file.path().to_str().unwrap()),
        ),
        batch_size: ROWS,
        dtype: DType::F64,
        target: None,
        metrics: vec![Metric::LOSS],
        metric: Metric::LOSS,
    };
    task::build(&spec, &Library::default()).unwrap().problem(0, &Device::Cpu).unwrap()
}

/// The losses of a network with the same weights that reads each text from its first token to its last
/// at once, token by token.
fn read_at_once(problem: &dyn Problem, texts: &[&[u32]]) -> Vec<Vec<f64>> {
    let Kind::Network { build, .. } = keys().definition::<model::Definition>().kind else { panic!("no network") };
    let mut init = Init::new(1, DType::F64, &Device::Cpu);
    let input = Input::Tokens { vocabulary: ALPHABET.len(), length: WINDOW };
    let mut network = build(&keys(), &input, &mut init).unwrap();
    for (ours, theirs) in init.finish().iter().zip(problem.parameters()) {
        assert_eq!(ours.name, theirs.name);
        ours.var.set(&theirs.var.as_detached_tensor().copy().unwrap()).unwrap();
    }
    let losses = |text: &&[u32]| {
        let inputs = Tensor::new(&text[..text.len() - 1], &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let logits = network.logits(&inputs, &mut Pass::Evaluate).unwrap().to_vec2::<f64>().unwrap();
        let loss = |(scores, label): (&Vec<f64>, &u32)| {
            scores.iter().map(|score| score.exp()).sum::<f64>().ln() - scores[*label as usize]
        };
        logits.iter().zip(&text[1..]).map(loss).collect()
    };
    texts.iter().map(losses).collect()
}

fn mean(losses: impl Iterator<Item = f64> + Clone) -> f64 {
    losses.clone().sum::<f64>() / losses.count() as f64
}

#[test]
fn training_continues_every_row_where_it_was() {
    let tokens = tokens(420);
    let mut problem = problem(&tokens);
    // 378 tokens to train on: 75 windows, 25 for each row.
    let (batches, row) = (25, 25 * WINDOW);
    let texts: Vec<&[u32]> = (0..ROWS).map(|i| &tokens[i * row..=(i + 1) * row]).collect();
    let losses = read_at_once(&*problem, &texts);
    let window = |t: usize| losses.iter().flat_map(move |row| row[t * WINDOW..(t + 1) * WINDOW].iter().copied());
    for t in 0..batches + 3 {
        let found = problem.gradients(t as u64).unwrap().0;
        let expected = mean(window(t % batches));
        assert!((found - expected).abs() < 1e-12, "batch {t}: {found} for {expected}");
        if t == 7 {
            // An evaluation reads elsewhere, and leaves the memory where it was.
            problem.evaluate(Split::Validation).unwrap();
        }
    }
}

#[test]
fn an_evaluation_reads_every_row_in_order_and_all_of_them() {
    // Windows that do not fill the rows: the last row is shorter.
    for length in [420, 415] {
        let tokens = tokens(length);
        let mut problem = problem(&tokens);
        let windows = (length * 9 / 10 - 1) / WINDOW;
        let row = windows.div_ceil(ROWS) * WINDOW;
        let end = windows * WINDOW;
        let texts: Vec<&[u32]> = (0..ROWS).map(|i| &tokens[i * row..=((i + 1) * row).min(end)]).collect();
        let losses = read_at_once(&*problem, &texts);
        let found = problem.evaluate(Split::Train).unwrap().unwrap().get(Metric::LOSS).unwrap();
        let expected = mean(losses.iter().flatten().copied());
        assert!((found - expected).abs() < 1e-12, "{windows} windows: {found} for {expected}");
    }
}
