//! A formula of numbers alone: the curve of a schedule, the value of a function.

use crate::expression::check::check;
use crate::expression::derive::gradient;
use crate::expression::graph::{Extent, Graph, Id, Node};
use crate::expression::parse;
use crate::expression::scope::Declared;
use crate::registry::Mistake;

/// An expression whose value is one number.
///
/// ```
/// use optbench::expression::{Declared, Extent, Number};
///
/// let names = ["t", "T"].map(|name| Declared::number(name, "a number of updates", Extent::Model));
/// let curve = Number::parse("1 - t / T", &names)?;
/// assert_eq!(curve.at(&[5.0, 20.0]), 0.75);
/// # Ok::<(), Vec<optbench::registry::Mistake>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Number {
    graph: Graph,
    value: Id,
    inputs: Vec<Id>,
    mentioned: Vec<bool>,
}

/// A number together with its derivatives by all names.
#[derive(Debug, Clone)]
pub struct Gradient {
    graph: Graph,
    value: Id,
    derivatives: Vec<Id>,
}

impl Number {
    /// Reads an expression of declared numbers.
    ///
    /// # Errors
    /// All mistakes of the text.
    pub fn parse(text: &str, names: &[Declared]) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let tree = parse::expression(text, &mut mistakes);
        let checked = check(&tree, names, text, &mut mistakes);
        let value = checked.values.get("");
        if mistakes.is_empty() && value.is_some_and(|value| value.truth) {
            let mistake = Mistake::at(0..text.len(), "this is a condition").expected("a number");
            mistakes.push(mistake.help("`where(condition, 1, 0)` is a number"));
        }
        match value {
            Some(value) if mistakes.is_empty() => {
                let mut graph = checked.graph;
                let inputs = (0..names.len()).map(|i| graph.input(i, Extent::Model)).collect();
                let mentioned = names.iter().map(|name| checked.mentioned.contains(&name.name)).collect();
                Ok(Self { graph, value: value.id, inputs, mentioned })
            }
            _ => Err(mistakes),
        }
    }

    /// Whether the text mentions the `i`-th name.
    pub fn mentions(&self, i: usize) -> bool {
        self.mentioned[i]
    }

    /// The number, with the names' values in the order in which they were declared.
    pub fn at(&self, names: &[f64]) -> f64 {
        values(&self.graph, self.value, names)[self.value]
    }

    /// The same with derivatives by all names.
    pub fn gradient(&self) -> Gradient {
        let mut graph = self.graph.clone();
        let derivatives = gradient(&mut graph, self.value, &self.inputs);
        Gradient { graph, value: self.value, derivatives }
    }
}

impl Gradient {
    /// The derivatives, with the names' values in the order in which they were declared.
    pub fn at(&self, names: &[f64]) -> Vec<f64> {
        let last = self.derivatives.iter().copied().max().unwrap_or(0).max(self.value);
        let values = values(&self.graph, last, names);
        self.derivatives.iter().map(|&id| values[id]).collect()
    }

    /// How many operations the value and all derivatives take together.
    #[cfg(test)]
    pub(super) fn operations(&self) -> usize {
        let reached = self.graph.reached(self.derivatives.iter().copied());
        reached
            .iter()
            .zip(self.graph.nodes())
            .filter(|(reached, node)| **reached && node.operands().count() > 0)
            .count()
    }
}

/// All values up to one.
fn values(graph: &Graph, last: Id, names: &[f64]) -> Vec<f64> {
    let mut values = Vec::with_capacity(last + 1);
    for id in 0..=last {
        let value = match graph.node(id) {
            Node::Input(i) => names[i],
            _ => graph.evaluate(id, |operand| values[operand]).unwrap_or(f64::NAN),
        };
        values.push(value);
    }
    values
}
