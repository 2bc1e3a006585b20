//! Optimizers: update rules with their hyper-parameters and state.
//!
//! An optimizer is one file with a [`Definition`], and one line in [`OPTIMIZERS`]. Rules that treat
//! every coordinate alike implement [`rule::Rule`]; rules that look at whole tensors or at the
//! whole model implement `whole::WholeRule`.

pub use average::Average;
pub use build::build;
pub use common::{Common, Statistics, clipping, lr};
pub use definition::{Ask, Definition, needs, second_moment_decay};
pub use optimizer::{Answer, Optimizer, Oracle, State, Step};

mod adabelief;
mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adam_2k;
mod adamax;
mod adamw;
mod adan;
mod ademamix;
mod adopt;
mod average;
mod averaging;
mod build;
mod common;
mod decay;
mod definition;
mod external;
mod formula;
mod grouped;
pub mod groups;
mod kinded;
mod lamb;
mod linalg;
mod lion;
mod mars;
mod memory;
mod muon;
mod nadam;
mod newton_schulz;
mod optimizer;
mod pass;
mod prodigy;
mod radam;
pub mod real;
mod rmsprop;
pub mod rule;
mod schedule_free;
mod schedule_free_adamw;
mod schedule_free_radam;
mod schedule_free_sgd;
mod sgd;
mod soap;
mod warmup;
mod whole;

/// What only a program of the user's computes.
pub static EXTERNAL: Definition = external::DEFINITION;

/// Every optimizer that is computed here.
pub const OPTIMIZERS: &[Definition] = &[
    sgd::DEFINITION,
    adam::DEFINITION,
    adamw::DEFINITION,
    nadam::DEFINITION,
    adamax::DEFINITION,
    adagrad::DEFINITION,
    adadelta::DEFINITION,
    rmsprop::DEFINITION,
    radam::DEFINITION,
    adam_2k::DEFINITION,
    schedule_free_sgd::DEFINITION,
    schedule_free_adamw::DEFINITION,
    schedule_free_radam::DEFINITION,
    schedule_free::DEFINITION,
    lion::DEFINITION,
    adan::DEFINITION,
    ademamix::DEFINITION,
    adopt::DEFINITION,
    adabelief::DEFINITION,
    lamb::DEFINITION,
    adafactor::DEFINITION,
    prodigy::DEFINITION,
    mars::DEFINITION,
    muon::DEFINITION,
    soap::DEFINITION,
    formula::DEFINITION,
];
