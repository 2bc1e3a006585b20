//! A table of vectors, one for each token.

use candle_core::{Device, Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, read};
use crate::nn::fused::{Inputs, Operation, apply2};
use crate::nn::hand_over::HandOver;
use crate::nn::params::{Init, Parameter};
use crate::nn::role::Role;

/// The table `[vocabulary, width]`.
#[derive(Debug)]
pub struct Embedding {
    table: Parameter,
    composed: bool,
}

impl Embedding {
    /// A table initialised as `PyTorch` does: standard normal.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(init: &mut Init, name: &str, vocabulary: usize, width: usize) -> Result<Self> {
        Self::normal(init, name, vocabulary, width, 1.0)
    }

    /// A table of normally distributed numbers with this standard deviation.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn normal(init: &mut Init, name: &str, vocabulary: usize, width: usize, deviation: f64) -> Result<Self> {
        let table = init.normal(format!("{name}.weight"), Role::Embedding, (vocabulary, width), deviation)?;
        Ok(Self { table, composed: init.is_composed() })
    }

    /// The table itself.
    pub fn table(&self) -> &Parameter {
        &self.table
    }

    /// The vectors `[.., width]` of tokens (u32) `[..]`.
    ///
    /// # Errors
    /// When a token is not in the table.
    pub fn forward(&self, tokens: &Tensor) -> Result<Tensor> {
        let table = self.table.var.as_tensor();
        if self.composed {
            let shape = [tokens.dims(), &[table.dim(1)?]].concat();
            return Ok(table.index_select(&tokens.flatten_all()?, 0)?.reshape(shape)?);
        }
        apply2(Fused { gradient: self.table.handed_over.clone() }, [table, tokens])
    }
}

/// Checks that every token has a row in a table.
pub(super) fn check(tokens: &[u32], vocabulary: usize) -> candle_core::Result<()> {
    match tokens.iter().find(|&&token| token as usize >= vocabulary) {
        Some(token) => candle_core::bail!("token {token}, but the vocabulary has {vocabulary}"),
        None => Ok(()),
    }
}

/// Adds every row `[tokens, width]` to the row of its token.
pub(super) fn add_rows<T: Float>(tokens: &[u32], rows: &[T], to: &mut [T], width: usize) {
    for (&token, row) in tokens.iter().zip(rows.chunks_exact(width)) {
        let at = token as usize * width;
        for (to, &from) in to[at..at + width].iter_mut().zip(row) {
            *to += from;
        }
    }
}

struct Fused {
    gradient: HandOver,
}

impl Operation<2> for Fused {
    const NAME: &'static str = "embedding";
    type Saved<T: Float> = ();

    fn forward<T: Float>(&self, inputs: &Inputs<2>) -> candle_core::Result<(Vec<T>, Shape, ())> {
        let (vocabulary, width) = inputs.shape(0).dims2()?;
        let (table, tokens) = (inputs.elements::<T>(0)?, inputs.indices(1)?);
        check(tokens, vocabulary)?;
        let mut out = Vec::with_capacity(tokens.len() * width);
        for &token in tokens {
            out.extend_from_slice(&table[token as usize * width..][..width]);
        }
        Ok((out, [inputs.shape(1).dims(), &[width]].concat().into(), ()))
    }

    fn backward<T: Float>(
        &self,
        [table, tokens]: [&Tensor; 2],
        _: &Tensor,
        gradient: &Tensor,
        (): (),
    ) -> candle_core::Result<[Option<Tensor>; 2]> {
        let width = table.dim(1)?;
        let tokens = tokens.flatten_all()?.to_vec1::<u32>()?;
        let mut rows = vec![T::of(0.0); table.elem_count()];
        read(gradient, |gradient: &[T]| add_rows(&tokens, gradient, &mut rows, width))?;
        self.gradient.put(Tensor::from_vec(rows, table.shape(), &Device::Cpu)?)?;
        Ok([None, None])
    }
}
