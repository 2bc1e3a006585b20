//! Formulas as optimizers: what passes over memory and tensor operations make of updates that are easy to get wrong, and what
//! mistakes are told.

mod problems;

use candle_core::DType;
use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::length::Timeline;
use optbench::optim::{Step, build};
use optbench::settings::Settings;
use problems::{at, difference, eval_point, flat, problem, train_point};

/// An experiment with one formula, of which these are the keys.
fn experiment(keys: &str) -> Result<Experiment, String> {
    let text = format!("steps = 9\n[tasks.bowl]\nmodel = \"quadratic\"\n[optimizers.own]\nkind = \"formula\"\n{keys}");
    Experiment::parse(&Catalog::built_in(), "own.toml", &text, "own", &[]).map_err(|error| error.to_string())
}

fn formula(keys: &str) -> Settings {
    let experiment = experiment(keys).unwrap_or_else(|error| panic!("{error}"));
    let timeline = Timeline { steps: 9, steps_per_epoch: None, beta2: None };
    experiment.optimizers[0].grid.variants()[0].in_steps(&timeline).unwrap()
}

/// Where a network, weights and biases, goes under a formula: its weights, those to evaluate, and the states after each update.
fn path(settings: &Settings, composed: bool) -> Vec<f64> {
    let (mut problem, mut optimizer) = (problem("mlp", DType::F64), build(settings));
    if composed {
        optimizer.use_tensor_operations();
    }
    let mut path = Vec::new();
    for t in 0..6 {
        let (loss, gradients) = problem.gradients(t).unwrap();
        let scale = if t % 2 == 0 { 0.75 } else { 1.0 };
        let at = Step { loss, steps: 6, gradient_scale: scale, ..at(t, settings.float("lr")) };
        optimizer.step(problem.parameters(), &gradients, &at, &mut ()).unwrap_or_else(|error| panic!("{error}"));
        path.extend(train_point(problem.parameters()));
        path.extend(eval_point(problem.parameters(), &*optimizer));
        let state = optimizer.state().unwrap();
        path.extend(flat(state.tensors.iter().map(|(_, tensor)| tensor)).into_iter().chain(state.scalars));
    }
    path
}

#[test]
fn passes_over_memory_and_tensor_operations_take_the_same_path() {
    for keys in [
        // Weights that stay as they are, always or for a while.
        "state = { m = 0 }\nupdate = '''\nm = m + g\np = p'''",
        "state = { m = 0 }\nupdate = '''\nm = m + g\np = where(t < 3, p, p - lr * m)'''",
        // A state that is a copy of the weights, which change beneath it: chosen by a number, or a power of them.
        "state = { a = 0 }\nupdate = '''\na = where(t < 3, p, a)\np = p - lr * (g + 0.1 * a)'''",
        "k = 1\nstate = { a = 0 }\nupdate = '''\na = p ^ k\np = p - lr * g'''",
        "state = { a = \"p\" }\nupdate = '''\nb = a\na = p\np = p + 0.5 * (p - b) - lr * g'''\nevaluate = \"a\"",
        // A sum over numbers alone, where a tensor has no part in it.
        "update = '''\nn = all_norm(where(is_matrix, g, 0))\np = p - lr * g / (n + 1)'''",
        "update = '''\nn = sum(where(is_matrix, g, 2)) + all_maximum(where(is_bias, -1, g))\np = p - lr * g / (n ^ 2 + 1)'''",
    ] {
        let settings = formula(&format!("lr = 0.1\n{keys}"));
        let [fused, composed] = [false, true].map(|composed| path(&settings, composed));
        assert!(fused.iter().all(|x| x.is_finite()), "{keys}");
        let error = difference(&composed, &fused);
        assert!(error < 1e-13, "{keys}\noff by {error:.1e}");
    }
}

#[test]
fn a_key_is_not_called_idle_where_the_text_that_may_use_it_is_mistaken() {
    let keys = "blend = 0.5\nstate = { x = \"p\" }\nupdate = \"\"\"\nx = x - lr * g\np = x\"\"\"\n";
    assert!(experiment(&format!("{keys}evaluate = \"blend * x + (1 - blend) * p\"")).is_ok());
    let mistaken = experiment(&format!("{keys}evaluate = \"blend * x + (1 - blend) * q\"")).unwrap_err();
    assert!(mistaken.contains("there is no name `q`"), "{mistaken}");
    assert_eq!(mistaken.matches("error:").count(), 1, "{mistaken}");
    let idle = experiment(&format!("{keys}evaluate = \"x\"")).unwrap_err();
    assert!(idle.contains("the formula does not use `blend`"), "{idle}");
}
