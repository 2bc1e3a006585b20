//! Everything that a config can name: the built-in kinds, and those that a program of somebody else's adds.

use crate::registry::Kinds;
use crate::task::{data, model};
use crate::{optim, schedule};

/// The kinds of every sort. What reads configs or lists kinds is given one.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The optimizers.
    pub optimizers: Kinds<optim::Definition>,
    /// The schedules.
    pub schedules: Kinds<schedule::Definition>,
    /// The models.
    pub models: Kinds<model::Definition>,
    /// The datasets.
    pub datasets: Kinds<data::Definition>,
}

impl Catalog {
    /// The built-in kinds.
    pub fn built_in() -> Self {
        Self {
            optimizers: Kinds::new(optim::OPTIMIZERS).with(&optim::EXTERNAL),
            schedules: Kinds::new(schedule::SCHEDULES).with(&schedule::EXTERNAL),
            models: Kinds::new(model::MODELS),
            datasets: Kinds::new(data::DATASETS),
        }
    }
}
