//! Which optimizer and which learning-rate schedule should I use, and is the difference real?
pub mod chart;
pub mod config;
pub mod duration;
pub mod error;
pub mod metric;
pub mod nn;
pub mod optim;
pub mod registry;
pub mod rng;
pub mod schedule;
pub mod settings;
pub mod task;
pub mod train;
