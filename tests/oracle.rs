//! An optimizer that asks for a gradient at other weights in the middle of its update: sharpness-aware minimisation
//! (Foret et al. 2020, arXiv 2010.01412), written for this test and trained through the loop.

use candle_core::{DType, Device, Tensor};
use optbench::catalog::Catalog;
use optbench::error::Result;
use optbench::metric::Metric;
use optbench::nn::params::{Parameter, assign, copies, norm};
use optbench::optim::{self, Answer, Ask, Definition, Optimizer, Oracle, State, Step};
use optbench::registry::{About, Accepts, Described, Key};
use optbench::schedule;
use optbench::settings::{Settings, Value};
use optbench::task::data::Library;
use optbench::task::{self, Problem, Spec};
use optbench::train::{Course, Ending, EvaluationRecord, Observer, Snapshot, StepRecord, Training, train};

const RHO: f64 = 0.05;

/// Up the gradient by `RHO`, the gradient there, and the base's update from here with it.
struct Sam {
    base: Box<dyn Optimizer>,
    asks: bool,
}

static SAM: Definition = Definition {
    about: About {
        name: "sam",
        revision: 1,
        summary: "",
        equations: "",
        keys: &[optim::lr(0.05), Key::optional("base", Accepts::Optimizer, "")],
        source: "",
    },
    memory: "",
    asks: &[Ask::Gradients],
    build: |settings| Box::new(Sam { base: optim::build(settings.nested("base")), asks: true }),
};

impl Optimizer for Sam {
    fn step(
        &mut self,
        parameters: &[Parameter],
        gradients: &[Tensor],
        at: &Step,
        oracle: &mut dyn Oracle,
    ) -> Result<()> {
        let before: Vec<Vec<f64>> = gradients.iter().map(values).collect();
        let (here, scale) = (copies(parameters)?, RHO / norm(gradients)?);
        for (parameter, gradient) in parameters.iter().zip(gradients) {
            parameter.var.set(&(parameter.var.as_detached_tensor() + (gradient * scale)?)?)?;
        }
        let Answer { loss, gradients: sharp, gradient_scale } = oracle.ask()?;
        assert!(loss > at.loss, "uphill");
        assert!(gradients.iter().map(values).eq(before), "what was given stays what it is");
        assign(parameters, &here)?;
        self.base.step(parameters, &sharp, &Step { gradient_scale, ..*at }, oracle)
    }

    fn asks(&self) -> bool {
        self.asks
    }

    fn state(&self) -> Result<State> {
        Ok(State { inner: vec![self.base.state()?], ..State::default() })
    }

    fn restore(&mut self, parameters: &[Parameter], mut state: State) -> Result<()> {
        self.base.restore(parameters, state.inner.remove(0))
    }

    fn state_bytes(&self) -> usize {
        self.base.state_bytes()
    }

    fn use_tensor_operations(&mut self) {
        self.base.use_tensor_operations();
    }
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn optimizer(kind: &str) -> Settings {
    Catalog::built_in().optimizers.find(kind).unwrap().defaults()
}

fn of(model: Settings, dataset: Option<&str>) -> Box<dyn Problem> {
    let dataset = dataset.map(|name| Catalog::built_in().datasets.find(name).unwrap().defaults());
    let (label, metric) = ("t".into(), Metric::LOSS);
    let spec =
        Spec { label, model, dataset, batch_size: 8, dtype: DType::F64, target: None, metrics: vec![metric], metric };
    task::build(&spec, &Library::default()).unwrap().problem(3, &Device::Cpu).unwrap()
}

fn model(kind: &str) -> Settings {
    Catalog::built_in().models.find(kind).unwrap().defaults()
}

fn bowl() -> Box<dyn Problem> {
    let list = |values: [f64; 2]| Value::List(values.map(Value::Float).into());
    of(model("quadratic").with("curvature", list([1.0, 10.0])).with("start", list([2.0, -1.0])), None)
}

/// With dropout and running statistics.
fn normed() -> Box<dyn Problem> {
    let channels = Value::List(vec![Value::Integer(3)]);
    let cnn = model("cnn").with("channels", channels).with("hidden", 8).with("batch_norm", true).with("dropout", 0.3);
    of(cnn, Some("digits"))
}

/// With dropout and a memory that is carried along.
fn stateful() -> Box<dyn Problem> {
    let lstm = model("lstm_lm").with("embedding", 4).with("hidden", 6).with("seq_len", 5);
    of(lstm.with("stateful", true).with("dropout", 0.3), Some("markov"))
}

/// SAM around a base, or whatever is around that.
fn training(problem: Box<dyn Problem>, optimizer: &Settings, steps: u64) -> Training {
    let timeline = optbench::length::Timeline { steps, steps_per_epoch: None, beta2: None };
    let constant = Catalog::built_in().schedules.find("constant").unwrap().defaults();
    Training {
        problem,
        optimizer: optim::build(optimizer),
        schedule: schedule::build(&constant, &timeline).unwrap(),
        lr: 0.05,
        clip_norm: Some(1.0),
        statistics: None,
        course: Course { steps, eval_every: steps, horizons: Vec::new() },
    }
}

fn around(base: &str) -> Settings {
    SAM.defaults().with("base", optimizer(base))
}

/// Keeps the records, and what the training is after so many steps.
#[derive(Default)]
struct Watch {
    records: Vec<StepRecord>,
    evaluations: Vec<EvaluationRecord>,
    stop: Option<u64>,
    snapshot: Option<Snapshot>,
}

impl Observer for Watch {
    fn step(&mut self, record: &StepRecord) -> Result<()> {
        self.records.push(*record);
        Ok(())
    }

    fn evaluation(&mut self, record: &EvaluationRecord) -> Result<()> {
        self.evaluations.push(record.clone());
        Ok(())
    }

    fn proceed(&mut self) -> bool {
        self.stop != Some(self.records.len() as u64)
    }

    fn wants_snapshot(&mut self) -> bool {
        !self.proceed()
    }

    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.snapshot = Some(snapshot.clone());
        Ok(())
    }
}

#[test]
fn an_update_may_ask_for_a_gradient_elsewhere() {
    let mut watch = Watch::default();
    let outcome = train(training(bowl(), &around("sgd"), 12), None, &mut watch).unwrap();
    assert_eq!((outcome.ending, outcome.steps, outcome.gradient_evaluations), (Ending::Finished, 12, 24));
    // By hand: f = (x^2 + 10 y^2) / 2, of which the gradient uphill is clipped to 1.
    let (mut x, mut y) = (2.0_f64, -1.0_f64);
    for record in &watch.records {
        let loss = 0.5 * x * x + 5.0 * y * y;
        assert!((record.loss - loss).abs() < 1e-14 * loss.max(1.0), "step {}", record.step);
        let length = x.hypot(10.0 * y);
        let (gx, gy) = (x + RHO * x / length, 10.0 * (y + RHO * 10.0 * y / length));
        let scale = (1.0 / (gx.hypot(gy) + 1e-6)).min(1.0);
        (x, y) = (x - 0.05 * scale * gx, y - 0.05 * scale * gy);
    }
}

/// Beside the same loop by hand, which computes the second gradient on a twin that carries nothing on.
#[test]
fn a_question_sees_the_same_batch_and_moves_nothing_that_is_carried() {
    for build in [normed, stateful] {
        let mut watch = Watch::default();
        train(training(build(), &around("sgd"), 30), None, &mut watch).unwrap();
        let (mut problem, mut twin) = (build(), build());
        let mut sgd = optim::build(&optimizer("sgd"));
        for record in &watch.records {
            let t = record.step - 1;
            twin.restore(problem.state().unwrap()).unwrap();
            let (loss, gradients) = problem.gradients(t).unwrap();
            assert_eq!(record.loss, loss, "step {}", record.step);
            let scale = RHO / norm(&gradients).unwrap();
            for ((own, other), gradient) in problem.parameters().iter().zip(twin.parameters()).zip(&gradients) {
                other.var.set(&(own.var.as_detached_tensor() + (gradient * scale).unwrap()).unwrap()).unwrap();
            }
            let (_, sharp) = twin.gradients(t).unwrap();
            let gradient_scale = (1.0 / (norm(&sharp).unwrap() + 1e-6)).min(1.0);
            let at = Step { t, gradient_scale, ..Step::first(0.05) };
            sgd.step(problem.parameters(), &sharp, &at, &mut ()).unwrap();
        }
        // By the running statistics of the updates' own gradients.
        let last = watch.evaluations.last().unwrap();
        assert_eq!(problem.evaluate(last.split).unwrap().as_ref(), Some(&last.scores));
    }
}

#[test]
fn a_training_that_asks_goes_on_bit_for_bit() {
    let averaged = around("adamw").with("average", "ema").with("average_decay", 0.5);
    for build in [bowl, normed, stateful] {
        let mut whole = Watch::default();
        let outcome = train(training(build(), &averaged, 9), None, &mut whole).unwrap();
        let mut first = Watch { stop: Some(4), ..Watch::default() };
        train(training(build(), &averaged, 9), None, &mut first).unwrap();
        assert_eq!(first.snapshot.as_ref().unwrap().steps, 4);
        let mut second = Watch::default();
        let continued = train(training(build(), &averaged, 9), first.snapshot, &mut second).unwrap();
        assert_eq!([first.records, second.records].concat(), whole.records);
        assert_eq!((outcome.gradient_evaluations, continued.gradient_evaluations), (18, 18));
    }
}

/// What Schedule-Free is around steps from z, and its gradients are taken at y and uphill from there.
#[test]
fn schedule_free_moves_the_questions_of_its_base() {
    const BETA: f64 = 0.75;
    let settings = optimizer("schedule_free").with("beta", BETA).with("base", around("sgd"));
    let mut free = training(bowl(), &settings, 8);
    free.clip_norm = None;
    let mut watch = Watch::default();
    train(free, None, &mut watch).unwrap();
    let curvature = [1.0, 10.0];
    let ([mut x, mut y], mut z) = ([[2.0_f64, -1.0]; 2], [2.0_f64, -1.0]);
    for record in &watch.records {
        let loss = 0.5 * y[0] * y[0] + 5.0 * y[1] * y[1];
        assert!((record.loss - loss).abs() < 1e-13, "step {}: {} for {loss}", record.step, record.loss);
        let length = y[0].hypot(10.0 * y[1]);
        for i in 0..2 {
            let uphill = y[i] + RHO * curvature[i] * y[i] / length;
            z[i] -= 0.05 * curvature[i] * uphill;
            x[i] += (z[i] - x[i]) / record.step as f64;
            y[i] = BETA * x[i] + (1.0 - BETA) * z[i];
        }
    }
}

/// A group that asks hears of its own gradients alone, taken where the others were before the update.
#[test]
fn a_group_asks_for_itself() {
    let text = |text: &str| Value::List(vec![text.into()]);
    let mut settings = optimizer("sgd").with("groups.1.match", text("conv*")).with("groups.1.lr_factor", 3.0);
    settings = settings.with("groups.2.match", text("fc2.*")).with("groups.2.kind", around("sgd"));
    let mut run = training(normed(), &settings, 12);
    run.clip_norm = None;
    let mut watch = Watch::default();
    train(run, None, &mut watch).unwrap();
    let (mut problem, mut twin) = (normed(), normed());
    for record in &watch.records {
        let t = record.step - 1;
        twin.restore(problem.state().unwrap()).unwrap();
        let (loss, gradients) = problem.gradients(t).unwrap();
        assert_eq!(record.loss, loss, "step {}", record.step);
        let asks = |parameter: &Parameter| parameter.name.starts_with("fc2.");
        let own = problem.parameters().iter().zip(&gradients).filter(|(parameter, _)| asks(parameter));
        let own: Vec<Tensor> = own.map(|(_, gradient)| gradient.clone()).collect();
        let scale = RHO / norm(&own).unwrap();
        for ((own, other), gradient) in problem.parameters().iter().zip(twin.parameters()).zip(&gradients) {
            let uphill = if asks(own) { scale } else { 0.0 };
            other.var.set(&(own.var.as_detached_tensor() + (gradient * uphill).unwrap()).unwrap()).unwrap();
        }
        let (_, sharp) = twin.gradients(t).unwrap();
        for ((parameter, gradient), sharp) in problem.parameters().iter().zip(&gradients).zip(&sharp) {
            let rate = if parameter.name.starts_with("conv") { 3.0 * 0.05 } else { 0.05 };
            let gradient = if asks(parameter) { sharp } else { gradient };
            let next = parameter.var.as_detached_tensor() - (gradient * rate).unwrap();
            parameter.var.set(&next.unwrap()).unwrap();
        }
    }
}

#[test]
fn who_asks_without_saying_so_is_told() {
    let mut training = training(bowl(), &around("sgd"), 3);
    training.optimizer = Box::new(Sam { base: optim::build(&optimizer("sgd")), asks: false });
    let message = train(training, None, &mut ()).unwrap_err().to_string();
    assert!(message.contains("did not say"), "{message}");
}
