//! A curve that is written in the config.

use crate::expression::{Declared, Extent, Number, idle, misnamed};
use crate::registry::{About, Accepts, Bounds, Described, Key, Mistake};
use crate::schedule::{Definition, Point, Schedule};
use crate::settings::Settings;

const FACTOR: &str = "factor";
/// So many steps of a run are tried before it begins, evenly spread.
const MOST_TRIED: u64 = 10_000;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "formula",
        revision: 1,
        summary: "a curve of your own, written in the config",
        equations: "\
factor = \"0.5 * (1 + cos(pi * t / T))\"
names      t: updates done, 0 in the first one, after a warmup anew; T: all updates that are this schedule's; the keys; pi
operators  + - * / ^   < <= > >= == !=   and or not
functions  where(c, a, b) abs sign sqrt exp log sin cos tanh min max clip(x, low, high)
what is below 0 counts as 0",
        keys: &[
            Key::required(FACTOR, Accepts::Text, "the multiple of the peak rate, a formula of `t` and `T`")
                .checked_by(check),
            Key::rest(Accepts::Float(Bounds::ANY), "any further key is a number of the formula, and may be an axis"),
        ],
        source: "torch.optim.lr_scheduler.LambdaLR; docs/formulas.md",
    },
    build: |settings, span| {
        let factor = Number::parse(settings.text(FACTOR), &names(settings)).map_err(|mistakes| mistakes[0].title.clone())?;
        let curve = Curve { factor, steps: span.steps, keys: keys(settings).into_iter().map(|(_, value)| value).collect() };
        let every = (span.steps / MOST_TRIED).max(1);
        match (0..span.steps).step_by(every as usize).find(|&t| curve.value(t).is_nan()) {
            Some(t) => Err(format!("`{FACTOR}` is not a number at t = {t}; T is {}", span.steps)),
            None => Ok(Box::new(curve)),
        }
    },
};

/// The keys that users name, with their values.
fn keys(settings: &Settings) -> Vec<(&str, f64)> {
    let own = |name: &str| DEFINITION.key(name).is_some();
    settings.iter().filter(|(name, _)| !own(name)).filter_map(|(name, value)| Some((name, value.as_float()?))).collect()
}

fn names(settings: &Settings) -> Vec<Declared> {
    let number = |name: &str, what| Declared::number(name, what, Extent::Model);
    let own = [number("t", "the number of updates done"), number("T", "the number of all updates")];
    own.into_iter().chain(keys(settings).into_iter().map(|(name, _)| number(name, "a key"))).collect()
}

fn check(text: &str, settings: &Settings) -> Vec<Mistake> {
    let names = names(settings);
    let misnamed = misnamed(&names);
    if !misnamed.is_empty() {
        return misnamed;
    }
    let curve = match Number::parse(text, &names) {
        Ok(curve) => curve,
        Err(mistakes) => return mistakes,
    };
    // A curve need not use `t` and `T`.
    let unused = names.iter().enumerate().skip(2).filter(|(i, _)| !curve.mentions(*i));
    idle(unused.map(|(_, name)| &*name.name), FACTOR)
}

struct Curve {
    factor: Number,
    steps: u64,
    keys: Vec<f64>,
}

impl Curve {
    fn value(&self, t: u64) -> f64 {
        let own = [t as f64, self.steps as f64];
        self.factor.at(&own.iter().chain(&self.keys).copied().collect::<Vec<f64>>())
    }
}

impl Schedule for Curve {
    /// Not a number, which it is nowhere that was tried, is no rate.
    fn at(&self, t: u64) -> Point {
        let factor = self.value(t);
        if factor.is_nan() { 0.0 } else { factor }.into()
    }
}

#[cfg(test)]
mod tests {
    use crate::length::Length;
    use crate::schedule::testing::{assert_factors, build, refusal, settings};

    #[test]
    fn a_cosine_as_a_formula_is_the_cosine() {
        let formula = settings("formula").with("factor", "0.5 * (1 + cos(pi * t / T))");
        let warm = |settings: crate::settings::Settings| settings.with("warmup", Length::Steps(10));
        for (formula, built_in) in [
            (formula.clone(), settings("cosine")),
            (warm(formula), warm(settings("cosine"))),
            (
                settings("formula").with("factor", "(1 - t / T) ^ power").with("power", 2.0),
                settings("polynomial").with("power", 2.0),
            ),
        ] {
            let built_in = build(&built_in, 50);
            for t in 0..50 {
                assert_factors(&*build(&formula, 50), [t], [built_in.at(t).factor]);
            }
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused_and_what_is_negative_is_0() {
        let refused = refusal(&settings("formula").with("factor", "log(20 - t)"), 50);
        assert_eq!(refused, "`factor` is not a number at t = 21; T is 50");
        assert_factors(&*build(&settings("formula").with("factor", "1 - t"), 50), [0, 1, 2], [1.0, 0.0, 0.0]);
    }
}
