//! Layers and fused kernels over candle.
//!
//! On the CPU every layer is one operation of candle's autograd with a backward pass of its own;
//! on any other device the same layer is composed of candle's operations. Tests hold the two
//! together.

pub mod activation;
mod affine;
pub mod attention;
pub mod batch_norm;
pub mod conv;
pub mod cross_entropy;
pub mod dropout;
pub mod embedding;
pub mod feed_forward;
pub mod float;
mod fused;
pub mod hand_over;
pub mod head;
pub mod linear;
pub mod lstm;
pub mod matmul;
pub mod norm;
pub mod params;
pub mod position;
mod projection;
pub mod relu;
pub mod residual;
pub mod role;
mod rotary;
pub mod running;
pub mod simd;
pub mod squared_error;
mod squash;
pub mod statistics;
mod transpose;
pub(crate) mod var_builder;
