//! The running statistics of a whole model: those of our layers, and those that layers from candle-nn keep.

use candle_core::{DType, Device, Tensor, Var};

use crate::error::{Error, Result};
use crate::nn::running::Running;

/// A running statistic that a layer from candle-nn keeps in a variable of its own: no optimizer and no average sees it.
#[derive(Debug, Clone)]
pub struct Buffer {
    /// The name within the model, such as `bn1.running_mean`.
    pub name: String,
    /// The numbers; the layer writes to them in every training pass.
    pub var: Var,
}

/// What a model gathers of its batches, for evaluations; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    pub(super) layers: Vec<Running>,
    pub(super) buffers: Vec<Buffer>,
}

impl Statistics {
    /// Whether the model has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many tensors [`Statistics::save`] gives.
    pub fn len(&self) -> usize {
        self.layers.len() + self.buffers.len()
    }

    /// Copies of all statistics.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn save(&self) -> Result<Vec<Tensor>> {
        let layers = self.layers.iter().map(|layer| Tensor::new(layer.numbers(), &Device::Cpu));
        let buffers = self.buffers.iter().map(|buffer| buffer.var.as_detached_tensor().copy());
        Ok(layers.chain(buffers).collect::<candle_core::Result<_>>()?)
    }

    /// Takes back what [`Statistics::save`] gave.
    ///
    /// # Errors
    /// When it is not of this model.
    pub fn restore(&self, saved: &[Tensor]) -> Result<()> {
        let misfit = || Error::Usage("the saved running statistics do not belong to this model".into());
        let (layers, buffers) = saved.split_at_checked(self.layers.len()).ok_or_else(misfit)?;
        if buffers.len() != self.buffers.len() {
            return Err(misfit());
        }
        for (layer, saved) in self.layers.iter().zip(layers) {
            if !layer.set_numbers(&saved.to_vec1()?) {
                return Err(misfit());
            }
        }
        for (buffer, saved) in self.buffers.iter().zip(buffers) {
            if saved.shape() != buffer.var.shape() || saved.dtype() != buffer.var.dtype() {
                return Err(misfit());
            }
            buffer.var.set(&saved.to_device(buffer.var.device())?)?;
        }
        Ok(())
    }

    /// Estimates the statistics anew, as the mean over batches that all weigh the same; `pass` sends batch `t` through
    /// the model as in training.
    ///
    /// # Errors
    /// When a pass fails, or a buffer does not follow the batches as candle-nn's batch normalisation does.
    pub fn estimate(&self, batches: u64, mut pass: impl FnMut(u64) -> Result<()>) -> Result<()> {
        let mut means = self.buffers.iter().map(Mean::start).collect::<Result<Vec<_>>>()?;
        if !means.is_empty() {
            for mean in &means {
                mean.clear()?;
            }
            pass(0)?;
            let once = means.iter().map(Mean::read).collect::<Result<Vec<_>>>()?;
            pass(0)?;
            for (mean, once) in means.iter_mut().zip(&once) {
                mean.learn_share(once)?;
            }
        }
        for layer in &self.layers {
            layer.restart();
        }
        for t in 0..batches {
            for mean in &means {
                mean.clear()?;
            }
            pass(t)?;
            for mean in &mut means {
                mean.add()?;
            }
        }
        means.iter().try_for_each(|mean| mean.finish(batches))
    }
}

/// The mean of what a buffer is told of each batch.
///
/// A pass makes of a buffer `b` with statistic `s` of the batch `(1 - share) b + share s`. What a pass makes of a buffer
/// of zeros is `share s`; of that, another pass of the same batch makes `(2 - share) share s`: so the share is known, too.
struct Mean<'a> {
    buffer: &'a Buffer,
    /// What the buffer held before.
    trained: Tensor,
    sum: Vec<f64>,
    /// The share of a new batch in the statistics; `None` where passes leave the buffer alone.
    share: Option<f64>,
}

impl<'a> Mean<'a> {
    fn start(buffer: &'a Buffer) -> Result<Self> {
        let trained = buffer.var.as_detached_tensor().copy()?;
        Ok(Self { buffer, trained, sum: vec![0.0; buffer.var.elem_count()], share: None })
    }

    fn clear(&self) -> Result<()> {
        Ok(self.buffer.var.set(&self.buffer.var.zeros_like()?)?)
    }

    fn read(&self) -> Result<Vec<f64>> {
        Ok(self.buffer.var.as_detached_tensor().flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
    }

    /// Learns the share from what one pass made of zeros, and what another pass made of that.
    fn learn_share(&mut self, once: &[f64]) -> Result<()> {
        let size: f64 = once.iter().map(|x| x.abs()).sum();
        let twice: f64 = self.read()?.iter().zip(once).map(|(twice, once)| twice * once.signum()).sum();
        let share = 2.0 - twice / size;
        // It is not a number where passes leave the buffer alone, and where a training diverged.
        if !share.is_nan() && !(1e-6..=1.001).contains(&share) {
            return Err(Error::Usage(format!(
                "`{}` does not follow the batches as the running statistics of candle-nn's batch normalisation do: \
                 (1 - momentum) times itself, plus momentum times the statistic of the batch",
                self.buffer.name
            )));
        }
        self.share = (size != 0.0).then_some(share);
        Ok(())
    }

    fn add(&mut self) -> Result<()> {
        let told = self.read()?;
        for (sum, x) in self.sum.iter_mut().zip(told) {
            *sum += x;
        }
        Ok(())
    }

    fn finish(&self, batches: u64) -> Result<()> {
        let var = &self.buffer.var;
        let Some(share) = self.share else { return Ok(var.set(&self.trained)?) };
        let mean: Vec<f64> = self.sum.iter().map(|sum| sum / (share * batches as f64)).collect();
        let mean = Tensor::from_vec(mean, var.shape(), &Device::Cpu)?.to_dtype(var.dtype())?;
        Ok(var.set(&mean.to_device(var.device())?)?)
    }
}
