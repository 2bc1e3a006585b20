//! The functions that a formula can call.

use crate::expression::graph::{Binary, Extent, Reduction, Unary};

/// What a function is, and how many arguments it takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Function {
    Unary(Unary),
    Binary(Binary),
    /// `clip(x, low, high)`
    Clip,
    /// `where(condition, a, b)`
    Where,
    /// Over one tensor or the whole model.
    Fold(Fold, Extent),
    Orthogonalize,
}

/// From all elements to one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    Sum,
    Mean,
    Norm,
    Rms,
    Maximum,
    Dot,
}

impl Fold {
    pub(super) fn reduction(self) -> Reduction {
        match self {
            Self::Sum | Self::Mean => Reduction::Sum,
            Self::Norm | Self::Rms | Self::Dot => Reduction::Dot,
            Self::Maximum => Reduction::Maximum,
        }
    }
}

use Extent::{Model, Tensor};
use Function::Fold as Over;

/// Every function by name.
pub(super) const FUNCTIONS: [(&str, Function); 25] = [
    ("where", Function::Where),
    ("abs", Function::Unary(Unary::Abs)),
    ("sign", Function::Unary(Unary::Sign)),
    ("sqrt", Function::Unary(Unary::Sqrt)),
    ("exp", Function::Unary(Unary::Exp)),
    ("log", Function::Unary(Unary::Log)),
    ("sin", Function::Unary(Unary::Sin)),
    ("cos", Function::Unary(Unary::Cos)),
    ("tanh", Function::Unary(Unary::Tanh)),
    ("min", Function::Binary(Binary::Min)),
    ("max", Function::Binary(Binary::Max)),
    ("clip", Function::Clip),
    ("sum", Over(Fold::Sum, Tensor)),
    ("mean", Over(Fold::Mean, Tensor)),
    ("norm", Over(Fold::Norm, Tensor)),
    ("rms", Over(Fold::Rms, Tensor)),
    ("maximum", Over(Fold::Maximum, Tensor)),
    ("dot", Over(Fold::Dot, Tensor)),
    ("all_sum", Over(Fold::Sum, Model)),
    ("all_mean", Over(Fold::Mean, Model)),
    ("all_norm", Over(Fold::Norm, Model)),
    ("all_rms", Over(Fold::Rms, Model)),
    ("all_maximum", Over(Fold::Maximum, Model)),
    ("all_dot", Over(Fold::Dot, Model)),
    ("orthogonalize", Function::Orthogonalize),
];

impl Function {
    pub(super) fn find(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
    }

    /// The names of its arguments, as a message lists them.
    pub(super) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Binary(_) | Self::Fold(Fold::Dot, _) => &["a", "b"],
            Self::Unary(_) | Self::Fold(..) | Self::Orthogonalize => &["x"],
            Self::Clip => &["x", "low", "high"],
            Self::Where => &["condition", "a", "b"],
        }
    }
}
