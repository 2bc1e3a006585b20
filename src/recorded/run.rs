//! One run that somebody recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::recorded::sheet::mistake;
use crate::task::Split;

/// What is known of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// The file that it was first found in.
    pub path: PathBuf,
    /// The task's label.
    pub task: Option<String>,
    /// The optimizer's label.
    pub optimizer: Option<String>,
    /// The schedule's label.
    pub schedule: Option<String>,
    /// The seed.
    pub seed: Option<u64>,
    /// How its tool says that it ended.
    pub status: Option<String>,
    /// Hyper-parameters, with their values as they were written.
    pub settings: BTreeMap<String, String>,
    /// Everything that was measured.
    pub points: Vec<Point>,
}

/// One number that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The line of the file.
    pub line: u64,
    /// Updates done; `None` of a final score.
    pub step: Option<u64>,
    /// What it is.
    pub of: Quantity,
    /// The number.
    pub value: f64,
}

/// What a number is a value of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// A training score of a metric: `loss` is the loss of the update.
    Training(String),
    /// A score on validation.
    Validation(String),
    /// A score on test.
    Test(String),
    /// The learning rate of the update.
    Rate,
    /// The norm of the update's gradient.
    GradientNorm,
}

impl Quantity {
    /// A score on a split.
    pub fn score(split: Split, metric: String) -> Self {
        match split {
            Split::Train => Self::Training(metric),
            Split::Validation => Self::Validation(metric),
            Split::Test => Self::Test(metric),
        }
    }

    /// The metric and the split, where it is a score of an evaluation.
    pub fn evaluated(&self) -> Option<(Split, &str)> {
        match self {
            Self::Validation(metric) => Some((Split::Validation, metric)),
            Self::Test(metric) => Some((Split::Test, metric)),
            _ => None,
        }
    }
}

/// An update that was logged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    /// The training loss.
    pub loss: Option<f64>,
    /// The learning rate.
    pub lr: Option<f64>,
    /// The norm of the gradient.
    pub grad_norm: Option<f64>,
}

/// The measurements of a run in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curves {
    /// Updates by their number, from 1.
    pub updates: BTreeMap<u64, Update>,
    /// Scores by the updates done before them.
    pub evaluations: BTreeMap<u64, Vec<(Split, String, f64)>>,
    /// The last step of all.
    pub steps: u64,
}

impl Run {
    /// The measurements in order. Final scores without a step are at the last one.
    pub fn curves(&self) -> Curves {
        let steps = self.points.iter().filter_map(|point| point.step).max().unwrap_or(1).max(1);
        let mut curves = Curves { steps, ..Curves::default() };
        for Point { step, of, value, .. } in &self.points {
            let step = step.unwrap_or(steps);
            if let Some((split, metric)) = of.evaluated() {
                curves.evaluations.entry(step).or_default().push((split, metric.to_owned(), *value));
                continue;
            }
            // What is logged before the first update belongs to none.
            if step == 0 {
                continue;
            }
            let update = curves.updates.entry(step).or_default();
            match of {
                Quantity::Training(metric) if metric == "loss" => update.loss = Some(*value),
                Quantity::Rate => update.lr = Some(*value),
                Quantity::GradientNorm => update.grad_norm = Some(*value),
                _ => {}
            }
        }
        curves.updates.retain(|_, update| update.loss.is_some());
        curves
    }

    /// Two numbers that contradict each other, as an error of their lines; where later ones win, the earlier go.
    ///
    /// # Errors
    /// Names the file and both lines.
    pub fn settle(&mut self, path: &Path, later_rows_win: bool) -> Result<()> {
        let mut seen: BTreeMap<(Option<u64>, &Quantity), usize> = BTreeMap::new();
        let mut keep = vec![true; self.points.len()];
        for (place, point) in self.points.iter().enumerate() {
            let Some(before) = seen.insert((point.step, &point.of), place) else { continue };
            let first = &self.points[before];
            if !later_rows_win && first.value.to_bits() != point.value.to_bits() {
                let at = point.step.map_or(String::new(), |step| format!(" at step {step}"));
                let problem = format!(
                    "run `{}` has two values of {}{at}: {} in line {}, {} here\n  help: if these are different runs, \
                     `--column run=COLUMN` names the column that tells them apart",
                    self.name,
                    point.of.words(),
                    first.value,
                    first.line,
                    point.value
                );
                return Err(mistake(path, Some(point.line), &problem));
            }
            keep[before] = false;
        }
        let mut keep = keep.into_iter();
        self.points.retain(|_| keep.next().unwrap_or(true));
        Ok(())
    }
}

impl Quantity {
    fn words(&self) -> String {
        match self {
            Self::Training(metric) => format!("the training {metric}"),
            Self::Validation(metric) => format!("the validation {metric}"),
            Self::Test(metric) => format!("the test {metric}"),
            Self::Rate => "the learning rate".into(),
            Self::GradientNorm => "the gradient's norm".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(line: u64, step: Option<u64>, of: Quantity, value: f64) -> Point {
        Point { line, step, of, value }
    }

    #[test]
    fn measurements_are_put_in_order() {
        let loss = || "loss".to_owned();
        let points = vec![
            point(2, Some(20), Quantity::Validation(loss()), 0.5),
            point(3, Some(10), Quantity::Training(loss()), 0.75),
            point(3, Some(10), Quantity::Rate, 0.1),
            point(4, Some(0), Quantity::Training(loss()), 2.0),
            point(4, Some(15), Quantity::Rate, 0.1),
            point(5, None, Quantity::Test(loss()), 0.6),
        ];
        let curves = Run { points, ..Run::default() }.curves();
        assert_eq!(curves.steps, 20);
        let update = Update { loss: Some(0.75), lr: Some(0.1), grad_norm: None };
        assert_eq!(curves.updates, [(10, update)].into(), "a rate without a loss is no update");
        let both = vec![(Split::Validation, loss(), 0.5), (Split::Test, loss(), 0.6)];
        assert_eq!(curves.evaluations, [(20, both)].into());
    }

    #[test]
    fn contradictions_are_said_unless_later_rows_win() {
        let of = || Quantity::Validation("loss".into());
        let points = vec![point(2, Some(1), of(), 0.5), point(7, Some(1), of(), 0.25)];
        let mut run = Run { name: "a".into(), points: points.clone(), ..Run::default() };
        let said = run.settle(Path::new("x.csv"), false).unwrap_err().to_string();
        assert!(
            said.contains("x.csv:7: run `a` has two values of the validation loss at step 1: 0.5 in line 2"),
            "{said}"
        );
        run.settle(Path::new("x.csv"), true).unwrap();
        assert_eq!(run.points, points[1..]);
        run.points = vec![points[0].clone(), points[0].clone()];
        run.settle(Path::new("x.csv"), false).unwrap();
        assert_eq!(run.points.len(), 1, "said twice alike");
    }
}
