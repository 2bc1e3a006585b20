//! Groups of parameters from a config to its runs.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::Optimizer as _;
use optbench::candle::{Config, Optim};
use optbench::catalog::Catalog;
use optbench::config::Experiment;
use optbench::error::Result;
use optbench::optim::{self, Step};
use optbench::sweep::Plan;
use optbench::task;
use optbench::task::data::Library;

const CONFIG: &str = "name = \"groups\"\nseeds = 1\nsteps = 4\n[tasks.digits]\nmodel = \"mlp\"\nhidden = [8]\n\
                      [optimizers.adamw]\nlr = 0.01\n";

fn parse(text: &str) -> Experiment {
    Experiment::parse(&Catalog::built_in(), "c.toml", text, "c", &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn plan(groups: &str) -> Result<Plan> {
    Plan::new(parse(&format!("{CONFIG}{groups}")), &Library::default())
}

fn refused(groups: &str) -> String {
    plan(groups).err().map_or_else(|| panic!("taken: {groups}"), |error| error.to_string())
}

#[test]
fn keys_of_groups_are_columns_and_axes() {
    let plan = plan(
        "[[optimizers.adamw.groups]]\nmatch = [\"bias\"]\nweight_decay = [0, 0.5]\n\
         [[optimizers.adamw.groups]]\nmatch = [\"fc1.*\"]\nkind = \"muon\"\nmomentum = [0.8, 0.9]\nweight_decay = 0.2\n\
         lr_factor = 10\n",
    )
    .unwrap();
    assert_eq!(plan.runs.len(), 4);
    let columns = plan.runs[3].hyper_parameters();
    let of = |name: &str| columns.iter().find(|(key, _)| key == name).map(|(_, value)| value.to_string());
    assert_eq!(of("groups.1.match").unwrap(), "[bias]");
    assert_eq!(of("groups.1.weight_decay").unwrap(), "0.5");
    assert_eq!(of("groups.2.weight_decay").unwrap(), "0.2");
    assert_eq!(of("groups.2.lr_factor").unwrap(), "10");
    let kind = of("groups.2.kind").unwrap();
    assert!(kind.starts_with("muon(momentum=0.9 ") && !kind.contains("weight_decay="), "{kind}");
    let fingerprints: std::collections::BTreeSet<&str> = plan.runs.iter().map(|run| run.fingerprint.as_str()).collect();
    assert_eq!(fingerprints.len(), 4);
    let text = plan.identity_text(&plan.runs[0]);
    assert!(text.contains("\n\"groups.1.weight_decay\" = 0.0\n"), "{text}");
    assert!(plan.identity(&plan.runs[0]).revisions.contains_key("optimizer muon"));
}

#[test]
fn the_resolved_config_reads_back_as_the_same_runs() {
    for groups in [
        "[[optimizers.adamw.groups]]\nmatch = \"bias\"\nweight_decay = { log = [0.01, 1], points = 3 }\n",
        "groups = [{ match = [\"head\", \"*.bias\"], lr_factor = 2 }, { match = [\"hidden\"], kind = \"sgd\" }]\n",
        "[[optimizers.adamw.groups]]\nmatch = [\"bias\"]\nkind = \"sgd\"\nmomentum = [0, 0.5]\nlr_factor = { joint = [1, 2] }\n",
        "[[optimizers.adamw.groups]]\nmatch = [\"bias\"]\nlr_factor = { log_uniform = [0.1, 1], samples = 3 }\n",
        "decay_on = \"matrices\"\n",
    ] {
        let experiment = parse(&format!("{CONFIG}{groups}"));
        let resolved = experiment.to_toml();
        let again = parse(&resolved);
        assert_eq!(again.optimizers, experiment.optimizers, "{resolved}");
        assert_eq!(again.to_toml(), resolved);
    }
}

/// What a config asks for is what happens to the weights.
#[test]
fn a_group_is_updated_as_its_table_says() {
    let plan = plan(
        "weight_decay = 0\n[[optimizers.adamw.groups]]\nmatch = [\"bias\"]\nlr_factor = 0\n\
         [[optimizers.adamw.groups]]\nmatch = [\"fc2.*\"]\nkind = \"sgd\"\nmomentum = 0\n",
    )
    .unwrap();
    let run = &plan.runs[0];
    let mut problem =
        task::build(&plan.experiment.tasks[0], &Library::default()).unwrap().problem(0, &Device::Cpu).unwrap();
    let values = |problem: &dyn optbench::task::Problem| -> Vec<Vec<f32>> {
        let parameters = problem.parameters().iter();
        parameters.map(|parameter| parameter.var.flatten_all().unwrap().to_vec1().unwrap()).collect()
    };
    let before = values(&*problem);
    let (_, gradients) = problem.gradients(0).unwrap();
    let mut optimizer = optim::build(&plan.job(run).optimizer_settings().unwrap());
    optimizer.step(problem.parameters(), &gradients, &Step::first(0.01), &mut ()).unwrap();
    let after = values(&*problem);
    for (k, parameter) in problem.parameters().iter().enumerate() {
        let gradient: Vec<f32> = gradients[k].flatten_all().unwrap().to_vec1().unwrap();
        for ((before, after), g) in before[k].iter().zip(&after[k]).zip(gradient) {
            let expected = match parameter.name.as_str() {
                "fc1.weight" if g == 0.0 => 0.0,
                "fc1.weight" => -0.01 * g.signum() * g.abs() / (g.abs() + 1e-8),
                "fc2.weight" => -0.01 * g,
                _ => 0.0,
            };
            assert!((after - before - expected).abs() < 1e-6, "{}: {before} {after} {g}", parameter.name);
        }
    }
}

#[test]
fn a_group_that_finds_no_parameters_is_refused() {
    let group = |patterns: &str| format!("[[optimizers.adamw.groups]]\nmatch = {patterns}\nlr_factor = 2\n");
    let message = refused(&group("[\"biass\"]"));
    assert!(message.contains("optimizer `adamw`: group 1 matches no parameter: `biass`"), "{message}");
    assert!(message.contains("did you mean \"bias\"?"), "{message}");
    let message = refused(&group("[\"bias\", \"conv*\"]"));
    assert!(message.contains("`conv*`") && message.contains("fc1.bias, fc1.weight, fc2.bias, fc2.weight"), "{message}");
    assert!(refused(&group("[\"embedding\"]")).contains("`embedding`"));
    // A plain MLP has no normalisation, which is no mistake beside biases.
    assert!(plan(&group("[\"bias\", \"norm\"]")).is_ok());
    let message = refused(&format!("{}{}", group("[\"*\"]"), group("[\"bias\"]")));
    assert!(message.contains("optimizer `adamw`: group 2 is left without parameters"), "{message}");
    // Another task may have what one lacks.
    let both = "[tasks.text]\nmodel = \"lstm_lm\"\n[optimizers.adamw]\n";
    let config = format!("{}{}", CONFIG.replace("[optimizers.adamw]\n", both), group("[\"embedding\"]"));
    assert!(Plan::new(parse(&config), &Library::default()).is_ok());
}

#[test]
fn a_candle_training_loop_has_groups_too() {
    let var = |n: usize| Var::from_tensor(&Tensor::ones(n, DType::F64, &Device::Cpu).unwrap()).unwrap();
    let (weight, bias) = (var(4), var(3));
    let named = || vec![("fc.weight", weight.clone()), ("fc.bias", bias.clone())];
    let config = |pattern: &str| {
        Config::parse("sgd", &format!("lr = 0.5, groups = [{{ match = \"{pattern}\", lr_factor = 0.1 }}]")).unwrap()
    };
    let mut optimizer = Optim::named(named(), config("*.bias")).unwrap();
    let loss = (weight.sum_all().unwrap() + bias.sum_all().unwrap()).unwrap();
    optimizer.backward_step(&loss).unwrap();
    assert_eq!(weight.to_vec1::<f64>().unwrap(), [0.5; 4]);
    assert_eq!(bias.to_vec1::<f64>().unwrap(), [0.95; 3]);
    let message = Optim::named(named(), config("fc.bais")).err().unwrap().to_string();
    assert!(message.contains("matches no parameter: `fc.bais`"), "{message}");
}
