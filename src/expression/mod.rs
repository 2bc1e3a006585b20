//! Formulas: from the text of a config to a program that runs over the weights of a model.
//!
//! ```text
//! text -> words -> tree -> graph -> plan -> passes over memory, or tensor operations
//! ```
//!
//! A text is read into a tree that knows where everything stands. Checking it gives every name its meaning and every
//! value its [`Extent`]: one number for the model, one for each weight tensor, or one for each element. What comes out
//! is a graph in which everything is computed once, and constants are worked out. A [`Number`] is a graph of numbers
//! alone, and has derivatives. A [`Program`] reads and assigns tensors; a [`Runner`] computes it in as few passes over
//! memory as its sums and norms allow.
//!
//! Mistakes are all found at once, each with its place in the text: see [`Mistake`](crate::registry::Mistake).

mod block;
mod check;
mod derive;
mod field;
mod function;
mod fuse;
mod graph;
mod kernel;
mod lanes;
mod number;
mod parse;
mod plan;
mod program;
mod run;
mod scope;
mod step;
#[cfg(test)]
mod tests;
mod token;
mod tree;

pub use graph::Extent;
pub use number::{Gradient, Number};
pub use program::Program;
pub use run::{Means, Runner, Site};
pub use scope::{Declared, Role, idle, misnamed};
