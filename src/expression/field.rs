//! A pass as tensor operations, on any device.

use candle_core::{DType, Result, Tensor};

use crate::expression::graph::{Binary, Power, Reduction, Unary};
use crate::expression::plan::{Instruction, Operand, Operation, Pass};

/// One number, or a tensor of them.
#[derive(Clone)]
enum Field {
    One(f64),
    Each(Tensor),
}

impl Field {
    /// A tensor with memory of its own: that of another name may be written to.
    fn owned(self) -> Result<Self> {
        match self {
            Self::Each(tensor) => tensor.copy().map(Self::Each),
            one @ Self::One(_) => Ok(one),
        }
    }
}

/// What a pass over tensors computes with.
struct Fields<'a> {
    memory: &'a [Tensor],
    registers: Vec<Option<Tensor>>,
    numbers: &'a [f64],
}

/// The tensors to write, and the reductions, both in order.
pub(super) fn run(pass: &Pass, numbers: &[f64], memory: &[Tensor]) -> Result<(Vec<Tensor>, Vec<f64>)> {
    let mut fields = Fields { memory, registers: vec![None; pass.registers], numbers };
    for &Instruction { operation, to } in &pass.instructions {
        let value = fields.compute(operation)?;
        fields.registers[to] = Some(fields.tensor(value)?);
    }
    let written = pass.writes.iter().map(|&operand| fields.tensor(fields.value(operand))).collect::<Result<_>>()?;
    let reduced =
        pass.reductions.iter().map(|&(_, reduction, of)| fields.reduce(reduction, of)).collect::<Result<_>>()?;
    Ok((written, reduced))
}

impl Fields<'_> {
    fn value(&self, operand: Operand) -> Field {
        match operand {
            Operand::Number(i) => Field::One(self.numbers[i]),
            Operand::Memory(i) => Field::Each(self.memory[i].clone()),
            Operand::Register(i) => Field::Each(self.registers[i].clone().expect("computed before it is read")),
        }
    }

    /// A number becomes a tensor of it, rounded to the tensors' number type.
    fn tensor(&self, field: Field) -> Result<Tensor> {
        match field {
            Field::Each(tensor) => Ok(tensor),
            Field::One(x) => {
                let like = &self.memory[0];
                Tensor::new(x, like.device())?.to_dtype(like.dtype())?.broadcast_as(like.shape())?.contiguous()
            }
        }
    }

    fn compute(&self, operation: Operation) -> Result<Field> {
        Ok(match operation {
            Operation::Copy(a) => self.value(a).owned()?,
            Operation::Unary(of, a) => match self.value(a) {
                Field::One(x) => Field::One(of.of(x)),
                Field::Each(x) => Field::Each(unary(of, &x)?),
            },
            Operation::Binary(of, [a, b]) => match (self.value(a), self.value(b)) {
                (Field::One(a), Field::One(b)) => Field::One(of.of(a, b)),
                (Field::Each(a), Field::One(b)) if of == Binary::Pow => Field::Each(self.power(&a, b)?),
                (a, b) => Field::Each(binary(of, &self.tensor(a)?, &self.tensor(b)?)?),
            },
            Operation::Select([c, a, b]) => match self.value(c) {
                Field::One(c) => self.value(if c == 0.0 { b } else { a }).owned()?,
                Field::Each(c) => {
                    let (a, b) = (self.tensor(self.value(a))?, self.tensor(self.value(b))?);
                    Field::Each(c.ne(0.0)?.where_cond(&a, &b)?)
                }
            },
        })
    }

    fn power(&self, a: &Tensor, exponent: f64) -> Result<Tensor> {
        match Power::of(exponent) {
            Some(Power::One) => a.copy(),
            Some(Power::Square) => a * a,
            Some(Power::Cube) => (a * a)? * a,
            Some(Power::Fourth) => a.sqr()?.sqr(),
            Some(Power::Root) => a.sqrt(),
            Some(Power::Reciprocal) => self.tensor(Field::One(1.0))? / a,
            None => a.powf(exponent),
        }
    }

    fn reduce(&self, reduction: Reduction, [a, b]: [Operand; 2]) -> Result<f64> {
        // Sums and products are taken in double precision, as on the CPU.
        let wide = |operand| self.tensor(self.value(operand))?.to_dtype(DType::F64);
        match reduction {
            Reduction::Sum => wide(a)?.sum_all()?.to_scalar(),
            Reduction::Dot => (wide(a)? * wide(b)?)?.sum_all()?.to_scalar(),
            // Whether a device finds what is not a number the largest differs.
            Reduction::Maximum => {
                let (values, most) = (wide(a)?, wide(a)?.max_all()?.to_scalar()?);
                let is_lost = values.ne(&values)?.max_all()?.to_scalar::<u8>()? > 0;
                Ok(if is_lost { f64::NAN } else { most })
            }
        }
    }
}

fn unary(of: Unary, x: &Tensor) -> Result<Tensor> {
    match of {
        Unary::Neg => x.neg(),
        Unary::Abs => x.abs(),
        Unary::Sign => x.sign(),
        Unary::Sqrt => x.sqrt(),
        Unary::Exp => x.exp(),
        Unary::Log => x.log(),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Tanh => x.tanh(),
    }
}

fn binary(of: Binary, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let truth = |holds: Tensor| holds.to_dtype(a.dtype());
    match of {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        // By comparisons, as on the CPU: what a device calls the larger of a number and a NaN differs.
        Binary::Min => a.lt(b)?.where_cond(a, b),
        Binary::Max => a.gt(b)?.where_cond(a, b),
        Binary::Less => truth(a.lt(b)?),
        Binary::LessEqual => truth(a.le(b)?),
        Binary::Equal => truth(a.eq(b)?),
        Binary::Pow => pow(a, b),
    }
}

/// `a^b` element by element, by way of the logarithm of `|a|`: a negative number has powers of whole numbers alone.
fn pow(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let size = (a.abs()?.log()? * b)?.exp()?;
    let (half, nothing) = ((b * 0.5)?, (b * f64::NAN)?);
    let is_even = half.eq(&half.floor()?)?;
    let is_whole = b.eq(&b.floor()?)?;
    let of_negative = is_even.where_cond(&size, &is_whole.where_cond(&size.neg()?, &nothing)?)?;
    let power = a.lt(0.0)?.where_cond(&of_negative, &size)?;
    // The logarithm of 0, times 0, is not a number; its power is 1.
    b.eq(0.0)?.where_cond(&b.ones_like()?, &power)
}
