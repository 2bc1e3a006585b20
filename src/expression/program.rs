//! A formula over the weights of a model: lines that read and assign tensors and numbers.

use crate::expression::check::{Checked, check};
use crate::expression::graph::{Binary, Extent, Graph, Id};
use crate::expression::parse;
use crate::expression::scope::{Declared, Role};
use crate::expression::tree::Tree;
use crate::registry::Mistake;

/// Lines of `name = expression`, checked.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) graph: Graph,
    pub(super) names: Vec<Declared>,
    /// The extent of each name.
    pub(super) extents: Vec<Extent>,
    /// The names that are assigned, and what they become.
    pub(super) assigned: Vec<(usize, Id)>,
    mentioned: Vec<bool>,
}

impl Program {
    /// Reads lines that assign every [`Role::Kept`] name.
    ///
    /// # Errors
    /// All mistakes of the text.
    pub fn parse(text: &str, names: &[Declared]) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let tree = parse::program(text, &mut mistakes);
        Self::of(&tree, text, names, mistakes)
    }

    /// Reads one expression, the new value of the [`Role::Kept`] name among `names`.
    ///
    /// # Errors
    /// All mistakes of the text.
    pub fn parse_value(text: &str, names: &[Declared]) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut tree = parse::expression(text, &mut mistakes);
        if let Some(kept) = names.iter().find(|name| matches!(name.role, Role::Kept(_))) {
            tree.lines.iter_mut().for_each(|line| line.name.clone_from(&kept.name));
        }
        Self::of(&tree, text, names, mistakes)
    }

    fn of(tree: &Tree, text: &str, names: &[Declared], mut mistakes: Vec<Mistake>) -> Result<Self, Vec<Mistake>> {
        let Checked { mut graph, extents, values, mentioned } = check(tree, names, text, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        for (i, &extent) in extents.iter().enumerate() {
            graph.input(i, extent);
        }
        let kept = names.iter().enumerate().filter(|(_, name)| matches!(name.role, Role::Kept(_)));
        let assigned = kept.filter_map(|(i, name)| Some((i, values.get(&name.name)?.id))).collect();
        let mentioned = names.iter().map(|name| mentioned.contains(&name.name)).collect();
        Ok(Self { graph, names: names.to_vec(), extents, assigned, mentioned })
    }

    /// The declared names.
    pub fn names(&self) -> &[Declared] {
        &self.names
    }

    /// Whether the text mentions a declared name.
    pub fn mentions(&self, name: &str) -> bool {
        self.number(name).is_some_and(|i| self.mentioned[i])
    }

    /// For how much of a model a declared name is one number.
    ///
    /// # Panics
    /// Where it was not declared.
    pub fn extent(&self, name: &str) -> Extent {
        self.extents[self.number(name).unwrap_or_else(|| panic!("`{name}` was not declared"))]
    }

    /// The place of a declared name among all.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|declared| declared.name == name)
    }

    /// The same program, which takes the product of declared names, as they were before it, from what it assigns to `name`.
    ///
    /// # Panics
    /// Where one of them was not declared.
    #[must_use]
    pub fn less_product(mut self, name: &str, factors: &[&str]) -> Self {
        let inputs: Vec<Id> = factors.iter().map(|factor| self.input(factor)).collect();
        let product = inputs.into_iter().reduce(|a, b| self.graph.binary(Binary::Mul, a, b));
        let number = self.number(name);
        for (assigned, value) in &mut self.assigned {
            if let Some(product) = product.filter(|_| Some(*assigned) == number) {
                *value = self.graph.binary(Binary::Sub, *value, product);
            }
        }
        self
    }

    fn input(&mut self, name: &str) -> Id {
        let i = self.number(name).unwrap_or_else(|| panic!("`{name}` was not declared"));
        self.graph.input(i, self.extents[i])
    }
}
