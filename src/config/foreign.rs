//! What other tools call a key or a kind, and what it is here.

/// A name from elsewhere.
struct Foreign {
    /// As it is written there; compared without regard to capitals, hyphens and underscores.
    theirs: &'static str,
    /// The names here that it may stand for, any of which makes the note fit; empty where there is none.
    ours: &'static [&'static str],
    /// What to write instead, in half a sentence; `did you mean` says it where this is empty.
    note: &'static str,
    /// Whether it is one of ours under another name.
    renamed: bool,
}

/// The same under another name.
const fn same(theirs: &'static str, ours: &'static [&'static str]) -> Foreign {
    Foreign { theirs, ours, note: "", renamed: true }
}

/// The same under another name, and in other units or with something beside it.
const fn renamed(theirs: &'static str, ours: &'static [&'static str], note: &'static str) -> Foreign {
    Foreign { theirs, ours, note, renamed: true }
}

/// What is said in another way, or nowhere.
const fn other(theirs: &'static str, ours: &'static [&'static str], note: &'static str) -> Foreign {
    Foreign { theirs, ours, note, renamed: false }
}

/// PyTorch's, Keras', Optax', Transformers' and Lightning's names. Of several entries for one name, the first that fits counts.
const FOREIGN: &[Foreign] = &[
    // Optimizers: keys.
    same("learning_rate", &["lr"]),
    same("initial_learning_rate", &["lr"]),
    same("init_lr", &["lr"]),
    same("wd", &["weight_decay"]),
    same("decay_rate", &["gamma"]),
    same("epsilon", &["eps"]),
    same("eps_root", &["eps"]),
    same("b1", &["beta1"]),
    same("b2", &["beta2"]),
    same("beta_1", &["beta1"]),
    same("beta_2", &["beta2"]),
    renamed(
        "betas",
        &["beta2", "beta"],
        "`betas = [b1, b2]` is written as two keys: `beta1 = b1` (`beta` in Schedule-Free kinds) and `beta2 = b2`",
    ),
    renamed("rho", &["alpha"], "Keras' `rho` of RMSprop is `alpha`, as in PyTorch"),
    other("lr_decay", &["schedules"], "write a schedule: `[schedules.inverse_sqrt]` or `[schedules.exponential]`"),
    other("lr_scheduler", &["schedules"], "schedules are tables of their own: `[schedules.cosine]`"),
    other("lr_scheduler_type", &["schedules"], "schedules are tables of their own: `[schedules.cosine]`"),
    other("scheduler", &["schedules"], "schedules are tables of their own: `[schedules.cosine]`"),
    other("use_ema", &["average"], "write `average = \"ema\"`"),
    renamed("ema_decay", &["average_decay"], "write `average = \"ema\"` and `average_decay`"),
    renamed("ema_momentum", &["average_decay"], "write `average = \"ema\"` and `average_decay`"),
    same("clipnorm", &["clip_norm"]),
    same("global_clipnorm", &["clip_norm"]),
    same("max_grad_norm", &["clip_norm"]),
    same("max_norm", &["clip_norm"]),
    same("grad_clip", &["clip_norm"]),
    same("gradient_clip_val", &["clip_norm"]),
    other("foreach", &["weight_decay"], "remove it: every update is one fused pass"),
    other("fused", &["weight_decay"], "remove it: every update is one fused pass"),
    other("capturable", &["weight_decay"], "remove it: it has no meaning outside of CUDA graphs"),
    other("maximize", &["weight_decay"], "remove it: losses are always minimised"),
    // Schedules: keys.
    renamed(
        "T_max",
        &["period"],
        "PyTorch's `T_max` is `period`, a duration: `period = \"100%\"` (the default) ends with the run",
    ),
    renamed("T_0", &["period"], "PyTorch's `T_0` is `period`, a duration such as `\"10 epochs\"`"),
    renamed("T_mult", &["mult"], "PyTorch's `T_mult` is `mult`"),
    renamed(
        "eta_min",
        &["min_factor"],
        "PyTorch's `eta_min` is `min_factor`, as a share of the peak rate: `min_factor = eta_min / lr`",
    ),
    renamed(
        "min_lr",
        &["min_factor"],
        "`min_lr` is `min_factor`, as a share of the peak rate: `min_factor = min_lr / lr`",
    ),
    renamed("min_lr", &["end"], "`min_lr` is `end`, as a share of the peak rate: `end = min_lr / lr`"),
    renamed("end_lr", &["end"], "`end` is a share of the peak rate: `end = end_lr / lr`"),
    renamed("end_value", &["end"], "`end` is a share of the peak rate: `end = end_value / lr`"),
    renamed("alpha", &["min_factor"], "`alpha` of a cosine decay is `min_factor`"),
    renamed(
        "base_lr",
        &["base_factor"],
        "`base_lr` is `base_factor`, as a share of the peak rate: `base_factor = base_lr / max_lr`, and the optimizer's `lr` is `max_lr`",
    ),
    other("max_lr", &["warmup"], "the optimizer's `lr` is the peak rate of every schedule"),
    other("peak_value", &["warmup"], "the optimizer's `lr` is the peak rate of every schedule"),
    other("init_value", &["warmup"], "the optimizer's `lr` is the peak rate of every schedule"),
    renamed("step_size", &["every"], "PyTorch's `step_size` is `every`, a duration such as `\"30 epochs\"`"),
    renamed("step_size_up", &["up"], "PyTorch's `step_size_up` is `up`, a duration"),
    renamed("step_size_down", &["down"], "PyTorch's `step_size_down` is `down`, a duration"),
    renamed(
        "transition_steps",
        &["every", "over"],
        "Optax' `transition_steps` is `every` (of `exponential`) or `over` (of `linear`)",
    ),
    renamed(
        "decay_steps",
        &["period"],
        "`decay_steps` is `period`, a duration: `\"100%\"` (the default) ends with the run",
    ),
    renamed(
        "decay_steps",
        &["over"],
        "`decay_steps` is `over`, a duration: `\"100%\"` (the default) ends with the run",
    ),
    renamed("decay_steps", &["decay"], "`decay_steps` is `decay`, a duration such as `\"20%\"`"),
    renamed(
        "total_iters",
        &["over"],
        "PyTorch's `total_iters` is `over`, a duration: `\"100%\"` (the default) ends with the run",
    ),
    same("start_factor", &["start"]),
    same("end_factor", &["end"]),
    same("div_factor", &["div"]),
    same("final_div_factor", &["final_div"]),
    same("anneal_strategy", &["anneal"]),
    same("scale_mode", &["mode"]),
    same("min_delta", &["threshold"]),
    same("monitor", &["metric"]),
    same("schedulers", &["parts"]),
    other("total_steps", &["warmup"], "a schedule lasts as long as the run: remove it"),
    other("num_training_steps", &["warmup"], "a schedule lasts as long as the run: remove it"),
    other("last_epoch", &["warmup"], "remove it: an interrupted run continues from its checkpoint automatically"),
    other("verbose", &["warmup"], "remove it: `optbench schedule` shows the rates"),
    other("lr_lambda", &["warmup"], "the built-in schedules are listed by `optbench list schedules`"),
    same("num_warmup_steps", &["warmup"]),
    same("warmup_steps", &["warmup"]),
    same("warmup_epochs", &["warmup"]),
    other("warmup_ratio", &["warmup"], "`warmup_ratio = 0.05` is written `warmup = \"5%\"`"),
    other("warmup_steps", &["schedules"], "a warmup belongs to a schedule: `warmup = \"5%\"` in `[schedules.NAME]`"),
    other("warmup_ratio", &["schedules"], "a warmup belongs to a schedule: `warmup = \"5%\"` in `[schedules.NAME]`"),
    other("warmup", &["schedules"], "a warmup belongs to a schedule: `warmup = \"5%\"` in `[schedules.NAME]`"),
    // Tasks.
    same("bs", &["batch_size"]),
    same("batch", &["batch_size"]),
    same("train_batch_size", &["batch_size"]),
    same("per_device_train_batch_size", &["batch_size"]),
    same("hidden_size", &["hidden"]),
    same("hidden_dim", &["hidden"]),
    same("hidden_sizes", &["hidden"]),
    same("units", &["hidden"]),
    same("num_layers", &["layers"]),
    same("n_layers", &["layers"]),
    same("embedding_dim", &["embedding"]),
    same("emb_dim", &["embedding"]),
    same("dropout_rate", &["dropout"]),
    same("sequence_length", &["seq_len"]),
    same("block_size", &["seq_len"]),
    same("bptt", &["seq_len"]),
    same("precision", &["dtype"]),
    // The whole config.
    same("num_epochs", &["epochs"]),
    same("max_epochs", &["epochs"]),
    same("n_epochs", &["epochs"]),
    same("num_train_epochs", &["epochs"]),
    same("max_steps", &["steps"]),
    same("num_steps", &["steps"]),
    same("iterations", &["steps"]),
    same("random_seed", &["seeds"]),
    same("eval_steps", &["eval_every"]),
    same("val_check_interval", &["eval_every"]),
    same("save_steps", &["checkpoint_every"]),
    other("batch_size", &["tasks"], "it belongs to a task: `batch_size` in `[tasks.NAME]`"),
    other("lr", &["optimizers"], "it belongs to an optimizer: `lr` in `[optimizers.NAME]`"),
    other("learning_rate", &["optimizers"], "it belongs to an optimizer: `lr` in `[optimizers.NAME]`"),
    // Kinds of schedules.
    renamed("noam", &["inverse_sqrt"], "Noam's schedule is `kind = \"inverse_sqrt\"` with `warmup = \"4000 steps\"`"),
    renamed("inverse_sqrt_with_warmup", &["inverse_sqrt"], "write `kind = \"inverse_sqrt\"` with a `warmup`"),
    same("StepLR", &["step"]),
    same("MultiStepLR", &["multi_step"]),
    same("PiecewiseConstantDecay", &["multi_step"]),
    same("ExponentialLR", &["exponential"]),
    same("exponential_decay", &["exponential"]),
    same("LinearLR", &["linear"]),
    renamed("linear_with_warmup", &["linear"], "write `kind = \"linear\"` with a `warmup`"),
    renamed("constant_with_warmup", &["constant"], "write `kind = \"constant\"` with a `warmup`"),
    same("PolynomialLR", &["polynomial"]),
    same("PolynomialDecay", &["polynomial"]),
    same("CosineAnnealingLR", &["cosine"]),
    same("CosineAnnealing", &["cosine"]),
    same("CosineDecay", &["cosine"]),
    same("cosine_decay_schedule", &["cosine"]),
    renamed("cosine_with_warmup", &["cosine"], "write `kind = \"cosine\"` with a `warmup`"),
    renamed("warmup_cosine", &["cosine"], "write `kind = \"cosine\"` with a `warmup`"),
    renamed("warmup_cosine_decay_schedule", &["cosine"], "write `kind = \"cosine\"` with a `warmup`"),
    same("CosineAnnealingWarmRestarts", &["cosine_warm_restarts"]),
    same("CosineDecayRestarts", &["cosine_warm_restarts"]),
    same("cosine_with_restarts", &["cosine_warm_restarts"]),
    same("sgdr", &["cosine_warm_restarts"]),
    same("OneCycleLR", &["one_cycle"]),
    same("cosine_onecycle_schedule", &["one_cycle"]),
    same("CyclicLR", &["cyclic"]),
    same("triangular", &["cyclic"]),
    same("ReduceLROnPlateau", &["reduce_on_plateau"]),
    same("plateau", &["reduce_on_plateau"]),
    same("trapezoidal", &["wsd"]),
    same("warmup_stable_decay", &["wsd"]),
    same("SequentialLR", &["sequential"]),
    same("join_schedules", &["sequential"]),
    same("ChainedScheduler", &["chained"]),
    same("ConstantLR", &["constant"]),
    same("none", &["constant"]),
    // Kinds of optimizers.
    renamed("nesterov", &["sgd"], "write `kind = \"sgd\"` with `momentum = 0.9` and `nesterov = true`"),
    renamed("momentum", &["sgd"], "write `kind = \"sgd\"` with `momentum = 0.9`"),
    renamed("heavy_ball", &["sgd"], "write `kind = \"sgd\"` with `momentum = 0.9`"),
    renamed("amsgrad", &["adam"], "write `kind = \"adam\"` with `amsgrad = true`"),
    renamed("sgdw", &["sgd"], "write `kind = \"sgd\"` with `decay = \"decoupled\"` and a `weight_decay`"),
    same("adamw_torch", &["adamw"]),
    same("adamw_torch_fused", &["adamw"]),
    same("FusedAdam", &["adam"]),
    same("AdamWScheduleFree", &["schedule_free_adamw"]),
    same("SGDScheduleFree", &["schedule_free_sgd"]),
    same("RAdamScheduleFree", &["schedule_free_radam"]),
    same("ScheduleFreeWrapper", &["schedule_free"]),
];

/// A name as it is compared.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// What a name of another tool is here.
pub(super) struct Hint {
    /// The name of ours, where it is one under another name.
    pub(super) name: Option<&'static str>,
    /// What to write instead; empty where the name says it all.
    pub(super) note: &'static str,
}

/// What a name of another tool is here, where it is one and fits what is known at its place.
pub(super) fn hint(word: &str, candidates: &[&str]) -> Option<Hint> {
    let word = plain(word);
    let known = |foreign: &Foreign| foreign.ours.iter().copied().find(|ours| candidates.contains(ours));
    let mut fitting = FOREIGN.iter().filter(|foreign| plain(foreign.theirs) == word);
    let (foreign, ours) = fitting.find_map(|foreign| Some((foreign, known(foreign)?)))?;
    Some(Hint { name: foreign.renamed.then_some(ours), note: foreign.note })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalog::Catalog;
    use crate::registry::Described;

    #[test]
    fn every_name_of_ours_exists_and_no_foreign_one_is_ours_where_it_counts() {
        let mut known: BTreeSet<&str> = [
            "tasks",
            "optimizers",
            "schedules",
            "epochs",
            "steps",
            "seeds",
            "eval_every",
            "checkpoint_every",
            "batch_size",
            "dtype",
        ]
        .into();
        let Catalog { optimizers, schedules, models, datasets } = Catalog::built_in();
        known.extend(optimizers.iter().flat_map(Described::names).chain(optimizers.names()));
        known.extend(schedules.iter().flat_map(Described::names).chain(schedules.names()));
        known.extend(models.iter().flat_map(Described::names).chain(datasets.iter().flat_map(Described::names)));
        for foreign in FOREIGN {
            for ours in foreign.ours {
                assert!(known.contains(ours), "`{}` is not `{ours}`: there is none", foreign.theirs);
            }
        }
    }

    #[test]
    fn a_name_is_told_by_where_it_stands() {
        let name = |word: &str, known: &[&str]| match hint(word, known) {
            Some(hint) if hint.note.is_empty() => hint.name.unwrap_or_default().to_owned(),
            Some(hint) => hint.note.to_owned(),
            None => "nothing".to_owned(),
        };
        assert_eq!(name("Learning-Rate", &["eps", "lr"]), "lr");
        assert!(name("min_lr", &["min_factor"]).contains("min_lr / lr"));
        assert!(name("min_lr", &["start", "end"]).contains("`end = min_lr / lr`"));
        assert_eq!(name("StepLR", &["step", "linear"]), "step");
        assert_eq!(name("T_max", &["gamma", "every"]), "nothing");
    }
}
