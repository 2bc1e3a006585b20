//! What must hold of every optimizer, whatever its formula; and which of them are one another.
//!
//! Walks the registry: a new kind is tested the day it is registered, with its defaults and with
//! every setting that its reference numbers were made with.

mod problems;

use candle_core::{DType, Device, Tensor};
use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::nn::float::write;
use optbench::nn::params::{Init, Parameter};
use optbench::nn::role::Role;
use optbench::optim::{Ask, Definition, OPTIMIZERS, Optimizer, State, Step, build, groups, needs, second_moment_decay};
use optbench::registry::{Described, flaw};
use optbench::settings::{Settings, Value};
use problems::{NAMES, at, defaults, difference, eval_point, parse, place, problem, read_json, reference, train_point};

/// Shapes of all kinds: wide, tall, a vector, one longer than a vectorised block, a convolution.
const SHAPES: [&[usize]; 5] = [&[3, 5], &[6, 2], &[4], &[150], &[3, 2, 2, 2]];

/// An optimizer on weights of all shapes, with gradients that follow from the step alone.
struct Trial {
    optimizer: Box<dyn Optimizer>,
    parameters: Vec<Parameter>,
    settings: Settings,
    sign: f64,
}

/// Noise between -1 and 1 for the `i`-th number of the `k`-th tensor at a time.
fn noise(t: u64, k: usize, i: usize) -> f64 {
    ((31 * t + 17 * k as u64 + i as u64) as f64 * 12.9898).sin() * 43758.5453 % 1.0
}

/// Half noise, half one direction: rules that measure progress must see some.
fn gradient(t: u64, k: usize, dtype: DType, factor: f64) -> Tensor {
    let value = |i| factor * (noise(t, k, i) + noise(2000, k, i));
    let values: Vec<f64> = (0..SHAPES[k].iter().product()).map(value).collect();
    Tensor::from_vec(values, SHAPES[k], &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

impl Trial {
    fn new(settings: &Settings, dtype: DType) -> Self {
        let mut init = Init::new(0, dtype, &Device::Cpu);
        for (k, shape) in SHAPES.iter().enumerate() {
            let values = (0..shape.iter().product()).map(|i| noise(1000, k, i)).collect();
            init.values(format!("p{k}"), Role::Hidden, *shape, values).unwrap();
        }
        let parameters = init.finish();
        Self { optimizer: build(settings), parameters, settings: settings.clone(), sign: 1.0 }
    }

    fn lr(&self) -> f64 {
        self.settings.float("lr")
    }

    fn gradients(&self, t: u64) -> Vec<Tensor> {
        let dtype = self.parameters[0].var.dtype();
        (0..SHAPES.len()).map(|k| gradient(t, k, dtype, self.sign)).collect()
    }

    fn step_at(&mut self, at: &Step) {
        let gradients = self.gradients(at.t);
        self.optimizer.step(&self.parameters, &gradients, at, &mut ()).unwrap();
    }

    fn steps(&mut self, steps: std::ops::Range<u64>) -> &mut Self {
        for t in steps {
            self.step_at(&at(t, self.lr()));
        }
        self
    }

    /// Where the gradient is taken, and where is evaluated.
    fn points(&self) -> (Vec<f64>, Vec<f64>) {
        (train_point(&self.parameters), eval_point(&self.parameters, &*self.optimizer))
    }
}

/// The largest relative difference of two trials at both points.
fn apart(a: &Trial, b: &Trial) -> f64 {
    let ((a_train, a_eval), (b_train, b_eval)) = (a.points(), b.points());
    difference(&a_train, &b_train).max(difference(&a_eval, &b_eval))
}

/// Every kind with its defaults, with the settings of its reference numbers, and under averages.
fn all_settings() -> Vec<(String, Settings)> {
    let mut all = Vec::new();
    for definition in OPTIMIZERS {
        let kind = definition.about.name;
        all.push((kind.to_owned(), defaults(kind)));
        if kind == "formula" {
            all.extend(problems::formulas().into_iter().map(|(name, _, formula)| (format!("formula {name}"), formula)));
            continue;
        }
        let json = read_json(&reference().join(format!("trajectories/{kind}.json")));
        for case in json["cases"].as_array().unwrap() {
            let name = format!("{kind} {}", case["name"].as_str().unwrap());
            all.push((name, problems::settings(kind, &case["settings"])));
        }
    }
    for text in [
        r#"{"kind": "adamw", "average": "ema", "average_decay": 0.9}"#,
        r#"{"kind": "muon", "average": "swa", "average_start": 4, "average_every": 3}"#,
        r#"{"kind": "schedule_free_adamw", "average": "lawa", "average_every": 2, "average_window": 3}"#,
        r#"{"kind": "schedule_free", "base": {"kind": "soap"}}"#,
        r#"{"kind": "schedule_free", "base": {"kind": "prodigy"}}"#,
        r#"{"kind": "schedule_free", "base": {"kind": "adam", "average": "ema", "average_decay": 0.5}}"#,
        r#"{"kind": "schedule_free_sgd", "beta": 0.0, "weight_decay": 0.1}"#,
        r#"{"kind": "schedule_free_adamw", "beta": 1e-6}"#,
        r#"{"kind": "schedule_free_radam", "beta": 0.3}"#,
        r#"{"kind": "schedule_free", "beta": 0.0, "weight_decay": 0.1}"#,
        r#"{"kind": "schedule_free", "beta": 1e-6, "base": {"kind": "adamw"}}"#,
        r#"{"kind": "schedule_free", "base": {"kind": "schedule_free", "base": {"kind": "nadam"}}}"#,
        r#"{"kind": "adamw", "groups.1.match": ["p1"], "groups.1.weight_decay": 0.5, "groups.2.match": ["p3", "p?"],
            "groups.2.kind": {"kind": "schedule_free_adamw"}, "groups.2.lr_factor": 2.0}"#,
        r#"{"kind": "prodigy", "groups.1.match": ["p0", "p3"], "groups.1.kind": {"kind": "muon"},
            "groups.1.lr_factor": 0.02, "average": "ema", "average_decay": 0.9}"#,
    ] {
        all.push((text.to_owned(), parse(text)));
    }
    all
}

/// Collects what does not hold, so that one failure does not hide another.
fn hold(what: impl Fn(&str, &Settings) -> Result<(), String>) {
    let failures: Vec<String> = all_settings()
        .iter()
        .filter_map(|(name, settings)| what(name, settings).err().map(|problem| format!("{name}: {problem}")))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn at_most(error: f64, tolerance: f64) -> Result<(), String> {
    if error <= tolerance { Ok(()) } else { Err(format!("off by {error:.1e}")) }
}

/// Two settings that must take the same path, over all reference problems.
fn same_path(a: &Settings, b: &Settings, tolerance: f64) {
    for name in NAMES {
        let paths = [a, b].map(|settings| {
            let mut problem = problem(name, DType::F64);
            let mut optimizer = build(settings);
            let mut path = Vec::new();
            for t in 0..50 {
                let (_, gradients) = problem.gradients(t).unwrap();
                optimizer.step(problem.parameters(), &gradients, &at(t, settings.float("lr")), &mut ()).unwrap();
                path.extend(train_point(problem.parameters()));
                path.extend(eval_point(problem.parameters(), &*optimizer));
            }
            path
        });
        let error = difference(&paths[0], &paths[1]);
        assert!(error <= tolerance, "{} and {} on {name}: off by {error:.1e}", a.name(), b.name());
    }
}

#[test]
fn the_wrapper_around_sgd_is_schedule_free_sgd() {
    same_path(
        &parse(
            r#"{"kind": "schedule_free", "lr": 1e-3, "base": {"kind": "sgd"}, "beta": 0.8, "weight_decay": 0.1, "r": 0.5}"#,
        ),
        &parse(r#"{"kind": "schedule_free_sgd", "lr": 1e-3, "beta": 0.8, "weight_decay": 0.1, "r": 0.5}"#),
        1e-12,
    );
    same_path(
        &parse(r#"{"kind": "schedule_free", "lr": 1e-3}"#),
        &parse(r#"{"kind": "schedule_free_sgd", "lr": 1e-3}"#),
        1e-12,
    );
}

#[test]
fn the_wrapper_around_adam_without_momentum_is_schedule_free_adamw() {
    same_path(
        &parse(
            r#"{"kind": "schedule_free", "lr": 0.01, "base": {"kind": "adam", "beta1": 0.0, "beta2": 0.98},
                "weight_decay": 0.1, "weight_lr_power": 1.0}"#,
        ),
        &parse(
            r#"{"kind": "schedule_free_adamw", "lr": 0.01, "beta2": 0.98, "weight_decay": 0.1, "weight_lr_power": 1.0}"#,
        ),
        1e-11,
    );
}

#[test]
fn kinds_that_are_special_cases_of_others_agree_with_them() {
    let pairs = [
        (r#"{"kind": "adamw", "weight_decay": 0.1}"#, r#"{"kind": "adam", "weight_decay": 0.1, "decay": "decoupled"}"#),
        (
            r#"{"kind": "adam", "beta1": 0.0, "beta2": 0.0, "lr": 1e-3, "eps": 1e-30}"#,
            r#"{"kind": "lion", "beta1": 0.0, "lr": 1e-3}"#,
        ),
        (r#"{"kind": "ademamix", "alpha": 0.0}"#, r#"{"kind": "adam"}"#),
        (r#"{"kind": "adam_2k", "freeze_steps": 0, "eps": 1e-30}"#, r#"{"kind": "adam", "eps": 1e-30}"#),
        (r#"{"kind": "rmsprop", "alpha": 0.0, "lr": 1e-3}"#, r#"{"kind": "adam", "beta1": 0.0, "beta2": 0.0}"#),
        (r#"{"kind": "signum", "momentum": 0.8}"#, r#"{"kind": "lion", "beta1": 0.8, "beta2": 0.8}"#),
        (r#"{"kind": "signum", "momentum": 0.0}"#, r#"{"kind": "signsgd"}"#),
        (r#"{"kind": "adamc", "weight_decay": 0.1}"#, r#"{"kind": "adamw", "weight_decay": 0.1}"#),
        (r#"{"kind": "qhadam", "nu1": 1.0}"#, r#"{"kind": "adam"}"#),
        (r#"{"kind": "qhm", "nu": 0.0, "lr": 1e-3}"#, r#"{"kind": "sgd", "lr": 1e-3}"#),
        (r#"{"kind": "aggmo", "betas": [0.9], "lr": 1e-4}"#, r#"{"kind": "sgd", "momentum": 0.9, "lr": 1e-4}"#),
        (r#"{"kind": "asgd", "lambd": 0.0, "lr": 1e-3}"#, r#"{"kind": "sgd", "lr": 1e-3}"#),
        (
            r#"{"kind": "simplified_ademamix", "beta1": 0.0, "beta2": 0.9, "alpha": 1.0, "lr": 1e-3}"#,
            r#"{"kind": "adam", "beta1": 0.0, "beta2": 0.9, "lr": 2e-3}"#,
        ),
    ];
    for (a, b) in pairs {
        same_path(&parse(a), &parse(b), 1e-10);
    }
}

#[test]
fn beta_1_is_primal_averaging() {
    for kind in ["schedule_free_sgd", "schedule_free_adamw", "schedule_free_radam", "schedule_free"] {
        let mut trial = Trial::new(&defaults(kind).with("beta", 1.0), DType::F64);
        for t in 0..30 {
            trial.steps(t..t + 1);
            let (train, eval) = trial.points();
            assert_eq!(train, eval, "{kind}: gradients are taken at the average itself");
        }
    }
}

#[test]
fn a_vanishing_beta_is_polyak_averaging() {
    const LR: f64 = 1e-3;
    for (kind, beta, tolerance) in
        [("schedule_free_sgd", 0.0, 1e-14), ("schedule_free", 0.0, 1e-14), ("schedule_free", 1e-6, 1e-5)]
    {
        let settings = defaults(kind).with("beta", beta).with("lr", LR);
        for name in NAMES {
            let (mut averaged, mut plain) = (problem(name, DType::F64), problem(name, DType::F64));
            let mut optimizers = [build(&settings), build(&defaults("sgd"))];
            let mut sum = vec![0.0; train_point(plain.parameters()).len()];
            for t in 0..40 {
                for (problem, optimizer) in [&mut averaged, &mut plain].into_iter().zip(&mut optimizers) {
                    let (_, gradients) = problem.gradients(t).unwrap();
                    optimizer.step(problem.parameters(), &gradients, &at(t, LR), &mut ()).unwrap();
                }
                let iterate = train_point(plain.parameters());
                for (sum, x) in sum.iter_mut().zip(&iterate) {
                    *sum += x;
                }
                let mean: Vec<f64> = sum.iter().map(|sum| sum / (t + 1) as f64).collect();
                let eval = eval_point(averaged.parameters(), &*optimizers[0]);
                assert!(difference(&train_point(averaged.parameters()), &iterate) <= tolerance, "{kind} {name}");
                assert!(difference(&eval, &mean) <= tolerance, "{kind} {name}: x is the mean of the iterates");
            }
        }
    }
}

/// A single precision that has lost half of its digits, or more, would show here.
#[test]
fn a_small_beta_loses_no_digits_of_the_average() {
    for kind in ["schedule_free_sgd", "schedule_free_adamw", "schedule_free_radam", "schedule_free"] {
        for beta in [0.0, 1e-6, 1e-3, 0.1, 0.499, 0.5, 0.9] {
            let settings = defaults(kind).with("beta", beta).with("lr", 0.01);
            let (mut single, mut double) = (Trial::new(&settings, DType::F32), Trial::new(&settings, DType::F64));
            single.steps(0..200);
            double.steps(0..200);
            let error = apart(&single, &double);
            assert!(error < 2e-6, "{kind} with beta {beta}: off by {error:.1e}");
        }
    }
}

/// f at x after 20 updates, as schedulefree's own wrapper around prodigyopt's Prodigy has it: `tests/reference`.
#[test]
fn an_average_around_prodigy_weights_by_the_rate_that_prodigy_found() {
    let curvature = [1.0, 10.0, 0.1];
    let mut init = Init::new(0, DType::F64, &Device::Cpu);
    init.values("x", Role::Hidden, 3, vec![1.0, -2.0, 3.0]).unwrap();
    let parameters = init.finish();
    let mut optimizer = build(&parse(r#"{"kind": "schedule_free", "lr": 1.0, "base": {"kind": "prodigy"}}"#));
    for t in 0..20 {
        let gradient: Vec<f64> = train_point(&parameters).iter().zip(curvature).map(|(x, c)| c * x).collect();
        optimizer.step(&parameters, &[Tensor::new(gradient, &Device::Cpu).unwrap()], &at(t, 1.0), &mut ()).unwrap();
    }
    let x = eval_point(&parameters, &*optimizer);
    let value: f64 = x.iter().zip(curvature).map(|(x, c)| 0.5 * c * x * x).sum();
    assert!((value - 7.405_200).abs() < 5e-7, "{value}; 0.543816 where all updates weigh the same");
}

/// The steps of a warmup count less in an average, whoever warms up.
#[test]
fn an_average_weights_by_a_warmup_of_its_base() {
    let base = defaults("schedule_free_sgd").with("warmup", optbench::length::Length::Steps(10)).with("beta", 1.0);
    let around = defaults("schedule_free").with("lr", 0.01).with("base", base);
    let mut trial = Trial::new(&around, DType::F64);
    let inner = parse(r#"{"kind": "schedule_free_sgd", "lr": 0.01, "beta": 1.0}"#);
    let mut plain = Trial::new(&inner.with("warmup", optbench::length::Length::Steps(10)), DType::F64);
    let (mut sum, mut mean) = (0.0, vec![0.0; plain.points().0.len()]);
    // With gradients that follow from the step alone, the base takes the same path within the wrapper.
    for t in 0..12 {
        trial.steps(t..t + 1);
        plain.steps(t..t + 1);
        let weight = ((t + 1) as f64 / 10.0).min(1.0).powi(2);
        sum += weight;
        for (mean, z) in mean.iter_mut().zip(plain.points().0) {
            *mean += weight / sum * (z - *mean);
        }
        let error = difference(&trial.points().1, &mean);
        assert!(error < 1e-14, "after {} updates: off by {error:.1e}", t + 1);
    }
}

#[test]
fn x_y_and_z_hang_together() {
    for kind in ["schedule_free_sgd", "schedule_free_adamw", "schedule_free_radam", "schedule_free"] {
        let point = |sequence: &str| {
            let mut trial = Trial::new(&defaults(kind).with("evaluate_at", sequence).with("lr", 0.01), DType::F64);
            trial.steps(0..20);
            trial.points()
        };
        let ((trained, y), (_, x), (_, z)) = (point("y"), point("x"), point("z"));
        assert_eq!(trained, y);
        assert!(difference(&x, &z) > 1e-6, "{kind}: x and z are apart");
        let beta = defaults(kind).float("beta");
        let between: Vec<f64> = x.iter().zip(&z).map(|(x, z)| beta * x + (1.0 - beta) * z).collect();
        assert!(difference(&between, &y) < 1e-14, "{kind}");
    }
}

/// Preconditioners for the short sides of matrices only: the Gram matrix of a long one is singular,
/// and rounding alone chooses the basis of its null space.
fn without_null_space(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    if settings.get("max_precondition_dim").is_some() {
        settings.set("max_precondition_dim", Value::Integer(3));
    }
    if settings.get("base").is_some() {
        let base = without_null_space(settings.nested("base"));
        settings.set("base", base.into());
    }
    settings
}

#[test]
fn the_fused_pass_and_tensor_operations_agree() {
    hold(|_, settings| {
        let settings = &without_null_space(settings);
        let (mut fused, mut composed) = (Trial::new(settings, DType::F64), Trial::new(settings, DType::F64));
        composed.optimizer.use_tensor_operations();
        for t in 0..12 {
            // Clipped, and with a schedule that moves the momentum.
            let at = Step { momentum: (t % 2 == 1).then_some(0.8), gradient_scale: 0.7, ..at(t, fused.lr()) };
            fused.step_at(&at);
            composed.step_at(&at);
        }
        at_most(apart(&fused, &composed), 1e-9)
    });
}

#[test]
fn single_precision_stays_beside_double() {
    hold(|name, settings| {
        // Five Newton-Schulz iterations magnify the rounding of the smallest singular value some 500 times.
        let tolerance = if name.contains("muon") { 1e-2 } else { 1e-4 };
        let settings = &without_null_space(settings);
        let (mut single, mut double) = (Trial::new(settings, DType::F32), Trial::new(settings, DType::F64));
        single.steps(0..12);
        double.steps(0..12);
        at_most(apart(&single, &double), tolerance)
    });
}

/// The same, with nothing that decays the weights, whatever it is called and wherever it stands.
fn without_decay(settings: &Settings) -> Settings {
    settings.iter().fold(settings.clone(), |without, (key, value)| match value {
        Value::Float(_) if key.contains("weight_decay") || key == "lambd" => without.with(key, 0.0),
        Value::Nested(base) => without.with(key, without_decay(base)),
        _ => without,
    })
}

#[test]
fn a_zero_gradient_without_decay_moves_nothing() {
    hold(|_, settings| {
        let settings = without_decay(settings);
        for dtype in [DType::F32, DType::F64] {
            let mut trial = Trial::new(&settings, dtype);
            trial.sign = 0.0;
            let start = train_point(&trial.parameters);
            trial.steps(0..8);
            let (train, eval) = trial.points();
            if train != start || eval != start {
                return Err(format!("moved by {:.1e}", difference(&train, &start).max(difference(&eval, &start))));
            }
        }
        Ok(())
    });
}

#[test]
fn the_order_of_parameters_does_not_matter() {
    hold(|_, settings| {
        let (mut forward, mut backward) = (Trial::new(settings, DType::F64), Trial::new(settings, DType::F64));
        backward.parameters.reverse();
        for t in 0..10 {
            forward.steps(t..t + 1);
            let mut gradients = backward.gradients(t);
            gradients.reverse();
            backward.optimizer.step(&backward.parameters, &gradients, &at(t, backward.lr()), &mut ()).unwrap();
        }
        let weights = backward.optimizer.evaluation_weights(&backward.parameters).unwrap();
        let mut evaluated =
            weights.unwrap_or_else(|| backward.parameters.iter().map(|p| p.var.as_detached_tensor()).collect());
        evaluated.reverse();
        backward.parameters.reverse();
        let (train, eval) = forward.points();
        let error = difference(&train, &train_point(&backward.parameters));
        at_most(error.max(difference(&eval, &problems::flat(&evaluated))), 1e-12)
    });
}

/// Vectors in whole blocks and the few numbers after the last one must come out alike, on any machine.
#[test]
fn a_number_does_not_depend_on_where_it_lies() {
    const WHOLE: usize = 150;
    const PART: usize = 50;
    let values = |t: u64| (0..WHOLE).map(|i| noise(t, 0, i)).collect::<Vec<f64>>();
    let run = |settings: &Settings, dtype: DType, length: usize| {
        let mut init = Init::new(0, dtype, &Device::Cpu);
        for (k, part) in values(1000).chunks(length).enumerate() {
            init.values(format!("p{k}"), Role::Hidden, length, part.to_vec()).unwrap();
        }
        let parameters = init.finish();
        let mut optimizer = build(settings);
        for t in 0..8 {
            let tensor = |part: &[f64]| Tensor::new(part, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
            let gradients: Vec<Tensor> = values(t).chunks(length).map(tensor).collect();
            optimizer.step(&parameters, &gradients, &at(t, settings.float("lr")), &mut ()).unwrap();
        }
        (train_point(&parameters), eval_point(&parameters, &*optimizer))
    };
    hold(|name, settings| {
        let looks_around = name == "formula lamb" || ["lamb", "adafactor", "prodigy"].contains(&settings.name());
        let base_does = settings.get("base").is_some() && settings.nested("base").name() == "prodigy";
        if looks_around
            || base_does
            || !groups::patterns(settings).is_empty()
            || settings.get("optimize_1d") == Some(&Value::Bool(true))
        {
            return Ok(());
        }
        for dtype in [DType::F32, DType::F64] {
            if run(settings, dtype, WHOLE) != run(settings, dtype, PART) {
                return Err(format!("differs in {dtype:?}"));
            }
        }
        Ok(())
    });
}

#[test]
fn a_rate_of_0_at_first_does_no_harm() {
    hold(|_, settings| {
        let mut settings = settings.clone();
        if settings.get("freeze_steps").is_some() {
            settings.set("freeze_steps", optbench::length::Length::Steps(1).into());
        }
        let mut trial = Trial::new(&settings, DType::F64);
        let start = train_point(&trial.parameters);
        trial.step_at(&at(0, 0.0));
        let (train, eval) = trial.points();
        at_most(difference(&train, &start).max(difference(&eval, &start)), 1e-15)?;
        trial.steps(1..12);
        let (train, eval) = trial.points();
        if train.iter().chain(&eval).any(|x| !x.is_finite()) {
            return Err("not finite".into());
        }
        if train == start || eval == start { Err("does not move later".into()) } else { Ok(()) }
    });
}

#[test]
fn a_training_can_be_continued_from_its_state_bit_for_bit() {
    hold(|_, settings| {
        for stop in [0, 1, 7] {
            let mut whole = Trial::new(settings, DType::F32);
            whole.steps(0..13);
            let mut first = Trial::new(settings, DType::F32);
            first.steps(0..stop);
            let state = first.optimizer.state().map_err(|error| error.to_string())?;
            let weights = train_point(&first.parameters);
            // Goes on, to see that the state is a copy.
            first.steps(stop..stop + 3);
            let mut second = Trial::new(settings, DType::F32);
            // Not a fresh one: what it remembers must go.
            second.steps(0..2);
            second.optimizer = if stop == 0 { build(settings) } else { second.optimizer };
            place(&second.parameters, &weights);
            second.optimizer.restore(&second.parameters, state).map_err(|error| error.to_string())?;
            second.steps(stop..13);
            if whole.points() != second.points() {
                return Err(format!("continued from {stop}: off by {:.1e}", apart(&second, &whole)));
            }
            if whole.optimizer.state_bytes() != second.optimizer.state_bytes() {
                return Err("another amount of state".into());
            }
        }
        Ok(())
    });
}

#[test]
fn no_optimizer_holds_on_to_the_memory_of_a_gradient() {
    hold(|_, settings| {
        let mut untouched = Trial::new(settings, DType::F64);
        untouched.steps(0..12);
        let mut reused = Trial::new(settings, DType::F64);
        for t in 0..12 {
            let gradients = reused.gradients(t);
            let lr = reused.lr();
            reused.optimizer.step(&reused.parameters, &gradients, &at(t, lr), &mut ()).unwrap();
            for gradient in &gradients {
                write(gradient, |values: &mut [f64]| values.fill(f64::NAN)).unwrap();
            }
        }
        at_most(apart(&untouched, &reused), 0.0)
    });
}

/// Every kind with every other's state: the names and shapes of many are the same.
#[test]
fn a_state_of_another_optimizer_is_refused() {
    let mut all: Vec<Settings> = OPTIMIZERS.iter().map(|definition| defaults(definition.about.name)).collect();
    for text in [
        r#"{"kind": "adam", "average": "ema", "average_decay": 0.9}"#,
        r#"{"kind": "adam", "average": "swa", "average_start": 1, "average_every": 1}"#,
        r#"{"kind": "schedule_free", "base": {"kind": "adam"}}"#,
        r#"{"kind": "schedule_free", "base": {"kind": "adamw"}}"#,
    ] {
        all.push(parse(text));
    }
    let mut trials: Vec<Trial> = all.iter().map(|settings| Trial::new(settings, DType::F64)).collect();
    let states: Vec<_> = trials.iter_mut().map(|trial| trial.steps(0..2).optimizer.state().unwrap()).collect();
    for (i, state) in states.iter().enumerate() {
        for (k, trial) in trials.iter_mut().enumerate() {
            let taken = trial.optimizer.restore(&trial.parameters, state.clone());
            assert_eq!(taken.is_ok(), i == k, "the state of {} in {}", all[i].name(), all[k].name());
            if let Err(error) = taken {
                let message = error.to_string();
                let named = [state.kinds(), states[k].kinds()].map(|kinds| message.contains(&format!("`{kinds}`")));
                // A wrapper's own kind fits; what is said then is what does not.
                assert!(named == [true; 2] || message.contains('`'), "{message}");
            }
        }
    }
}

/// The optimizers of a state: by which way each is reached from the outermost.
fn ways(state: &State) -> Vec<Vec<usize>> {
    let inner = state.inner.iter().enumerate();
    let below = inner.flat_map(|(i, state)| ways(state).into_iter().map(move |way| [vec![i], way].concat()));
    std::iter::once(Vec::new()).chain(below).collect()
}

fn reached<'a>(state: &'a mut State, way: &[usize]) -> &'a mut State {
    way.iter().fold(state, |state, &i| &mut state.inner[i])
}

/// Every slot of every kind: under another name, of another shape or number type, missing, twice, or at another's place.
#[test]
fn a_state_with_anything_amiss_is_refused_and_changes_nothing() {
    hold(|_, settings| {
        let mut trial = Trial::new(settings, DType::F64);
        let state = trial.steps(0..5).optimizer.state().unwrap();
        for way in ways(&state) {
            let refused = |trial: &mut Trial, what: &str, change: &dyn Fn(&mut State)| {
                let mut changed = state.clone();
                change(reached(&mut changed, &way));
                match trial.optimizer.restore(&trial.parameters, changed) {
                    Ok(()) => Err(format!("takes a state with {what} at {way:?}")),
                    Err(_) => Ok(()),
                }
            };
            let (own, optimizer) = (reached(&mut state.clone(), &way).clone(), &mut trial);
            refused(optimizer, "another kind", &|state| state.kind += "s")?;
            refused(optimizer, "one optimizer more", &|state| state.inner.push(State::default()))?;
            refused(optimizer, "one number more", &|state| state.scalars.push(0.0))?;
            if !own.inner.is_empty() {
                refused(optimizer, "one optimizer less", &|state| _ = state.inner.pop())?;
            }
            if own.kind == "groups" {
                refused(optimizer, "a parameter in another group", &|state| state.scalars[0] += 1.0)?;
            }
            if !own.scalars.is_empty() {
                refused(optimizer, "one number less", &|state| _ = state.scalars.pop())?;
            }
            for (i, (name, tensor)) in own.tensors.iter().enumerate() {
                refused(optimizer, &format!("`{name}` under another name"), &|state| state.tensors[i].0 += "s")?;
                refused(optimizer, &format!("`{name}` of another shape"), &|state| {
                    state.tensors[i].1 = tensor.unsqueeze(0).unwrap();
                })?;
                refused(optimizer, &format!("`{name}` of another number type"), &|state| {
                    state.tensors[i].1 = tensor.to_dtype(DType::F32).unwrap();
                })?;
                refused(optimizer, &format!("no `{name}`"), &|state| _ = state.tensors.remove(i))?;
                let twice = |state: &mut State| state.tensors.insert(i, state.tensors[i].clone());
                refused(optimizer, &format!("`{name}` twice"), &twice)?;
                if i > 0 {
                    refused(optimizer, &format!("`{name}` before its time"), &|state| state.tensors.swap(i - 1, i))?;
                }
            }
        }
        // Whatever was refused, the optimizer goes on as if nobody had asked.
        trial.steps(5..8);
        let mut untouched = Trial::new(settings, DType::F64);
        untouched.steps(0..8);
        at_most(apart(&trial, &untouched), 0.0)
    });
}

#[test]
fn every_kind_says_which_key_is_the_decay_of_its_squared_gradients() {
    let decays = |kind: &str| match kind {
        "rmsprop" => Some("alpha"),
        "adadelta" => Some("rho"),
        "adan" => Some("beta3"),
        // The sum or the sign of gradients, a decay that changes, matrices without a second moment, and a base of SGD.
        "sgd" | "adagrad" | "lion" | "adafactor" | "muon" | "schedule_free_sgd" | "schedule_free" | "formula"
        | "signsgd" | "signum" | "qhm" | "aggmo" | "rprop" | "asgd" => None,
        _ => Some("beta2"),
    };
    for definition in OPTIMIZERS {
        let kind = definition.about.name;
        let settings = match decays(kind) {
            Some(key) => defaults(kind).with(key, 0.625),
            None => defaults(kind),
        };
        assert_eq!(second_moment_decay(&settings), decays(kind).map(|_| 0.625), "{kind}");
    }
    let around = |base: &str| second_moment_decay(&defaults("schedule_free").with("base", parse(base)));
    assert_eq!(around(r#"{"kind": "adan", "beta2": 0.5, "beta3": 0.75}"#), Some(0.75));
    assert_eq!(around(r#"{"kind": "schedule_free", "base": {"kind": "adam", "beta2": 0.75}}"#), Some(0.75));
    assert_eq!(around(r#"{"kind": "lion"}"#), None);
    assert_eq!(second_moment_decay(&parse(r#"{"kind": "mars", "variant": "lion"}"#)), None);
}

#[test]
fn every_kind_says_that_it_asks() {
    for definition in OPTIMIZERS {
        let asks = build(&defaults(definition.about.name)).asks();
        assert_eq!(definition.asks.contains(&Ask::Gradients), asks, "{}", definition.about.name);
    }
}

#[test]
fn who_reads_the_loss_or_the_length_of_the_run_asks_for_it() {
    hold(|_, settings| {
        for (ask, other) in [
            (Ask::Loss, Step { loss: f64::NAN, ..Step::first(0.0) }),
            (Ask::Length, Step { steps: 1000, ..Step::first(0.0) }),
        ] {
            let (mut told, mut otherwise) = (Trial::new(settings, DType::F64), Trial::new(settings, DType::F64));
            told.steps(0..8);
            for t in 0..8 {
                otherwise.step_at(&Step { t, lr: otherwise.lr(), ..other });
            }
            if !needs(settings, ask) {
                at_most(apart(&otherwise, &told), 0.0).map_err(|problem| format!("{ask:?}: {problem}"))?;
            }
        }
        Ok(())
    });
}

#[test]
fn every_update_is_odd() {
    hold(|_, settings| {
        let (mut up, mut down) = (Trial::new(settings, DType::F64), Trial::new(settings, DType::F64));
        down.sign = -1.0;
        let mirrored: Vec<f64> = train_point(&down.parameters).iter().map(|x| -x).collect();
        place(&down.parameters, &mirrored);
        up.steps(0..12);
        down.steps(0..12);
        let (train, eval) = down.points();
        let negated = |point: Vec<f64>| point.into_iter().map(|x| -x).collect::<Vec<_>>();
        let (up_train, up_eval) = up.points();
        at_most(difference(&negated(train), &up_train).max(difference(&negated(eval), &up_eval)), 1e-12)
    });
}

#[test]
fn a_clipped_gradient_is_a_smaller_gradient() {
    hold(|_, settings| {
        let (mut clipped, mut smaller) = (Trial::new(settings, DType::F64), Trial::new(settings, DType::F64));
        smaller.sign = 0.25;
        for t in 0..8 {
            clipped.step_at(&Step { gradient_scale: 0.25, ..at(t, clipped.lr()) });
            smaller.step_at(&at(t, smaller.lr()));
        }
        at_most(apart(&clipped, &smaller), 0.0)
    });
}

/// The same with another momentum, in what is within, too; nothing where one is 0, which not all rules let a schedule move.
fn with_momentum(settings: &Settings, momentum: f64) -> Option<Settings> {
    settings.iter().try_fold(settings.clone(), |other, (key, value)| match value {
        Value::Float(x) if ["momentum", "beta1", "beta1_1d", "adamw_beta1"].contains(&key) => {
            (*x != 0.0).then(|| other.with(key, momentum))
        }
        Value::Nested(within) => Some(other.with(key, with_momentum(within, momentum)?)),
        _ => Some(other),
    })
}

#[test]
fn a_schedule_moves_the_momentum() {
    hold(|_, settings| {
        let Some(other) = with_momentum(settings, 0.7) else { return Ok(()) };
        let (mut set, mut moved) = (Trial::new(&other, DType::F64), Trial::new(settings, DType::F64));
        set.steps(0..8);
        for t in 0..8 {
            moved.step_at(&Step { momentum: Some(0.7), ..at(t, moved.lr()) });
        }
        at_most(apart(&moved, &set), 0.0)
    });
}

#[test]
fn defaults_lie_within_what_their_keys_accept_and_are_read_from_a_config() {
    for definition in OPTIMIZERS {
        let about = &definition.about;
        assert_eq!(flaw(definition), None);
        for key in definition.keys() {
            assert!(!key.help.is_empty() && !key.help.ends_with('.'), "`{}` of {}", key.name, about.name);
        }
        for text in [about.summary, about.equations, about.source, definition.memory] {
            assert!(!text.is_empty() && text.is_ascii(), "{}: {text}", about.name);
        }
        assert_eq!(about.keys[0].name, "lr", "{}", about.name);
        let needed = if about.name == "formula" { "update = \"p = p - lr * g\"\n" } else { "" };
        let config = format!(
            "seeds = 1\nsteps = 4\n[tasks.q]\nmodel = \"quadratic\"\ncurvature = [1.0]\nstart = [1.0]\n[optimizers.{}]\n{needed}",
            about.name
        );
        let experiment = Experiment::parse(&Catalog::built_in(), "config.toml", &config, "test", &[]);
        assert!(experiment.is_ok(), "{}: {}", about.name, experiment.err().unwrap());
    }
}

/// Bytes for each tensor, as the definition's `memory` says in words.
fn claimed(settings: &Settings, shape: &[usize]) -> usize {
    let count: usize = shape.iter().product();
    let flag = |key: &str| usize::from(settings.flag(key));
    let some = |key: &str| usize::from(settings.float(key) > 0.0);
    let matrix = shape.len() > 1;
    let (rows, cols) = (shape[0], count / shape[0]);
    let values = match settings.name() {
        "sgd" => some("momentum"),
        "formula" => {
            let numbers = ["product", "lr_max", "weight_sum"];
            settings.table("state").iter().filter(|(name, _)| !numbers.contains(&name.as_str())).count()
        }
        "adafactor" if matrix => {
            let last = shape[shape.len() - 1];
            return count / last + count / shape[shape.len() - 2];
        }
        "signsgd" => 0,
        "aggmo" => settings.list("betas").len(),
        "signum" | "qhm" | "asgd" | "lion" | "adagrad" | "schedule_free_sgd" | "adafactor" => 1,
        "rmsprop" => 1 + some("momentum") + flag("centered"),
        "adam" | "adamw" | "adabelief" => 2 + flag("amsgrad"),
        "ademamix" => 3,
        "adan" | "prodigy" => 4,
        "muon" => 2 - usize::from(matrix),
        "mars" if matrix || settings.flag("optimize_1d") => 3 - usize::from(settings.text("variant") == "lion"),
        "soap" if matrix => {
            let sides = [rows, cols].into_iter().filter(|&side| side <= settings.count("max_precondition_dim"));
            return 2 * count + sides.map(|side| 2 * side * side).sum::<usize>();
        }
        "schedule_free" => {
            let base = settings.get("base").map_or_else(|| defaults("sgd"), |_| settings.nested("base").clone());
            let x = usize::from(settings.float("beta") < 0.5);
            return (1 + x) * count + claimed(&base, shape);
        }
        _ => 2,
    };
    // Below a half, Schedule-Free stores its average, too.
    let average_kept = usize::from(settings.name().starts_with("schedule_free_") && settings.float("beta") < 0.5);
    let average = match settings.get("average") {
        Some(Value::Text(kind)) if kind == "lawa" => settings.count("average_window"),
        Some(_) => 1,
        None => 0,
    };
    (values + average_kept + average) * count
}

/// The settings by which a parameter is updated.
fn belonging(settings: &Settings, parameter: &str) -> Settings {
    let groups = groups::patterns(settings);
    let takes = |patterns: &Vec<groups::Pattern>| patterns.iter().any(|pattern| pattern.takes(parameter, Role::Hidden));
    let kind = groups.iter().position(takes).and_then(|i| settings.get(&groups::name(i + 1, "kind")));
    let Some(Value::Nested(own)) = kind else { return settings.clone() };
    ["average", "average_window"].iter().fold(own.clone(), |own, key| match settings.get(key) {
        Some(value) => own.with(key, value.clone()),
        None => own,
    })
}

#[test]
fn state_takes_as_many_bytes_as_claimed() {
    hold(|name, settings| {
        let mut trial = Trial::new(settings, DType::F32);
        assert_eq!(trial.optimizer.state_bytes(), 0, "{name}: nothing before the first step");
        trial.steps(0..12);
        let own = |k: usize| belonging(settings, &format!("p{k}"));
        let claimed: usize = SHAPES.iter().enumerate().map(|(k, shape)| 4 * claimed(&own(k), shape)).sum();
        let words = settings.definition::<Definition>().memory;
        match trial.optimizer.state_bytes() {
            bytes if bytes == claimed => Ok(()),
            bytes => Err(format!("{bytes} bytes, not {claimed} ({words})")),
        }
    });
}

#[test]
fn every_optimizer_descends() {
    hold(|name, settings| {
        if name == "adam_2k" || name.contains("freeze_all") {
            return Ok(());
        }
        let mut problem = problem("mlp", DType::F32);
        let mut optimizer = build(settings);
        let (first, _) = problem.gradients(0).unwrap();
        for t in 0..100 {
            let (_, gradients) = problem.gradients(t).unwrap();
            let lr = settings.float("lr").min(if settings.name() == "prodigy" { 1.0 } else { 0.05 });
            optimizer.step(problem.parameters(), &gradients, &at(t, lr), &mut ()).unwrap();
        }
        place(problem.parameters(), &eval_point(problem.parameters(), &*optimizer));
        let (last, _) = problem.gradients(100).unwrap();
        if last < first { Ok(()) } else { Err(format!("from {first} to {last}")) }
    });
}

/// The evaluated point after each of the first steps of an averaged `sgd`, and its plain iterates.
fn averaged(keys: &str, steps: u64) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let settings = parse(&format!(r#"{{"kind": "sgd", "lr": 0.1, {keys}}}"#));
    let mut trial = Trial::new(&settings, DType::F64);
    let points = |t| {
        let (train, eval) = trial.steps(t..t + 1).points();
        (eval, train)
    };
    (0..steps).map(points).unzip()
}

fn mean(points: &[Vec<f64>]) -> Vec<f64> {
    (0..points[0].len()).map(|i| points.iter().map(|point| point[i]).sum::<f64>() / points.len() as f64).collect()
}

#[test]
fn ema_fades_and_forgets_its_start() {
    const DECAY: f64 = 0.9;
    let (averages, iterates) = averaged(r#""average": "ema", "average_decay": 0.9"#, 9);
    for t in 0..9 {
        let weights: Vec<f64> = (0..=t).map(|age| DECAY.powi(age)).rev().collect();
        let sum: f64 = weights.iter().sum();
        let expected: Vec<f64> = (0..iterates[0].len())
            .map(|i| weights.iter().zip(&iterates).map(|(weight, point)| weight * point[i]).sum::<f64>() / sum)
            .collect();
        assert!(difference(&averages[t as usize], &expected) < 1e-14);
    }
    let (averages, iterates) = averaged(r#""average": "ema", "average_decay": 0.0"#, 3);
    assert_eq!(averages, iterates, "nothing kept is no average");
}

#[test]
fn swa_is_the_mean_of_the_snapshots_since_its_start() {
    let (averages, iterates) = averaged(r#""average": "swa", "average_start": 4, "average_every": 2"#, 9);
    assert_eq!(averages[..3], iterates[..3], "before the start, the latest weights");
    let snapshots = [3, 5, 7].map(|i| iterates[i].clone());
    for (t, count) in [(3, 1), (4, 1), (5, 2), (6, 2), (7, 3), (8, 3)] {
        assert!(difference(&averages[t], &mean(&snapshots[..count])) < 1e-14, "after {} updates", t + 1);
    }
}

#[test]
fn lawa_is_the_mean_of_the_latest_snapshots() {
    let (averages, iterates) = averaged(r#""average": "lawa", "average_every": 2, "average_window": 2"#, 9);
    assert_eq!(averages[0], iterates[0]);
    for (t, snapshots) in [(1, vec![1]), (3, vec![1, 3]), (5, vec![3, 5]), (8, vec![5, 7])] {
        let snapshots: Vec<_> = snapshots.into_iter().map(|i: usize| iterates[i].clone()).collect();
        assert!(difference(&averages[t], &mean(&snapshots)) < 1e-14, "after {} updates", t + 1);
    }
}

#[test]
fn averages_take_what_the_optimizer_would_evaluate() {
    let keys = r#""average": "ema", "average_decay": 0.0"#;
    let mut plain = Trial::new(&parse(r#"{"kind": "schedule_free_sgd", "lr": 0.1}"#), DType::F64);
    let mut around = Trial::new(&parse(&format!(r#"{{"kind": "schedule_free_sgd", "lr": 0.1, {keys}}}"#)), DType::F64);
    plain.steps(0..5);
    around.steps(0..5);
    assert!(apart(&around, &plain) < 1e-15);
}
