//! How a graph is computed: passes over the elements of a tensor, each a list of instructions on a few registers.
//!
//! A reduction needs its argument on all elements first, so that what follows it takes another pass. A pass reads the
//! memory as it was before the first one and works out again what an earlier one worked out already: that is quicker
//! than to write it down. The last pass alone writes.

use std::collections::HashMap;

use crate::expression::graph::{Binary, Extent, Graph, Id, Node, Power, Reduction, Unary};

/// When each value can be computed.
#[derive(Debug, Clone)]
pub(super) struct Stages {
    /// Of each value, after how many passes it is known.
    of: Vec<usize>,
    /// The number of the pass that writes.
    pub(super) last: usize,
    /// The reductions over the whole model that anything asks for.
    model_reductions: Vec<Id>,
}

impl Stages {
    /// The stages of all values, where `roots` are asked for.
    pub(super) fn new(graph: &Graph, roots: &[Id]) -> Self {
        let mut of: Vec<usize> = Vec::with_capacity(graph.len());
        for node in graph.nodes() {
            let before = node.operands().map(|id| of[id]).max().unwrap_or(0);
            of.push(before + usize::from(matches!(node, Node::Reduce(..) | Node::Orthogonalize(_))));
        }
        let reached = graph.reached(roots.iter().copied());
        let asked = |id: &Id| reached[*id] && matches!(graph.node(*id), Node::Reduce(..) | Node::Orthogonalize(_));
        let passes = (0..graph.len()).filter(asked).map(|id| of[id] - 1);
        let written = roots.iter().filter(|&&id| graph.extent(id) == Extent::Element).map(|&id| of[id]);
        let last = passes.chain(written).max().unwrap_or(0);
        let of_model = |id: &Id| reached[*id] && matches!(graph.node(*id), Node::Reduce(_, Extent::Model, ..));
        Self { last, model_reductions: (0..graph.len()).filter(of_model).collect(), of }
    }

    /// The numbers of an extent that are worked out before a pass.
    pub(super) fn numbers(&self, graph: &Graph, extent: Extent, stage: usize) -> Vec<Id> {
        let computed = |id: &Id| {
            matches!(graph.node(*id), Node::Constant(_) | Node::Unary(..) | Node::Binary(..) | Node::Select(..))
        };
        (0..graph.len()).filter(|&id| self.of[id] == stage && graph.extent(id) == extent).filter(computed).collect()
    }
}

/// Where an instruction finds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    Register(usize),
    /// Of the tensors that a pass opens.
    Memory(usize),
    /// Of the numbers that a pass is given.
    Number(usize),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Copy(Operand),
    Unary(Unary, Operand),
    Binary(Binary, [Operand; 2]),
    Select([Operand; 3]),
}

impl Operation {
    pub(super) fn operands(self) -> impl Iterator<Item = Operand> {
        let list = match self {
            Self::Copy(a) | Self::Unary(_, a) => [Some(a), None, None],
            Self::Binary(_, [a, b]) => [Some(a), Some(b), None],
            Self::Select([c, a, b]) => [Some(c), Some(a), Some(b)],
        };
        list.into_iter().flatten()
    }

    /// The same of other operands.
    pub(super) fn map(self, to: impl Fn(Operand) -> Operand) -> Self {
        match self {
            Self::Copy(a) => Self::Copy(to(a)),
            Self::Unary(of, a) => Self::Unary(of, to(a)),
            Self::Binary(of, operands) => Self::Binary(of, operands.map(to)),
            Self::Select(operands) => Self::Select(operands.map(to)),
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Instruction {
    pub(super) operation: Operation,
    pub(super) to: usize,
}

/// A tensor that a pass opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// That of a declared name.
    Name(usize),
    /// The result of an orthogonalization.
    Result(Id),
    /// The argument of an orthogonalization.
    Argument(Id),
}

/// One pass over the elements of a tensor.
#[derive(Debug, Clone, Default)]
pub(super) struct Pass {
    /// The tensors, those that are written first.
    pub(super) memory: Vec<Source>,
    pub(super) instructions: Vec<Instruction>,
    pub(super) registers: usize,
    /// What is written to the first tensors at the end.
    pub(super) writes: Vec<Operand>,
    /// The reductions, and what they are of.
    pub(super) reductions: Vec<(Id, Reduction, [Operand; 2])>,
    /// The numbers that it is given.
    pub(super) numbers: Vec<Id>,
}

impl Pass {
    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.reductions.is_empty()
    }
}

/// The passes over a tensor of one kind: what is known of it beforehand is chosen beforehand.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) passes: Vec<Pass>,
}

impl Plan {
    /// The passes for a tensor of which some values are `known`; `assigned` are names and what they become.
    pub(super) fn new(
        graph: &Graph,
        stages: &Stages,
        assigned: &[(usize, Id)],
        known: &[Option<f64>],
        is_matrix: bool,
    ) -> Self {
        let resolve = |id: Id| resolve(graph, known, is_matrix, id);
        let roots = assigned.iter().map(|&(_, id)| id).chain(stages.model_reductions.iter().copied());
        let reached = reached(graph, &resolve, roots);
        let elements = assigned.iter().filter(|(_, id)| graph.extent(*id) == Extent::Element);
        let passes = (0..=stages.last).map(|stage| {
            let mut targets: Vec<(Source, Id)> = Vec::new();
            let mut reductions = Vec::new();
            for id in (0..graph.len()).filter(|&id| reached[id]) {
                match graph.node(id) {
                    Node::Orthogonalize(a) if stages.of[id] == stage + 1 => targets.push((Source::Argument(id), a)),
                    Node::Reduce(of, _, a, b) if stages.of[id] == stage + 1 => reductions.push((id, of, [a, b])),
                    _ => {}
                }
            }
            if stage == stages.last {
                targets.extend(elements.clone().map(|&(name, id)| (Source::Name(name), id)));
            }
            // What stays as it is need not be written.
            targets.retain(|(source, id)| !matches!((source, graph.node(resolve(*id))), (Source::Name(a), Node::Input(b)) if *a == b));
            Assembly { graph, resolve: &resolve, pass: Pass::default(), memory: HashMap::new(), numbers: HashMap::new() }
                .assemble(&targets, &reductions)
        });
        Self { passes: passes.collect() }
    }
}

/// What a value is where some are known: the branch that is taken; of what is no matrix, itself.
fn resolve(graph: &Graph, known: &[Option<f64>], is_matrix: bool, mut id: Id) -> Id {
    loop {
        id = match graph.node(id) {
            Node::Select(c, a, b) => match known[c] {
                Some(0.0) => b,
                Some(_) => a,
                None => return id,
            },
            Node::Orthogonalize(a) if !is_matrix => a,
            _ => return id,
        }
    }
}

/// The values that are asked for, by way of what they resolve to.
fn reached(graph: &Graph, resolve: &impl Fn(Id) -> Id, roots: impl Iterator<Item = Id>) -> Vec<bool> {
    let mut reached = vec![false; graph.len()];
    roots.for_each(|id| reached[resolve(id)] = true);
    for id in (0..graph.len()).rev() {
        if reached[id] {
            graph.node(id).operands().for_each(|operand| reached[resolve(operand)] = true);
        }
    }
    reached
}

struct Assembly<'a, R> {
    graph: &'a Graph,
    resolve: &'a R,
    pass: Pass,
    memory: HashMap<Source, usize>,
    numbers: HashMap<Id, usize>,
}

impl<R: Fn(Id) -> Id> Assembly<'_, R> {
    fn assemble(mut self, targets: &[(Source, Id)], reductions: &[(Id, Reduction, [Id; 2])]) -> Pass {
        for &(source, _) in targets {
            self.open(source);
        }
        let roots: Vec<Id> =
            targets.iter().map(|(_, id)| *id).chain(reductions.iter().flat_map(|(.., of)| *of)).collect();
        let order = self.order(&roots);
        // The last instruction that reads a value; those that are written or summed are read at the end.
        let mut last: HashMap<Id, usize> = HashMap::new();
        for (at, &id) in order.iter().enumerate() {
            for operand in self.graph.node(id).operands() {
                last.insert((self.resolve)(operand), at);
            }
        }
        last.extend(roots.iter().map(|&id| ((self.resolve)(id), order.len())));
        let (mut place, mut free): (HashMap<Id, usize>, Vec<usize>) = (HashMap::new(), Vec::new());
        for (at, &id) in order.iter().enumerate() {
            let node = self.graph.node(id);
            let graph = self.graph;
            let mut operand = |operand| self.operand(operand, &place);
            let operation = match node {
                Node::Unary(of, a) => Operation::Unary(of, operand(a)),
                Node::Binary(Binary::Pow, a, b) => match graph.constant_of(b).and_then(Power::of) {
                    Some(Power::Square) => Operation::Binary(Binary::Mul, [operand(a); 2]),
                    Some(Power::Root) => Operation::Unary(Unary::Sqrt, operand(a)),
                    _ => Operation::Binary(Binary::Pow, [operand(a), operand(b)]),
                },
                Node::Binary(of, a, b) => Operation::Binary(of, [operand(a), operand(b)]),
                Node::Select(c, a, b) => Operation::Select([operand(c), operand(a), operand(b)]),
                _ => unreachable!("no instruction computes {node:?}"),
            };
            // A register of its own: none that is read.
            let to = self.register(&mut free);
            self.pass.instructions.push(Instruction { operation, to });
            place.insert(id, to);
            let done = |value: &Id| last.get(value) == Some(&at);
            let mut read: Vec<Id> = node.operands().map(self.resolve).filter(done).collect();
            read.sort_unstable();
            read.dedup();
            free.extend(read.iter().filter_map(|value| place.remove(value)));
        }
        for &(_, id) in targets {
            let mut operand = self.operand(id, &place);
            if let Operand::Memory(_) = operand {
                // Memory may be written before it is read: what is copied takes a register between.
                let to = self.register(&mut free);
                self.pass.instructions.push(Instruction { operation: Operation::Copy(operand), to });
                operand = Operand::Register(to);
            }
            self.pass.writes.push(operand);
        }
        self.pass.reductions = reductions
            .iter()
            .map(|&(id, of, values)| (id, of, values.map(|value| self.operand(value, &place))))
            .collect();
        if self.pass.memory.is_empty() && !self.pass.is_empty() {
            // A sum of one number for every element needs to know how many there are.
            let mut inputs = self.graph.nodes().iter().enumerate();
            let element = inputs.find_map(|(id, node)| match node {
                Node::Input(name) if self.graph.extent(id) == Extent::Element => Some(*name),
                _ => None,
            });
            element.map(|name| self.open(Source::Name(name)));
        }
        self.pass
    }

    /// The values that instructions compute for these, in an order in which they can be.
    fn order(&self, roots: &[Id]) -> Vec<Id> {
        let is_computed = |id: Id| {
            self.graph.extent(id) == Extent::Element
                && matches!(self.graph.node(id), Node::Unary(..) | Node::Binary(..) | Node::Select(..))
        };
        let mut wanted = vec![false; self.graph.len()];
        for &id in roots {
            wanted[(self.resolve)(id)] = true;
        }
        for id in (0..self.graph.len()).rev() {
            if wanted[id] && is_computed(id) {
                self.graph.node(id).operands().for_each(|operand| wanted[(self.resolve)(operand)] = true);
            }
        }
        (0..self.graph.len()).filter(|&id| wanted[id] && is_computed(id)).collect()
    }

    fn register(&mut self, free: &mut Vec<usize>) -> usize {
        free.pop().unwrap_or_else(|| {
            self.pass.registers += 1;
            self.pass.registers - 1
        })
    }

    fn open(&mut self, source: Source) -> usize {
        let Self { memory, pass, .. } = self;
        *memory.entry(source).or_insert_with(|| {
            pass.memory.push(source);
            pass.memory.len() - 1
        })
    }

    fn operand(&mut self, id: Id, place: &HashMap<Id, usize>) -> Operand {
        let id = (self.resolve)(id);
        if self.graph.extent(id) != Extent::Element {
            let Self { numbers, pass, .. } = self;
            return Operand::Number(*numbers.entry(id).or_insert_with(|| {
                pass.numbers.push(id);
                pass.numbers.len() - 1
            }));
        }
        match self.graph.node(id) {
            Node::Input(name) => Operand::Memory(self.open(Source::Name(name))),
            Node::Orthogonalize(_) => Operand::Memory(self.open(Source::Result(id))),
            _ => Operand::Register(place[&id]),
        }
    }
}
