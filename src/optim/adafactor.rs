//! Adafactor: second moments of a matrix from its rows and columns alone.

use candle_core::{D, DType, Tensor};

use crate::error::Result;
use crate::nn::params::Parameter;
use crate::optim::decay::{self, Decay};
use crate::optim::definition::Definition;
use crate::optim::linalg::product;
use crate::optim::memory::Slot;
use crate::optim::optimizer::Step;
use crate::optim::pass::{Kernel, Term, sweep};
use crate::optim::real::Real;
use crate::optim::whole::{Average, AverageOfSquares, Whole, WholeRule, Work};
use crate::registry::{About, Accepts, Bounds, Key};

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "adafactor",
        revision: 1,
        summary: "steps relative to the weights, with almost no memory",
        equations: "\
keep = 1 - t^beta2_decay
r <- keep r + (1 - keep) mean(g^2 over a row)          matrices: the last two axes
c <- keep c + (1 - keep) mean(g^2 over a column)
V = r c / max(mean(r), eps1)                           other tensors: V <- keep V + (1 - keep) g^2
u = g / sqrt(max(V, eps1^2))
alpha = max(eps2, rms(p)) min(lr, 1 / sqrt(t))
p <- p (1 - lr weight_decay) - alpha u / max(1, rms(u) / d)",
        keys: &[
            Key::float("lr", 0.01, Bounds::NON_NEGATIVE, "peak learning rate, relative to the size of the weights"),
            decay::strength(0.0, "strength of the decoupled decay"),
            Key::float("beta2_decay", -0.8, Bounds::within(-1.0, 0.0), "how fast the memory of squares lengthens"),
            Key::optional(
                "eps1",
                Accepts::Float(Bounds::POSITIVE),
                "the least root of a second moment; the machine epsilon of the number type where absent",
            ),
            Key::float("eps2", 1e-3, Bounds::NON_NEGATIVE, "the least size of the weights that a step is relative to"),
            Key::float("d", 1.0, Bounds::POSITIVE, "the longest root mean square of an update, before the rate"),
        ],
        source: "Shazeer and Stern 2018, arXiv 1804.04235; torch.optim.Adafactor",
    },
    memory: "a value per row and per column of a matrix; one value per parameter of any other",
    asks: &[],
    build: |settings| {
        Whole::boxed(Adafactor {
            decay: Decay::decoupled(settings),
            beta2_decay: settings.float("beta2_decay"),
            eps1: settings.optional_float("eps1"),
            eps2: settings.float("eps2"),
            d: settings.float("d"),
        })
    },
};

struct Adafactor {
    decay: Decay,
    beta2_decay: f64,
    eps1: Option<f64>,
    eps2: f64,
    d: f64,
}

/// `u`, from the second moment and the gradient.
#[derive(Clone, Copy)]
struct Normalised {
    least: f64,
}

impl Normalised {
    #[inline(always)]
    fn at<R: Real>(self, v: R, g: R) -> R {
        g / v.clamp(self.least, f64::INFINITY).sqrt()
    }
}

impl Term<2> for Normalised {
    #[inline(always)]
    fn term<R: Real>(&self, [v, g]: [R; 2]) -> R {
        let u = self.at(v, g);
        u.clone() * u
    }
}

struct Descend {
    normalised: Normalised,
    keep: f64,
    rate: f64,
}

impl Kernel<0, 2> for Descend {
    #[inline(always)]
    fn apply<R: Real>(&self, p: R, _: [R; 0], [v, g]: [R; 2]) -> (R, [R; 0]) {
        (p * self.keep - self.normalised.at(v, g) * self.rate, [])
    }
}

/// The second moments after one more gradient.
fn second_moments(work: &mut Work, keep: f64, eps1: f64) -> Result<Tensor> {
    let composed = work.composed;
    if let [v] = &mut *work.slots {
        sweep(composed, &AverageOfSquares { keep }, v, [], [&*work.gradient])?;
        return Ok(v.clone());
    }
    let [rows, cols] = &mut *work.slots else { unreachable!("rows and columns") };
    let squares = work.gradient.sqr()?;
    let (row_means, col_means) = means(composed, &squares)?;
    sweep(composed, &Average { keep }, rows, [], [&row_means])?;
    sweep(composed, &Average { keep }, cols, [], [&col_means])?;
    let total = rows.mean_keepdim(D::Minus2)?.clamp(eps1, f64::INFINITY)?;
    let shares = rows.broadcast_div(&total)?;
    if squares.rank() == 2 { product(composed, &shares, &*cols) } else { Ok(shares.broadcast_mul(cols)?) }
}

/// The means over rows and over columns. Products with ones are the fastest way to those of a matrix.
fn means(composed: bool, a: &Tensor) -> Result<(Tensor, Tensor)> {
    let &[rows, cols] = a.dims() else {
        return Ok((a.mean_keepdim(D::Minus1)?, a.mean_keepdim(D::Minus2)?));
    };
    let equal = |shape, n: usize| Tensor::ones(shape, a.dtype(), a.device())?.affine(1.0 / n as f64, 0.0);
    Ok((product(composed, a, &equal((cols, 1), cols)?)?, product(composed, &equal((1, rows), rows)?, a)?))
}

impl WholeRule for Adafactor {
    fn slots(&self, parameter: &Parameter) -> Vec<Slot> {
        match parameter.var.dims() {
            [front @ .., rows, cols] => {
                let shaped = |name, last: [usize; 2]| Slot::shaped(name, [front, &last].concat());
                vec![shaped("row_means", [*rows, 1]), shaped("column_means", [1, *cols])]
            }
            _ => vec![Slot::zero("second_moment")],
        }
    }

    fn step(&mut self, tensors: &mut [Work], at: &Step) -> Result<()> {
        let t = (at.t + 1) as f64;
        let keep = 1.0 - t.powf(self.beta2_decay);
        for work in tensors {
            let weights = work.weights();
            let epsilon = if weights.dtype() == DType::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) };
            let eps1 = self.eps1.unwrap_or(epsilon);
            let count = weights.elem_count() as f64;
            let size = work.norm(weights)? / count.sqrt();
            let v = second_moments(work, keep, eps1)?;
            let normalised = Normalised { least: eps1 * eps1 };
            let length = (work.sum(&normalised, [&v, &*work.gradient])? / count).sqrt();
            let alpha = size.max(self.eps2) * at.lr.min(1.0 / t.sqrt());
            let rate = alpha / (length / self.d).max(1.0);
            let descend = Descend { normalised, keep: self.decay.at(at.lr).shrink(), rate };
            work.write_weights(&descend, [&v, &*work.gradient])?;
        }
        Ok(())
    }
}
