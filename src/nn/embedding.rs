//! A table of vectors, one for each token.

use candle_core::{CpuStorage, CustomOp2, DType, Device, Layout, Shape, Tensor};

use crate::error::Result;
use crate::nn::float::{Float, elements, read};
use crate::nn::params::{HandOver, Init, Parameter};

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
        let table = init.normal(format!("{name}.weight"), (vocabulary, width), 1.0)?;
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
        Ok(table.apply_op2(&tokens.contiguous()?, Fused { gradient: self.table.handed_over.clone() })?)
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

/// Tokens (u32) of a contiguous storage.
pub(super) fn tokens<'a>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [u32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::U32(tokens), Some((start, end))) => Ok(&tokens[start..end]),
        _ => candle_core::bail!("tokens are contiguous and of type u32"),
    }
}

struct Fused {
    gradient: HandOver,
}

impl Fused {
    fn forward<T: Float>(table: &[T], tokens: &[u32], width: usize) -> candle_core::Result<Vec<T>> {
        check(tokens, table.len() / width)?;
        let mut out = Vec::with_capacity(tokens.len() * width);
        for &token in tokens {
            out.extend_from_slice(&table[token as usize * width..][..width]);
        }
        Ok(out)
    }

    fn backward<T: Float>(&self, table: &Tensor, tokens: &Tensor, gradient: &Tensor) -> candle_core::Result<()> {
        let width = table.dim(1)?;
        let tokens = tokens.flatten_all()?.to_vec1::<u32>()?;
        let mut rows = vec![T::of(0.0); table.elem_count()];
        read(gradient, |gradient: &[T]| add_rows(&tokens, gradient, &mut rows, width))?;
        self.gradient.put(Tensor::from_vec(rows, table.shape(), &Device::Cpu)?)
    }
}

impl CustomOp2 for Fused {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn cpu_fwd(
        &self,
        table: &CpuStorage,
        table_layout: &Layout,
        indices: &CpuStorage,
        indices_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (_, width) = table_layout.shape().dims2()?;
        let tokens = tokens(indices, indices_layout)?;
        let out = match table {
            CpuStorage::F64(_) => CpuStorage::F64(Self::forward(elements(table, table_layout)?, tokens, width)?),
            _ => CpuStorage::F32(Self::forward(elements(table, table_layout)?, tokens, width)?),
        };
        Ok((out, [indices_layout.dims(), &[width]].concat().into()))
    }

    fn bwd(
        &self,
        table: &Tensor,
        tokens: &Tensor,
        _out: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        match table.dtype() {
            DType::F64 => self.backward::<f64>(table, tokens, &gradient)?,
            _ => self.backward::<f32>(table, tokens, &gradient)?,
        }
        Ok((None, None))
    }
}
