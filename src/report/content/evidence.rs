//! The parts of an answer: scores with where they come from, and leads with what is known of their noise.

use crate::analysis::{Comparison, Difference, Rank, detectable};
use crate::metric::Metric;
use crate::report::Section;
use crate::report::content::words::{chosen, count, interval, mean, p_value, percent, points, score, short, with_unit};
use crate::results::Status;
use crate::settings::Value;
use crate::task::Spec;

/// The characters of a program's command that are shown.
const LONGEST_COMMAND: usize = 60;

impl Section<'_> {
    /// `test accuracy 97.04% at lr 0.1`, with the seeds behind it where some are missing: `[1 of 3 seeds; 2 diverged]`.
    pub(super) fn reached(&self, rank: &Rank) -> String {
        self.score_of(rank) + &missing(rank)
    }

    /// `test accuracy 97.04% at lr 0.1`.
    pub(super) fn score_of(&self, rank: &Rank) -> String {
        let metric = self.ranking.metric;
        let at = match chosen(rank) {
            chosen if chosen.is_empty() => String::new(),
            chosen => format!(" at {chosen}"),
        };
        format!("{} {} {}{at}", self.split(), metric.name(), mean(&rank.best.reported(metric), metric))
    }

    /// The confidence of the intervals, and what they are called: `95% interval`.
    pub(super) fn interval_name(&self) -> String {
        format!("{}% interval", short(100.0 * self.standard.confidence()))
    }

    /// `0.37 points (95% interval 0.10 to 0.64; 3 seeds; 1.2 standard deviations over seeds; 12% fewer errors)`.
    pub(super) fn by(&self, comparison: &Comparison) -> String {
        let metric = self.ranking.metric;
        let Some(lead) = &comparison.lead else { return "-".into() };
        let mut said = vec![self.how_known(lead)];
        if let Some(deviations) = comparison.effect.deviations.filter(|_| lead.n > 1) {
            said.push(format!("{:.1} standard deviations over seeds", deviations.abs()));
        }
        let share = comparison.effect.share.filter(|share| lead.mean > 0.0 && *share >= 5e-4);
        said.extend(share.map(|share| {
            if metric.higher_is_better() {
                format!("{} fewer errors", percent(share))
            } else if metric == Metric::LOSS && self.ranking.loss_floor().is_some() {
                format!("{} less loss above the floor", percent(share))
            } else {
                format!("{} lower {}", percent(share), metric.name())
            }
        }));
        format!("{} ({})", points(lead.mean, metric), said.join("; "))
    }

    /// `95% interval 0.10 to 0.64; 3 seeds`.
    pub(super) fn how_known(&self, lead: &Difference) -> String {
        let seeds = count(lead.n, "seed");
        if lead.is_exact() {
            return format!("the same in each of {seeds}");
        }
        if lead.same_step().is_some() {
            let p = lead.p_value().map_or_else(|| "= -".to_owned(), |p| p_value(p).equation());
            return format!("exactly that in each of {seeds}, sign test p {p}");
        }
        match self.standard.interval(lead) {
            (low, high) if low.is_infinite() || high.is_infinite() => seeds,
            range => format!("{} {}; {seeds}", self.interval_name(), interval(range, self.ranking.metric)),
        }
    }

    /// `It reached the target (accuracy 0.95) in 320 steps, 150 fewer (95% interval 100 to 200)`.
    pub(super) fn steps(&self, leader: &Rank, rival: &Rank, comparison: &Comparison) -> Option<String> {
        let saved = comparison.steps_saved.as_ref()?;
        let target = self.spec?.target?;
        let (low, high) = self.standard.interval(saved);
        let (direction, size, range) =
            if saved.mean < 0.0 { ("more", -saved.mean, (-high, -low)) } else { ("fewer", saved.mean, (low, high)) };
        let known = if range.0.is_finite() && range.0 < range.1 {
            format!(" ({} {:.0} to {:.0})", self.interval_name(), range.0, range.1)
        } else {
            String::new()
        };
        Some(format!(
            "It reached {} {} in {:.0} steps, {size:.0} {direction} than {}{known}.",
            target.metric.name(),
            with_unit(target.value, target.metric),
            leader.best.steps_to_target().mean()?,
            rival.name()
        ))
    }

    /// `with 3 seeds, differences of 9.60 points or more can be detected (80% power)`.
    pub(super) fn detectable(&self) -> Option<String> {
        let smallest = detectable(&self.comparisons).filter(|smallest| *smallest > 0.0)?;
        let seeds =
            self.comparisons.iter().flatten().filter_map(|comparison| Some(comparison.lead.as_ref()?.n)).min()?;
        let smallest = points(smallest, self.ranking.metric);
        Some(format!("with {}, differences of {smallest} or more can be detected (80% power)", count(seeds, "seed")))
    }

    /// What a ranking is about, in one line.
    pub(super) fn subtitle(&self) -> String {
        let what = self.spec.map(describe).unwrap_or_default();
        let best = || self.ranking.ranks.iter().flat_map(|rank| &rank.best.runs);
        // A run that diverged did fewer steps than it was given.
        let finished = best().filter(|record| record.status == Status::Finished);
        let budget = match (finished.map(|record| record.steps).max(), self.experiment) {
            (Some(steps), _) => count(steps as usize, "step"),
            (None, Some(experiment)) => experiment.length.to_string(),
            (None, None) => "no step to the end".to_owned(),
        };
        let seeds: std::collections::BTreeSet<u64> = best().map(|record| record.seed).collect();
        if seeds.is_empty() {
            return format!("{what}, {budget}");
        }
        let floor = self.ranking.loss_floor().map(|floor| {
            format!(
                "; floor: the lowest loss that a model can be expected to reach is {} nats",
                score(floor, Metric::LOSS)
            )
        });
        let ranked = || self.ranking.ranks.iter();
        let fewer = |rank: &Rank| rank.best.runs.len() < rank.selection.runs.len();
        let (seed, left_out) = match () {
            () if ranked().any(Rank::is_judged) => ("judge seed", ""),
            () if ranked().any(fewer) => ("seed", " (without that of the search)"),
            () => ("seed", ""),
        };
        format!(
            "{what}, {budget}, {}{left_out}; settings chosen by validation {}{}{}",
            count(seeds.len(), seed),
            self.ranking.metric.name(),
            if seeds.len() > 1 { "; mean ± standard deviation over seeds" } else { "" },
            floor.unwrap_or_default()
        )
    }

    /// Why the rows of the ranking are not in the order of the reported scores; `None` where they are.
    pub(super) fn order_note(&self) -> Option<String> {
        let metric = self.ranking.metric;
        let ranked = self.ranking.ranks.iter().enumerate().filter(|(_, rank)| rank.is_ranked());
        let scores: Vec<(usize, f64)> =
            ranked.filter_map(|(place, rank)| Some((place, rank.best.finite_mean(metric)?))).collect();
        let rises = scores.windows(2).any(|pair| metric.better(pair[1].1, pair[0].1));
        let best = scores.iter().copied().reduce(|a, b| if metric.better(b.1, a.1) { b } else { a })?;
        let lost = self.ranking.ranks.iter().any(|rank| rank.is_ranked() && rank.best.lost_in(metric) > 0);
        let behind = if lost { "; an arm that lost seeds ranks behind those that lost fewer" } else { "" };
        let split = self.split();
        let first = if best.0 == 0 {
            format!("on {split}, some are in another order")
        } else {
            format!("on {split}, {} (row {}) has the best mean", self.ranking.ranks[best.0].name(), best.0 + 1)
        };
        rises.then(|| format!("Rows are in the order of validation, which also chose the settings{behind}; {first}."))
    }
}

/// ` [1 of 3 seeds; 2 diverged]`, or nothing where no seed is missing.
pub(super) fn missing(rank: &Rank) -> String {
    if rank.best.lost_in(rank.metric) > 0 { format!(" [{}]", seeds_of(rank)) } else { String::new() }
}

/// The seeds behind a mean: `3 seeds`, or `1 of 3 seeds; 2 diverged`.
pub(super) fn seeds_of(rank: &Rank) -> String {
    let (arm, metric) = (&rank.best, rank.metric);
    let (all, lost) = (arm.runs.len(), arm.lost_in(metric));
    if lost == 0 {
        return count(all, "seed");
    }
    let why = [(arm.diverged_in(metric), "diverged"), (arm.failed, "failed")];
    let why: Vec<String> = why.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    format!("{} of {}; {}", all - lost, count(all, "seed"), why.join(", "))
}

fn describe(spec: &Spec) -> String {
    match &spec.dataset {
        Some(dataset) => format!("{} on {}, batch {}", spec.model.name(), dataset.name(), spec.batch_size),
        None => match spec.model.list("command") {
            [] => spec.model.name().to_owned(),
            command => {
                let words: Vec<&str> = command.iter().filter_map(Value::as_text).collect();
                let mut words = words.join(" ");
                if let Some((end, _)) = words.char_indices().nth(LONGEST_COMMAND) {
                    words.truncate(end);
                    words += " ..";
                }
                format!("the program `{words}`")
            }
        },
    }
}
