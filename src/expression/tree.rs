//! A formula as it is written: lines of names and expressions, with their places in the text.

use std::fmt;
use std::ops::Range;

/// The number of a node in its [`Tree`].
pub(super) type NodeId = usize;

/// All nodes of a formula, operands before what they are operands of: whoever walks them needs no recursion.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) lines: Vec<Line>,
}

/// `name = value`; the name is empty for an expression that stands alone.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) name_span: Range<usize>,
    /// The node of the value; none where it cannot be read, which is said already.
    pub(super) value: Option<NodeId>,
    /// The nodes of this line.
    pub(super) nodes: Range<NodeId>,
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) form: Form,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    Number(f64),
    Name(String),
    Prefix(Prefix, NodeId),
    Infix(Infix, NodeId, NodeId),
    /// The name and its place, and the arguments.
    Call(String, Range<usize>, Vec<NodeId>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    Minus,
    Not,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Infix {
    Or,
    And,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    Add,
    Sub,
    Mul,
    Div,
    Pow,
}

/// How tightly a name, a number, a call or parentheses hold together.
pub(super) const TIGHTEST: u8 = 9;

impl Prefix {
    /// How tightly it binds; its operand binds at least as tightly.
    pub(super) fn tightness(self) -> u8 {
        match self {
            Self::Not => 3,
            Self::Minus => 7,
        }
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Not => "not ",
            Self::Minus => "-",
        }
    }
}

impl Infix {
    pub(super) const ALL: [Self; 13] = [
        Self::Or,
        Self::And,
        Self::Less,
        Self::LessEqual,
        Self::Greater,
        Self::GreaterEqual,
        Self::Equal,
        Self::NotEqual,
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Pow,
    ];

    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Pow => "^",
        }
    }

    pub(super) fn is_comparison(self) -> bool {
        self.tightness() == 4
    }

    pub(super) fn tightness(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual | Self::Equal | Self::NotEqual => 4,
            Self::Add | Self::Sub => 5,
            Self::Mul | Self::Div => 6,
            Self::Pow => 8,
        }
    }

    /// How tightly its operands bind at least, where they stand without parentheses.
    pub(super) fn operands(self) -> (u8, u8) {
        let own = self.tightness();
        match self {
            // From the right: a^b^c is a^(b^c). What it is a power of stands alone, so that -a^2 is -(a^2).
            Self::Pow => (TIGHTEST, own),
            _ if self.is_comparison() => (own + 1, own + 1),
            _ => (own, own + 1),
        }
    }
}

impl Form {
    fn tightness(&self) -> u8 {
        match self {
            Self::Prefix(prefix, _) => prefix.tightness(),
            Self::Infix(infix, ..) => infix.tightness(),
            _ => TIGHTEST,
        }
    }
}

impl fmt::Display for Tree {
    /// The formula with as few parentheses as it needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts: Vec<String> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let mut operand = |id: NodeId, least: u8| {
                let text = std::mem::take(&mut texts[id]);
                if self.nodes[id].form.tightness() < least { format!("({text})") } else { text }
            };
            let text = match &node.form {
                Form::Number(x) => format!("{x:?}"),
                Form::Name(name) => name.clone(),
                Form::Prefix(prefix, a) => format!("{}{}", prefix.sign(), operand(*a, prefix.tightness())),
                Form::Infix(infix, a, b) => {
                    let (left, right) = infix.operands();
                    // After a power, a sign stands without parentheses: 2^-1.
                    let is_negative = matches!(self.nodes[*b].form, Form::Prefix(Prefix::Minus, _));
                    let right = if *infix == Infix::Pow && is_negative { 0 } else { right };
                    format!("{} {} {}", operand(*a, left), infix.sign(), operand(*b, right))
                }
                Form::Call(name, _, arguments) => {
                    let arguments: Vec<String> = arguments.iter().map(|&id| operand(id, 0)).collect();
                    format!("{name}({})", arguments.join(", "))
                }
            };
            texts.push(text);
        }
        for line in &self.lines {
            let value = line.value.map_or("", |id| &texts[id]);
            if line.name.is_empty() { write!(f, "{value}")? } else { writeln!(f, "{} = {value}", line.name)? }
        }
        Ok(())
    }
}
