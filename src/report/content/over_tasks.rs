//! The answer over several tasks: who may be the best on each of them, and the mean ratio of errors and losses.

use crate::analysis::{FEWEST_TASKS, OverArm, OverTasks, Rank, Ranking, Standard, over_tasks};
use crate::report::Section;
use crate::report::content::words::{count, listed, p_value, percent, probability, short};
use crate::report::document::{self, Cell, Content, Number, Table, ends};
use crate::words::capitalised;

/// How many arms are named before they are counted.
const NAMED: usize = 3;

/// The answer over tasks that were compared with their noise known; `None` where there is no such pair of tasks.
pub(super) fn answer(sections: &[Section], over: Option<&Over>) -> Option<String> {
    let compared: Vec<&Section> = sections.iter().filter(|section| is_known(section)).collect();
    let [first, others @ ..] = &compared[..] else { return None };
    if others.is_empty() {
        return None;
    }
    let same = |a: &Rank, b: &Rank| (a.optimizer, a.schedule) == (b.optimizer, b.schedule);
    let everywhere = |rank: &&Rank| others.iter().all(|section| section.may_be_best().any(|other| same(rank, other)));
    let names: Vec<String> = first.may_be_best().filter(everywhere).map(Rank::name).collect();
    let tasks = count(compared.len(), "task");
    let open = match names.len() {
        0 => format!("Over {tasks}, no arm may be the best on every task."),
        1..=NAMED => {
            format!("Over {tasks}, only {} may be the best on every task.", listed(&names))
        }
        n => format!("Over {tasks}, {n} arms may be the best on every task."),
    };
    Some(format!("{open}{}", over.map_or_else(String::new, |over| format!(" {}", over.sentence()))))
}

/// Arms over tasks, with what their ratios are called.
pub(super) struct Over<'a, 'b> {
    arms: OverTasks<'a, 'b>,
    what: &'static str,
    standard: Standard,
}

impl<'a, 'b> Over<'a, 'b> {
    /// The arms of tasks that were compared with their noise known; `None` where there are no two of either.
    pub(super) fn new(sections: &'b [Section<'a>]) -> Option<Self> {
        let compared = || sections.iter().filter(|section| is_known(section));
        let rankings: Vec<&Ranking> = compared().map(|section| &section.ranking).collect();
        let standard = compared().next()?.standard;
        let metrics = || rankings.iter().map(|ranking| ranking.metric);
        let first = metrics().next()?;
        let what = match metrics().all(|metric| metric == first) {
            true if first.is_share() && first.higher_is_better() => "error",
            true => first.name(),
            false => "error or loss",
        };
        Some(Self { arms: over_tasks(&rankings, standard)?, what, standard })
    }

    /// The first arm beside the second, in a sentence.
    fn sentence(&self) -> String {
        let [first, second, ..] = &self.arms.arms[..] else { return String::new() };
        let Some(ratio) = &second.log_ratio else { return String::new() };
        let tasks = count(self.arms.tasks.len(), "task");
        let change = change(ratio.mean);
        let direction = if ratio.mean < 0.0 { "lower" } else { "higher" };
        let said = format!(
            "On average over {tasks}, the {} of {} is {change} {direction} than that of {}, which is the best on validation",
            self.what,
            second.rank.name(),
            first.rank.name()
        );
        if !self.arms.is_tested {
            return format!("{said}; {}.", self.untested());
        }
        let significant = second.p_adjusted.is_some_and(|p| p < self.standard.alpha);
        let verdict = if significant { "significant" } else { "not significant" };
        format!(
            "{said} ({}% interval {}; p {}: {verdict}).",
            short(100.0 * self.standard.confidence()),
            self.interval(second).map_or_else(|| "unknown".into(), |(low, high)| format!("{low} to {high}")),
            second.p_adjusted.map_or_else(|| "= -".to_owned(), |p| p_value(p).equation()),
        )
    }

    /// Why the average is not tested.
    fn untested(&self) -> String {
        if self.arms.tasks.len() < FEWEST_TASKS {
            format!("an average over fewer than {FEWEST_TASKS} tasks is not tested")
        } else {
            "as seeds were added later, the average is not tested".to_owned()
        }
    }

    /// The interval of a ratio as a change in percent.
    fn interval(&self, arm: &OverArm) -> Option<(Number, Number)> {
        let (low, high) = self.standard.interval(arm.log_ratio.as_ref()?);
        low.is_finite().then(|| (signed(low), signed(high)))
    }

    /// The arms in order.
    pub(super) fn table(&self) -> Table {
        let left_out = match &self.arms.left_out[..] {
            [] => String::new(),
            names => format!(" Left out, as there is no ratio of its scores: {}.", names.join(", ")),
        };
        let tested = if self.arms.is_tested { String::new() } else { format!(" {}.", capitalised(&self.untested())) };
        let note = format!(
            "The {} of each arm over that of the first one, as the mean of its logarithm over {}: {}. The error of an accuracy \
             is 1 - accuracy. The first arm has the lowest mean on validation; ratios are of the reported scores. The \
             interval is Student's t over tasks, and p is two-sided, adjusted by Holm's method: they say what to expect on \
             other tasks like these.{tested}{left_out}",
            self.what,
            count(self.arms.tasks.len(), "task"),
            self.arms.tasks.join(", "),
        );
        let arms = || self.arms.arms.iter();
        let ratio = |arm: &OverArm| -> Cell {
            arm.log_ratio.as_ref().map_or_else(|| "first".into(), |ratio| signed(ratio.mean).into())
        };
        let interval = |arm: &OverArm| {
            self.interval(arm).filter(|_| self.arms.is_tested).map(|(low, high)| Content::Interval(low, high))
        };
        let mut table = Table::new("Over all tasks", note);
        table.words("optimizer", arms().map(|arm| Cell::label(arm.rank.optimizer)));
        table.words("schedule", arms().map(|arm| Cell::label(arm.rank.schedule)));
        table.numbers("to the first", arms().map(ratio));
        table.numbers(format!("{}% interval", short(100.0 * self.standard.confidence())), arms().map(interval));
        table.numbers("p (Holm)", arms().map(|arm| probability(arm.p_adjusted)));
        table
    }

    /// The arms for scripts.
    pub(super) fn facts(&self) -> document::OverTasks {
        let of = |arm: &OverArm| {
            let ratio = arm.log_ratio.as_ref();
            let range = ratio.map(|ratio| self.standard.interval(ratio)).filter(|_| self.arms.is_tested);
            document::OverArm {
                arm: arm.rank.name(),
                ratio: ratio.map(|ratio| ratio.mean.exp()),
                interval: range.map(|(low, high)| ends((low.exp(), high.exp()))),
                p_holm: arm.p_adjusted,
            }
        };
        let names = |tasks: &[&str]| tasks.iter().map(|task| (*task).to_owned()).collect();
        document::OverTasks {
            tasks: names(&self.arms.tasks),
            left_out: names(&self.arms.left_out),
            tested: self.arms.is_tested,
            arms: self.arms.arms.iter().map(of).collect(),
        }
    }
}

/// The size of a change by the logarithm of a ratio, without its sign.
fn change(log_ratio: f64) -> Number {
    percent((log_ratio.exp() - 1.0).abs())
}

/// The same with its sign: `+12%`.
fn signed(log_ratio: f64) -> Number {
    let Number { value, digits, unit, .. } = change(log_ratio);
    let (sign, factor) = if log_ratio < 0.0 { ("-", -1.0) } else { ("+", 1.0) };
    Number::new(factor * value, format!("{sign}{digits}")).with(unit)
}

/// Whether there are rivals, and the noise of some comparison is known.
fn is_known(section: &Section) -> bool {
    section.comparisons.iter().flatten().any(|comparison| comparison.p_adjusted.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Metric;

    /// The sentence over tasks, each of three arms at these mean losses; a NaN diverged.
    fn said(tasks: &[[f64; 3]]) -> Option<String> {
        let records: Vec<_> = tasks
            .iter()
            .map(|means| {
                let arm = |(name, mean): (_, &f64)| Arm::new(name, &[0.0, 0.02, -0.01].map(|noise| mean + noise));
                let [a, mut b, mut c] = [("a", &means[0]), ("b", &means[1]), ("c", &means[2])].map(arm);
                // They differ by more than a step that every seed has.
                b.validation[0] += 0.0005;
                c.validation[0] += 0.001;
                records(&[a, b, c])
            })
            .collect();
        let sections: Vec<Section> =
            records.iter().map(|records| Section::new(ranking(records, "task", Metric::LOSS), records, None)).collect();
        answer(&sections, Over::new(&sections).as_ref())
    }

    #[test]
    fn why_an_average_is_not_tested_is_said_as_it_is() {
        let records = [1.0, 2.0, 3.0].map(|size| {
            let arm = |name, mean: f64| Arm::new(name, &[mean, 1.1 * mean, 1.25 * mean, 1.3 * mean]);
            records(&[arm("a", size), arm("b", 1.5 * size)])
        });
        let note = |standard: Standard, tasks: usize| {
            let section = |records| {
                let ranking = ranking(records, "task", Metric::LOSS);
                let compared = crate::analysis::comparisons(&ranking, standard);
                Section::under(standard, ranking, compared, records, None)
            };
            let sections: Vec<Section> = records[..tasks].iter().map(|records| section(records)).collect();
            Over::new(&sections).unwrap().table().note
        };
        assert!(note(Standard::FIXED, 2).contains("An average over fewer than 3 tasks is not tested."));
        assert!(note(Standard::ANYTIME, 3).contains("As seeds were added later, the average is not tested."));
        assert!(!note(Standard::FIXED, 3).contains("not tested"));
    }

    #[test]
    fn what_may_be_the_best_on_every_task_is_named() {
        assert_eq!(said(&[[1.0, 1.0, 2.0]]), None, "one task has its own answer");
        let text = said(&[[1.0, 1.0, 2.0], [1.0, 1.0, 5.0]]).unwrap();
        assert_eq!(
            text,
            "Over 2 tasks, only a+constant and b+constant may be the best on every task. On average over 2 tasks, the loss of \
             b+constant is 0.0% higher than that of a+constant, which is the best on validation; an average over fewer than \
             3 tasks is not tested."
        );
        let text = said(&[[1.0, f64::NAN, 2.0], [2.0, f64::NAN, 1.0]]).unwrap();
        assert!(text.starts_with("Over 2 tasks, no arm may be the best on every task. On average"), "{text}");
        let text = said(&[[1.0, 1.2, 2.0], [1.0, 1.5, 2.0], [1.0, 1.3, 2.5], [3.0, 4.0, 8.0]]).unwrap();
        assert_eq!(
            text,
            "Over 4 tasks, only a+constant may be the best on every task. On average over 4 tasks, the loss of b+constant is 33% \
             higher than that of a+constant, which is the best on validation (95% interval +15% to +54%; p = 0.009: \
             significant)."
        );
    }
}
