//! Whether more of a metric is better, as far as its name tells.

use crate::metric::Direction;

const LOWER: &str = "\
    loss error err perplexity ppl nll mse rmse mae mape bpc bpb entropy wer cer fid regret brier kl divergence \
    bits ece rmsle distance";
const HIGHER: &str = "\
    accuracy acc acc1 acc5 top1 top5 auc auroc auprc ap map f1 precision recall iou miou dice bleu rouge rouge1 \
    rouge2 rougel meteor chrf psnr ssim reward return score kappa mcc r2 elbo likelihood correct wins success";

/// The direction of a metric of this name; `None` where the name tells nothing, or two things.
///
/// ```
/// use optbench::metric::Direction;
/// use optbench::recorded::direction::direction;
///
/// assert_eq!(direction("val_loss"), Some(Direction::Lower));
/// assert_eq!(direction("f1_macro"), Some(Direction::Higher));
/// assert_eq!(direction("wombats"), None);
/// ```
pub fn direction(metric: &str) -> Option<Direction> {
    let metric = metric.to_lowercase();
    let words: Vec<&str> = metric.split(|c: char| !c.is_alphanumeric()).collect();
    // A negative likelihood is one that is better the lower it is.
    let negative = words.iter().any(|word| ["neg", "negative", "minus"].contains(word));
    let is_among = |word: &str, list: &str| list.split(' ').any(|known| known == word);
    let has = |list: &str| words.iter().any(|word| is_among(word, list));
    match (has(LOWER), has(HIGHER), negative) {
        (true, false, false) | (false, true, true) => Some(Direction::Lower),
        (false, true, false) | (true, false, true) => Some(Direction::Higher),
        // An error in a likelihood's name is what is measured: `likelihood_loss`.
        (true, true, _) if words.last().is_some_and(|last| is_among(last, LOWER)) => Some(Direction::Lower),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_fall_and_accuracies_rise() {
        for name in
            ["loss", "val_loss", "cross_entropy", "error", "top1_error", "perplexity", "neg_log_likelihood", "WER"]
        {
            assert_eq!(direction(name), Some(Direction::Lower), "{name}");
        }
        for name in ["accuracy", "top5", "f1/macro", "mean_reward", "BLEU", "neg_mse", "r2"] {
            assert_eq!(direction(name), Some(Direction::Higher), "{name}");
        }
        assert_eq!(["wombats", "size", ""].map(direction), [None; 3]);
    }
}
