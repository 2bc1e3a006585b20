//! Which optimizer and which learning-rate schedule should I use, and is the difference real?
//!
//! optbench trains the same models under many optimizers and schedules, from one TOML file, and
//! compares them. The command is a thin layer over this library; its parts lie on floors, and a
//! file imports from lower floors only (`tests/floors.rs` reads the imports and holds them to it):
//!
//! | floor | modules | what lives there |
//! | --- | --- | --- |
//! | 7 | [`Bench`] | the whole command line as a value, with kinds of your own |
//! | 6 | `cli` | one file a sub-command: its arguments and what it does |
//! | 5 | [`report`], [`chart`], [`candle`] | the ranking, tables and page; the drawing of charts; optimizers for candle's training loops |
//! | 4 | [`config`], [`sweep`], [`results`], [`analysis`] | what to run, running it, the store of what has run, what it says |
//! | 3 | [`mod@train`], [`catalog`], [`program`], [`recorded`] | the loop: no input or output, no config; everything that a config can name; training programs of users; curves that others recorded |
//! | 2 | [`optim`], [`schedule`], [`task`] | one file a thing; each registers in one line |
//! | 1 | [`nn`], [`expression`], [`rng`], [`metric`], [`margin`] | layers and kernels over candle, formulas, random streams, what is measured and how far apart it may lie |
//! | 0 | [`error`], [`registry`], [`settings`], [`length`], [`mod@choice`], [`checksum`], [`disk`], `system`, `words` | what everything else is described with and kept in |
//!
//! Four examples show what can be built on it; `docs/rust.md` is the guide, and says what is checked of models from elsewhere:
//!
//! | example | what it shows |
//! | --- | --- |
//! | `examples/own_optimizer.rs` | a new update rule in the command line, beside the built-in ones |
//! | `examples/own_model.rs` | a network of candle-nn's layers, seeded, as a model that a config can name |
//! | `examples/own_dataset.rs` | new data for the built-in models |
//! | `examples/candle_training.rs` | somebody's own candle loop, with an optimizer of [`candle`] |
//!
//! A training by hand:
//!
//! ```
//! use optbench::catalog::Catalog;
//! use optbench::config::Experiment;
//! use optbench::sweep::Plan;
//! use optbench::task::data::Library;
//! use optbench::train::Ending;
//!
//! let text = "steps = 50\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.sgd]\nlr = 0.1\n";
//! let plan = Plan::new(Experiment::parse(&Catalog::built_in(), "bowl.toml", text, "bowl", &[])?, &Library::default())?;
//! let outcome = plan.train(&plan.runs[0], None, &mut ())?;
//! assert_eq!(outcome.ending, Ending::Finished);
//! # Ok::<(), optbench::error::Error>(())
//! ```

pub mod candle;
pub mod catalog;
pub mod checksum;
pub mod choice;
pub mod config;
pub mod error;
pub mod expression;
pub mod length;
pub mod margin;
pub mod metric;
pub mod nn;
pub mod optim;
pub mod registry;
pub mod rng;
pub mod schedule;
pub mod settings;
pub mod task;
pub mod train;
mod words;

#[cfg(feature = "cli")]
pub mod analysis;
#[cfg(feature = "cli")]
mod bench;
#[cfg(feature = "cli")]
pub mod chart;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
pub mod disk;
#[cfg(feature = "cli")]
pub mod program;
#[cfg(feature = "cli")]
pub mod recorded;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "cli")]
pub mod results;
#[cfg(feature = "cli")]
pub mod sweep;
#[cfg(feature = "cli")]
mod system;

#[cfg(feature = "cli")]
pub use bench::Bench;
