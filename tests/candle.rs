//! What candle's users get: their models in our training loop, and our optimizers in theirs.

use std::sync::atomic::AtomicBool;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{Module, Optimizer, VarBuilder, VarMap};
use optbench::candle::{Config, Optim};
use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::error::Result;
use optbench::metric::{Metric, Scores};
use optbench::nn::params::{Init, Parameter, gradients};
use optbench::optim::real::Real;
use optbench::optim::rule::{Elementwise, Rule, Slot};
use optbench::optim::{self, Ask, Step};
use optbench::registry::{About, Accepts, Described, Fallback, Key};
use optbench::results::{Record, Store};
use optbench::settings::{EXTERNAL, Settings};
use optbench::sweep::{Machine, Plan, Progress, Run, Sweep};
use optbench::task::data::{Input, Library};
use optbench::task::model::{self, FromCandle, Kind, Network};
use optbench::task::{self, Problem, Spec, Split, Task};
use optbench::train::{Course, EvaluationRecord, Observer, Snapshot, StepRecord, Training, train};

#[path = "../examples/own_model.rs"]
#[allow(dead_code, unreachable_pub)]
mod own_model;

/// A small network, on data that are made up.
struct Net {
    layers: [candle_nn::Linear; 2],
    inputs: Tensor,
    labels: Tensor,
}

impl Net {
    fn new(vb: &VarBuilder) -> Self {
        let numbers: Vec<f64> = (0..120).map(|i| (1.7 * f64::from(i)).sin()).collect();
        let inputs = Tensor::from_vec(numbers, (20, 6), &Device::Cpu).unwrap().to_dtype(vb.dtype()).unwrap();
        let layer = |name, inputs, outputs| candle_nn::linear(inputs, outputs, vb.pp(name)).unwrap();
        let labels = Tensor::from_vec((0..20u32).map(|i| i * i % 3).collect::<Vec<_>>(), 20, &Device::Cpu).unwrap();
        Self { layers: [layer("hidden", 6, 8), layer("head", 8, 3)], inputs, labels }
    }

    fn loss(&self) -> Tensor {
        let hidden = self.layers[0].forward(&self.inputs).unwrap().relu().unwrap();
        candle_nn::loss::cross_entropy(&self.layers[1].forward(&hidden).unwrap(), &self.labels).unwrap()
    }

    fn value(&self) -> f64 {
        self.loss().to_dtype(DType::F64).unwrap().to_scalar().unwrap()
    }
}

/// The network and its parameters under a seed.
fn net(dtype: DType) -> (Net, Vec<Parameter>) {
    let mut init = Init::new(3, dtype, &Device::Cpu);
    let net = Net::new(&init.var_builder());
    (net, init.finish())
}

fn named(parameters: &[Parameter]) -> Vec<(String, Var)> {
    parameters.iter().map(|parameter| (parameter.name.clone(), parameter.var.clone())).collect()
}

fn weights(parameters: &[Parameter]) -> Vec<Vec<f64>> {
    let numbers = |parameter: &Parameter| parameter.var.flatten_all()?.to_dtype(DType::F64)?.to_vec1();
    parameters.iter().map(|parameter| numbers(parameter).unwrap()).collect()
}

/// The network as a problem of ours.
struct Ours(Net, Vec<Parameter>);

impl Problem for Ours {
    fn parameters(&self) -> &[Parameter] {
        &self.1
    }

    fn gradients(&mut self, _t: u64) -> Result<(f64, Vec<Tensor>)> {
        Ok((self.0.value(), gradients(&self.0.loss(), &self.1)?))
    }

    fn evaluate(&mut self, split: Split) -> Result<Option<Scores>> {
        Ok((split == Split::Validation).then(|| Scores::of_loss(self.0.value())))
    }
}

/// Every record of a training, and a snapshot when it is asked for.
#[derive(Default)]
struct Records {
    steps: Vec<StepRecord>,
    evaluations: Vec<EvaluationRecord>,
    keep_at: Option<usize>,
    kept: Option<Snapshot>,
}

impl Observer for Records {
    fn step(&mut self, record: &StepRecord) -> Result<()> {
        self.steps.push(*record);
        Ok(())
    }

    fn evaluation(&mut self, record: &EvaluationRecord) -> Result<()> {
        self.evaluations.push(record.clone());
        Ok(())
    }

    fn wants_snapshot(&mut self) -> bool {
        self.keep_at == Some(self.steps.len())
    }

    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.kept = Some(snapshot.clone());
        Ok(())
    }
}

/// Trains at a constant rate in our own loop.
fn train_here(
    problem: Box<dyn Problem>,
    settings: &Settings,
    steps: u64,
    records: &mut Records,
    resume: Option<Snapshot>,
) {
    let training = Training {
        problem,
        optimizer: optim::build(settings),
        schedule: constant(),
        lr: settings.float("lr"),
        clip_norm: settings.optional_float("clip_norm"),
        statistics: None,
        course: Course { steps, eval_every: 5, horizons: Vec::new() },
    };
    train(training, resume, records).unwrap();
}

fn constant() -> Box<dyn optbench::schedule::Schedule> {
    let timeline = optbench::length::Timeline { steps: 1, steps_per_epoch: None, beta2: None };
    let constant = Catalog::built_in().schedules.find("constant").unwrap();
    optbench::schedule::build(&constant.defaults(), &timeline).unwrap()
}

/// Every kind at its defaults, and settings that matter here.
fn configs() -> Vec<Config> {
    let catalog = Catalog::built_in();
    let required = |definition: &&optim::Definition| -> Vec<&Key> {
        definition.about.keys.iter().filter(|key| key.default == Fallback::Required).collect()
    };
    // A wrapper has a base; what else must be given has no default to try.
    let taken = |definition: &&'static optim::Definition| {
        let tried = required(definition).iter().all(|key| key.accepts == Accepts::Optimizer);
        tried && !definition.asks.contains(&Ask::Gradients) && definition.about.name != EXTERNAL
    };
    let defaults = catalog.optimizers.iter().filter(taken).map(|definition| {
        let keys = if required(&definition).is_empty() { "" } else { "base = { kind = \"adamw\" }" };
        Config::parse(definition.about.name, keys).unwrap_or_else(|error| panic!("{error}"))
    });
    assert!(Config::parse(EXTERNAL, "lr = 1").unwrap_err().to_string().contains("a program of your own"));
    let others = [
        ("sgd", "lr = 0.1, momentum = 0.9, nesterov = true"),
        ("adamw", "lr = 0.01, weight_decay = 0.1, clip_norm = 0.05"),
        ("schedule_free_adamw", "lr = 0.05, beta = 0.95, warmup = 5"),
        ("adamw", "lr = 0.01, average = \"lawa\", average_every = \"10%\", average_window = 3, steps = 30"),
        ("schedule_free", "lr = 1, average = \"ema\", base = { kind = \"prodigy\" }"),
        (
            "formula",
            "lr = 0.1, steps = 30, state = { m = 0 }, update = \"m = 0.9 * m + g\\np = p - lr * (1 - t / T) * m\"",
        ),
        ("schedule_free_adamw", "lr = 0.05, groups = [{ match = \"bias\", kind = \"lion\", lr_factor = 0.1 }]"),
    ];
    defaults.chain(others.map(|(kind, keys)| Config::parse(kind, keys).unwrap())).collect()
}

#[test]
fn a_loop_of_ones_own_trains_as_ours_does_to_the_bit() {
    for config in configs() {
        let what = format!("{:?}", config.settings());
        for dtype in [DType::F64, DType::F32] {
            let (ours, parameters) = net(dtype);
            let mut records = Records::default();
            train_here(Box::new(Ours(ours, parameters.clone())), config.settings(), 30, &mut records, None);

            let (theirs, own) = net(dtype);
            let mut optimizer = Optim::named(named(&own), config.clone()).unwrap();
            for step in 0..30 {
                if step % 5 == 0 {
                    let trained = weights(&own);
                    let evaluation = optimizer.evaluation().unwrap();
                    let expected = records.evaluations.iter().find(|record| record.step == step).unwrap();
                    assert_eq!(
                        Some(theirs.value()),
                        expected.scores.get(Metric::LOSS),
                        "{what}, evaluation after {step} steps"
                    );
                    drop(evaluation);
                    assert_eq!(weights(&own), trained, "{what}");
                }
                optimizer.backward_step(&theirs.loss()).unwrap();
            }
            assert_eq!(weights(&own), weights(&parameters), "{what}, {dtype:?}");
            assert_eq!(records.evaluations[0].scores.get(Metric::LOSS), Some(net(dtype).0.value()));
            assert!(records.steps.iter().all(|record| record.loss.is_finite()));
        }
    }
}

#[test]
fn a_saved_state_goes_on_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("optimizer.safetensors");
    for config in configs() {
        let what = format!("{:?}", config.settings());
        let (whole, parameters) = net(DType::F32);
        let mut optimizer = Optim::named(named(&parameters), config.clone()).unwrap();
        let mut half = Vec::new();
        for step in 0..20 {
            if step == 10 {
                optimizer.set_learning_rate(0.003);
                optimizer.save(&file).unwrap();
                half = parameters.iter().map(|parameter| parameter.var.as_detached_tensor().copy().unwrap()).collect();
            }
            optimizer.backward_step(&whole.loss()).unwrap();
        }
        let (again, restored) = net(DType::F32);
        let mut other = Optim::named(named(&restored), config).unwrap();
        // What it did before is forgotten.
        other.backward_step(&again.loss()).unwrap();
        for (parameter, half) in restored.iter().zip(&half) {
            parameter.var.set(half).unwrap();
        }
        other.load(&file).unwrap();
        assert_eq!((other.steps(), other.learning_rate()), (10, 0.003));
        for _ in 10..20 {
            other.backward_step(&again.loss()).unwrap();
        }
        assert_eq!(weights(&restored), weights(&parameters), "{what}");
        let (delivered, expected) = (other.evaluation().unwrap(), optimizer.evaluation().unwrap());
        assert_eq!(weights(&restored), weights(&parameters), "{what}");
        drop((delivered, expected));
    }
    let bytes = std::fs::read(&file).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    assert!(header.tensors().keys().any(|name| name.ends_with("hidden.weight/z")), "{:?}", header.tensors().keys());
}

/// Variables of ones, and an optimizer that did a step on them.
fn stepped(kind: &str, names: &[&str], width: usize) -> (Vec<Var>, Optim) {
    let ones = |_| Var::ones(width, DType::F32, &Device::Cpu).unwrap();
    let vars: Vec<Var> = names.iter().map(ones).collect();
    let pairs = names.iter().map(|name| (*name).to_owned()).zip(vars.clone()).collect();
    let mut optimizer = Optim::named(pairs, Config::parse(kind, "lr = 0.5").unwrap()).unwrap();
    optimizer.backward_step(&loss(&vars)).unwrap();
    (vars, optimizer)
}

fn loss(vars: &[Var]) -> Tensor {
    vars.iter().map(|var| var.sqr().unwrap().sum_all().unwrap()).reduce(|sum, x| (sum + x).unwrap()).unwrap()
}

#[test]
fn a_state_that_does_not_fit_is_refused_and_changes_nothing() {
    let (_, saved) = stepped("adamw", &["a", "b"], 3);
    let state = saved.state().unwrap();
    for (kind, names, width, part) in [
        ("lion", &["a", "b"][..], 3, "is that of `adamw`, expected that of `lion`"),
        ("adamw", &["a", "c"], 3, "it has nothing of `c`"),
        ("adamw", &["a"], 3, "it is of `b` too"),
        ("adamw", &["b", "a"], 3, "in another order"),
        ("adamw", &["a", "b"], 4, "[3], expected"),
    ] {
        let ((vars, mut optimizer), (expected, mut untouched)) =
            (stepped(kind, names, width), stepped(kind, names, width));
        let message = optimizer.restore(&state).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
        optimizer.backward_step(&loss(&vars)).unwrap();
        untouched.backward_step(&loss(&expected)).unwrap();
        for (var, expected) in vars.iter().zip(&expected) {
            assert_eq!(var.to_vec1::<f32>().unwrap(), expected.to_vec1::<f32>().unwrap());
        }
    }
    let (_, mut optimizer) = stepped("adamw", &["a", "b"], 3);
    for bytes in [&b""[..], b"{}", &state[..state.len() - 1], &candle_file()] {
        assert!(optimizer.restore(bytes).unwrap_err().to_string().contains("not the saved state"));
    }
    optimizer.restore(&state).unwrap();
}

/// A safetensors file of something else.
fn candle_file() -> Vec<u8> {
    safetensors::serialize([("x", Tensor::ones(2, DType::F32, &Device::Cpu).unwrap())], None).unwrap()
}

#[test]
fn mistakes_in_the_keys_are_told_as_those_of_a_config() {
    for (kind, keys, parts) in [
        ("adamv", "", &["there is no optimizer `adamv`", "did you mean `adamw`?"][..]),
        (
            "adamw",
            "weight_decy = 0.1",
            &["unknown key `weight_decy` in optimizer `adamw`", "did you mean `weight_decay`?"],
        ),
        ("adamw", "lr = -1, beta1 = 2", &["`lr` is -1", "at least 0", "`beta1` is 2", "below 1"]),
        ("sgd", "lr = [0.1, 0.2]", &["`lr` has 2 values", "nothing is swept"]),
        ("sgd", "nesterov = true", &["`nesterov` needs"]),
        ("adamw", "average = \"swa\"", &["`average_start` is 75%", "`steps = 10000`"]),
        ("schedule_free_sgd", "warmup = \"2 epochs\"", &["`warmup` is 2 epochs", "a number of steps"]),
        ("schedule_free", "base = { kind = \"lion\", beta3 = 1 }", &["unknown key `beta3`"]),
        ("sgd", "steps = 0", &["`steps` is", "at least 1"]),
        ("sgd", "lr = ", &["lr"]),
        ("sgd", "schedules = [\"cosine\"]", &["unknown key `schedules`"]),
    ] {
        let message = Config::parse(kind, keys).unwrap_err().to_string();
        for part in parts {
            assert!(message.contains(part), "{kind} {keys}: {message}");
        }
    }
    let one_line = Config::parse("adamw", "lr = 0.1, average = \"swa\", steps = 200").unwrap();
    assert_eq!(one_line, Config::parse("adamw", "lr = 0.1 # peak\naverage = \"swa\"\nsteps = 200\n").unwrap());
    assert_eq!(one_line.settings().steps("average_start"), 150);
}

#[test]
fn variables_that_cannot_be_trained_are_named() {
    let var = |dtype| Var::zeros(2, dtype, &Device::Cpu).unwrap();
    let config = || Config::parse("sgd", "lr = 0.1").unwrap();
    let (a, b) = (var(DType::F32), var(DType::F32));
    let twice = Optim::named(vec![("a", a.clone()), ("b", a.clone())], config()).err().unwrap().to_string();
    assert!(twice.contains("`b` comes twice"), "{twice}");
    let half = Optim::named(vec![("h", var(DType::BF16))], config()).err().unwrap().to_string();
    assert!(half.contains("`h` is BF16"), "{half}");
    let mut optimizer = Optim::new(vec![a.clone(), b], config()).unwrap();
    let missing = optimizer.backward_step(&loss(&[a])).unwrap_err().to_string();
    assert!(missing.contains("`1` received no gradient"), "{missing}");
    assert_eq!(optimizer.steps(), 0);
}

#[test]
fn a_var_map_is_trained_by_name_without_running_statistics() {
    let vars = VarMap::new();
    let vb = VarBuilder::from_varmap(&vars, DType::F64, &Device::Cpu);
    let norm = candle_nn::batch_norm(3, 1e-5, vb.pp("norm")).unwrap();
    let head = candle_nn::linear(3, 2, vb.pp("head")).unwrap();
    let mut optimizer = Optim::of_var_map(&vars, Config::parse("adamw", "lr = 0.1").unwrap()).unwrap();
    let x = Tensor::new(&[[1f64, 2.0, 3.0], [4.0, 1.0, 0.0]], &Device::Cpu).unwrap();
    let loss = head.forward(&norm.forward_train(&x).unwrap()).unwrap().sqr().unwrap().sum_all().unwrap();
    optimizer.backward_step(&loss).unwrap();
    let state = optimizer.state().unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&state).unwrap();
    let parameters = &header.metadata().as_ref().unwrap()["parameters"];
    assert_eq!(parameters, "head.bias\nhead.weight\nnorm.bias\nnorm.weight");
}

#[test]
fn the_trained_weights_come_back_even_after_a_panic() {
    let (vars, mut optimizer) = stepped("schedule_free_adamw", &["a"], 2);
    optimizer.backward_step(&loss(&vars)).unwrap();
    let read = || vars[0].to_vec1::<f32>().unwrap();
    let (trained, mut evaluated) = (read(), Vec::new());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _evaluation = optimizer.evaluation().unwrap();
        evaluated = read();
        panic!("an evaluation that fails");
    }));
    assert!(panicked.is_err());
    assert_ne!(evaluated, trained);
    assert_eq!(read(), trained);
}

/// The loss is how long a step is.
struct AsLongAsTheLoss;

impl Rule<0> for AsLongAsTheLoss {
    type Coefficients = f64;

    fn slots(&self) -> [Slot; 0] {
        []
    }

    fn coefficients(&mut self, at: &Step) -> f64 {
        at.lr * at.loss
    }

    fn update<R: Real>(length: &f64, p: R, _: R, []: [R; 0]) -> (R, [R; 0]) {
        (p.clone() - p * *length, [])
    }
}

const OWN: About = About { name: "own", revision: 1, summary: "", equations: "", keys: &[optim::lr(0.1)], source: "" };

#[test]
fn a_kind_of_ones_own_is_told_the_loss_and_cannot_ask_for_gradients() {
    static TOLD: optim::Definition = optim::Definition {
        about: OWN,
        memory: "nothing",
        asks: &[Ask::Loss],
        build: |_| Elementwise::boxed(AsLongAsTheLoss),
    };
    static ASKING: optim::Definition = optim::Definition { asks: &[Ask::Gradients], ..TOLD };
    let config = |definition| {
        let mut catalog = Catalog::built_in();
        catalog.optimizers.add(definition).unwrap();
        Config::of(&catalog, "own", "lr = 0.25").unwrap()
    };
    let var = Var::new(&[1f64, 1.0], &Device::Cpu).unwrap();
    let mut optimizer = Optim::new(vec![var.clone()], config(&TOLD)).unwrap();
    let square = loss(std::slice::from_ref(&var));
    let message = optimizer.step(&square.backward().unwrap()).unwrap_err().to_string();
    assert!(message.contains("`own` is told the loss of every step: use `backward_step`"), "{message}");
    optimizer.backward_step(&square).unwrap();
    assert_eq!(var.to_vec1::<f64>().unwrap(), [0.5; 2]);
    let formula = Config::parse("formula", "lr = 0.1, update = \"p = p - lr * g / T\"").unwrap();
    let message = Optim::new(vec![var.clone()], formula).err().unwrap().to_string();
    assert!(
        message.contains("`formula` is told how long the training is") && message.contains("`steps = 10000`"),
        "{message}"
    );
    let message = Optim::new(vec![var], config(&ASKING)).err().unwrap().to_string();
    assert!(message.contains("`own` asks for gradients at other weights"), "{message}");
}

fn task(model: &'static model::Definition, dtype: DType) -> std::sync::Arc<dyn Task> {
    let spec = Spec {
        label: "digits".into(),
        model: model.defaults(),
        dataset: Some(Catalog::built_in().datasets.find("digits").unwrap().defaults()),
        batch_size: 32,
        dtype,
        target: None,
        metrics: vec![Metric::LOSS, Metric::ACCURACY],
        metric: Metric::ACCURACY,
    };
    task::build(&spec, &Library::default()).unwrap()
}

/// With batch normalisation: AdamW is evaluated by the statistics of the training, Schedule-Free by others.
#[test]
fn a_model_for_candle_is_trained_again_and_resumed_to_the_bit() {
    let task = task(&own_model::MODEL, DType::F32);
    let problem = |seed| task.problem(seed, &Device::Cpu).unwrap();
    let names: Vec<String> = problem(0).parameters().iter().map(|parameter| parameter.name.clone()).collect();
    assert!(names.contains(&"block1.norm.weight".into()) && !names.iter().any(|name| name.contains("running")));
    assert_eq!(problem(0).state().unwrap().len(), 4, "two running statistics of two layers");
    // Five layers of 64 by 64, their biases, four vectors of each normalisation, and the head.
    let numbers = 5 * (64 * 64 + 64) + 2 * 4 * 64 + (64 * 10 + 10);
    let weights = task.footprint(1e12).unwrap().unwrap().weights;
    assert_eq!((weights.bytes, weights.widest), (4.0 * f64::from(numbers), 64));

    for kind in ["adamw", "schedule_free_adamw"] {
        let settings = Config::parse(kind, "lr = 0.02").unwrap().settings().clone();
        let mut whole = Records { keep_at: Some(10), ..Records::default() };
        train_here(problem(0), &settings, 20, &mut whole, None);
        let snapshot = whole.kept.clone().unwrap();
        let mut again = Records::default();
        train_here(problem(0), &settings, 20, &mut again, Some(snapshot));
        assert_eq!(again.steps, whole.steps[10..], "{kind}");
        assert_eq!(again.evaluations[..], whole.evaluations[3..], "{kind}");
        let mut other = Records::default();
        train_here(problem(1), &settings, 20, &mut other, None);
        assert_ne!(other.steps, whole.steps);
        let last = whole.evaluations.last().unwrap();
        assert!(last.scores.get(Metric::ACCURACY).unwrap() > 0.5, "{last:?}");
    }
}

#[test]
fn an_evaluation_leaves_the_running_statistics_of_a_model_for_candle_alone() {
    let mut problem = task(&own_model::MODEL, DType::F64).problem(0, &Device::Cpu).unwrap();
    let read = |problem: &mut dyn Problem| -> Vec<Vec<f64>> {
        problem.state().unwrap().iter().map(|tensor| tensor.to_vec1().unwrap()).collect()
    };
    let fresh = read(&mut *problem);
    problem.gradients(0).unwrap();
    let trained = read(&mut *problem);
    assert!(fresh.iter().zip(&trained).all(|(fresh, trained)| fresh != trained));
    let saved = problem.recalibrate().unwrap().unwrap();
    assert!(read(&mut *problem).iter().zip(&trained).all(|(anew, trained)| anew != trained));
    problem.restore_statistics(saved).unwrap();
    assert_eq!(read(&mut *problem), trained);
}

#[test]
fn a_model_whose_gradient_is_cut_is_not_trained() {
    fn build(_: &Settings, input: &Input, init: &mut Init) -> Result<Box<dyn Network>> {
        let vb = init.var_builder();
        let hidden = candle_nn::linear(input.len(), 8, vb.pp("hidden"))?;
        let norm = candle_nn::layer_norm(8, 1e-5, vb.pp("norm"))?;
        let head = candle_nn::linear(8, input.classes(), vb.pp("head"))?;
        let net = move |x: &Tensor| head.forward(&norm.forward(&hidden.forward(&x.flatten_from(1)?)?)?);
        Ok(Box::new(FromCandle(net)))
    }
    static CUT: model::Definition = model::Definition {
        about: About { name: "cut", revision: 1, summary: "", equations: "", keys: &[], source: "" },
        kind: Kind::Network {
            default_dataset: "digits",
            learns: &[optbench::task::data::Contents::Images],
            metrics: &[Metric::LOSS, Metric::ACCURACY],
            build,
        },
    };
    let said = |message: &str| {
        let named = "model `cut`: `hidden.weight`, `hidden.bias`, `norm.weight`, `norm.bias` received no gradient";
        assert!(message.contains(named) && message.contains("`ops::layer_norm_slow`"), "{message}");
    };
    let task = task(&CUT, DType::F32);
    for seed in [0, 1] {
        said(&task.problem(seed, &Device::Cpu).err().unwrap().to_string());
    }
    // In a sweep it is said once, and no run is left behind as failed.
    let mut catalog = Catalog::built_in();
    catalog.models.add(&CUT).unwrap();
    let config = "steps = 5\nseeds = 2\n[tasks.theirs]\nmodel = \"cut\"\n[optimizers.sgd]\n";
    let plan =
        Plan::new(Experiment::parse(&catalog, "c.toml", config, "c", &[]).unwrap(), &Library::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (store, interrupt) = (Store::new(folder.path()), AtomicBool::new(false));
    store.create().unwrap();
    let sweep = Sweep {
        plan: &plan,
        store: &store,
        jobs: 2,
        interrupt: &interrupt,
        progress: &Silent,
        machine: Machine::default(),
    };
    said(&sweep.train(plan.runs.iter().collect()).unwrap_err().to_string());
    assert!(plan.runs.iter().all(|run| store.load(&run.name).unwrap().is_none()));
}

struct Silent;

impl Progress for Silent {
    fn started(&self, _: usize, _: &Run, _: u64) {}
    fn step(&self, _: usize, _: u64) {}
    fn finished(&self, _: usize, _: &Record) {}
}
