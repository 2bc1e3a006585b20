//! Measurements in text that was meant for people: `val loss: 0.4312`.

use regex::Regex;

use crate::metric::{Metric, Scores};
use crate::program::line::{Line, score};
use crate::recorded::columns::split;
use crate::task::Split;

/// What a pattern finds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Found {
    Step,
    Epoch,
    Loss,
    Rate,
    GradNorm,
    Score(Split, Metric),
}

/// Reads text line by line.
pub(super) struct Patterns {
    wanted: Vec<(Found, Regex)>,
    steps_per_epoch: Option<u64>,
    step: Option<u64>,
    /// Epochs are counted from 0 where the first one is 0.
    from_zero: bool,
    /// Scores that were found, of an evaluation that may have more.
    pending: Vec<(Split, Scores)>,
}

impl Patterns {
    /// The patterns of a config; regular expressions that are checked.
    ///
    /// # Errors
    /// In words for the user, where one has a name that says nothing.
    pub(super) fn new(
        patterns: &[(String, String)],
        metrics: &[Metric],
        steps_per_epoch: Option<u64>,
    ) -> Result<Self, String> {
        let patterns = patterns.iter().map(|(name, text)| {
            let found = found(name, metrics)?;
            if found == Found::Epoch && steps_per_epoch.is_none() {
                return Err("the pattern `epoch` needs `steps_per_epoch`".into());
            }
            let pattern =
                Regex::new(text).map_err(|_| format!("the pattern `{name}` is not a valid regular expression"))?;
            Ok((found, pattern))
        });
        let wanted = patterns.collect::<Result<_, String>>()?;
        Ok(Self { wanted, steps_per_epoch, step: None, from_zero: false, pending: Vec::new() })
    }

    /// Reads a line: what it measures, and whether it measures anything.
    ///
    /// # Errors
    /// In words for the user, where a pattern finds what is no number.
    pub(super) fn read(&mut self, text: &str) -> Result<Vec<Line>, String> {
        let mut found = Vec::new();
        for (of, pattern) in &self.wanted {
            let Some(value) = pattern.captures(text).and_then(|captures| captures.get(1)) else { continue };
            let number = value.as_str().parse::<f64>();
            let told = || format!("`{}` is no number\n  line: {}", value.as_str(), text.trim());
            found.push((*of, number.map_err(|_| told())?));
        }
        let first = |wanted: Found| found.iter().find(|(of, _)| *of == wanted).map(|(_, value)| *value);
        let mut lines = Vec::new();
        if let Some(step) = self.step_of(first(Found::Step), first(Found::Epoch)) {
            if self.step.is_some_and(|before| before != step) {
                lines.extend(self.evaluations());
            }
            self.step = Some(step);
        }
        if let (Some(loss), Some(step)) = (first(Found::Loss), self.step) {
            let (lr, grad_norm) = (first(Found::Rate), first(Found::GradNorm));
            lines.push(Line::Update { step, loss: Some(loss), lr, grad_norm });
        }
        for (of, value) in found {
            let Found::Score(split, metric) = of else { continue };
            let value = score(metric, value).map_err(|problem| format!("{problem}\n  line: {}", text.trim()))?;
            let place = self.pending.iter().position(|(pending, _)| *pending == split);
            let place = place.unwrap_or_else(|| {
                self.pending.push((split, Scores::default()));
                self.pending.len() - 1
            });
            self.pending[place].1.set(metric, value);
        }
        Ok(lines)
    }

    /// The evaluations that were found at the last step; without steps, the last scores, which are those of the end.
    pub(super) fn evaluations(&mut self) -> Vec<Line> {
        let step = self.step;
        self.pending.drain(..).map(|(split, scores)| Line::Evaluation { step, split, scores }).collect()
    }

    fn step_of(&mut self, step: Option<f64>, epoch: Option<f64>) -> Option<u64> {
        if let Some(step) = step {
            return Some(step as u64);
        }
        let epoch = epoch?;
        if self.step.is_none() {
            self.from_zero = epoch == 0.0;
        }
        let passed = epoch + if self.from_zero { 1.0 } else { 0.0 };
        Some((passed * self.steps_per_epoch? as f64).round() as u64)
    }
}

fn found(name: &str, metrics: &[Metric]) -> Result<Found, String> {
    let of_split = |(of, metric): (&str, &str)| Some(Found::Score(split(of)?, Metric::find(metric, metrics)?));
    match name {
        "step" => Ok(Found::Step),
        "epoch" => Ok(Found::Epoch),
        "loss" => Ok(Found::Loss),
        "lr" => Ok(Found::Rate),
        "grad_norm" => Ok(Found::GradNorm),
        _ => name.split_once('.').and_then(of_split).ok_or_else(|| {
            let known: Vec<String> = metrics.iter().map(|metric| format!("`val.{}`", metric.name())).collect();
            format!(
                "there is no measurement `{name}`; expected `step`, `epoch`, `loss`, `lr`, `grad_norm`, {} or the same of `test`",
                known.join(", ")
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(all: &[(&str, &str)], steps_per_epoch: Option<u64>) -> Result<Patterns, String> {
        let all: Vec<_> = all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Patterns::new(&all, &[Metric::LOSS, Metric::ACCURACY], steps_per_epoch)
    }

    const ALL: &[(&str, &str)] = &[
        ("epoch", "epoch ([0-9]+)"),
        ("loss", "train loss ([0-9.]+)"),
        ("val.loss", "val loss ([a-z0-9.]+)"),
        ("val.accuracy", "val acc ([0-9.]+)"),
    ];

    #[test]
    fn scores_are_gathered_until_the_next_step() {
        let mut patterns = patterns(ALL, Some(5)).unwrap();
        assert_eq!(patterns.read("hello").unwrap(), []);
        let update = |step| vec![Line::Update { step, loss: Some(2.0), lr: None, grad_norm: None }];
        assert_eq!(patterns.read("epoch 0: train loss 2.0").unwrap(), update(5));
        assert_eq!(patterns.read("val loss 1.5").unwrap(), []);
        assert_eq!(patterns.read("val acc 0.25").unwrap(), []);
        let evaluation = |step, loss, accuracy| Line::Evaluation {
            step: Some(step),
            split: Split::Validation,
            scores: Scores::of_loss(loss).with(Metric::ACCURACY, accuracy),
        };
        let lines = patterns.read("epoch 1: train loss 2.0").unwrap();
        assert_eq!(lines, [vec![evaluation(5, 1.5, 0.25)], update(10)].concat());
        patterns.read("val loss 1.25, val acc 0.5").unwrap();
        assert_eq!(patterns.evaluations(), [evaluation(10, 1.25, 0.5)]);
        assert!(patterns.read("val loss none").unwrap_err().contains("`none` is no number"));
    }

    #[test]
    fn without_steps_the_last_scores_are_those_of_the_end() {
        let mut patterns = patterns(&ALL[2..], None).unwrap();
        patterns.read("val loss 1.5").unwrap();
        patterns.read("val loss 0.5").unwrap();
        let scores = Scores::of_loss(0.5);
        assert_eq!(patterns.evaluations(), [Line::Evaluation { step: None, split: Split::Validation, scores }]);
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        for name in ["val.f1", "vla.loss", "steps"] {
            let said = patterns(&[(name, "(.)")], None).err().unwrap();
            assert!(said.contains(&format!("`{name}`")) && said.contains("`val.accuracy`"), "{said}");
        }
        assert!(patterns(ALL, None).err().unwrap().contains("needs `steps_per_epoch`"));
    }
}
