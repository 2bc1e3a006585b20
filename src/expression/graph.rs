//! A formula as a graph of operations: what is computed twice is there once, and constants are worked out.

use std::collections::HashMap;

/// The number of a value in its [`Graph`]; what a value is computed from comes before it.
pub(super) type Id = usize;

/// For how much of a model a value is one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// One number for the whole model, such as the learning rate.
    Model,
    /// One number for each weight tensor, such as its norm.
    Tensor,
    /// One number for each element of a weight tensor, such as the gradient.
    Element,
}

/// Functions of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Unary {
    Neg,
    Abs,
    Sign,
    Sqrt,
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
}

/// Functions of two numbers; comparisons are 1 where they hold, else 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Less,
    LessEqual,
    Equal,
}

/// From many numbers to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reduction {
    Sum,
    /// The sum of the products with another tensor's elements.
    Dot,
    Maximum,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// The bits of a number.
    Constant(u64),
    /// The number of a declared name.
    Input(usize),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    /// The second where the first is not 0, else the third.
    Select(Id, Id, Id),
    /// Over the elements of one tensor or of the whole model; the second operand is that of [`Reduction::Dot`], else the first.
    Reduce(Reduction, Extent, Id, Id),
    /// The number of elements of one tensor or of the whole model.
    Count(Extent),
    /// The nearest orthogonal matrix; of what is no matrix, itself.
    Orthogonalize(Id),
}

impl Node {
    pub(super) fn operands(self) -> impl Iterator<Item = Id> {
        let list = match self {
            Self::Constant(_) | Self::Input(_) | Self::Count(_) => [None; 3],
            Self::Unary(_, a) | Self::Orthogonalize(a) => [Some(a), None, None],
            Self::Binary(_, a, b) | Self::Reduce(_, _, a, b) => [Some(a), Some(b), None],
            Self::Select(c, a, b) => [Some(c), Some(a), Some(b)],
        };
        list.into_iter().flatten()
    }
}

impl Unary {
    pub(super) fn of(self, x: f64) -> f64 {
        match self {
            Self::Neg => -x,
            Self::Abs => x.abs(),
            Self::Sign => f64::from(i8::from(x > 0.0) - i8::from(x < 0.0)),
            Self::Sqrt => x.sqrt(),
            Self::Exp => x.exp(),
            Self::Log => x.ln(),
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tanh => x.tanh(),
        }
    }
}

impl Binary {
    pub(super) fn of(self, a: f64, b: f64) -> f64 {
        let truth = |holds: bool| f64::from(u8::from(holds));
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Pow => Power::of(b).map_or_else(|| a.powf(b), |power| power.apply(a)),
            Self::Min => {
                if a < b {
                    a
                } else {
                    b
                }
            }
            Self::Max => {
                if a > b {
                    a
                } else {
                    b
                }
            }
            Self::Less => truth(a < b),
            Self::LessEqual => truth(a <= b),
            Self::Equal => truth(a == b),
        }
    }
}

/// Powers that need no logarithm: products and roots are quicker and exact where they can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Power {
    One,
    Square,
    Cube,
    Fourth,
    Root,
    Reciprocal,
}

/// What [`Power::apply`] computes with.
pub(super) trait Powers: Copy + std::ops::Mul<Output = Self> + std::ops::Div<Output = Self> {
    const ONE: Self;
    fn root(self) -> Self;
}

impl Powers for f64 {
    const ONE: Self = 1.0;
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
}

impl Powers for f32 {
    const ONE: Self = 1.0;
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
}

impl Power {
    pub(super) fn of(exponent: f64) -> Option<Self> {
        Some(match exponent {
            1.0 => Self::One,
            2.0 => Self::Square,
            3.0 => Self::Cube,
            4.0 => Self::Fourth,
            0.5 => Self::Root,
            -1.0 => Self::Reciprocal,
            _ => return None,
        })
    }

    #[inline(always)]
    pub(super) fn apply<T: Powers>(self, x: T) -> T {
        match self {
            Self::One => x,
            Self::Square => x * x,
            Self::Cube => x * x * x,
            Self::Fourth => (x * x) * (x * x),
            Self::Root => x.root(),
            Self::Reciprocal => T::ONE / x,
        }
    }
}

/// Operations in an order in which they can be computed.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    extents: Vec<Extent>,
    index: HashMap<Node, Id>,
}

impl Graph {
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, id: Id) -> Node {
        self.nodes[id]
    }

    pub(super) fn extent(&self, id: Id) -> Extent {
        self.extents[id]
    }

    /// The number that a value always is, if it is one.
    pub(super) fn constant_of(&self, id: Id) -> Option<f64> {
        match self.nodes[id] {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn add(&mut self, node: Node, extent: Extent) -> Id {
        let Self { nodes, extents, index } = self;
        *index.entry(node).or_insert_with(|| {
            nodes.push(node);
            extents.push(extent);
            nodes.len() - 1
        })
    }

    /// The least extent that covers both.
    fn widest(&self, ids: impl IntoIterator<Item = Id>) -> Extent {
        ids.into_iter().map(|id| self.extents[id]).max().unwrap_or(Extent::Model)
    }

    pub(super) fn constant(&mut self, x: f64) -> Id {
        self.add(Node::Constant(x.to_bits()), Extent::Model)
    }

    pub(super) fn input(&mut self, number: usize, extent: Extent) -> Id {
        self.add(Node::Input(number), extent)
    }

    pub(super) fn unary(&mut self, of: Unary, a: Id) -> Id {
        match self.constant_of(a) {
            Some(x) => self.constant(of.of(x)),
            None => self.add(Node::Unary(of, a), self.extents[a]),
        }
    }

    pub(super) fn binary(&mut self, of: Binary, a: Id, b: Id) -> Id {
        match (self.constant_of(a), self.constant_of(b)) {
            (Some(x), Some(y)) => self.constant(of.of(x, y)),
            _ => self.add(Node::Binary(of, a, b), self.widest([a, b])),
        }
    }

    pub(super) fn select(&mut self, condition: Id, a: Id, b: Id) -> Id {
        match self.constant_of(condition) {
            Some(x) => {
                if x == 0.0 {
                    b
                } else {
                    a
                }
            }
            None => self.add(Node::Select(condition, a, b), self.widest([condition, a, b])),
        }
    }

    pub(super) fn reduce(&mut self, reduction: Reduction, over: Extent, a: Id, b: Id) -> Id {
        self.add(Node::Reduce(reduction, over, a, b), over)
    }

    pub(super) fn count(&mut self, over: Extent) -> Id {
        self.add(Node::Count(over), over)
    }

    pub(super) fn orthogonalize(&mut self, a: Id) -> Id {
        self.add(Node::Orthogonalize(a), Extent::Element)
    }

    /// The values that `roots` are computed from, themselves included.
    pub(super) fn reached(&self, roots: impl IntoIterator<Item = Id>) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        roots.into_iter().for_each(|id| reached[id] = true);
        for id in (0..self.len()).rev() {
            if reached[id] {
                self.nodes[id].operands().for_each(|operand| reached[operand] = true);
            }
        }
        reached
    }

    /// The value of a node that is one number, from those before it; nothing where it is told from elsewhere: names,
    /// counts and what is made of many numbers.
    pub(super) fn evaluate(&self, id: Id, value: impl Fn(Id) -> f64) -> Option<f64> {
        Some(match self.nodes[id] {
            Node::Constant(bits) => f64::from_bits(bits),
            Node::Unary(of, a) => of.of(value(a)),
            Node::Binary(of, a, b) => of.of(value(a), value(b)),
            Node::Select(c, a, b) => {
                if value(c) == 0.0 {
                    value(b)
                } else {
                    value(a)
                }
            }
            Node::Input(_) | Node::Reduce(..) | Node::Count(_) | Node::Orthogonalize(_) => return None,
        })
    }
}
