//! Your own candle training loop, with an optimizer from optbench.
//!
//! ```text
//! cargo run --release --example candle_training
//! ```
//!
//! Schedule-Free AdamW trains a small network on the digits: no schedule, and no length of the training that would have
//! to be known before. Half-way, the training is saved and goes on in new variables, as after a restart.

#![allow(clippy::print_stdout, reason = "an example prints")]

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Linear, Module, Optimizer, VarBuilder, VarMap, linear, loss};
use optbench::candle::{Config, Optim};
use optbench::catalog::Catalog;
use optbench::registry::Described;
use optbench::task::Split;
use optbench::task::data::{Examples, Library};

const STEPS: usize = 300;
const BATCH: usize = 64;

struct Mlp(Linear, Linear);

impl Mlp {
    #[allow(clippy::needless_pass_by_value, reason = "as all of candle's layers take it")]
    fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Self(linear(64, 64, vb.pp("hidden"))?, linear(64, 10, vb.pp("head"))?))
    }
}

impl Module for Mlp {
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        self.1.forward(&self.0.forward(&images.flatten_from(1)?)?.relu()?)
    }
}

/// A network with its optimizer.
fn start() -> Result<(VarMap, Mlp, Optim)> {
    let vars = VarMap::new();
    let model = Mlp::new(VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?;
    // The keys, defaults and bounds of a config: a wrong one is refused with the nearest.
    let config = Config::parse("schedule_free_adamw", "lr = 1e-2, beta = 0.9, warmup = 20")?;
    let optimizer = Optim::of_var_map(&vars, config)?;
    Ok((vars, model, optimizer))
}

fn train(model: &Mlp, optimizer: &mut Optim, digits: &dyn Examples, steps: std::ops::Range<usize>) -> Result<()> {
    let training = digits.split(Split::Train);
    for step in steps {
        let batch: Vec<usize> = (0..BATCH).map(|i| training.start + (step * BATCH + i) % training.len()).collect();
        let (images, labels) = digits.batch(&batch, DType::F32, &Device::Cpu)?;
        let loss = loss::cross_entropy(&model.forward(&images)?, &labels)?;
        optimizer.backward_step(&loss)?;
        if (step + 1) % 50 == 0 {
            let here = judge(model, digits)?.0;
            // Schedule-Free takes gradients at one place and delivers another: the guard puts it there, and back.
            let _evaluation = optimizer.evaluation()?;
            let (delivered, accuracy) = judge(model, digits)?;
            println!("{:4}   {:.4}   {here:.4}   {delivered:.4}   {accuracy:.4}", step + 1, loss.to_scalar::<f32>()?);
        }
    }
    Ok(())
}

/// Loss and accuracy on the validation images.
fn judge(model: &Mlp, digits: &dyn Examples) -> Result<(f32, f32)> {
    let validation: Vec<usize> = digits.split(Split::Validation).collect();
    let (images, labels) = digits.batch(&validation, DType::F32, &Device::Cpu)?;
    let scores = model.forward(&images)?;
    let right = scores.argmax(1)?.eq(&labels)?.to_dtype(DType::F32)?.mean_all()?;
    Ok((loss::cross_entropy(&scores, &labels)?.to_scalar()?, right.to_scalar()?))
}

fn main() -> Result<()> {
    let catalog = Catalog::built_in();
    let settings = catalog.datasets.find("digits").expect("built in").defaults();
    let digits =
        Library::default().load(&settings)?.examples(&catalog.models.find("mlp").expect("built in").defaults())?;
    let folder = std::env::temp_dir().join(format!("candle_training_{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (weights, state) = (folder.join("weights.safetensors"), folder.join("optimizer.safetensors"));

    let (vars, model, mut optimizer) = start()?;
    println!("step   loss     validation loss of the trained weights, of the delivered ones, and their accuracy");
    train(&model, &mut optimizer, &*digits, 0..STEPS / 2)?;
    vars.save(&weights)?;
    optimizer.save(&state)?;

    // As in a new process: what is remembered comes from the two files alone.
    let (mut vars, model, mut optimizer) = start()?;
    vars.load(&weights)?;
    optimizer.load(&state)?;
    println!("continues after {} steps with a learning rate of {}", optimizer.steps(), optimizer.learning_rate());
    train(&model, &mut optimizer, &*digits, STEPS / 2..STEPS)?;

    let _delivered = optimizer.evaluation()?;
    vars.save(&weights)?;
    println!("delivered {} bytes of weights", std::fs::metadata(&weights)?.len());
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
