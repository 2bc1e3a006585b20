//! candle-nn's way of making parameters, over our seeded ones.

use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Shape, Tensor, bail};
use candle_nn::init::{Init as Hint, NormalOrUniform};
use candle_nn::var_builder::SimpleBackend;

use crate::nn::params::Init;
use crate::nn::role::Role;
use crate::rng::Stream;

/// What batch normalisation calls its running statistics, in candle-nn as in `PyTorch`.
const STATISTICS: [&str; 2] = ["running_mean", "running_var"];

/// Whether a tensor is a running statistic by its name.
pub(crate) fn is_statistic(name: &str) -> bool {
    name.rsplit('.').next().is_some_and(|last| STATISTICS.contains(&last))
}

impl Init {
    /// A `VarBuilder` for models and layers that were written for candle-nn.
    ///
    /// A tensor is drawn as the layer's hint says, from a stream of its own, keyed by the seed and the tensor's name: one
    /// seed gives the same weights on every machine, and another layer changes none of the others. A name that was asked
    /// for before gives the same parameter, shared. What is called `running_mean` or `running_var` becomes a running
    /// statistic, which no optimizer updates. As with candle's `VarMap`, a tensor that is asked for without a hint is 0.
    ///
    /// Roles follow from names, shapes and hints: see [`Role::guessed`]; a table drawn as candle-nn's embedding is one, and
    /// the last matrix with a row for each class is the head. [`Init::set_role`] says otherwise.
    ///
    /// A model that is built with it is checked before its first run: see [`crate::task`].
    pub fn var_builder(&mut self) -> candle_nn::VarBuilder<'_> {
        self.mark_foreign();
        let (dtype, device) = (self.dtype(), self.device().clone());
        candle_nn::VarBuilder::from_backend(Box::new(Seeded(Mutex::new(self))), dtype, device)
    }
}

/// The store behind a `VarBuilder`.
struct Seeded<'a>(Mutex<&'a mut Init>);

impl SimpleBackend for Seeded<'_> {
    fn get(&self, shape: Shape, name: &str, hint: Hint, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let mut init = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if dtype != init.dtype() || !device.same_device(init.device()) {
            bail!(
                "`{name}` is asked for as {dtype:?} on {:?}, but the task trains in {:?} on {:?}",
                device.location(),
                init.dtype(),
                init.device().location()
            );
        }
        if let Some(known) = init.find(name) {
            if *known.shape() != shape {
                bail!("`{name}` is asked for twice, first as {:?}, then as {:?}", known.dims(), shape.dims());
            }
            return Ok(known.as_tensor().clone());
        }
        let draw = drawn(hint, &shape);
        if is_statistic(name) {
            return Ok(init.buffer(name.to_owned(), shape, draw)?.as_tensor().clone());
        }
        let role = match (hint, shape.rank()) {
            (Hint::Randn { mean: 0.0, stdev: 1.0 }, 2) => Role::Embedding,
            _ => Role::guessed(name, shape.dims(), |other| Some(init.find(other)?.dims())),
        };
        Ok(init.draw(name.to_owned(), role, shape, draw)?.var.as_tensor().clone())
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        let init = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match init.find(name) {
            Some(known) => Ok(known.as_tensor().clone()),
            None => bail!("`{name}` is asked for without a shape, which a parameter needs to be drawn; use `get`"),
        }
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).find(name).is_some()
    }
}

/// How one number of a tensor is drawn, as candle-nn's hint says.
fn drawn(hint: Hint, shape: &Shape) -> Box<dyn Fn(&mut Stream) -> f64> {
    match hint {
        Hint::Const(value) => Box::new(move |_| value),
        Hint::Uniform { lo, up } => Box::new(move |stream| stream.between(lo, up)),
        Hint::Randn { mean, stdev } => Box::new(move |stream| mean + stdev * stream.normal()),
        Hint::Kaiming { dist, fan, non_linearity } => {
            let deviation = non_linearity.gain() / (fan.for_shape(shape) as f64).sqrt();
            let bound = 3f64.sqrt() * deviation;
            match dist {
                NormalOrUniform::Normal => Box::new(move |stream| deviation * stream.normal()),
                NormalOrUniform::Uniform => Box::new(move |stream| stream.between(-bound, bound)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;
    use candle_nn::{Module, ModuleT};

    use super::*;
    use crate::nn::params::Parameter;

    fn store(seed: u64) -> Init {
        Init::new(seed, DType::F64, &Device::Cpu)
    }

    fn numbers(var: &Var) -> Vec<f64> {
        var.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn weights_depend_on_seed_and_name_and_on_no_other_layer() {
        let weights = |seed, names: &[&str]| {
            let mut init = store(seed);
            let vb = init.var_builder();
            for name in names {
                candle_nn::linear(30, 20, vb.pp(name)).unwrap();
            }
            drop(vb);
            let parameters = init.finish();
            let last = parameters.iter().find(|parameter| parameter.name == "fc.weight").unwrap();
            numbers(&last.var)
        };
        let found = weights(0, &["fc"]);
        assert_eq!(found, weights(0, &["other", "fc"]));
        assert_ne!(found, weights(1, &["fc"]));
        // The first numbers that a hint ever drew: results of all versions rest on them.
        for (found, first) in found.iter().zip([0.277_015_211_940_148_1, 0.106_897_314_633_041_46]) {
            assert!((found - first).abs() < 1e-12, "{found}");
        }
    }

    #[test]
    fn roles_are_those_of_candle_nns_layers() {
        let mut init = store(0);
        let vb = init.var_builder();
        candle_nn::embedding(5, 4, vb.pp("table")).unwrap();
        candle_nn::lstm(4, 3, candle_nn::LSTMConfig::default(), vb.pp("lstm")).unwrap();
        candle_nn::linear(4, 6, vb.pp("linear")).unwrap();
        candle_nn::conv2d(1, 2, 3, candle_nn::Conv2dConfig::default(), vb.pp("patch_embedding")).unwrap();
        candle_nn::batch_norm(2, 1e-5, vb.pp("norm")).unwrap();
        candle_nn::layer_norm(2, 1e-5, vb.pp("norm2")).unwrap();
        candle_nn::linear(4, 6, vb.pp("last")).unwrap();
        vb.get((7, 4), "pos_emb").unwrap();
        drop(vb);
        init.set_role("pos_emb", Role::Hidden).unwrap();
        assert!(init.set_role("pos", Role::Hidden).unwrap_err().to_string().contains("there is no parameter `pos`"));
        init.guess_head(6);
        for parameter in init.finish() {
            let expected = match parameter.name.split_once('.').unwrap_or_default() {
                ("table", _) => Role::Embedding,
                ("norm" | "norm2", _) => Role::Norm,
                ("last", "weight") => Role::Head,
                (_, tensor) if tensor.starts_with("bias") => Role::Bias,
                _ => Role::Hidden,
            };
            assert_eq!(parameter.role, expected, "{}", parameter.name);
        }
        let none = |_: &str| None;
        for (name, sides, role) in [
            ("lm_head.weight", &[6, 4][..], Role::Head),
            ("transformer.wte.weight", &[6, 4], Role::Embedding),
            ("fc.bias", &[4], Role::Bias),
            ("0", &[4, 4], Role::Hidden),
            ("1", &[4], Role::Bias),
        ] {
            assert_eq!(Role::guessed(name, sides, none), role, "{name}");
        }
    }

    #[test]
    fn hints_are_followed() {
        let mut init = store(0);
        let vb = init.var_builder();
        let get = |name: &str, hint| vb.get_with_hints((200, 100), name, hint).unwrap();
        let moments = |x: Tensor| {
            let x: Vec<f64> = x.flatten_all().unwrap().to_vec1().unwrap();
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
            (mean, variance.sqrt(), x.iter().fold(0f64, |most, x| most.max(x.abs())))
        };
        let near = |x: f64, y: f64| (x - y).abs() < 0.02 * (1.0 + y.abs());
        let (mean, deviation, _) = moments(get("normal", Hint::Randn { mean: 3.0, stdev: 0.5 }));
        assert!(near(mean, 3.0) && near(deviation, 0.5));
        let (mean, _, most) = moments(get("uniform", Hint::Uniform { lo: 1.0, up: 2.0 }));
        assert!(near(mean, 1.5) && most < 2.0);
        // sqrt(2 / inputs), whatever the distribution.
        let (_, deviation, _) = moments(get("kaiming", candle_nn::init::DEFAULT_KAIMING_NORMAL));
        assert!((deviation / (2f64 / 100.0).sqrt() - 1.0).abs() < 0.02, "{deviation}");
        let (_, deviation, most) = moments(get("bounded", candle_nn::init::DEFAULT_KAIMING_UNIFORM));
        assert!((deviation / (2f64 / 100.0).sqrt() - 1.0).abs() < 0.02 && most < (6f64 / 100.0).sqrt());
        assert_eq!(moments(get("constant", Hint::Const(-2.0))), (-2.0, 0.0, 2.0));
    }

    #[test]
    fn a_name_is_one_parameter_and_statistics_are_none() {
        let mut init = store(0);
        let vb = init.var_builder();
        let embedding = candle_nn::embedding(5, 3, vb.pp("tied")).unwrap();
        let head = candle_nn::linear_no_bias(3, 5, vb.pp("tied")).unwrap();
        let norm = candle_nn::batch_norm(3, 1e-5, vb.pp("norm")).unwrap();
        assert!(vb.contains_tensor("tied.weight") && !vb.contains_tensor("weight"));
        assert!(vb.get((3, 5), "tied.weight").unwrap_err().to_string().contains("asked for twice"));
        let other = vb.get_with_hints_dtype(3, "x", Hint::Const(0.0), DType::F32).unwrap_err().to_string();
        assert!(other.contains("`x` is asked for as F32") && other.contains("trains in F64"), "{other}");
        drop(vb);
        let statistics = init.statistics();
        let parameters = init.finish();
        let names: Vec<&str> = parameters.iter().map(|Parameter { name, .. }| name.as_str()).collect();
        assert_eq!(names, ["tied.weight", "norm.weight", "norm.bias"]);
        // An update of the one parameter reaches both layers.
        let ids = [embedding.embeddings().id(), head.weight().id()];
        assert_eq!(ids, [parameters[0].var.id(); 2]);
        let x = Tensor::new(&[[1f64, 2.0, 3.0], [3.0, 2.0, 1.0]], &Device::Cpu).unwrap();
        let before = statistics.save().unwrap();
        norm.forward_t(&x, true).unwrap();
        let after = statistics.save().unwrap();
        assert_ne!(before[0].to_vec1::<f64>().unwrap(), after[0].to_vec1::<f64>().unwrap());
        assert_eq!(head.forward(&x).unwrap().dims(), [2, 5]);
    }

    /// Whatever its momentum, a layer's statistics become the mean over the batches, and come back.
    #[test]
    fn statistics_are_estimated_as_means_over_batches() {
        let batch = |t: u64| {
            let numbers: Vec<f64> = (0..24).map(|i| 5.0 + (1.3 * f64::from(i) + t as f64).sin()).collect();
            Tensor::from_vec(numbers, (8, 3), &Device::Cpu).unwrap()
        };
        for momentum in [0.1, 0.03, 1.0, 0.0] {
            let mut init = store(0);
            let config = candle_nn::BatchNormConfig { momentum, ..Default::default() };
            let norm = candle_nn::batch_norm(3, config, init.var_builder()).unwrap();
            let statistics = init.statistics();
            norm.forward_t(&batch(9), true).unwrap();
            let trained = statistics.save().unwrap();
            statistics.estimate(4, |t| Ok(norm.forward_t(&batch(t), true).map(|_| ())?)).unwrap();
            let (means, anew) = (norm.running_mean().to_vec1::<f64>().unwrap(), statistics.save().unwrap());
            let expected = (0..4).map(|t| batch(t).mean(0).unwrap().to_vec1::<f64>().unwrap());
            let expected = expected.fold(vec![0.0; 3], |sum, x| sum.iter().zip(x).map(|(s, x)| s + x / 4.0).collect());
            let expected = if momentum == 0.0 { trained[0].to_vec1::<f64>().unwrap() } else { expected };
            for (found, expected) in means.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-9, "momentum {momentum}: {found} {expected}");
            }
            statistics.restore(&trained).unwrap();
            assert_eq!(norm.running_mean().to_vec1::<f64>().unwrap(), trained[0].to_vec1::<f64>().unwrap());
            assert!(statistics.restore(&anew[..1]).is_err());
        }
        let mut init = store(0);
        let mut counter = init.var_builder().get_with_hints(2, "count.running_mean", Hint::Const(1.0)).unwrap();
        let statistics = init.statistics();
        let sum = statistics.estimate(3, |_| {
            counter = (&counter + 1.0)?;
            Ok(statistics.buffers[0].var.set(&(&statistics.buffers[0].var.as_detached_tensor() + 1.0)?)?)
        });
        assert!(sum.unwrap_err().to_string().contains("`count.running_mean` does not follow"));
    }
}
