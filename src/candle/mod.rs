//! Every optimizer of this crate for training loops that somebody wrote for candle.
//!
//! ```
//! use candle_core::{Device, Tensor, Var};
//! use candle_nn::Optimizer;
//! use optbench::candle::{Config, Optim};
//!
//! let w = Var::new(&[3f32, -2.0], &Device::Cpu)?;
//! let config = Config::parse("schedule_free_adamw", "lr = 0.1, beta = 0.95")?;
//! let mut optimizer = Optim::new(vec![w.clone()], config)?;
//! for _ in 0..200 {
//!     let loss = w.as_tensor().sqr()?.sum_all()?;
//!     optimizer.backward_step(&loss)?;
//! }
//! let weights = |w: &Var| w.to_vec1::<f32>();
//! let trained = weights(&w)?;
//! {
//!     let _evaluation = optimizer.evaluation()?; // the weights are the average now
//!     assert!(weights(&w)?.iter().all(|w| w.abs() < 0.1));
//! }
//! assert_eq!(weights(&w)?, trained); // and those that are trained again
//! # Ok::<(), optbench::error::Error>(())
//! ```

mod config;
mod evaluation;
mod optim;
mod state;

pub use config::Config;
pub use evaluation::Evaluation;
pub use optim::Optim;
