//! What a column of a log holds, as far as its name tells.
//!
//! Frameworks name the same thing in many ways: `val_loss`, `val/loss`, `eval.loss`, `Loss/validation`. Capitals and
//! separators make no difference here.

use std::fmt;

use crate::task::Split;

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Which run a row belongs to.
    Run,
    /// The task's label.
    Task,
    /// The optimizer's label.
    Optimizer,
    /// The schedule's label.
    Schedule,
    /// The seed of the run.
    Seed,
    /// How the run ended.
    Status,
    /// Updates done.
    Step,
    /// Passes over the training set.
    Epoch,
    /// Which part of the data a row is about.
    Split,
    /// In a long table: what the row's value is a value of.
    Name,
    /// In a long table: the value.
    Value,
    /// The learning rate of the update.
    Rate,
    /// The norm of the update's gradient.
    GradientNorm,
    /// A score: of a split, where the name tells which, and of a metric.
    Score(Option<Split>, String),
    /// What a tool writes down for itself: times, speeds, its own numbers of runs.
    Bookkeeping,
    /// Anything else, by its name: a hyper-parameter, or a metric that only its owner knows.
    Other(String),
}

/// The words for each meaning, as [`words`] leaves them.
const NAMES: &[(Column, &str)] = &[
    (Column::Run, "run run_id run_name name trial trial_id experiment_name job"),
    (Column::Task, "task dataset workload benchmark problem"),
    (Column::Optimizer, "optimizer optimiser optim opt optimizer_name optim_name"),
    (Column::Schedule, "schedule scheduler lr_schedule lr_scheduler lr_scheduler_type sched scheduler_name"),
    (Column::Seed, "seed random_seed rng_seed random_state seed_everything"),
    (Column::Status, "status state"),
    (
        Column::Step,
        "step steps global_step trainer_global_step iteration iterations iter iters update updates \
         num_updates num_steps train_step training_step batch_idx",
    ),
    (Column::Epoch, "epoch epochs num_epochs current_epoch"),
    (Column::Split, "split phase subset partition fold_type"),
    (Column::Name, "metric metric_name tag key variable quantity"),
    (Column::Value, "value metric_value"),
    (Column::Rate, "lr learning_rate learningrate"),
    (Column::GradientNorm, "grad_norm gradient_norm gnorm"),
    (
        Column::Bookkeeping,
        "id timestamp time wall_time walltime runtime relative_time created duration seconds elapsed \
         start_time end_time date datetime wandb user notes tags sweep artifact_uri experiment_id hostname \
         hp_metric total_flos samples_per_second steps_per_second samples_per_sec memory gpu_memory \
         epoch_time step_time",
    ),
];

/// Words that tell a metric wherever they stand in a name.
const METRICS: &str = "\
    loss nll elbo likelihood entropy accuracy acc acc1 acc5 top1 top5 error err perplexity ppl bpc bpb mse rmse \
    mae mape r2 auc auroc auprc ap map f1 precision recall iou miou dice bleu rouge rouge1 rouge2 rougel meteor \
    chrf wer cer psnr ssim fid reward return regret score kappa mcc brier";

/// Words that tell a setting of a metric or of a split, not a score: `val_batch_size`, `loss_scale`.
const SETTINGS: &str = "\
    size batch every interval frequency freq fraction ratio steps samples workers path dir file weight weights \
    scale coef coefficient lambda fn function type kind smoothing threshold patience seed split data dataset set";

/// What a column of this name holds.
pub fn column(name: &str) -> Column {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(column) = meaning(&words) {
        return column;
    }
    // What MLflow notes of a run: who started it, from which commit.
    if name.starts_with("tags.") {
        return Column::Bookkeeping;
    }
    let is_setting = |words: &[&str]| words.iter().any(|word| is_among(word, SETTINGS));
    if let Some((split, rest)) = split_of(&words) {
        // A tool's prefix for all that it writes while it trains: `train/global_step`, `eval/runtime`. With another
        // separator it may be a setting: `eval_steps`.
        let is_prefix = name.contains('/');
        match meaning(rest) {
            Some(column) if is_prefix || matches!(column, Column::Rate | Column::GradientNorm) => return column,
            Some(_) if !is_prefix => return Column::Other(own(name).to_owned()),
            _ if is_prefix || !is_setting(rest) => return Column::Score(Some(split), metric(rest)),
            _ => {}
        }
    }
    // A rate monitor names the optimizer or the group behind it: `lr-AdamW/pg1`.
    if words.first() == Some(&"lr") && name.contains(['-', '/']) {
        return Column::Rate;
    }
    if words.iter().any(|word| is_among(word, METRICS)) && !is_setting(&words) {
        return Column::Score(None, metric(&words));
    }
    Column::Other(own(name).to_owned())
}

/// What stands under a whole name, whatever the split.
fn meaning(words: &[&str]) -> Option<Column> {
    let joined = words.join("_");
    NAMES.iter().find(|(_, names)| is_among(&joined, names)).map(|(column, _)| column.clone())
}

fn is_among(word: &str, list: &str) -> bool {
    list.split(' ').any(|known| known == word)
}

/// The split that a word means: what a column of splits holds, or the first or the last word of a score's name.
pub fn split(word: &str) -> Option<Split> {
    match word.trim().to_ascii_lowercase().as_str() {
        "train" | "training" | "tr" => Some(Split::Train),
        "val" | "valid" | "validation" | "validate" | "eval" | "evaluation" | "dev" | "holdout" => {
            Some(Split::Validation)
        }
        "test" | "testing" => Some(Split::Test),
        _ => None,
    }
}

/// The split at the beginning or the end of a name, and the words without it.
fn split_of<'a, 'w>(words: &'a [&'w str]) -> Option<(Split, &'a [&'w str])> {
    match words {
        [_] | [] => None,
        [first, rest @ ..] if split(first).is_some() => Some((split(first)?, rest)),
        [rest @ .., last] => Some((split(last)?, rest)),
    }
}

/// The name of a metric, from its words without the split.
fn metric(words: &[&str]) -> String {
    // What Lightning adds where it logs both the batch and the mean of the epoch.
    let words = match words {
        [name @ .., "epoch" | "step"] if !name.is_empty() => name,
        words => words,
    };
    match words {
        ["acc"] => "accuracy".into(),
        ["ppl"] => "perplexity".into(),
        words => words.join("_"),
    }
}

/// The name as its owner knows it: `MLflow`'s tables say by a prefix what a column is.
fn own(name: &str) -> &str {
    let name = name.trim();
    ["metrics.", "params."].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// The words of a name in small letters. What only says that a number is the last one is left out.
fn words(name: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(name.len());
    let bare = own(name).trim_start_matches('_');
    // Where each data loader has its own score: those of the first.
    let bare = bare.strip_suffix("/dataloader_idx_0").unwrap_or(bare);
    for prefix in ["train", "valid", "val", "eval", "test"] {
        // `valLoss`; of other capitals nothing can be told, such as `mIoU`.
        if let Some(rest) = bare.strip_prefix(prefix)
            && rest.starts_with(|c: char| c.is_ascii_uppercase())
        {
            spaced = format!("{prefix} {rest}");
            break;
        }
    }
    let spaced = if spaced.is_empty() { bare } else { &spaced };
    let words = spaced.split(|c: char| c.is_whitespace() || "/._-:|@()[]".contains(c)).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    match words.split_first() {
        Some((first, rest)) if ["final", "last"].contains(&first.as_str()) && !rest.is_empty() => rest.to_vec(),
        _ => words,
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Run => "run",
            Self::Task => "task",
            Self::Optimizer => "optimizer",
            Self::Schedule => "schedule",
            Self::Seed => "seed",
            Self::Status => "status",
            Self::Step => "step",
            Self::Epoch => "epoch",
            Self::Split => "split",
            Self::Name => "metric",
            Self::Value => "value",
            Self::Rate => "lr",
            Self::GradientNorm => "grad_norm",
            Self::Score(Some(split), metric) => return write!(f, "{}.{metric}", split.name()),
            Self::Score(None, metric) => metric,
            Self::Bookkeeping => "not used",
            Self::Other(name) => name,
        };
        f.write_str(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(split: Split, metric: &str) -> Column {
        Column::Score(Some(split), metric.into())
    }

    #[test]
    fn a_score_is_told_with_its_split_however_it_is_written() {
        let loss =
            ["val_loss", "val/loss", "val.loss", "valid loss", "Loss/validation", "eval_loss", "valLoss", "dev-loss"];
        for name in loss.into_iter().chain(["metrics.val_loss", "VAL_LOSS", "val_loss_epoch", "final_val_loss"]) {
            assert_eq!(column(name), score(Split::Validation, "loss"), "{name}");
        }
        assert_eq!(column("eval_accuracy"), score(Split::Validation, "accuracy"));
        assert_eq!(column("acc_test"), score(Split::Test, "accuracy"));
        assert_eq!(column("test/top-5 acc"), score(Split::Test, "top_5_acc"));
        assert_eq!(column("train_loss_step"), score(Split::Train, "loss"));
        assert_eq!(column("val/mIoU"), score(Split::Validation, "miou"));
        assert_eq!(column("val/anything"), score(Split::Validation, "anything"));
        assert_eq!(column("val_acc/dataloader_idx_0"), score(Split::Validation, "accuracy"));
        assert_eq!(column("loss"), Column::Score(None, "loss".into()));
        assert_eq!(column("ppl"), Column::Score(None, "perplexity".into()));
        assert_eq!(column("mean_reward"), Column::Score(None, "mean_reward".into()));
    }

    #[test]
    fn what_a_tool_counts_is_told_apart_from_what_it_measures() {
        let cases: &[(Column, &[&str])] = &[
            (
                Column::Step,
                &["step", "_step", "Step", "global_step", "trainer/global_step", "train/global_step", "iter"],
            ),
            (Column::Epoch, &["epoch", "train/epoch"]),
            (Column::Rate, &["lr", "learning_rate", "train/learning_rate", "lr-AdamW", "lr-SGD/pg1"]),
            (Column::GradientNorm, &["grad_norm", "train/grad_norm"]),
            (Column::Run, &["run", "run_id", "Name", "Run Name"]),
            (Column::Optimizer, &["optimizer", "params.optimizer", "optim"]),
            (Column::Seed, &["seed", "random_seed"]),
            (Column::Split, &["split", "phase"]),
            (Column::Name, &["metric", "tag"]),
            (Column::Value, &["value"]),
            (
                Column::Bookkeeping,
                &["_timestamp", "_runtime", "eval/runtime", "eval/samples_per_second", "Wall time", "tags.mlflow.user"],
            ),
        ];
        for (expected, names) in cases {
            for name in *names {
                assert_eq!(column(name), *expected, "{name}");
            }
        }
    }

    #[test]
    fn a_setting_is_no_score_whatever_words_are_in_it() {
        for name in [
            "val_batch_size",
            "eval_every",
            "test_size",
            "loss_scale",
            "train_steps",
            "eval_steps",
            "weight_decay",
            "beta1",
        ] {
            assert_eq!(column(name), Column::Other(name.into()));
        }
        assert_eq!(column("params.eps"), Column::Other("eps".into()));
    }

    #[test]
    fn a_split_has_many_names() {
        assert_eq!(
            [" Valid", "dev", "TEST", "train", "x"].map(split),
            [Some(Split::Validation), Some(Split::Validation), Some(Split::Test), Some(Split::Train), None]
        );
    }
}
