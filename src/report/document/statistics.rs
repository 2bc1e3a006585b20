//! Numbers over seeds, as scripts read them.

use serde::Serialize;

/// The lower and the upper end of an interval; `null` where nothing bounds it on that side.
pub type Ends = [Option<f64>; 2];

/// The ends of an interval, of which JSON has no infinite ones.
pub fn ends((low, high): (f64, f64)) -> Ends {
    [low, high].map(|end| Some(end).filter(|end| end.is_finite()))
}

/// A number over seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Statistics {
    /// The seeds that have it.
    pub n: usize,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation.
    pub std: Option<f64>,
}

/// A mean difference over seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Its interval.
    pub interval: Ends,
    /// The seeds compared.
    pub n: usize,
}

/// A mean and its interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measured {
    /// The mean over seeds.
    pub mean: f64,
    /// Its interval.
    pub interval: Option<Ends>,
}
