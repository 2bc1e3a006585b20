//! From a tree to a graph: every name gets its meaning, every value its type.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::expression::function::{Fold, Function};
use crate::expression::graph::{Binary, Extent, Graph, Id, Reduction, Unary};
use crate::expression::scope::{Declared, Role, functions, reserved};
use crate::expression::tree::{Form, Infix, Line, Node, NodeId, Prefix, Tree};
use crate::registry::{Mistake, choices, nearest};

/// What a text computes.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) graph: Graph,
    /// The extent of each declared name.
    pub(super) extents: Vec<Extent>,
    /// The last value of each line's name; of an expression that stands alone, its value under an empty name.
    pub(super) values: HashMap<String, Value>,
    /// The declared names that the text mentions.
    pub(super) mentioned: HashSet<String>,
}

/// A value and whether it is a condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Value {
    pub(super) id: Id,
    pub(super) truth: bool,
}

/// Gives names and values their meaning. What is mistaken is said, and what follows from it alone is not.
pub(super) fn check(tree: &Tree, declared: &[Declared], text: &str, mistakes: &mut Vec<Mistake>) -> Checked {
    let mut extents: Vec<Extent> = declared.iter().map(|name| name.role.least()).collect();
    // A state has the extent of what is assigned to it, which may depend on itself: extents only ever grow.
    loop {
        let mut found = Vec::new();
        let mut checker = Checker::new(declared, &extents, tree, text);
        checker.lines(tree, &mut found);
        let mut grown = false;
        for (i, name) in declared.iter().enumerate() {
            let assigned = checker.assigned.get(&name.name).copied().unwrap_or(Extent::Model);
            if matches!(name.role, Role::Kept(_)) && assigned > extents[i] {
                (extents[i], grown) = (assigned, true);
            }
        }
        if !grown {
            mistakes.extend(found);
            let Checker { graph, values, mentioned, .. } = checker;
            let values = values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            return Checked { graph, extents, values, mentioned };
        }
    }
}

/// Two operands, or what is mistaken in one of them.
fn both(a: Result<Id, Option<Mistake>>, b: Result<Id, Option<Mistake>>) -> Result<(Id, Id), Option<Mistake>> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(a), Err(b)) => Err(a.or(b)),
        (Err(mistake), _) | (_, Err(mistake)) => Err(mistake),
    }
}

struct Checker<'a> {
    declared: &'a [Declared],
    text: &'a str,
    graph: Graph,
    /// What each name means at the line at hand; nothing where that is mistaken.
    values: HashMap<String, Option<Value>>,
    /// The names that a line assigns anywhere, with the number of the first such line in the text.
    anywhere: HashMap<&'a str, usize>,
    /// The largest extent that was assigned to a name.
    assigned: HashMap<String, Extent>,
    mentioned: HashSet<String>,
    nodes: Vec<Option<Value>>,
}

impl<'a> Checker<'a> {
    fn new(declared: &'a [Declared], extents: &[Extent], tree: &'a Tree, text: &'a str) -> Self {
        let mut graph = Graph::default();
        let values = declared.iter().zip(extents).enumerate().map(|(i, (name, &extent))| {
            let truth = matches!(name.role, Role::Truth(_));
            (name.name.clone(), Some(Value { id: graph.input(i, extent), truth }))
        });
        let values = values.collect();
        let mut anywhere = HashMap::new();
        for line in &tree.lines {
            let number = 1 + text[..line.name_span.start].matches('\n').count();
            anywhere.entry(line.name.as_str()).or_insert(number);
        }
        Self {
            declared,
            text,
            graph,
            values,
            anywhere,
            assigned: HashMap::new(),
            mentioned: HashSet::new(),
            nodes: vec![None; tree.nodes.len()],
        }
    }

    fn lines(&mut self, tree: &Tree, mistakes: &mut Vec<Mistake>) {
        for line in &tree.lines {
            let mut value = None;
            if let Some(root) = line.value {
                for id in line.nodes.clone() {
                    let read = self.node(&tree.nodes[id], tree, line);
                    self.nodes[id] = read.unwrap_or_else(|mistake| {
                        mistakes.extend(mistake);
                        None
                    });
                }
                value = self.nodes[root];
            }
            if let Err(mistake) = self.assign(line, tree, value) {
                mistakes.push(mistake);
            }
        }
        for name in self.declared {
            if matches!(name.role, Role::Kept(_)) && !self.anywhere.contains_key(name.name.as_str()) {
                mistakes.push(Mistake::about(&name.name, format!("{} `{}` is never assigned", name.what, name.name)));
            }
        }
    }

    /// Gives a line's name its value.
    fn assign(&mut self, line: &Line, tree: &Tree, value: Option<Value>) -> Result<(), Mistake> {
        let Line { name, name_span, .. } = line;
        if name.is_empty() {
            self.values.insert(String::new(), value);
            return Ok(());
        }
        let own = "a state, or a name of your own";
        if let Some(what) = reserved(name) {
            return Err(Mistake::at(name_span.clone(), format!("`{name}` is {what}")).expected(own));
        }
        let declared = self.declared.iter().find(|declared| declared.name == *name);
        if let Some(declared) = declared {
            self.mentioned.insert(name.clone());
            let Role::Kept(least) = declared.role else {
                let title = format!("`{name}` is {}, and cannot be assigned", declared.what);
                return Err(Mistake::at(name_span.clone(), title).expected(own));
            };
            self.values.insert(name.clone(), value);
            let (Some(value), Some(root)) = (value, line.value) else { return Ok(()) };
            let span = || tree.nodes[root].span.clone();
            if value.truth {
                let mistake = Mistake::at(span(), format!("`{name}` is a number, and this is a condition"));
                return Err(mistake.help("`where(condition, 1, 0)` is a number"));
            }
            let extent = self.graph.extent(value.id);
            if least == Extent::Element && extent != Extent::Element {
                let title = format!("`{name}` has a value for each element, and this is one number");
                return Err(Mistake::at(span(), title).expected("an element-wise value"));
            }
            let widest = self.assigned.entry(name.clone()).or_insert(extent);
            *widest = extent.max(*widest);
        }
        self.values.insert(name.clone(), value);
        Ok(())
    }

    /// The value of a node; nothing where an operand has none.
    fn node(&mut self, node: &Node, tree: &Tree, line: &Line) -> Result<Option<Value>, Option<Mistake>> {
        let span = &node.span;
        let number = |id| Ok(Some(Value { id, truth: false }));
        match &node.form {
            Form::Number(x) => number(self.graph.constant(*x)),
            Form::Name(name) => self.name(name, span, line),
            Form::Prefix(Prefix::Minus, a) => {
                let a = self.number(*a, tree, "`-`")?;
                number(self.graph.unary(Unary::Neg, a))
            }
            Form::Prefix(Prefix::Not, a) => {
                let (a, one) = (self.truth(*a, tree, "`not`")?, self.graph.constant(1.0));
                Ok(Some(Value { id: self.graph.binary(Binary::Sub, one, a), truth: true }))
            }
            Form::Infix(infix @ (Infix::And | Infix::Or), a, b) => {
                let what = format!("`{}`", infix.sign());
                let (a, b) = both(self.truth(*a, tree, &what), self.truth(*b, tree, &what))?;
                let of = if *infix == Infix::And { Binary::Mul } else { Binary::Max };
                Ok(Some(Value { id: self.graph.binary(of, a, b), truth: true }))
            }
            Form::Infix(infix, a, b) => {
                let what = format!("`{}`", infix.sign());
                let (a, b) = both(self.number(*a, tree, &what), self.number(*b, tree, &what))?;
                self.infix(*infix, a, b, span)
            }
            Form::Call(name, name_span, arguments) => self.call(name, name_span, arguments, tree, span),
        }
    }

    fn infix(&mut self, infix: Infix, a: Id, b: Id, span: &Range<usize>) -> Result<Option<Value>, Option<Mistake>> {
        let (of, a, b, negated) = match infix {
            Infix::Add => (Binary::Add, a, b, false),
            Infix::Sub => (Binary::Sub, a, b, false),
            Infix::Mul => (Binary::Mul, a, b, false),
            Infix::Div => (Binary::Div, a, b, false),
            Infix::Pow => (Binary::Pow, a, b, false),
            Infix::Less => (Binary::Less, a, b, false),
            Infix::LessEqual => (Binary::LessEqual, a, b, false),
            Infix::Greater => (Binary::Less, b, a, false),
            Infix::GreaterEqual => (Binary::LessEqual, b, a, false),
            Infix::Equal => (Binary::Equal, a, b, false),
            Infix::NotEqual => (Binary::Equal, a, b, true),
            Infix::And | Infix::Or => unreachable!("of conditions"),
        };
        let mut id = self.graph.binary(of, a, b);
        if negated {
            let one = self.graph.constant(1.0);
            id = self.graph.binary(Binary::Sub, one, id);
        }
        self.finite(id, span)?;
        Ok(Some(Value { id, truth: infix.is_comparison() }))
    }

    /// Refuses a constant that is not a finite number.
    fn finite(&self, id: Id, span: &Range<usize>) -> Result<(), Option<Mistake>> {
        match self.graph.constant_of(id) {
            Some(x) if !x.is_finite() => {
                let found = if x.is_nan() { "not a number" } else { "too large a number" };
                let title = format!("`{}` is {found}", &self.text[span.clone()]);
                Err(Some(Mistake::at(span.clone(), title).expected("a constant that is finite")))
            }
            _ => Ok(()),
        }
    }

    fn name(&mut self, name: &str, span: &Range<usize>, line: &Line) -> Result<Option<Value>, Option<Mistake>> {
        if name == "pi" {
            return Ok(Some(Value { id: self.graph.constant(std::f64::consts::PI), truth: false }));
        }
        if let Some(value) = self.values.get(name) {
            if self.declared.iter().any(|declared| declared.name == name) {
                self.mentioned.insert(name.to_owned());
            }
            return Ok(*value);
        }
        let span = span.clone();
        if let Some(function) = Function::find(name) {
            let call = format!("`{name}({})`", function.arguments().join(", "));
            return Err(Some(Mistake::at(span, format!("`{name}` is a function")).expected(call)));
        }
        if let Some(&assigned) = self.anywhere.get(name) {
            let mistake = Mistake::at(span, format!("`{name}` is used before it is assigned"));
            let here = 1 + self.text[..line.name_span.start].matches('\n').count();
            return Err(Some(if assigned == here {
                mistake.help(format!("`state = {{ {name} = 0 }}` remembers it from one update to the next"))
            } else {
                mistake.help(format!("line {assigned} assigns it: it must stand above this line"))
            }));
        }
        let known: Vec<&str> = self.known().collect();
        let mistake = Mistake::at(span, format!("there is no name `{name}`")).expected(choices(&known));
        // A single letter is as near to every other.
        let near = nearest(name, known.iter().copied().chain(functions()).chain(["pi"])).filter(|_| name.len() > 1);
        Err(Some(mistake.maybe_help(near.map(|near| format!("did you mean `{near}`?")))))
    }

    /// The names that mean something at the line at hand, in their order.
    fn known(&self) -> impl Iterator<Item = &str> {
        let mut lines: Vec<(&usize, &str)> =
            self.anywhere.iter().map(|(name, number)| (number, *name)).filter(|(_, name)| !name.is_empty()).collect();
        lines.sort_unstable();
        let declared = self.declared.iter().map(|declared| declared.name.as_str());
        let is_declared = |name: &str| self.declared.iter().any(|declared| declared.name == name);
        let own = lines.into_iter().map(|(_, name)| name);
        declared.chain(own.filter(move |name| !is_declared(name) && self.values.contains_key(*name)))
    }

    /// An operand that must be a number.
    fn number(&self, id: NodeId, tree: &Tree, of: &str) -> Result<Id, Option<Mistake>> {
        let value = self.nodes[id].ok_or(None)?;
        if value.truth {
            let mistake =
                Mistake::at(tree.nodes[id].span.clone(), format!("{of} needs a number, and this is a condition"));
            return Err(Some(mistake.help("`where(condition, 1, 0)` is a number")));
        }
        Ok(value.id)
    }

    /// An operand that must be a condition.
    fn truth(&self, id: NodeId, tree: &Tree, of: &str) -> Result<Id, Option<Mistake>> {
        let value = self.nodes[id].ok_or(None)?;
        if !value.truth {
            let mistake =
                Mistake::at(tree.nodes[id].span.clone(), format!("{of} needs a condition, and this is a number"));
            return Err(Some(mistake.expected("a comparison, such as `a > 0`")));
        }
        Ok(value.id)
    }

    /// An operand that must have a value for each element.
    fn elements(&self, id: NodeId, tree: &Tree, of: &str) -> Result<Id, Option<Mistake>> {
        let number = self.number(id, tree, of)?;
        if self.graph.extent(number) != Extent::Element {
            let title = format!("{of} needs a tensor, and this is one number");
            let any = self.declared.iter().find(|name| name.role.least() == Extent::Element);
            let expected = match any {
                Some(name) => format!("an element-wise value, such as `{}`", name.name),
                None => "a function of numbers: there are no tensors here".to_owned(),
            };
            return Err(Some(Mistake::at(tree.nodes[id].span.clone(), title).expected(expected)));
        }
        Ok(number)
    }

    fn call(
        &mut self,
        name: &str,
        name_span: &Range<usize>,
        arguments: &[NodeId],
        tree: &Tree,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Option<Mistake>> {
        let Some(function) = Function::find(name) else {
            let is_known = self.values.contains_key(name) || self.anywhere.contains_key(name) || name == "pi";
            let near = nearest(name, functions()).filter(|_| !is_known).map(|near| format!("did you mean `{near}`?"));
            let product = is_known.then(|| format!("products are written with `*`: `{name} * (..)`"));
            let mistake = Mistake::at(name_span.clone(), format!("there is no function `{name}`"));
            return Err(Some(mistake.expected("a function such as `sqrt`").maybe_help(near.or(product))));
        };
        let expected = function.arguments();
        if arguments.len() != expected.len() {
            let title = match arguments.len() {
                1 => format!("`{name}` has 1 argument"),
                n => format!("`{name}` has {n} arguments"),
            };
            let mistake = Mistake::at(span.clone(), title);
            return Err(Some(mistake.expected(format!("{}: `{name}({})`", expected.len(), expected.join(", ")))));
        }
        let of = format!("`{name}`");
        let id = match (function, arguments) {
            (Function::Unary(unary), &[a]) => {
                let a = self.number(a, tree, &of)?;
                self.graph.unary(unary, a)
            }
            (Function::Binary(binary), &[a, b]) => {
                let (a, b) = (self.number(a, tree, &of)?, self.number(b, tree, &of)?);
                self.graph.binary(binary, a, b)
            }
            (Function::Clip, &[x, low, high]) => {
                let [x, low, high] =
                    [self.number(x, tree, &of)?, self.number(low, tree, &of)?, self.number(high, tree, &of)?];
                // In this order, what is not a number stays so.
                let raised = self.graph.binary(Binary::Max, low, x);
                self.graph.binary(Binary::Min, high, raised)
            }
            (Function::Where, &[condition, a, b]) => {
                let condition = self.truth(condition, tree, "the first argument of `where`")?;
                let (x, y) = (self.nodes[a].ok_or(None)?, self.nodes[b].ok_or(None)?);
                if x.truth != y.truth {
                    let found = |truth| if truth { "a condition" } else { "a number" };
                    let title = format!("`where` chooses between {} and {}", found(x.truth), found(y.truth));
                    return Err(Some(Mistake::at(span.clone(), title).expected("two numbers or two conditions")));
                }
                return Ok(Some(Value { id: self.graph.select(condition, x.id, y.id), truth: x.truth }));
            }
            (Function::Orthogonalize, &[m]) => {
                let m = self.elements(m, tree, &of)?;
                self.graph.orthogonalize(m)
            }
            (Function::Fold(fold, over), arguments) => {
                let elements: Result<Vec<Id>, _> = arguments.iter().map(|&x| self.elements(x, tree, &of)).collect();
                self.fold(fold, over, &elements?)
            }
            _ => unreachable!("as many arguments as it takes"),
        };
        self.finite(id, span)?;
        Ok(Some(Value { id, truth: false }))
    }

    fn fold(&mut self, fold: Fold, over: Extent, arguments: &[Id]) -> Id {
        let a = arguments[0];
        let b = arguments.get(1).copied().unwrap_or(a);
        let reduction = fold.reduction();
        let sum = match reduction {
            Reduction::Sum | Reduction::Maximum => self.graph.reduce(reduction, over, a, a),
            // Products come out alike in either order.
            Reduction::Dot => self.graph.reduce(reduction, over, a.min(b), a.max(b)),
        };
        match fold {
            Fold::Sum | Fold::Dot | Fold::Maximum => sum,
            Fold::Norm => self.graph.unary(Unary::Sqrt, sum),
            Fold::Mean | Fold::Rms => {
                let count = self.graph.count(over);
                let mean = self.graph.binary(Binary::Div, sum, count);
                if fold == Fold::Rms { self.graph.unary(Unary::Sqrt, mean) } else { mean }
            }
        }
    }
}
