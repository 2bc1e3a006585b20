//! Derivatives of a graph of numbers, by the chain rule from the value backwards.

use crate::expression::graph::{Binary, Graph, Id, Node, Unary};

/// The derivatives of `value` by each of the inputs, as values of the same graph.
///
/// What is 0 or 1 throughout is left out of sums and products, so that the derivatives are little more than the value.
pub(super) fn gradient(graph: &mut Graph, value: Id, inputs: &[Id]) -> Vec<Id> {
    let reached = graph.reached([value]);
    let depends = depends(graph, value, inputs);
    let mut adjoints: Vec<Option<Id>> = vec![None; value + 1];
    // Below a choice, what was not chosen gets 0, even where its derivative is not a number.
    let mut chosen = vec![false; value + 1];
    adjoints[value] = Some(graph.constant(1.0));
    for id in (0..=value).rev() {
        let Some(adjoint) = adjoints[id].filter(|_| reached[id] && depends[id]) else { continue };
        let below_choice = chosen[id];
        let is_choice = matches!(graph.node(id), Node::Select(..) | Node::Binary(Binary::Min | Binary::Max, ..));
        let mut give = |graph: &mut Graph, to: Id, share: Option<Id>| {
            if let Some(mut share) = share.filter(|_| depends[to]) {
                if below_choice && share != adjoint {
                    let zero = graph.constant(0.0);
                    let is_zero = graph.binary(Binary::Equal, adjoint, zero);
                    share = graph.select(is_zero, zero, share);
                }
                chosen[to] |= below_choice || is_choice;
                adjoints[to] = Some(match adjoints[to] {
                    Some(sum) => plus(graph, sum, share),
                    None => share,
                });
            }
        };
        match graph.node(id) {
            Node::Unary(of, a) => {
                let share = unary(graph, of, a, id, adjoint);
                give(graph, a, share);
            }
            Node::Binary(of, a, b) => {
                let shares = binary(graph, of, [a, b], id, adjoint, [depends[a], depends[b]]);
                give(graph, a, shares[0]);
                give(graph, b, shares[1]);
            }
            Node::Select(c, a, b) => {
                let zero = graph.constant(0.0);
                let (to_a, to_b) = (graph.select(c, adjoint, zero), graph.select(c, zero, adjoint));
                give(graph, a, Some(to_a));
                give(graph, b, Some(to_b));
            }
            // Numbers have no elements to sum over.
            Node::Constant(_) | Node::Input(_) | Node::Count(_) | Node::Reduce(..) | Node::Orthogonalize(_) => {}
        }
    }
    inputs.iter().map(|&input| adjoints.get(input).copied().flatten().unwrap_or_else(|| graph.constant(0.0))).collect()
}

/// Which values up to one change with the inputs.
fn depends(graph: &Graph, value: Id, inputs: &[Id]) -> Vec<bool> {
    let mut depends = vec![false; value + 1];
    for id in 0..=value {
        depends[id] = inputs.contains(&id) || graph.node(id).operands().any(|operand| depends[operand]);
    }
    depends
}

/// `adjoint f'(a)`, with `id` the value of `f(a)`; nothing where it is 0.
fn unary(graph: &mut Graph, of: Unary, a: Id, id: Id, adjoint: Id) -> Option<Id> {
    Some(match of {
        Unary::Neg => graph.unary(Unary::Neg, adjoint),
        Unary::Sign => return None,
        Unary::Abs => {
            let sign = graph.unary(Unary::Sign, a);
            times(graph, adjoint, sign)
        }
        Unary::Exp => times(graph, adjoint, id),
        Unary::Log => graph.binary(Binary::Div, adjoint, a),
        Unary::Sqrt => {
            let two = graph.constant(2.0);
            let twice = graph.binary(Binary::Mul, two, id);
            graph.binary(Binary::Div, adjoint, twice)
        }
        Unary::Sin => {
            let cosine = graph.unary(Unary::Cos, a);
            times(graph, adjoint, cosine)
        }
        Unary::Cos => {
            let sine = graph.unary(Unary::Sin, a);
            let product = times(graph, adjoint, sine);
            graph.unary(Unary::Neg, product)
        }
        Unary::Tanh => {
            let (one, square) = (graph.constant(1.0), graph.binary(Binary::Mul, id, id));
            let slope = graph.binary(Binary::Sub, one, square);
            times(graph, adjoint, slope)
        }
    })
}

/// What both operands get, where they are asked for.
fn binary(graph: &mut Graph, of: Binary, [a, b]: [Id; 2], id: Id, adjoint: Id, asked: [bool; 2]) -> [Option<Id>; 2] {
    match of {
        Binary::Add => [Some(adjoint); 2],
        Binary::Sub => [Some(adjoint), Some(graph.unary(Unary::Neg, adjoint))],
        Binary::Mul => [Some(times(graph, adjoint, b)), Some(times(graph, adjoint, a))],
        Binary::Div => {
            let over = graph.binary(Binary::Div, adjoint, b);
            let product = times(graph, over, id);
            [Some(over), Some(graph.unary(Unary::Neg, product))]
        }
        Binary::Pow => {
            // What is 0 times something infinite is 0 here: of an exponent of 0, and of powers of 0.
            let zero = graph.constant(0.0);
            let by_base = asked[0].then(|| {
                let one = graph.constant(1.0);
                let less = graph.binary(Binary::Sub, b, one);
                let power = graph.binary(Binary::Pow, a, less);
                let (slope, is_flat) = (times(graph, b, power), graph.binary(Binary::Equal, b, zero));
                let slope = graph.select(is_flat, zero, slope);
                times(graph, adjoint, slope)
            });
            let by_exponent = asked[1].then(|| {
                let log = graph.unary(Unary::Log, a);
                let (slope, is_flat) = (times(graph, id, log), graph.binary(Binary::Equal, a, zero));
                let slope = graph.select(is_flat, zero, slope);
                times(graph, adjoint, slope)
            });
            [by_base, by_exponent]
        }
        Binary::Min | Binary::Max => {
            let (small, large) = if of == Binary::Min { (a, b) } else { (b, a) };
            let first = graph.binary(Binary::Less, small, large);
            let zero = graph.constant(0.0);
            [Some(graph.select(first, adjoint, zero)), Some(graph.select(first, zero, adjoint))]
        }
        Binary::Less | Binary::LessEqual | Binary::Equal => [None; 2],
    }
}

fn plus(graph: &mut Graph, a: Id, b: Id) -> Id {
    match (graph.constant_of(a), graph.constant_of(b)) {
        (Some(0.0), _) => b,
        (_, Some(0.0)) => a,
        _ => graph.binary(Binary::Add, a, b),
    }
}

fn times(graph: &mut Graph, a: Id, b: Id) -> Id {
    match (graph.constant_of(a), graph.constant_of(b)) {
        (Some(1.0), _) => b,
        (_, Some(1.0)) => a,
        _ => graph.binary(Binary::Mul, a, b),
    }
}
