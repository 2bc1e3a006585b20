//! What holds of all formulas: they read back as they are printed, their derivatives are those of finite differences, and
//! passes over memory, tensor operations and element by element give the same numbers.

use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;

use crate::expression::graph::{Extent, Id, Node as Value, Reduction};
use crate::expression::tree::{Form, Infix, Line, Node, Prefix, Tree};
use crate::expression::{Declared, Means, Number, Program, Runner, Site, parse};
use crate::registry::{Mistake, Place};

const UNARY: [&str; 8] = ["abs", "sign", "sqrt", "exp", "log", "sin", "cos", "tanh"];
const FOLDS: [&str; 9] = ["sum", "mean", "norm", "rms", "maximum", "all_sum", "all_norm", "all_mean", "all_maximum"];

/// What a random formula is made of.
#[derive(Clone, Copy)]
struct Parts {
    names: &'static [&'static str],
    numbers: &'static [f64],
    infix: &'static [Infix],
    /// Whether there are functions of tensors.
    tensors: bool,
}

/// A tree from random bytes: each is a leaf, or joins what came before.
fn grow(bytes: &[u8], parts: Parts) -> Tree {
    fn push(tree: &mut Tree, stack: &mut Vec<usize>, form: Form) {
        tree.nodes.push(Node { form, span: 0..0 });
        stack.push(tree.nodes.len() - 1);
    }
    let (mut tree, mut stack) = (Tree::default(), Vec::new());
    let call = |name: &str, arguments: Vec<usize>| Form::Call(name.to_owned(), 0..0, arguments);
    for &byte in bytes {
        let pick = usize::from(byte / 8);
        let form = match (byte % 8, stack.len()) {
            (0, 1..) => Form::Prefix(Prefix::Minus, stack.pop().unwrap()),
            (1, 1..) => call(UNARY[pick % UNARY.len()], vec![stack.pop().unwrap()]),
            (2, 2..) => call(["min", "max"][pick % 2], stack.split_off(stack.len() - 2)),
            (3, 1..) if parts.tensors && pick % 2 == 0 => {
                let name = [&FOLDS[..], &["orthogonalize"]].concat()[pick / 2 % (FOLDS.len() + 1)];
                call(name, vec![stack.pop().unwrap()])
            }
            (3..=5, 2..) => {
                let operands = stack.split_off(stack.len() - 2);
                Form::Infix(parts.infix[pick % parts.infix.len()], operands[0], operands[1])
            }
            (6, _) => Form::Number(parts.numbers[pick % parts.numbers.len()]),
            _ => Form::Name(parts.names[pick % parts.names.len()].to_owned()),
        };
        push(&mut tree, &mut stack, form);
    }
    if stack.is_empty() {
        push(&mut tree, &mut stack, Form::Number(1.0));
    }
    while stack.len() > 1 {
        let operands = stack.split_off(stack.len() - 2);
        push(&mut tree, &mut stack, Form::Infix(Infix::Add, operands[0], operands[1]));
    }
    let nodes = 0..tree.nodes.len();
    tree.lines.push(Line { name: String::new(), name_span: 0..0, value: stack.pop(), nodes });
    tree
}

/// A tree without its places.
fn forms(tree: &Tree) -> Vec<Form> {
    let without = |node: &Node| match &node.form {
        Form::Call(name, _, arguments) => Form::Call(name.clone(), 0..0, arguments.clone()),
        form => form.clone(),
    };
    tree.nodes.iter().map(without).collect()
}

const SMOOTH: &[Infix] = &[Infix::Add, Infix::Sub, Infix::Mul, Infix::Div, Infix::Pow];

fn named(names: &[&str]) -> Vec<Declared> {
    names.iter().map(|name| Declared::number(*name, "a number", Extent::Model)).collect()
}

proptest! {
    #[test]
    fn a_tree_reads_back_as_it_is_printed(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let parts = Parts { names: &["p", "beta", "not_a", "e1"], numbers: &[0.0, 1.0, 2.5, 1e-8, 1e300], infix: &Infix::ALL, tensors: true };
        let mut tree = grow(&bytes, parts);
        // Conditions that are compared, and `not` wherever it can stand.
        for node in &mut tree.nodes {
            if let Form::Prefix(prefix, operand) = &mut node.form && *operand % 3 == 0 {
                *prefix = Prefix::Not;
            }
        }
        let (text, mut mistakes) = (tree.to_string(), Vec::new());
        let read = parse::expression(&text, &mut mistakes);
        prop_assert_eq!(&mistakes, &[], "{}", text);
        prop_assert_eq!(forms(&read), forms(&tree), "{}", text);
    }

    #[test]
    fn derivatives_are_those_of_finite_differences(bytes in prop::collection::vec(any::<u8>(), 1..40), x in 0.3f64..2.0, y in -2.0f64..2.0) {
        let parts = Parts { names: &["x", "y"], numbers: &[0.5, 2.0, 3.0, 1.25], infix: SMOOTH, tensors: false };
        let text = grow(&bytes, parts).to_string();
        let Ok(number) = Number::parse(&text, &named(&["x", "y"])) else { return Ok(()) };
        let by_hand = |h: f64| {
            [(number.at(&[x + h, y]) - number.at(&[x - h, y])) / (2.0 * h), (number.at(&[x, y + h]) - number.at(&[x, y - h])) / (2.0 * h)]
        };
        let (near, nearer, found) = (by_hand(1e-5), by_hand(3e-6), number.gradient().at(&[x, y]));
        let size = number.at(&[x, y]).abs();
        for i in 0..2 {
            // A kink, a pole or lost digits between the points: two steps would not agree.
            let (scale, spread) = (1.0 + nearer[i].abs() + size, (near[i] - nearer[i]).abs());
            // Infinite slopes of roots may meet.
            if nearer[i].is_finite() && found[i].is_finite() && scale < 1e4 && spread < 1e-5 * scale {
                prop_assert!((found[i] - nearer[i]).abs() < 1e-3 * scale, "{} at {} {}: {:?}, expected {:?}", text, x, y, found, nearer);
            }
        }
    }

    #[test]
    fn passes_tensor_operations_and_single_elements_agree(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..25), 1..4)) {
        let parts = Parts { names: &["p", "g", "m", "lr", "d"], numbers: &[0.5, 2.0, 3.0, 1.0], infix: &[Infix::Add, Infix::Sub, Infix::Mul, Infix::Div, Infix::Less], tensors: true };
        let values = lines.iter().enumerate().map(|(i, bytes)| {
            // Comparisons become numbers, so that they can stand everywhere.
            let mut tree = grow(bytes, parts);
            for node in &mut tree.nodes {
                if let Form::Infix(infix @ Infix::Less, ..) = &mut node.form {
                    *infix = Infix::Add;
                }
            }
            format!("{} = where(g < {i}, g - p, p) + {tree}\n", ["p", "m", "d"][i])
        });
        let text = format!("{}d = norm(g) + d\nm = m + g * {}\np = p + where(is_matrix, m, d)", values.collect::<String>(), lines.len());
        if let Ok(program) = Program::parse(&text, &weights()) {
            agree(&program, &text)?;
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[pgm(),+*/^=<> \n#a-d0-9.e\"'-]{0,80}") {
        let _ = Program::parse(&text, &weights());
        let _ = Number::parse(&text, &named(&["p", "g"]));
    }
}

fn weights() -> Vec<Declared> {
    vec![
        Declared::kept("p", "the weight", Extent::Element),
        Declared::number("g", "the gradient", Extent::Element),
        Declared::kept("m", "the state", Extent::Model),
        Declared::kept("d", "the state", Extent::Model),
        Declared::number("lr", "the learning rate", Extent::Model),
        Declared::truth("is_matrix", "a condition", Extent::Tensor),
    ]
}

/// Tensors with several blocks, less than one, and a single element.
const SHAPES: [&[usize]; 4] = [&[40, 20], &[300], &[3, 5], &[1]];

/// Something that needs the whole tensor.
fn whole(x: &[f64]) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    x.iter().map(|x| x - mean).collect()
}

/// The start; numbers are off by a share, to see how much that matters.
fn sites(program: &Program, off: f64) -> (Vec<f64>, Vec<Site>) {
    let noise = |k: usize, i: usize| (((31 * k + i) as f64 * 12.9898).sin() * 43758.5453) % 1.0;
    let sites = SHAPES.iter().enumerate().map(|(s, shape)| {
        let tensors = program.names.iter().enumerate().map(|(k, _)| {
            let values: Vec<f64> = (0..shape.iter().product()).map(|i| noise(7 * s + k, i) * (1.0 + off)).collect();
            (program.extents[k] == Extent::Element).then(|| Tensor::from_vec(values, *shape, &Device::Cpu).unwrap())
        });
        let numbers = program.names.iter().map(|name| match &*name.name {
            "is_matrix" => f64::from(u8::from(shape.len() == 2)),
            _ => 0.5,
        });
        Site::new(tensors.collect(), numbers.collect(), shape.len() == 2)
    });
    (vec![0.1; program.names.len()], sites.collect())
}

fn list(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// What is assigned, element by element; numbers as one element.
fn results(program: &Program, model: &[f64], sites: &[Site]) -> Vec<Vec<f64>> {
    let of = |site: &Site, name: usize| match program.extents[name] {
        Extent::Model => vec![model[name]],
        Extent::Tensor => vec![site.numbers[name]],
        Extent::Element => list(site.tensors[name].as_ref().unwrap()),
    };
    sites.iter().flat_map(|site| program.assigned.iter().map(move |&(name, _)| of(site, name))).collect()
}

fn run(program: &Program, composed: bool) -> Vec<Vec<f64>> {
    let (mut model, mut sites) = sites(program, 0.0);
    let orthogonalize = |x: &Tensor| Ok(Tensor::from_vec(whole(&list(x)), x.shape(), &Device::Cpu)?);
    let mut runner = Runner::new(program.clone());
    for _ in 0..2 {
        runner.run(&mut model, &mut sites, &Means { composed, orthogonalize: &orthogonalize }).unwrap();
    }
    results(program, &model, &sites)
}

fn greatest(values: &[f64]) -> f64 {
    if values.iter().any(|x| x.is_nan()) { f64::NAN } else { values.iter().copied().fold(f64::NEG_INFINITY, f64::max) }
}

/// The program one value after the other, each in full for all tensors.
/// The same with the largest number on the way: its rounding is in what is left when it cancels.
fn by_hand(program: &Program, off: f64) -> (Vec<Vec<f64>>, f64) {
    let (graph, mut largest) = (&program.graph, 0.0f64);
    let (mut model, mut sites) = sites(program, off);
    for _ in 0..2 {
        let mut values: Vec<Vec<Vec<f64>>> = Vec::new();
        for (id, node) in graph.nodes().iter().enumerate() {
            let of_sites = sites.iter().enumerate().map(|(s, site)| {
                let n: usize = SHAPES[s].iter().product();
                let at = |operand: Id, i: usize| {
                    let list: &Vec<f64> = &values[operand][s];
                    list[i.min(list.len() - 1)]
                };
                let reduced = |reduction, s: usize, a: Id, b: Id| {
                    let (a, b): (&Vec<f64>, &Vec<f64>) = (&values[a][s], &values[b][s]);
                    match reduction {
                        Reduction::Sum => a.iter().sum(),
                        Reduction::Dot => a.iter().zip(b).map(|(a, b)| a * b).sum(),
                        Reduction::Maximum => greatest(a),
                    }
                };
                match *node {
                    Value::Input(name) if graph.extent(id) == Extent::Element => {
                        list(site.tensors[name].as_ref().unwrap())
                    }
                    Value::Input(name) if graph.extent(id) == Extent::Tensor => vec![site.numbers[name]],
                    Value::Input(name) => vec![model[name]],
                    Value::Count(Extent::Tensor) => vec![n as f64],
                    Value::Count(_) => vec![SHAPES.iter().map(|shape| shape.iter().product::<usize>() as f64).sum()],
                    Value::Reduce(reduction, Extent::Tensor, a, b) => vec![reduced(reduction, s, a, b)],
                    Value::Reduce(reduction, _, a, b) => {
                        let parts: Vec<f64> = (0..SHAPES.len()).map(|s| reduced(reduction, s, a, b)).collect();
                        vec![if reduction == Reduction::Maximum { greatest(&parts) } else { parts.iter().sum() }]
                    }
                    Value::Orthogonalize(a) if site.is_matrix => whole(&values[a][s]),
                    Value::Orthogonalize(a) => values[a][s].clone(),
                    _ => {
                        let count = if graph.extent(id) == Extent::Element { n } else { 1 };
                        (0..count).map(|i| graph.evaluate(id, |operand| at(operand, i)).unwrap()).collect()
                    }
                }
            });
            let of_sites: Vec<Vec<f64>> = of_sites.collect();
            largest = of_sites.iter().flatten().filter(|x| x.is_finite()).fold(largest, |most, x| most.max(x.abs()));
            values.push(of_sites);
        }
        for &(name, id) in &program.assigned {
            for (s, site) in sites.iter_mut().enumerate() {
                let value = &values[id][s];
                match program.extents[name] {
                    Extent::Model => model[name] = value[0],
                    Extent::Tensor => site.numbers[name] = value[0],
                    Extent::Element => {
                        let full: Vec<f64> =
                            (0..SHAPES[s].iter().product()).map(|i: usize| value[i.min(value.len() - 1)]).collect();
                        site.tensors[name] = Some(Tensor::from_vec(full, SHAPES[s], &Device::Cpu).unwrap());
                    }
                }
            }
        }
    }
    (results(program, &model, &sites), largest)
}

fn agree(program: &Program, text: &str) -> Result<(), TestCaseError> {
    let ((expected, largest), (beside, _)) = (by_hand(program, 0.0), by_hand(program, 1e-13));
    for composed in [false, true] {
        for (found, (expected, beside)) in run(program, composed).iter().zip(expected.iter().zip(&beside)) {
            for (found, (expected, beside)) in found.iter().zip(expected.iter().zip(beside)) {
                // What other roundings would change that much, they may; infinities come and go with them.
                let matters = expected.is_nan() != beside.is_nan() || (expected - beside).is_infinite();
                let tolerance = 1e-10 * (1.0 + expected.abs()) + 1e4 * (expected - beside).abs() + 1e-14 * largest;
                let close =
                    found == expected || found.is_nan() && expected.is_nan() || (found - expected).abs() <= tolerance;
                let same = close || matters;
                prop_assert!(
                    same || expected.abs() > 1e30,
                    "{}\ncomposed: {}, {} and {}",
                    text,
                    composed,
                    found,
                    expected
                );
            }
        }
    }
    Ok(())
}

#[test]
fn programs_of_every_shape_agree() {
    for text in [
        // Two states that change places, a copy, and a number for every element.
        "p = m\nm = p + d * g\nd = d",
        "m = g\np = m\nd = 1",
        "m = p\np = g\nd = d + all_sum(g)",
        // Reductions of what an orthogonalization gave, and the other way round.
        "m = orthogonalize(m * 0.9 + g)\nd = norm(m)\np = p - lr * m / (d + 1) * where(is_matrix, 2, norm(m))",
        "u = orthogonalize(g / (norm(g) + all_norm(g)))\nm = m + u\nd = rms(orthogonalize(u - m))\np = p - d * u",
        // Every join of instructions, and what must not be joined: a part that is read twice, a register written meanwhile.
        "m = lr * m + g * 0.1\nd = 1\np = p - m / (sqrt(g ^ 2 / 0.3) + 0.1) - lr * p + 3 * g - (2 - lr / (abs(g) + 1))",
        "u = g * lr\nm = u + m * 2\nd = 0.5\np = (p - u) + u * d + (m - m / (abs(u) + 1)) * 0.5 - sqrt(abs(m) + d)",
        "m = 2 * p * (0 - g) / (sqrt(abs(m) / 3) * 0.5 + 0.1)\nd = 1\np = lr - m * p * 0.5 + 3 / (abs(g) + 4)",
        "m = -(p + 1) / (-2 * abs(p) - 1) + lr / (sqrt(abs(g)) + 1)\nd = 2\np = g * p - 2 * (m * -g) + p * p / lr",
        "m = m - p\np = p + m * d\nd = norm(p)",
        // Numbers whose product is too small for single precision.
        "m = g * 1e-20 / 1e20 + p / 1e20 / 1e20\nd = 1e20\np = p - m * 1e20 * d * lr",
        // What is known of a tensor chooses branches that differ in their passes.
        "m = where(is_matrix, orthogonalize(g), where(norm(g) > 1, g / norm(g), 0))\nd = 0.5 * d + 1\np = p - m",
        "m = where(is_matrix, 0, g)\nd = all_dot(m, g) + all_rms(m) + dot(m, g)\np = p - d * m",
        // Sums of numbers alone, where a branch was chosen beforehand.
        "m = g\nd = all_norm(where(is_matrix, g, 0)) + maximum(where(is_matrix, 2, g))\np = p - d * m",
        "m = m + all_dot(where(is_matrix, g, 3), where(is_matrix, g, 2))\nd = sum(where(is_matrix, 0.5, 0 - g))\np = p - d * g",
        // What stays as it is, and what is another name for it.
        "p = p\nm = where(lr > 0, p, m)\nd = lr",
        "m = p ^ 1\np = where(lr > 1, g, m)\nd = lr",
        "m = m ^ 2 + g ^ 3 - p ^ 0.5 * abs(g) ^ lr\nd = 1\np = clip(p, -0.5, lr) + g ^ -1 + 2 ^ g + (0 - abs(g)) ^ 2",
    ] {
        let program = Program::parse(text, &weights()).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"));
        agree(&program, text).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn single_precision_follows_double() {
    let text =
        "m = 0.9 * m + 0.1 * g\nd = norm(m)\np = p - lr * m / (sqrt(rms(g)) + 1) + tanh(exp(sin(g)) + log(abs(p) + 1))";
    let program = Program::parse(text, &weights()).unwrap();
    let double = run(&program, false);
    let (mut model, mut sites) = sites(&program, 0.0);
    for tensor in sites.iter_mut().flat_map(|site| site.tensors.iter_mut().flatten()) {
        *tensor = tensor.to_dtype(DType::F32).unwrap();
    }
    let mut runner = Runner::new(program.clone());
    for _ in 0..2 {
        runner.run(&mut model, &mut sites, &Means { composed: false, orthogonalize: &|x| Ok(x.clone()) }).unwrap();
    }
    for (single, double) in results(&program, &model, &sites).iter().zip(&double) {
        assert!(single.iter().zip(double).all(|(a, b)| (a - b).abs() < 3e-6));
    }
}

/// The places and titles of mistakes, in the order of the text.
fn told(text: &str, mistakes: Vec<Mistake>) -> Vec<String> {
    let mut told: Vec<(usize, String)> = Vec::new();
    for mistake in mistakes {
        let (at, place) = match &mistake.place {
            Place::Text(span) => {
                let before = &text[..span.start];
                let (line, column) =
                    (1 + before.matches('\n').count(), 1 + before.len() - before.rfind('\n').map_or(0, |i| i + 1));
                (span.start, format!("{line}:{column}"))
            }
            Place::Name(name) => (text.len(), name.clone()),
        };
        let help = mistake.help.map_or(String::new(), |help| format!(" ({help})"));
        told.push((at, format!("{place} {}{help}", mistake.title)));
    }
    told.sort();
    told.into_iter().map(|(_, told)| told).collect()
}

#[test]
fn all_mistakes_are_found_at_once_and_in_their_places() {
    let text = "\
m = bata * m + (1 - lr) * g    # misspelt
v = max(v)
lr = 0.1
u = w + norm(lr)
w = 1e308 * 10
p = p - lr * m / (sqrt(v) + 1e-8
q += 1
p = norm(g)
p = where(g, 1, 2) + (g > 0) + x * $y
p = p - 2 lr";
    let mut names = weights();
    names.push(Declared::kept("v", "the state", Extent::Model));
    let mistakes = Program::parse(text, &names).unwrap_err();
    assert_eq!(
        told(text, mistakes),
        [
            "1:5 there is no name `bata`",
            "2:5 `max` has 1 argument",
            "3:1 `lr` is the learning rate, and cannot be assigned",
            "4:5 `w` is used before it is assigned (line 5 assigns it: it must stand above this line)",
            "4:14 `norm` needs a tensor, and this is one number",
            "5:5 `1e308 * 10` is too large a number",
            "6:18 this `(` is never closed",
            "7:3 `+=` follows the name `q` (write `q = q + ..`)",
            "8:5 `p` has a value for each element, and this is one number",
            "9:11 the first argument of `where` needs a condition, and this is a number",
            "9:22 `+` needs a number, and this is a condition (`where(condition, 1, 0)` is a number)",
            "9:32 there is no name `x`",
            "9:36 `$` has no meaning in a formula",
            "9:37 there is no name `y`",
            "10:11 the name `lr` cannot stand here (products are written with `*`: `2.0 * lr`)",
            "d the state `d` is never assigned",
        ]
    );
    for (text, expected) in [
        ("m = m\nd = d", "p the weight `p` is never assigned"),
        ("a < b", "1:3 `<` follows the name `a`"),
        ("p = p ** 2", "1:7 `**` cannot stand here (powers are written `^`)"),
        ("p = 1 < p < 2", "1:11 comparisons cannot be chained (write `a < b and b < c`)"),
        (
            "p = (p +",
            "1:9 the end of the line cannot stand here (a line goes on where a parenthesis is open: `( .. )`)",
        ),
        ("p = p)", "1:6 `)` cannot stand here (there is no `(` for this `)`)"),
        ("max = 1", "1:1 `max` is a function"),
        ("p = norm", "1:5 `norm` is a function"),
        ("p = lr(p)", "1:5 there is no function `lr` (products are written with `*`: `lr * (..)`)"),
        ("p = sqr(p)", "1:5 there is no function `sqr` (did you mean `sqrt`?)"),
        ("p = 1e999 * p", "1:5 the number `1e999` is too large"),
        ("p = p + 1 / 0", "1:9 `1 / 0` is too large a number"),
        (
            "u = u + g",
            "1:5 `u` is used before it is assigned (`state = { u = 0 }` remembers it from one update to the next)",
        ),
    ] {
        let mistakes = told(text, Program::parse(text, &weights()).unwrap_err());
        assert!(mistakes.contains(&expected.to_owned()), "{text}: {mistakes:#?}");
    }
    let deep = format!("p = {}p{}", "(".repeat(100_000), ")".repeat(100_000));
    let long = format!("p = p{}", " + p".repeat(100_000));
    for (text, title) in [
        (&deep, "nested too deeply"),
        (&long, "too long"),
        (&format!("p = {}p", "-".repeat(100_000)), "nested too deeply"),
    ] {
        let mistakes = Program::parse(text, &weights()).unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.title.contains(title)), "{:?}", mistakes[0]);
    }
}

#[test]
fn comments_blank_lines_and_lines_that_go_on_are_read() {
    let text = "# nothing\n\nm = (g +  # so far\n  lr * (\n    p))\r\n\td = 1\np = where(\n  not is_matrix and g > 0 or m == 2,\n  p, -p ^ 2)";
    Program::parse(text, &weights()).unwrap();
    let number = Number::parse("\n  2\n * x  # twice\n", &named(&["x"])).unwrap();
    assert_eq!(number.at(&[4.0]), 8.0);
}

#[test]
fn derivatives_are_little_more_than_the_value() {
    let names = named(&["x", "y"]);
    let rosenbrock = Number::parse("(1 - x)^2 + 100 * (y - x^2)^2", &names).unwrap().gradient();
    assert_eq!(rosenbrock.at(&[1.0, 1.0]), [0.0, 0.0]);
    assert_eq!(rosenbrock.at(&[-1.5, 2.0]), [-2.0 * 2.5 - 400.0 * -1.5 * -0.25, 200.0 * -0.25]);
    assert!(rosenbrock.operations() <= 16, "{} operations", rosenbrock.operations());
    // What is not chosen has no part in a derivative, whatever its own is.
    let chosen = Number::parse("min(x, sqrt(0 - x)) + where(x > 0, x, log(0 - x))", &names).unwrap().gradient();
    assert_eq!(Number::parse("where(x > 0, x, sqrt(0 - x))", &names).unwrap().gradient().at(&[2.0, 0.0]), [1.0, 0.0]);
    assert_eq!(chosen.at(&[-2.0, 0.0]), [1.0 - 0.5, 0.0]);
    assert_eq!(Number::parse("x ^ y + y ^ x", &names).unwrap().gradient().at(&[1.0, 0.0]), [0.0, 1.0]);
    assert_eq!(Number::parse("3", &names).unwrap().gradient().at(&[0.0, 0.0]), [0.0, 0.0]);
}
