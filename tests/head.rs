//! The cross-entropy of a large vocabulary, taken part by part, beside that of all scores at once.

use candle_core::{DType, Device, Tensor, Var};
use optbench::nn::cross_entropy::cross_entropy;
use optbench::nn::head::Head;
use optbench::nn::params::{Init, Parameter, gradients};
use optbench::nn::role::Role;

/// Several parts, the last of them shorter.
const ROWS: usize = 150;
const CLASSES: usize = 2100;

/// Three times the loss, and the gradients of rows and weight.
fn trained(in_one: bool, composed: bool, smoothing: f64) -> (f64, Vec<f64>) {
    let mut init = Init::new(1, DType::F64, &Device::Cpu);
    if composed {
        init = init.composed();
    }
    let head = Head::new(&mut init, "head", (3, CLASSES), 0.5).unwrap();
    let x: Vec<f64> = (0..ROWS * 3).map(|i| (i as f64 * 1.3).sin()).collect();
    let x = Var::from_vec(x, (ROWS, 3), &Device::Cpu).unwrap();
    let mut parameters = init.finish();
    parameters.push(Parameter::new("x", Role::Hidden, x.clone()));
    let labels: Vec<u32> = (0..ROWS).map(|i| (i * 13 % CLASSES) as u32).collect();
    let labels = Tensor::from_vec(labels, ROWS, &Device::Cpu).unwrap();
    let loss = if in_one {
        head.loss(&x, &labels, smoothing).unwrap()
    } else {
        cross_entropy(&head.forward(&x).unwrap(), &labels, smoothing, composed).unwrap()
    };
    let loss = (loss * 3.0).unwrap();
    let gradients = gradients(&loss, &parameters).unwrap();
    let numbers = gradients.iter().flat_map(|gradient| gradient.flatten_all().unwrap().to_vec1::<f64>().unwrap());
    (loss.to_scalar().unwrap(), numbers.collect())
}

#[test]
fn the_loss_in_parts_is_that_of_all_scores_at_once() {
    for smoothing in [0.0, 0.1] {
        let (loss, in_parts) = trained(true, false, smoothing);
        assert_eq!(
            (loss, &in_parts),
            (trained(true, false, smoothing).0, &trained(true, false, smoothing).1),
            "repeats"
        );
        for composed in [false, true] {
            let (whole, at_once) = trained(false, composed, smoothing);
            assert!((loss - whole).abs() < 1e-12, "{loss} {whole}");
            assert_eq!(in_parts.len(), at_once.len());
            for (a, b) in in_parts.iter().zip(&at_once) {
                assert!((a - b).abs() < 1e-14, "{a} {b}");
            }
        }
    }
}

#[test]
fn a_label_that_is_no_class_is_refused() {
    let mut init = Init::new(1, DType::F32, &Device::Cpu);
    let head = Head::new(&mut init, "head", (2, 5), 0.5).unwrap();
    let x = Tensor::zeros((1, 2), DType::F32, &Device::Cpu).unwrap();
    let label = |label: u32| Tensor::new(&[label], &Device::Cpu).unwrap();
    assert!(head.loss(&x, &label(4), 0.0).is_ok() && head.loss(&x, &label(5), 0.0).is_err());
    let wide = Tensor::zeros((1, 3), DType::F32, &Device::Cpu).unwrap();
    assert!(head.loss(&wide, &label(0), 0.0).is_err());
}
