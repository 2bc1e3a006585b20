//! A function that is written in the config.

use std::sync::Arc;

use crate::expression::{Declared, Extent, Gradient, Number, idle, misnamed};
use crate::registry::{About, Accepts, Key, Mistake};
use crate::settings::Settings;
use crate::task::model::{Definition, Function, Kind};

const VARIABLES: &str = "variables";
const VALUE: &str = "value";
const MOST_VARIABLES: usize = 10;

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: "formula",
        revision: 1,
        summary: "a function of your own of up to ten variables, written in the config",
        equations: "\
variables = { x = -1.5, y = 2 }
value     = \"(1 - x)^2 + 100 * (y - x^2)^2\"
operators   + - * / ^   < <= > >= == !=   and or not;  pi
functions   where(c, a, b) abs sign sqrt exp log sin cos tanh min max clip(x, low, high)
the gradient is the formula's, by differentiating it",
        keys: &[
            Key::required(VARIABLES, Accepts::Table(&[]), "the variables, with where they start"),
            Key::required(VALUE, Accepts::Text, "what is minimised, a formula of the variables").checked_by(check),
        ],
        source: "docs/formulas.md",
    },
    kind: Kind::Function(build),
};

struct Formula {
    names: Vec<String>,
    start: Vec<f64>,
    value: Number,
    gradient: Gradient,
}

fn names(settings: &Settings) -> Vec<Declared> {
    let names = settings.table(VARIABLES).iter();
    names.map(|(name, _)| Declared::number(name, "a variable", Extent::Model)).collect()
}

fn check(text: &str, settings: &Settings) -> Vec<Mistake> {
    let names = names(settings);
    let misnamed = misnamed(&names);
    if !misnamed.is_empty() {
        return misnamed;
    }
    let value = match Number::parse(text, &names) {
        Ok(value) => value,
        Err(mistakes) => return mistakes,
    };
    let unused = names.iter().enumerate().filter(|(i, _)| !value.mentions(*i));
    idle(unused.map(|(_, name)| &*name.name), VALUE)
}

fn build(settings: &Settings) -> Result<Arc<dyn Function>, String> {
    let start: Vec<f64> = settings.table(VARIABLES).iter().filter_map(|(_, value)| value.as_float()).collect();
    if start.is_empty() || start.len() > MOST_VARIABLES {
        return Err(format!("`{VARIABLES}` has {} variables; expected 1 to {MOST_VARIABLES}", start.len()));
    }
    let declared = names(settings);
    let value = Number::parse(settings.text(VALUE), &declared).map_err(|mistakes| mistakes[0].title.clone())?;
    if !value.at(&start).is_finite() {
        return Err(format!("the value where the variables start is {}; expected a finite number", value.at(&start)));
    }
    let names = declared.into_iter().map(|variable| variable.name).collect();
    Ok(Arc::new(Formula { gradient: value.gradient(), names, start, value }))
}

impl Function for Formula {
    fn start(&self) -> &[f64] {
        &self.start
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.value.at(x)
    }

    fn gradient(&self, x: &[f64]) -> Vec<f64> {
        self.gradient.at(x)
    }

    fn minimum(&self) -> Option<Vec<f64>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Value;
    use crate::task::model::MODELS;

    fn function(variables: &[(&str, f64)], value: &str) -> Result<Arc<dyn Function>, String> {
        let variables = variables.iter().map(|(name, start)| ((*name).to_owned(), Value::Float(*start))).collect();
        build(&Settings::new(&DEFINITION_OF_TESTS).with(VARIABLES, Value::Table(variables)).with(VALUE, value))
    }

    static DEFINITION_OF_TESTS: Definition = DEFINITION;

    #[test]
    fn rosenbrock_as_a_formula_is_rosenbrock() {
        let formula = function(&[("x", -1.5), ("y", 2.0)], "(1 - x)^2 + 100 * (y - x^2)^2").unwrap();
        let built_in = MODELS.iter().find(|definition| definition.about.name == "rosenbrock").unwrap();
        let Kind::Function(build) = built_in.kind else { panic!() };
        let start = Value::List(vec![Value::Float(-1.5), Value::Float(2.0)]);
        let built_in = build(&Settings::new(built_in).with("start", start)).unwrap();
        assert_eq!(formula.start(), built_in.start());
        for x in [[-1.5, 2.0], [0.3, 0.1], [1.0, 1.0], [-2.0, 7.0]] {
            assert!((formula.value(&x) - built_in.value(&x)).abs() < 1e-12);
            let pairs = formula.gradient(&x).into_iter().zip(built_in.gradient(&x));
            pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-10, "{a} {b}"));
        }
    }

    #[test]
    fn what_has_no_value_at_its_start_is_refused() {
        let refused = function(&[("x", -1.0)], "log(x)").err().unwrap();
        assert_eq!(refused, "the value where the variables start is NaN; expected a finite number");
        assert!(function(&[], "1").err().unwrap().starts_with("`variables` has 0 variables"));
    }
}
