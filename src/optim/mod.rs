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
mod adamc;
mod adamw;
mod adan;
mod ademamix;
mod adopt;
mod aggmo;
mod asgd;
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
mod laprop;
mod linalg;
mod lion;
mod mars;
mod memory;
mod muon;
mod nadam;
mod nadamw;
mod newton_schulz;
mod optimizer;
mod pass;
mod prodigy;
mod qhadam;
mod qhm;
mod radam;
pub mod real;
mod rmsprop;
mod rprop;
pub mod rule;
mod schedule_free;
mod schedule_free_adamw;
mod schedule_free_radam;
mod schedule_free_sgd;
mod sgd;
mod signsgd;
mod signum;
mod simplified_ademamix;
mod soap;
mod warmup;
mod whole;
mod yogi;

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
    signsgd::DEFINITION,
    signum::DEFINITION,
    nadamw::DEFINITION,
    adamc::DEFINITION,
    yogi::DEFINITION,
    laprop::DEFINITION,
    qhm::DEFINITION,
    qhadam::DEFINITION,
    aggmo::DEFINITION,
    rprop::DEFINITION,
    asgd::DEFINITION,
    simplified_ademamix::DEFINITION,
    formula::DEFINITION,
];
