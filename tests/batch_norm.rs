//! Running statistics follow the weights that are evaluated, and leave the training alone.

use std::fs;
use std::process::Command;

use candle_core::{DType, Device};
use optbench::catalog::Catalog;
use optbench::metric::Metric;
use optbench::registry::Described;
use optbench::settings::{Settings, Value};
use optbench::task::data::Library;
use optbench::task::{self, Problem, Spec, Split};

fn problem() -> Box<dyn Problem> {
    of(Catalog::built_in().datasets.find("digits").unwrap().defaults())
}

/// A folder of squares of 28 by 28 pixels at random places, the label being how bright they are.
fn squares() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (part, n) in [("train", 2000u32), ("t10k", 200)] {
        let sizes = [[0, 0, 8, 3].to_vec(), [n, 28, 28].map(u32::to_be_bytes).concat()].concat();
        let labels: Vec<u8> = (0..n).map(|i| (i % 3) as u8).collect();
        let pixel = |i: u32, at: u32| {
            let (x, y) = ((at % 28 + i * 7) % 28, (at / 28 + i * 11) % 28);
            // A bright ground: what a shift fills with black must differ from it.
            if x < 9 && y < 9 { 80 * (i % 3) as u8 } else { 250 }
        };
        let pixels: Vec<u8> = (0..n).flat_map(|i| (0..784).map(move |at| pixel(i, at))).collect();
        fs::write(folder.path().join(format!("{part}-images-idx3-ubyte")), [sizes, pixels].concat()).unwrap();
        let sizes = [[0, 0, 8, 1].to_vec(), n.to_be_bytes().to_vec()].concat();
        fs::write(folder.path().join(format!("{part}-labels-idx1-ubyte")), [sizes, labels].concat()).unwrap();
    }
    folder
}

/// A problem whose training images are varied.
fn varied(folder: &std::path::Path, augment: &[&str]) -> Box<dyn Problem> {
    let words: Vec<Value> = augment.iter().map(|&word| word.into()).collect();
    let idx = Catalog::built_in().datasets.find("idx").unwrap().defaults();
    of(idx.with("path", folder.to_str().unwrap()).with("augment", words))
}

fn of(dataset: Settings) -> Box<dyn Problem> {
    let spec = Spec {
        label: "digits".into(),
        model: Catalog::built_in().models.find("cnn").unwrap().defaults().with("batch_norm", true),
        dataset: Some(dataset),
        batch_size: 32,
        dtype: DType::F64,
        target: None,
        metrics: vec![Metric::LOSS, Metric::ACCURACY],
        metric: Metric::ACCURACY,
    };
    task::build(&spec, &Library::default()).unwrap().problem(0, &Device::Cpu).unwrap()
}

fn scale_convolutions(problem: &dyn Problem, factor: f64) {
    for parameter in problem.parameters().iter().filter(|parameter| parameter.name.starts_with("conv")) {
        parameter.var.set(&(parameter.var.as_tensor() * factor).unwrap().detach()).unwrap();
    }
}

#[test]
fn an_evaluation_elsewhere_needs_statistics_of_its_own() {
    let mut problem = problem();
    for t in 0..40 {
        problem.gradients(t).unwrap();
    }
    let loss =
        |problem: &mut dyn Problem| problem.evaluate(Split::Validation).unwrap().unwrap().get(Metric::LOSS).unwrap();
    let trained = loss(&mut *problem);
    // Normalised outputs do not depend on the size of the weights before them: with statistics of
    // its own the other model is the same one, with those of the training it is not.
    scale_convolutions(&*problem, 4.0);
    let stale = loss(&mut *problem);
    let statistics = problem.recalibrate().unwrap().expect("it has statistics");
    let recalibrated = loss(&mut *problem);
    assert!((stale - trained).abs() > 0.1, "{trained} {stale}");
    assert!((recalibrated - trained).abs() < 0.02, "{trained} {recalibrated}");

    problem.restore_statistics(statistics).unwrap();
    assert_eq!(loss(&mut *problem), stale, "the training's statistics are back");
    scale_convolutions(&*problem, 0.25);
    assert_eq!(loss(&mut *problem), trained);
}

/// Statistics of the training and statistics estimated anew measure the same where the weights are the same, whatever the
/// training's images went through.
#[test]
fn statistics_are_estimated_on_images_as_the_training_sees_them() {
    let folder = squares();
    let numbers = |problem: &mut dyn Problem| -> Vec<f64> {
        problem.state().unwrap().iter().flat_map(|tensor| tensor.to_vec1::<f64>().unwrap()).collect()
    };
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs() / b.abs().max(0.1)).sum::<f64>();
    let anew = |augment: &[&str]| {
        let mut problem = varied(folder.path(), augment);
        problem.recalibrate().unwrap().unwrap();
        numbers(&mut *problem)
    };
    let mut trained = varied(folder.path(), &["crop", "flip"]);
    // The weights stay; what was there at first fades by 0.9 a step.
    for t in 0..100 {
        trained.gradients(t).unwrap();
    }
    let trained = numbers(&mut *trained);
    let (varied, still) = (apart(&anew(&["crop", "flip"]), &trained), apart(&anew(&[]), &trained));
    assert!(varied < still / 2.0, "off by {varied} where images are varied, by {still} where they are not");
}

#[test]
fn recalibration_shifts_no_stream_of_the_training() {
    let (mut plain, mut disturbed) = (problem(), problem());
    for t in 0..3 {
        let statistics = disturbed.recalibrate().unwrap().unwrap();
        disturbed.restore_statistics(statistics).unwrap();
        assert_eq!(plain.gradients(t).unwrap().0, disturbed.gradients(t).unwrap().0);
    }
}

const CONFIG: &str = r#"
name = "norms"
seeds = 1
steps = 30
eval_every = 10
[tasks.digits]
model = "cnn"
channels = [4, 8]
hidden = 16
batch_norm = true
dataset = "digits"
batch_size = 32
[optimizers.sgd]
lr = 0.1
[optimizers.sgd_reestimated]
kind = "sgd"
lr = 0.1
batch_norm_statistics = "reestimated"
[optimizers.sgd_training]
kind = "sgd"
lr = 0.1
batch_norm_statistics = "training"
[optimizers.sf]
kind = "schedule_free_sgd"
lr = 0.5
[optimizers.sf_reestimated]
kind = "schedule_free_sgd"
lr = 0.5
batch_norm_statistics = "reestimated"
[optimizers.sf_training]
kind = "schedule_free_sgd"
lr = 0.5
batch_norm_statistics = "training"
"#;

#[test]
fn a_config_chooses_the_statistics_and_the_training_does_not_notice() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("norms.toml"), CONFIG).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_optbench"));
    assert!(command.current_dir(folder.path()).args(["run", "norms.toml"]).output().unwrap().status.success());
    let file = |optimizer: &str, lr: &str, name: &str| {
        let run = format!("results/norms/runs/digits-{optimizer}-constant-lr{lr}-s0");
        fs::read_to_string(folder.path().join(run).join(name)).unwrap()
    };
    for (optimizer, lr) in [("sgd", "0.1"), ("sf", "0.5")] {
        let [silent, reestimated, training] =
            ["", "_reestimated", "_training"].map(|which| format!("{optimizer}{which}"));
        let steps = file(&silent, lr, "steps.csv");
        assert_eq!(steps, file(&reestimated, lr, "steps.csv"));
        assert_eq!(steps, file(&training, lr, "steps.csv"));
        let evaluations = |optimizer: &str| file(optimizer, lr, "evals.csv");
        assert_ne!(evaluations(&reestimated), evaluations(&training));
        // Schedule-Free is evaluated elsewhere than it trains, but for before its first step; SGD is not.
        let usual = if optimizer == "sf" { &reestimated } else { &training };
        let started = |optimizer: &str| evaluations(optimizer).split_once("\n10,").unwrap().1.to_owned();
        assert_eq!(started(&silent), started(usual));
    }
}
