//! Runs a [`Program`] over the weights of a model.

use candle_core::{DType, Tensor};

use crate::error::Result;
use crate::expression::block::{self, Registers};
use crate::expression::field;
use crate::expression::fuse::Loops;
use crate::expression::graph::{Extent, Id, Node};
use crate::expression::kernel::Number;
use crate::expression::lanes::join;
use crate::expression::plan::{Pass, Plan, Source, Stages};
use crate::expression::program::Program;
use crate::expression::scope::Role;
use crate::nn::float::{read_all, write_all};

/// A program with what it needs to run, kept from run to run.
#[derive(Debug)]
pub struct Runner {
    program: Program,
    stages: Stages,
    /// The numbers to work out before each pass and after the last: those of the model, and those of a tensor.
    numbers: Vec<[Vec<Id>; 2]>,
    plans: Vec<(Vec<u64>, Plan)>,
    /// The loops of each plan's passes over the memory of the CPU.
    loops: Vec<Vec<Ways>>,
    /// The values of the whole model.
    values: Vec<f64>,
    scratch: Scratch,
}

/// The loops of a pass: joined, and one for each instruction where numbers are too large or too small to be joined.
#[derive(Debug)]
struct Ways {
    joined: Loops,
    single: Loops,
}

/// What passes work with, kept so that none is made anew in every step.
#[derive(Debug, Default)]
struct Scratch {
    numbers: Vec<f64>,
    factors: Vec<f64>,
    results: Vec<f64>,
    single: Registers<f32>,
    double: Registers<f64>,
}

/// One weight tensor, and what goes with it.
#[derive(Debug, Clone)]
pub struct Site {
    /// The tensor of each declared name that is element-wise, in the order of the names; nothing for others.
    pub tensors: Vec<Option<Tensor>>,
    /// The number of each declared name that is one number for this tensor; conditions are 0 or 1.
    pub numbers: Vec<f64>,
    /// Whether [`orthogonalize`](Runner::run) applies.
    pub is_matrix: bool,
    plan: Option<usize>,
    values: Vec<f64>,
    made: Vec<(Source, Tensor)>,
}

impl Site {
    /// A tensor with its names' values; see the fields.
    pub fn new(tensors: Vec<Option<Tensor>>, numbers: Vec<f64>, is_matrix: bool) -> Self {
        Self { tensors, numbers, is_matrix, plan: None, values: Vec::new(), made: Vec::new() }
    }

    fn elements(&self) -> usize {
        self.tensors.iter().flatten().next().map_or(0, Tensor::elem_count)
    }

    fn made(&self, source: Source) -> Option<&Tensor> {
        self.made.iter().find(|(made, _)| *made == source).map(|(_, tensor)| tensor)
    }

    fn keep(&mut self, source: Source, tensor: Tensor) {
        self.made.retain(|(made, _)| *made != source);
        self.made.push((source, tensor));
    }
}

/// How a run computes.
pub struct Means<'a> {
    /// With tensor operations even on the CPU.
    pub composed: bool,
    /// The nearest orthogonal matrix.
    pub orthogonalize: &'a dyn Fn(&Tensor) -> Result<Tensor>,
}

impl Runner {
    /// A program, ready to run.
    pub fn new(program: Program) -> Self {
        let graph = &program.graph;
        let roots: Vec<Id> = program.assigned.iter().map(|(_, id)| *id).collect();
        let stages = Stages::new(graph, &roots);
        let numbers = (0..=stages.last + 1)
            .map(|stage| [Extent::Model, Extent::Tensor].map(|extent| stages.numbers(graph, extent, stage)));
        let numbers = numbers.collect();
        let values = vec![f64::NAN; graph.len()];
        Self { program, stages, numbers, plans: Vec::new(), loops: Vec::new(), values, scratch: Scratch::default() }
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Runs the program: reads the declared names' values, of the model from `model`, all others from `sites`, and leaves
    /// there what is assigned. On the CPU tensors are written in place, otherwise replaced.
    ///
    /// # Errors
    /// When tensors do not fit each other, or the device refuses.
    pub fn run(&mut self, model: &mut [f64], sites: &mut [Site], means: &Means) -> Result<()> {
        self.begin(model, sites);
        for stage in 0..self.numbers.len() {
            for i in 0..self.numbers[stage][0].len() {
                let id = self.numbers[stage][0][i];
                let value = self.program.graph.evaluate(id, |operand| self.values[operand]);
                self.values[id] = value.unwrap_or(f64::NAN);
            }
            let mut reduced: Vec<(Id, Vec<f64>)> = Vec::new();
            for site in &mut *sites {
                self.numbers_of(stage, site);
                if stage <= self.stages.last {
                    self.pass(stage, site, means, &mut reduced)?;
                }
            }
            for (id, parts) in reduced {
                if let Node::Reduce(reduction, ..) = self.program.graph.node(id) {
                    self.values[id] = join(reduction, &parts);
                }
            }
        }
        for &(name, id) in &self.program.assigned {
            match self.program.extents[name] {
                Extent::Model => model[name] = self.values[id],
                Extent::Tensor => {
                    for site in &mut *sites {
                        site.numbers[name] = value(&self.program, &self.values, site, id);
                    }
                }
                Extent::Element => {}
            }
        }
        Ok(())
    }

    /// Sets what is known from the start.
    fn begin(&mut self, model: &[f64], sites: &mut [Site]) {
        let graph = &self.program.graph;
        let all: usize = sites.iter().map(Site::elements).sum();
        for (id, node) in graph.nodes().iter().enumerate() {
            match *node {
                Node::Constant(bits) => self.values[id] = f64::from_bits(bits),
                Node::Input(name) if graph.extent(id) == Extent::Model => self.values[id] = model[name],
                Node::Count(Extent::Model) => self.values[id] = all as f64,
                _ => {}
            }
        }
        for site in sites {
            site.values.resize(graph.len(), f64::NAN);
            for (id, node) in graph.nodes().iter().enumerate() {
                match *node {
                    Node::Input(name) if graph.extent(id) == Extent::Tensor => site.values[id] = site.numbers[name],
                    Node::Count(Extent::Tensor) => site.values[id] = site.elements() as f64,
                    _ => {}
                }
            }
            if site.plan.is_none() {
                site.plan = Some(plan_of(&self.program, &self.stages, &mut self.plans, site));
                for (_, plan) in &self.plans[self.loops.len()..] {
                    let ways = |pass| Ways { joined: Loops::new(pass, true), single: Loops::new(pass, false) };
                    self.loops.push(plan.passes.iter().map(ways).collect());
                }
            }
        }
    }

    fn numbers_of(&self, stage: usize, site: &mut Site) {
        for &id in &self.numbers[stage][1] {
            let value = self.program.graph.evaluate(id, |operand| value(&self.program, &self.values, site, operand));
            site.values[id] = value.unwrap_or(f64::NAN);
        }
    }

    /// Runs one pass over one tensor; what is part of a reduction over the model is added to `reduced`.
    fn pass(&mut self, stage: usize, site: &mut Site, means: &Means, reduced: &mut Vec<(Id, Vec<f64>)>) -> Result<()> {
        let Self { program, plans, loops, values, scratch, .. } = self;
        let plan = site.plan.unwrap_or_default();
        let pass = &plans[plan].1.passes[stage];
        if pass.is_empty() {
            return Ok(());
        }
        let memory = memory(pass, site)?;
        scratch.numbers.clear();
        scratch.numbers.extend(pass.numbers.iter().map(|&id| value(program, values, site, id)));
        let first = &memory[0];
        let (fused, dtype) = (!means.composed && first.device().is_cpu(), first.dtype());
        scratch.results.clear();
        match (fused, dtype) {
            (true, DType::F32 | DType::F64) => scratch.run(pass, &loops[plan][stage], &memory)?,
            _ => {
                let (written, results) = field::run(pass, &scratch.numbers, &memory)?;
                for (source, tensor) in pass.memory.iter().zip(written) {
                    match *source {
                        Source::Name(name) => site.tensors[name] = Some(tensor),
                        source => site.keep(source, tensor),
                    }
                }
                scratch.results.extend(results);
            }
        }
        for (&(id, ..), &result) in pass.reductions.iter().zip(&scratch.results) {
            match program.graph.extent(id) {
                Extent::Tensor => site.values[id] = result,
                _ => match reduced.iter_mut().find(|(of, _)| *of == id) {
                    Some((_, parts)) => parts.push(result),
                    None => reduced.push((id, vec![result])),
                },
            }
        }
        for i in 0..pass.writes.len() {
            if let Source::Argument(id) = pass.memory[i]
                && let Some(argument) = site.made(Source::Argument(id))
            {
                let result = (means.orthogonalize)(argument)?.contiguous()?;
                site.keep(Source::Result(id), result);
            }
        }
        if stage == self.stages.last {
            site.made.retain(|(source, _)| matches!(source, Source::Argument(_)));
        }
        Ok(())
    }
}

/// The value of a node that is one number for a tensor or the model.
fn value(program: &Program, model: &[f64], site: &Site, id: Id) -> f64 {
    if program.graph.extent(id) == Extent::Model { model[id] } else { site.values[id] }
}

/// The plan for a tensor, by what is known of it for good.
fn plan_of(program: &Program, stages: &Stages, plans: &mut Vec<(Vec<u64>, Plan)>, site: &Site) -> usize {
    let graph = &program.graph;
    let is_given =
        |name: usize| !matches!(program.names[name].role, Role::Kept(_)) && program.extents[name] == Extent::Tensor;
    let mut key: Vec<u64> =
        (0..program.names.len()).filter(|&name| is_given(name)).map(|name| site.numbers[name].to_bits()).collect();
    key.push(u64::from(site.is_matrix));
    if let Some(known) = plans.iter().position(|(known, _)| *known == key) {
        return known;
    }
    let mut known: Vec<Option<f64>> = Vec::with_capacity(graph.len());
    for (id, node) in graph.nodes().iter().enumerate() {
        known.push(match *node {
            Node::Input(name) if is_given(name) => Some(site.numbers[name]),
            _ if node.operands().all(|operand| known[operand].is_some()) => {
                graph.evaluate(id, |operand| known[operand].unwrap_or(f64::NAN))
            }
            _ => None,
        });
    }
    plans.push((key, Plan::new(graph, stages, &program.assigned, &known, site.is_matrix)));
    plans.len() - 1
}

/// The tensors that a pass opens; those that it writes first are made where there are none yet.
fn memory(pass: &Pass, site: &mut Site) -> Result<Vec<Tensor>> {
    let mut memory = Vec::with_capacity(pass.memory.len());
    for &source in &pass.memory {
        let tensor = match source {
            Source::Name(name) => site.tensors[name].clone(),
            source => site.made(source).cloned(),
        };
        let tensor = match tensor {
            Some(tensor) => tensor,
            None => {
                let like = site.tensors.iter().flatten().next().expect("a tensor");
                let made = Tensor::zeros(like.shape(), like.dtype(), like.device())?;
                site.keep(source, made.clone());
                made
            }
        };
        memory.push(tensor);
    }
    Ok(memory)
}

impl Scratch {
    /// Runs the loops of a pass over the memory of the CPU.
    fn run(&mut self, pass: &Pass, ways: &Ways, memory: &[Tensor]) -> Result<()> {
        let mut loops = &ways.joined;
        self.factors.clear();
        for factor in &loops.factors {
            let Some(value) = factor.value(&self.numbers) else {
                loops = &ways.single;
                break;
            };
            self.factors.push(value);
        }
        let Self { numbers, factors, results, single, double } = self;
        match memory[0].dtype() {
            DType::F32 => run_loops(pass, loops, (numbers, factors), single, memory, results),
            _ => run_loops(pass, loops, (numbers, factors), double, memory, results),
        }
    }
}

fn run_loops<T: Number>(
    pass: &Pass,
    loops: &Loops,
    numbers: (&[f64], &[f64]),
    registers: &mut Registers<T>,
    memory: &[Tensor],
    results: &mut Vec<f64>,
) -> Result<()> {
    let (written, read) = memory.split_at(pass.writes.len());
    let written: Vec<&Tensor> = written.iter().collect();
    let read = read.iter().map(Tensor::contiguous).collect::<candle_core::Result<Vec<_>>>()?;
    let read: Vec<&Tensor> = read.iter().collect();
    let reductions = pass.reductions.iter().map(|&(_, reduction, _)| reduction);
    let mut run = |written: &mut [&mut [T]], read: &[&[T]]| {
        block::run(loops, reductions.clone(), numbers, registers, written, read, results);
    };
    if written.is_empty() {
        return Ok(read_all(&read, |read| run(&mut [], &read))?);
    }
    Ok(write_all(&written, |mut written: Vec<&mut [T]>| read_all(&read, |read| run(&mut written, &read)))??)
}
