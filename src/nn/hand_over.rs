//! Gradients that fused layers hand over beside candle's graph.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{Device, Shape, Tensor};

use crate::nn::float::{Float, write};

/// A gradient on its way from a layer's backward pass to the optimizer.
///
/// Its memory belongs to the parameter and is written to anew by every pass: fresh memory of this
/// size costs the kernel a cleared page for every page.
#[derive(Debug, Clone, Default)]
pub struct HandOver(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    waiting: Option<Tensor>,
    memory: Option<Tensor>,
}

impl HandOver {
    /// Leaves a gradient; where the weights are used twice, the gradients add up.
    ///
    /// # Errors
    /// When the shapes of two gradients differ.
    pub fn put(&self, gradient: Tensor) -> candle_core::Result<()> {
        self.slot().add(gradient)
    }

    /// Leaves the gradient that `fill` writes over whatever is in the slice, on the CPU.
    ///
    /// # Errors
    /// When the shapes of two gradients differ.
    pub fn write<T: Float>(&self, shape: impl Into<Shape>, fill: impl FnOnce(&mut [T])) -> candle_core::Result<()> {
        let (shape, mut slot) = (shape.into(), self.slot());
        let reusable = |memory: &Tensor| *memory.shape() == shape && memory.dtype() == T::DTYPE;
        let gradient = match slot.memory.take().filter(reusable) {
            Some(memory) if slot.waiting.is_none() => {
                write(&memory, fill)?;
                memory
            }
            _ => {
                let mut values = vec![T::of(0.0); shape.elem_count()];
                fill(&mut values);
                Tensor::from_vec(values, shape, &Device::Cpu)?
            }
        };
        slot.memory = Some(gradient.clone());
        slot.add(gradient)
    }

    /// Leaves the memory of the gradient that was taken to whoever took it.
    pub(super) fn let_go(&self) {
        self.slot().memory = None;
    }

    pub(super) fn take(&self) -> Option<Tensor> {
        self.slot().waiting.take()
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn add(&mut self, gradient: Tensor) -> candle_core::Result<()> {
        self.waiting = Some(match self.waiting.take() {
            Some(earlier) => (earlier + gradient)?,
            None => gradient,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;

    #[test]
    fn shared_weights_add_their_gradients() {
        let hand_over = HandOver::default();
        let ones = Tensor::ones(3, DType::F64, &Device::Cpu).unwrap();
        hand_over.put(ones.clone()).unwrap();
        hand_over.put(ones).unwrap();
        assert_eq!(hand_over.take().unwrap().to_vec1::<f64>().unwrap(), [2.0; 3]);
        assert!(hand_over.take().is_none());
    }

    #[test]
    fn a_written_gradient_reuses_its_memory_unless_one_waits() {
        let hand_over = HandOver::default();
        let mut addresses = Vec::new();
        let mut fill = |value: f32| {
            hand_over.write(3, |slice: &mut [f32]| {
                addresses.push(slice.as_ptr() as usize);
                slice.fill(value);
            })
        };
        fill(1.0).unwrap();
        assert_eq!(hand_over.take().unwrap().to_vec1::<f32>().unwrap(), [1.0; 3]);
        fill(2.0).unwrap();
        fill(3.0).unwrap();
        assert_eq!(hand_over.take().unwrap().to_vec1::<f32>().unwrap(), [5.0; 3]);
        assert!(addresses[1] != addresses[2]);
        hand_over.write(2, |slice: &mut [f64]| slice.fill(4.0)).unwrap();
        assert_eq!(hand_over.take().unwrap().to_vec1::<f64>().unwrap(), [4.0; 2]);
    }
}
