//! The tables of a task: ranking, differences, sensitivity, cost, tries.

use crate::analysis::{Difference, Rank, Sample, bootstrap};
use crate::metric::Metric;
use crate::report::Section;
use crate::report::format::Table;
use crate::report::words;
use crate::report::words::{bytes, chosen, interval, mean, points, probability, score, spread_of};

/// How far the reported loss is from the best that any model could do.
const ABOVE_FLOOR: &str = "nats above floor";

impl Section<'_> {
    /// Every table with its heading, the ranking first; none where nothing has run.
    pub(super) fn tables(&self) -> Vec<Table> {
        if self.ranking.ranks.is_empty() {
            return Vec::new();
        }
        let tables = [
            self.ranking(),
            self.differences(),
            self.anytime(),
            self.sensitivity(),
            self.other_values(),
            self.tries(),
            self.search(),
            self.cost(),
        ];
        tables.into_iter().filter(|table| !table.rows.is_empty()).collect()
    }

    /// The table of the terminal: what decides, in about a hundred columns.
    pub(super) fn compact(&self) -> Table {
        let metric = self.ranking.metric;
        let ranks = &self.ranking.ranks;
        let diverged = ranks.iter().any(|rank| rank.diverged > 0);
        let mut table = Table::new("", "", 4);
        table.head(["#", "optimizer", "schedule", "chosen"]);
        let tested = self.split() == "test";
        table.head([format!("val {}", metric.name())]);
        if tested {
            table.head([format!("test {}", metric.name())]);
        }
        let floor = self.ranking.loss_floor().is_some();
        if floor {
            table.head([ABOVE_FLOOR]);
        }
        if ranks.len() > 1 {
            table.head(["behind the leader", "p (Holm)", "may be best"]);
        }
        let targeted = self.target_reached();
        if targeted {
            table.head(["to target"]);
        }
        if diverged {
            table.head(["diverged"]);
        }
        table.head(["ms/step"]);
        for (place, (rank, comparison)) in ranks.iter().zip(&self.comparisons).enumerate() {
            let mut row = names(place, rank);
            row.push(spread_of(&rank.selection.validation(metric), metric, rank.selection.runs.len()));
            if tested {
                row.push(spread_of(&rank.best.reported(metric), metric, rank.best.runs.len()));
            }
            if floor {
                row.push(spread_of(&rank.best.above_floor(), Metric::LOSS, rank.best.runs.len()));
            }
            if ranks.len() > 1 {
                let lead = comparison.as_ref().and_then(|comparison| comparison.lead.as_ref());
                row.push(lead.map_or_else(String::new, |lead| match self.standard.interval(lead) {
                    (low, high) if low == high || low.is_infinite() => score(lead.mean, metric),
                    (low, high) => {
                        format!("{} [{}, {}]", score(lead.mean, metric), score(low, metric), score(high, metric))
                    }
                }));
                row.push(comparison.as_ref().map_or_else(String::new, |c| probability(c.p_adjusted)));
                row.push(self.yes_or_no(place));
            }
            if targeted {
                row.push(steps_to_target(rank));
            }
            if diverged {
                row.push(format!("{}/{}", rank.diverged, rank.runs));
            }
            row.push(mean_time(&rank.best.milliseconds()));
            table.rows.push(row);
        }
        table
    }

    /// Whether the arm at a place may be the best, as a word.
    fn yes_or_no(&self, place: usize) -> String {
        if self.may_be_best_at(place) { "yes" } else { "no" }.to_owned()
    }

    fn target_reached(&self) -> bool {
        self.ranking.ranks.iter().any(|rank| rank.best.runs.iter().any(|run| run.steps_to_target.is_some()))
    }

    fn ranking(&self) -> Table {
        let deciding = self.ranking.metric;
        let has_loss = self.spec.is_none_or(|spec| spec.metrics.contains(&Metric::LOSS));
        let metrics = if deciding == Metric::LOSS || !has_loss { vec![deciding] } else { vec![deciding, Metric::LOSS] };
        let tested = self.split() == "test";
        let level = words::short(100.0 * self.standard.alpha);
        let mut note = vec![format!(
            "The settings, and the order, are chosen on validation{}. An arm may be the best unless it is worse than the \
             leader by a one-sided test at {level}%, or significantly more of its seeds diverged.",
            if tested { "; what is compared is the score on test" } else { "" },
        )];
        if self.ranking.ranks.len() > 2 && !self.ranking.ranks.iter().any(Rank::is_judged) {
            // Measured in `analysis::best_rates`.
            note.push(
                "The same runs chose the leader, so of many arms, one that is exactly as good is ruled out more often than \
                 that; `judge_seeds` mends it."
                    .to_owned(),
            );
        }
        note.extend(self.order_note());
        let mut table = Table::new("Ranking", note.join(" "), 5);
        table.head(["#", "optimizer", "schedule", "chosen", "may be best"]);
        for metric in &metrics {
            table.head([format!("val {}", metric.name())]);
            if tested {
                table.head([format!("test {}", metric.name())]);
            }
        }
        let floor = self.ranking.loss_floor().is_some();
        if floor {
            table.head([ABOVE_FLOOR]);
        }
        let targeted = self.target_reached();
        if targeted {
            table.head(["steps to target", "seconds to target"]);
        }
        table.head(["diverged"]);
        for (place, rank) in self.ranking.ranks.iter().enumerate() {
            let mut row = names(place, rank);
            row.push(self.yes_or_no(place));
            for metric in &metrics {
                row.push(spread_of(&rank.selection.validation(*metric), *metric, rank.selection.runs.len()));
                if tested {
                    row.push(spread_of(&rank.best.reported(*metric), *metric, rank.best.runs.len()));
                }
            }
            if floor {
                row.push(spread_of(&rank.best.above_floor(), Metric::LOSS, rank.best.runs.len()));
            }
            if targeted {
                row.push(steps_to_target(rank));
                row.push(mean_time(&rank.best.seconds_to_target()));
            }
            row.push(format!("{}/{}", rank.diverged, rank.runs));
            table.rows.push(row);
        }
        table
    }

    fn differences(&self) -> Table {
        let metric = self.ranking.metric;
        let level = words::short(100.0 * self.standard.alpha);
        let note = format!(
            "Difference: the leader's {} {} minus the arm's, turned so that more is better for the leader, paired by seed; in \
             standard deviations over seeds, pooled over both arms (Cohen's d). The intervals are Student's t and, from {} \
             seeds on, the percentiles of 9,999 bootstrap samples. p (worse): one-sided, of this comparison alone; the arm \
             may be the best unless it is {level}% or less. p (Holm): two-sided, adjusted by Holm's method over this table; \
             it decides the verdict, so an interval that just excludes 0 may be not significant. Where all seeds differ \
             by exactly the same step of a coarse score, both are of the sign test. Wilcoxon's signed-rank p is not \
             adjusted. Detectable: the smallest difference by which an arm would be ruled out with 80% power. Steps saved: \
             how much sooner the leader reached the target.",
            self.split(),
            metric.name(),
            bootstrap::FEWEST,
        );
        let mut table = Table::new("Differences to the leader", note, 3);
        let compared = || self.comparisons.iter().flatten();
        let drawn = |lead: &Difference| bootstrap::percentile(&lead.pairs, self.standard.confidence());
        let many = compared().any(|comparison| comparison.lead.as_ref().is_some_and(|lead| drawn(lead).is_some()));
        let targeted = compared().any(|comparison| comparison.steps_saved.is_some());
        table.head(["#", "optimizer", "schedule", "difference"]);
        table.head([self.interval_name()]);
        if many {
            table.head(["bootstrap interval"]);
        }
        table.head(["in std", "p (worse)", "may be best", "p (Holm)", "p (Wilcoxon)", "detectable"]);
        if targeted {
            table.head(["steps saved"]);
        }
        table.head(["seeds", "verdict"]);
        for (place, (rank, comparison)) in self.ranking.ranks.iter().zip(&self.comparisons).enumerate() {
            let Some(comparison) = comparison else { continue };
            let mut row = names(place, rank);
            row.pop();
            let lead = comparison.lead.as_ref();
            let cell = |text: Option<String>| text.unwrap_or_else(|| "-".into());
            row.push(cell(lead.map(|lead| points(lead.mean, metric))));
            let known = |range: (f64, f64)| range.0.is_finite().then(|| interval(range, metric));
            let alike = lead.and_then(Difference::same_step).map(|n| format!("the same in all {n}"));
            let interval = lead.and_then(|lead| known(self.standard.interval(lead)));
            row.push(cell(alike.clone().or(interval)));
            if many {
                row.push(cell(lead.and_then(drawn).filter(|_| alike.is_none()).and_then(known)));
            }
            row.push(cell(comparison.effect.deviations.map(|deviations| format!("{deviations:.1}"))));
            row.push(probability(comparison.p_worse));
            row.push(self.yes_or_no(place));
            row.push(probability(comparison.p_adjusted));
            row.push(probability(comparison.wilcoxon));
            row.push(cell(comparison.detectable.map(|x| points(x, metric))));
            if targeted {
                row.push(cell(comparison.steps_saved.as_ref().map(|saved| match self.standard.interval(saved) {
                    (low, high) if low.is_infinite() || low == high => format!("{:.0}", saved.mean),
                    (low, high) => format!("{:.0} [{low:.0}, {high:.0}]", saved.mean),
                })));
            }
            row.push(lead.map_or(0, |lead| lead.n).to_string());
            row.push(comparison.verdict.word().to_owned());
            table.rows.push(row);
        }
        table
    }

    fn tries(&self) -> Table {
        let metric = self.ranking.metric;
        let note = "The validation score to expect from the best of k settings drawn at random from those tried \
                    (Dodge et al. 2019); a setting that diverged under some seed counts as the worst setting \
                    of all arms of the task.";
        let mut table = Table::new("Expected best after k tries", note, 3);
        // Those that a search did not give up are no settings drawn at random.
        let curve = |rank: &Rank| if self.gave_up(rank) { Vec::new() } else { self.ranking.expected_best(rank) };
        let curves: Vec<Vec<f64>> = self.ranking.ranks.iter().map(curve).collect();
        let most = curves.iter().map(Vec::len).max().unwrap_or(0);
        if most < 2 {
            return table;
        }
        let shown: Vec<usize> = [1, 2, 3, 5, 10, 20, 50, 100].into_iter().filter(|k| *k <= most).collect();
        table.head(["#", "optimizer", "schedule"]);
        table.head(shown.iter().map(|k| format!("k = {k}")));
        for (place, (rank, curve)) in self.ranking.ranks.iter().zip(&curves).enumerate() {
            let mut row = names(place, rank);
            row.pop();
            let cell =
                |k: &usize| curve.get(k - 1).map_or_else(String::new, |x| mean(&[*x].into_iter().collect(), metric));
            row.extend(shown.iter().map(cell));
            table.rows.push(row);
        }
        table
    }

    /// Every setting that was tried, by optimizer and schedule.
    pub(super) fn every_setting(&self) -> Table {
        let metric = self.ranking.metric;
        let mut table = Table::new("Every setting", "Means and standard deviations over seeds.", 3);
        table.head(["optimizer", "schedule", "settings"]);
        table.head([format!("val {}", metric.name()), format!("{} {}", self.split(), metric.name())]);
        table.head(["diverged", "failed", "steps to target", "ms/step"]);
        for rank in &self.ranking.ranks {
            for arm in &rank.tried {
                let one = Rank { best: arm.clone(), ..rank.clone() };
                table.rows.push(vec![
                    rank.optimizer.to_owned(),
                    rank.schedule.to_owned(),
                    chosen(&one),
                    spread_of(&arm.validation(metric), metric, arm.runs.len()),
                    spread_of(&arm.reported(metric), metric, arm.runs.len()),
                    arm.diverged.to_string(),
                    arm.failed.to_string(),
                    steps_to_target(&one),
                    mean_time(&arm.milliseconds()),
                ]);
            }
        }
        table
    }

    pub(super) fn cost(&self) -> Table {
        let note = "Milliseconds of a step on the machine that ran it, mean over seeds; evaluation and the whole run in seconds.";
        let mut table = Table::new("Cost", note, 3);
        table.head(["#", "optimizer", "schedule", "ms/step", "batch, forward, backward", "update"]);
        table.head(["evaluation s", "run s", "state"]);
        for (place, rank) in self.ranking.ranks.iter().enumerate() {
            let mut row = names(place, rank);
            row.pop();
            let arm = &rank.best;
            row.push(mean_time(&arm.milliseconds()));
            row.push(mean_time(&arm.sample(|run| Some(1e3 * run.gradient_seconds / run.steps.max(1) as f64))));
            row.push(mean_time(&arm.sample(|run| Some(1e3 * run.optimizer_seconds / run.steps.max(1) as f64))));
            row.push(mean_time(&arm.sample(|run| Some(run.evaluation_seconds))));
            row.push(mean_time(&arm.sample(|run| Some(run.seconds))));
            row.push(bytes(arm.runs[0].state_bytes));
            table.rows.push(row);
        }
        table
    }
}

/// The first cells of a row: place, optimizer, schedule, chosen settings.
pub(super) fn names(place: usize, rank: &Rank) -> Vec<String> {
    let chosen = if rank.is_ranked() { chosen(rank) } else { "-".into() };
    vec![words::place(place, rank), rank.optimizer.to_owned(), rank.schedule.to_owned(), chosen]
}

/// The mean time.
fn mean_time(sample: &Sample) -> String {
    sample.mean().map_or_else(|| "-".into(), words::time)
}

fn steps_to_target(rank: &Rank) -> String {
    let reached = rank.best.steps_to_target();
    let (n, of) = (reached.len(), rank.best.runs.len());
    match reached.mean() {
        Some(mean) if n == of => format!("{mean:.0}"),
        Some(mean) => format!("{mean:.0} ({n} of {of})"),
        None => "-".into(),
    }
}
