//! What is checked of a model with layers from elsewhere before its first run: that its gradient is the loss's.
//!
//! Some operations of candle-nn cut the gradient without a word, and a model trains on with what is left of it. So the
//! loss is followed along a random direction: its slope, by differences, must be the gradient times the direction.

use candle_core::{DType, Device, Tensor};

use crate::error::{Error, Result};
use crate::nn::cross_entropy::cross_entropy;
use crate::nn::params::{Init, Parameter, gradients};
use crate::nn::squared_error::squared_error;
use crate::rng::Stream;
use crate::settings::short;
use crate::task::model::{Memory, Network, Pass};
use crate::words::quoted;

/// What candle-nn 0.11 has that cannot be trained through, and what to write instead.
const WAYS_OUT: &str = "\
in candle 0.11, `LayerNorm` (with a bias), `RmsNorm::forward`, `softmax_last_dim` and `rope` have no gradient, and the \
gradient of `max_pool2d` is wrong; use `ops::layer_norm_slow`, `RmsNorm::forward_diff`, `ops::softmax`, `rope_slow`, and \
`avg_pool2d` or `max` over reshaped windows instead";

/// A model and what it is tried with.
pub(super) struct Trial<'a> {
    /// The kind of model.
    pub(super) model: &'a str,
    /// Builds it.
    pub(super) build: &'a dyn Fn(&mut Init) -> Result<Box<dyn Network>>,
    /// Inputs in a number type, and labels.
    pub(super) batch: &'a dyn Fn(DType) -> Result<(Tensor, Tensor)>,
    /// How many scores a prediction has.
    pub(super) classes: usize,
    pub(super) seed: u64,
    pub(super) dtype: DType,
    pub(super) device: &'a Device,
}

impl Trial<'_> {
    /// Builds the model and tries it.
    ///
    /// # Errors
    /// When it cannot be trained: what was found, and what to write instead.
    pub(super) fn check(&self) -> Result<()> {
        let named = |error: Error| Error::Usage(format!("model `{}`: {error}", self.model));
        // In double precision, a wrong gradient differs from rounding; a model that insists on its own number type is
        // tried in that.
        let mut subject = match Subject::new(self, DType::F64).and_then(|mut subject| subject.loss().map(|_| subject)) {
            Ok(subject) => subject,
            Err(_) => Subject::new(self, self.dtype).map_err(named)?,
        };
        subject.check().map_err(named)
    }
}

/// A model at a random place near its initial weights, where nothing is exactly 0 and no two numbers are the same: there
/// the loss has a slope in every direction.
struct Subject {
    network: Box<dyn Network>,
    composed: bool,
    meant: bool,
    parameters: Vec<Parameter>,
    weights: Vec<Tensor>,
    /// The size of a parameter's weights: their root mean square.
    sizes: Vec<f64>,
    inputs: Tensor,
    labels: Tensor,
    classes: usize,
    dtype: DType,
    stream: Stream,
}

impl Subject {
    fn new(trial: &Trial, dtype: DType) -> Result<Self> {
        let mut init = Init::new(trial.seed, dtype, trial.device);
        let network = (trial.build)(&mut init)?;
        let (composed, meant) = (init.is_composed(), init.has_surrogate_gradient());
        let mut stream = Stream::new(trial.seed, "check of the gradient");
        let (inputs, labels) = (trial.batch)(dtype)?;
        let inputs = if inputs.dtype().is_float() { (&inputs + like(&inputs, 0.01, &mut stream)?)? } else { inputs };
        let parameters = init.finish();
        let (mut weights, mut sizes) = (Vec::new(), Vec::new());
        for Parameter { var, .. } in &parameters {
            let moved = (var.as_detached_tensor() + like(var, 0.1 * size(var)? + 0.01, &mut stream)?)?;
            var.set(&moved)?;
            sizes.push(size(&moved)?);
            weights.push(moved);
        }
        let classes = trial.classes;
        Ok(Self { network, composed, meant, parameters, weights, sizes, inputs, labels, classes, dtype, stream })
    }

    fn loss(&mut self) -> Result<Tensor> {
        self.network.exchange_memory(Memory::new());
        let logits = self.network.logits(&self.inputs, &mut Pass::train(0, 0))?;
        let expected = [self.labels.elem_count(), self.classes];
        if logits.dims() != expected {
            let found = logits.dims();
            return Err(Error::Usage(format!(
                "its scores are {found:?}, expected {expected:?}: one for each class, for each prediction"
            )));
        }
        // Labels that are numbers have the number type of the weights.
        match self.labels.dtype() {
            DType::U32 => cross_entropy(&logits, &self.labels, 0.0, self.composed),
            _ => squared_error(&logits, &self.labels),
        }
    }

    fn value(&mut self) -> Result<f64> {
        Ok(self.loss()?.to_dtype(DType::F64)?.to_scalar()?)
    }

    /// Half a difference of losses that rounding alone may make.
    fn rounding(&self) -> f64 {
        if self.dtype == DType::F64 { 1e-14 } else { 2e-6 }
    }

    fn check(&mut self) -> Result<()> {
        let (first, again) = (self.value()?, self.value()?);
        if (first - again).abs() > 100.0 * self.rounding() * (1.0 + first.abs()) {
            return Err(Error::Usage(format!(
                "two training passes over the same batch have different losses, {first} and {again}\n  \
                 help: candle-nn's `dropout` cannot be seeded: implement `Network` for the model and use `Pass::dropout`; \
                 what a model carries from batch to batch goes through `Network::exchange_memory`"
            )));
        }
        if !first.is_finite() {
            return Ok(());
        }
        let loss = self.loss()?;
        let gradients = gradients(&loss, &self.parameters).map_err(|error| match error {
            Error::Usage(problem) => Error::Usage(format!("{problem}\n  help: {WAYS_OUT}")),
            other => other,
        })?;
        if self.meant {
            return Ok(());
        }
        let all: Vec<usize> = (0..self.parameters.len()).collect();
        let Some(off) = self.slopes_apart(&all, &gradients)? else { return Ok(()) };
        let mut wrong = Vec::new();
        for i in all {
            if self.slopes_apart(&[i], &gradients)?.is_some() {
                wrong.push(i);
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = wrong.iter().map(|&i| self.parameters[i].name.as_str()).collect();
        let [loss, gradient] = [off.0, off.1].map(short);
        Err(Error::Usage(format!(
            "the gradient of {} is wrong: along a random direction the loss changes at a rate of {loss}, and the gradient \
             predicts {gradient}\n  help: {WAYS_OUT}; if the gradient differs from the loss on purpose, call \
             `Init::surrogate_gradient`",
            quoted(&names)
        )))
    }

    /// The slope of the loss along a random direction in some parameters, and what the gradients make of it, where the
    /// two differ.
    fn slopes_apart(&mut self, among: &[usize], gradients: &[Tensor]) -> Result<Option<(f64, f64)>> {
        let (mut slope, mut typical) = (0.0, 0.0f64);
        let mut direction = Vec::new();
        for &i in among {
            let towards = like(&self.weights[i], self.sizes[i], &mut self.stream)?;
            slope += sum(&(&towards * &gradients[i])?)?;
            typical = typical.hypot(self.sizes[i] * sum(&gradients[i].sqr()?)?.sqrt());
            direction.push(towards);
        }
        // Long steps drown rounding, short ones pass no kink of the loss: one that fits is enough.
        let (steps, tolerance) = if self.dtype == DType::F64 { ([1e-5, 1e-7], 1e-3) } else { ([1e-2, 1e-3], 0.05) };
        let mut apart = None;
        for step in steps {
            let [before, after] =
                [self.value_along(among, &direction, -step)?, self.value_along(among, &direction, step)?];
            let found = (after - before) / (2.0 * step);
            let rounding = self.rounding() * (1.0 + after.abs()) / step;
            if !found.is_finite() || (found - slope).abs() <= tolerance * typical + rounding {
                return Ok(None);
            }
            apart = Some((found, slope));
        }
        Ok(apart)
    }

    /// The loss some steps along a direction.
    fn value_along(&mut self, among: &[usize], direction: &[Tensor], steps: f64) -> Result<f64> {
        for (&i, towards) in among.iter().zip(direction) {
            self.parameters[i].var.set(&(&self.weights[i] + (towards * steps)?)?)?;
        }
        let value = self.value()?;
        for &i in among {
            self.parameters[i].var.set(&self.weights[i])?;
        }
        Ok(value)
    }
}

/// Normal numbers with a deviation, as many as those of a tensor.
fn like(tensor: &Tensor, deviation: f64, stream: &mut Stream) -> Result<Tensor> {
    let numbers: Vec<f64> = (0..tensor.elem_count()).map(|_| deviation * stream.normal()).collect();
    Ok(Tensor::from_vec(numbers, tensor.shape(), &Device::Cpu)?.to_dtype(tensor.dtype())?.to_device(tensor.device())?)
}

fn sum(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.to_dtype(DType::F64)?.sum_all()?.to_scalar()?)
}

fn size(tensor: &Tensor) -> Result<f64> {
    Ok((sum(&tensor.detach().sqr()?)? / tensor.elem_count().max(1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use candle_core::{D, IndexOp, Module, ModuleT};
    use candle_nn::{RNN, VarBuilder, ops};

    use super::*;
    use crate::task::model::FromCandle;

    type Built = candle_core::Result<Layers>;
    type Forward = dyn Fn(&Tensor, bool) -> candle_core::Result<Tensor>;

    struct Layers(Box<Forward>);

    impl ModuleT for Layers {
        fn forward_t(&self, x: &Tensor, train: bool) -> candle_core::Result<Tensor> {
            (self.0)(x, train)
        }
    }

    /// What a check says of a model: of images of 2 x 6 x 6, half of them one grey, or else of 5 tokens, in 4 classes.
    fn check(images: bool, build: impl Fn(VarBuilder) -> Built) -> Result<(), String> {
        check_in(DType::F32, images, &|init| Ok(Box::new(FromCandle(build(init.var_builder())?))))
    }

    fn check_in(
        dtype: DType,
        images: bool,
        build: &dyn Fn(&mut Init) -> Result<Box<dyn Network>>,
    ) -> Result<(), String> {
        let device = &Device::Cpu;
        let batch = |dtype| {
            let labels = |n: u32| Tensor::from_vec((0..n).map(|i| i % 4).collect(), n as usize, device);
            if images {
                let grey = |i| if i < 3 * 72 { 0.5 } else { f64::from(i).sin() };
                let pixels = Tensor::from_vec((0..6 * 72).map(grey).collect(), (6, 2, 6, 6), device)?;
                return Ok((pixels.to_dtype(dtype)?, labels(6)?));
            }
            Ok((Tensor::from_vec((0..15u32).map(|i| i % 4).collect(), (3, 5), device)?, labels(15)?))
        };
        let trial = Trial { model: "theirs", build, batch: &batch, classes: 4, seed: 0, dtype, device };
        trial.check().map_err(|error| error.to_string())
    }

    #[expect(clippy::unnecessary_wraps, reason = "it ends what builds a model")]
    fn module(forward: impl Fn(&Tensor, bool) -> candle_core::Result<Tensor> + 'static) -> Built {
        Ok(Layers(Box::new(forward)))
    }

    #[test]
    fn sound_models_pass() {
        let convolutions = check(true, |vb| {
            let config = candle_nn::Conv2dConfig { padding: 1, ..Default::default() };
            let conv = candle_nn::conv2d(2, 3, 3, config, vb.pp("conv"))?;
            let norm = candle_nn::batch_norm(3, 1e-5, vb.pp("norm"))?;
            let head = candle_nn::linear(27, 4, vb.pp("head"))?;
            module(move |x, train| {
                let maps = norm.forward_t(&conv.forward(x)?, train)?.relu()?;
                let cells = maps.reshape((6, 3, 3, 2, 3, 2))?.permute((0, 1, 2, 4, 3, 5))?.reshape((6, 27, 4))?;
                head.forward(&cells.max(2)?)
            })
        });
        assert_eq!(convolutions, Ok(()));
        let recurrent = check(false, |vb| {
            let embedding = candle_nn::embedding(4, 3, vb.pp("embedding"))?;
            let lstm = candle_nn::lstm(3, 6, candle_nn::LSTMConfig::default(), vb.pp("lstm"))?;
            let norm = candle_nn::rms_norm(6, 1e-5, vb.pp("norm"))?;
            let head = candle_nn::linear_no_bias(6, 4, vb.pp("head"))?;
            module(move |x, _| {
                let states = lstm.seq(&embedding.forward(x)?)?;
                head.forward(&norm.forward_diff(&lstm.states_to_tensor(&states)?)?)
            })
        });
        assert_eq!(recurrent, Ok(()));
    }

    /// Not a word of `ReLU`'s kinks, wherever they lie, nor of a model that is made for single precision.
    #[test]
    fn many_kinks_are_no_reason() {
        for seed in 0..20 {
            for single in [false, true] {
                let built = check(true, |vb| {
                    let fc = |i: usize, o, name| candle_nn::linear(i, o, vb.pp(format!("{name}{seed}")));
                    let layers = [fc(72, 50, "a")?, fc(50, 50, "b")?, fc(50, 50, "c")?];
                    let head = fc(50, 4, "head")?;
                    let one = Tensor::new(1f32, vb.device())?;
                    module(move |x, _| {
                        let mut h = x.flatten_from(1)?;
                        for layer in &layers {
                            h = layer.forward(&h)?.relu()?;
                        }
                        if single { head.forward(&h)?.broadcast_mul(&one) } else { head.forward(&h) }
                    })
                });
                assert_eq!(built, Ok(()), "seed {seed}, single precision {single}");
            }
        }
    }

    #[test]
    fn layers_that_cut_the_gradient_are_named() {
        let layer_norm = check(true, |vb| {
            let fc = candle_nn::linear(72, 8, vb.pp("fc"))?;
            let norm = candle_nn::layer_norm(8, 1e-5, vb.pp("norm"))?;
            let head = candle_nn::linear(8, 4, vb.pp("head"))?;
            module(move |x, _| head.forward(&norm.forward(&fc.forward(&x.flatten_from(1)?)?)?))
        });
        let message = layer_norm.unwrap_err();
        assert!(
            message.contains("model `theirs`: `fc.weight`, `fc.bias`, `norm.weight`, `norm.bias` received no gradient"),
            "{message}"
        );
        assert!(message.contains("help: ") && message.contains("`ops::layer_norm_slow`"), "{message}");
        let rms_norm = check(true, |vb| {
            let fc = candle_nn::linear(72, 8, vb.pp("fc"))?;
            let norm = candle_nn::rms_norm(8, 1e-5, vb.pp("norm"))?;
            let head = candle_nn::linear(8, 4, vb.pp("head"))?;
            module(move |x, _| {
                let h = fc.forward(&x.flatten_from(1)?)?;
                head.forward(&(&h + norm.forward(&h)?)?)
            })
        });
        assert!(rms_norm.unwrap_err().contains("`norm.weight` received no gradient"));
    }

    /// Attention whose scores come from the same weights as what is attended to: every parameter has a gradient.
    fn attention(softmax: fn(&Tensor) -> candle_core::Result<Tensor>) -> Result<(), String> {
        check(false, |vb| {
            let embedding = candle_nn::embedding(4, 8, vb.pp("embedding"))?;
            let mix = candle_nn::linear(8, 8, vb.pp("mix"))?;
            let head = candle_nn::linear(8, 4, vb.pp("head"))?;
            module(move |x, _| {
                let h = mix.forward(&embedding.forward(x)?)?;
                let weights = softmax(&h.matmul(&h.t()?)?)?;
                head.forward(&weights.matmul(&h)?)
            })
        })
    }

    #[test]
    fn a_gradient_that_is_cut_in_part_is_found() {
        assert_eq!(attention(|scores| ops::softmax(scores, D::Minus1)), Ok(()));
        let message = attention(ops::softmax_last_dim).unwrap_err();
        for part in ["the gradient of `embedding.weight`, `mix.weight`", "is wrong", "`ops::softmax`"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains("`head."), "{message}");
    }

    #[test]
    fn a_gradient_that_is_wrong_is_found_unless_it_is_meant() {
        let pooled = |meant| {
            check_in(DType::F32, true, &|init| {
                if meant {
                    init.surrogate_gradient();
                }
                let vb = init.var_builder();
                let conv = candle_nn::conv2d(2, 3, 3, candle_nn::Conv2dConfig::default(), vb.pp("conv"))?;
                let head = candle_nn::linear(12, 4, vb.pp("head"))?;
                let net = module(move |x, _| head.forward(&conv.forward(x)?.max_pool2d(2)?.flatten_from(1)?))?;
                Ok(Box::new(FromCandle(net)))
            })
        };
        let message = pooled(false).unwrap_err();
        assert!(message.contains("the gradient of `conv.weight`, `conv.bias` is wrong"), "{message}");
        assert!(message.contains("`max_pool2d`") && message.contains("`Init::surrogate_gradient`"), "{message}");
        assert_eq!(pooled(true), Ok(()));
    }

    struct Seeded(candle_nn::Linear);
    impl Network for Seeded {
        fn logits(&mut self, inputs: &Tensor, pass: &mut Pass) -> Result<Tensor> {
            Ok(self.0.forward(&pass.dropout(&inputs.flatten_from(1)?, 0.1)?)?)
        }
    }
    #[test]
    fn dropout_that_cannot_be_seeded_is_found_and_ours_is_not() {
        let message = check(true, |vb| {
            let fc = candle_nn::linear(72, 4, vb.pp("fc"))?;
            let dropout = candle_nn::Dropout::new(0.1);
            module(move |x, train| fc.forward(&dropout.forward(&x.flatten_from(1)?, train)?))
        });
        let message = message.unwrap_err();
        assert!(message.contains("two training passes over the same batch have different losses"), "{message}");
        assert!(message.contains("`Pass::dropout`"), "{message}");

        let ours =
            check_in(DType::F32, true, &|init| Ok(Box::new(Seeded(candle_nn::linear(72, 4, init.var_builder())?))));
        assert_eq!(ours, Ok(()));
    }

    #[test]
    fn scores_of_another_shape_are_told() {
        let message = check(true, |vb| {
            let fc = candle_nn::linear(72, 5, vb.pp("fc"))?;
            module(move |x, _| fc.forward(&x.flatten_from(1)?.i(..4)?))
        });
        assert!(message.unwrap_err().contains("its scores are [4, 5], expected [6, 4]"));
    }
}
