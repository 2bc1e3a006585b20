//! Curves and scores that others recorded, whatever tool wrote them down.
//!
//! [`source::read`] makes tables of files, [`gather::runs`] makes runs of tables, [`describe::complete`] finds out what
//! nobody wrote down: labels and seeds.

pub mod columns;
pub mod describe;
pub mod direction;
pub mod gather;
pub mod mapping;
pub mod run;
pub mod sheet;
pub mod source;
mod tensorboard;
mod wandb;
