//! The answer in a few sentences: which arms may be the best, by how much, and how sure that is.

use crate::analysis::{Comparison, Difference, Rank, Verdict, detectable};
use crate::metric::Metric;
use crate::report::Section;
use crate::report::words::{
    chosen, count, interval, listed, mean, percent, points, probability, score, seeds, short, with_unit,
};
use crate::results::Status;
use crate::task::Spec;

/// How many arms are named before they are counted.
const NAMED: usize = 4;

/// An arm beside the leader.
type Rival<'b, 'a> = (&'b Rank<'a>, &'b Comparison);

/// The arms of a task beside its leader.
struct Field<'b, 'a> {
    /// Those that may be the best.
    open: Vec<Rival<'b, 'a>>,
    /// Those that are ruled out.
    worse: Vec<Rival<'b, 'a>>,
    /// Those without a score.
    lost: Vec<Rival<'b, 'a>>,
}

impl<'a> Section<'a> {
    /// Which arms may be the best, in a few sentences that can be quoted.
    pub fn headline(&self) -> String {
        let task = &self.ranking.task;
        let Some(leader) = self.ranking.ranks.first() else {
            let begun = self.records.iter().any(|record| record.task == *task);
            return if begun {
                format!("On {task}, no run of full length has finished yet.")
            } else {
                format!("Nothing has run on {task}.")
            };
        };
        if !leader.is_ranked() {
            return format!("On {task}, {}every run diverged or failed.", self.so_far());
        }
        let field = self.field();
        let rivals = || field.open.iter().chain(&field.worse);
        let better = rivals().find(|(_, comparison)| comparison.verdict == Verdict::Better);
        let answer = if self.ranking.ranks.len() == 1 {
            self.alone(leader)
        } else if let Some(rival) = better {
            self.overruled(leader, *rival)
        } else if leader.best.runs.len() == 1 && !field.open.is_empty() {
            self.one_seed(leader, &field)
        } else if field.open.is_empty() {
            self.won(leader, &field)
        } else {
            self.open(leader, &field)
        };
        format!("On {task}, {}{answer}", self.so_far())
    }

    fn field(&self) -> Field<'_, 'a> {
        let mut field = Field { open: Vec::new(), worse: Vec::new(), lost: Vec::new() };
        for (rank, comparison) in self.ranking.ranks.iter().zip(&self.comparisons) {
            let Some(comparison) = comparison else { continue };
            let place = match (rank.is_ranked(), comparison.may_be_best) {
                (false, _) => &mut field.lost,
                (true, true) => &mut field.open,
                (true, false) => &mut field.worse,
            };
            place.push((rank, comparison));
        }
        field
    }

    /// `test accuracy 97.04% at lr 0.1`, with the seeds behind it where some are missing: `[1 of 3 seeds; 2 diverged]`.
    fn reached(&self, rank: &Rank) -> String {
        let metric = self.ranking.metric;
        let at = match chosen(rank) {
            chosen if chosen.is_empty() => String::new(),
            chosen => format!(" at {chosen}"),
        };
        format!("{} {} {}{at}{}", self.split(), metric.name(), mean(&rank.best.reported(metric), metric), missing(rank))
    }

    /// Where the reported scores come from.
    pub(super) fn split(&self) -> &'static str {
        let tested = |rank: &Rank| rank.best.runs.iter().any(|record| record.test.is_some());
        if self.ranking.ranks.iter().any(tested) { "test" } else { "final" }
    }

    /// The confidence of the intervals, and what they are called: `95% interval`.
    pub(super) fn interval_name(&self) -> String {
        format!("{}% interval", short(100.0 * self.standard.confidence()))
    }

    /// What is found by which tests: `one-sided test at 5%`.
    fn test_name(&self) -> String {
        format!("one-sided test at {}%", short(100.0 * self.standard.alpha))
    }

    fn won(&self, leader: &Rank, field: &Field) -> String {
        let all = self.ranking.ranks.len();
        let best = format!("{} is the best of {all} arms: {}", leader.name(), self.reached(leader));
        let Some((rival, comparison)) = nearest(&field.worse) else {
            return format!("{best} ({}). {}", seeds_of(leader), upper(&lost(field, "other ").unwrap_or_default()));
        };
        let direction = if self.ranking.metric.higher_is_better() { "higher" } else { "lower" };
        let next = if all > 2 { "the next, " } else { "" };
        let by = match &comparison.lead {
            Some(lead) if lead.mean > 0.0 => {
                format!(", {direction} than that of {next}{} by {}", rival.name(), self.by(comparison))
            }
            _ => String::new(),
        };
        let steps = self.steps(leader, rival, comparison).map_or_else(String::new, |steps| format!(" {steps}"));
        let lost = lost(field, "other ").map_or_else(String::new, |lost| format!(" {}", upper(&lost)));
        format!("{best}{by}.{steps} {}{lost}", self.how_sure(&field.worse, true))
    }

    /// How sure it is that the other arms are worse, in one sentence; `alone` where no other arm may be the best.
    fn how_sure(&self, worse: &[Rival], alone: bool) -> String {
        let significant: Vec<f64> = worse
            .iter()
            .filter(|(_, comparison)| comparison.verdict == Verdict::Worse)
            .filter_map(|(_, comparison)| comparison.p_adjusted)
            .collect();
        let n = worse.len();
        let adjusted = if self.comparisons.len() > 2 { "Holm-adjusted p" } else { "p" };
        let largest = significant.iter().copied().fold(0.0, f64::max);
        let p = match probability(Some(largest)) {
            _ if largest == 0.0 => String::new(),
            p if p.starts_with('<') || n == 1 => format!(" ({adjusted} {})", equals(&p)),
            p => format!(" ({adjusted} ≤ {p})"),
        };
        let others = match (n, alone) {
            (1, true) => "The other arm is".to_owned(),
            (n, true) => format!("All {n} other arms are"),
            (1, false) => "1 arm is".to_owned(),
            (n, false) => format!("{n} arms are"),
        };
        let less = nearest(worse).and_then(|(_, comparison)| comparison.lead.as_ref()).filter(|lead| lead.mean > 0.0);
        let by = match less {
            Some(lead) if !alone => {
                format!(" by {}{}", points(lead.mean, self.ranking.metric), if n > 1 { " or more" } else { "" })
            }
            _ => String::new(),
        };
        let unstable = worse.iter().filter(|(_, comparison)| comparison.p_worse.is_none_or(|p| p > self.standard.alpha));
        let unstable: Vec<String> = unstable.map(|(rank, _)| format!("{} ({})", rank.name(), seeds(&rank.best))).collect();
        let diverged = if unstable.is_empty() {
            String::new()
        } else {
            format!(" Ruled out by their diverged seeds: {}.", listed(&unstable))
        };
        if significant.len() == n {
            return format!("{others} significantly worse{by}{p}.{diverged}");
        }
        let after = match (n, significant.len()) {
            (1, _) if self.comparisons.len() == 2 => "not significantly so by a two-sided test".to_owned(),
            (1, _) => "not significantly so after Holm's correction".to_owned(),
            (_, 0) => "none of them significantly so after Holm's correction".to_owned(),
            (_, k) => format!("{k} of them also after Holm's correction"),
        };
        let each = if n == 1 { "" } else { " for each" };
        format!("{others} worse{by} ({}{each}; {after}).{diverged}", self.test_name())
    }

    fn open(&self, leader: &Rank, field: &Field) -> String {
        let (metric, all, open) = (self.ranking.metric, self.ranking.ranks.len(), field.open.len() + 1);
        let name = |rank: &Rank| {
            format!("{} ({}{})", rank.name(), mean(&rank.best.reported(metric), metric), missing(rank))
        };
        let first = format!("{} ({})", leader.name(), self.reached(leader));
        let same = |(_, comparison): &Rival| comparison.verdict == Verdict::Equal;
        let detect = self.detectable().map_or_else(String::new, |text| format!(" {}.", upper(&text)));
        let lost = lost(field, "").map_or_else(String::new, |lost| format!(" {}", upper(&lost)));
        let sure = if field.worse.is_empty() { String::new() } else { format!(" {}", self.how_sure(&field.worse, false)) };
        if field.open.iter().all(same) {
            let equal: Vec<String> =
                std::iter::once(first).chain(field.open.iter().map(|(rank, _)| rank.name())).take(NAMED).collect();
            let more = if open > NAMED { format!(" and {} more", open - NAMED) } else { String::new() };
            let names = if more.is_empty() { listed(&equal) } else { equal.join(", ") };
            return format!("{names}{more} have the same score in every seed.{sure}{lost}");
        }
        let farthest = |(_, comparison): &&Rival| comparison.lead.as_ref().map_or(0.0, |lead| lead.mean.abs());
        let largest = field.open.iter().max_by(|a, b| farthest(a).total_cmp(&farthest(b)));
        let which = largest.map_or_else(String::new, |(rival, comparison)| self.largest(rival, comparison, open));
        if open == all {
            let (any, others) = match &field.open[..] {
                [(rival, _)] => ("either of 2 arms".to_owned(), format!("{} is not", name(rival))),
                _ => (format!("any of {all} arms"), "none of the others is".to_owned()),
            };
            return format!(
                "{any} may be the best: {others} significantly worse than {first}, which validation chose. {which}{detect}"
            );
        }
        let names: Vec<String> =
            std::iter::once(first).chain(field.open.iter().map(|(rank, _)| name(rank))).take(NAMED).collect();
        let names = if open > NAMED {
            format!("{} and {} more", names.join(", "), open - NAMED)
        } else {
            listed(&names)
        };
        format!(
            "{open} of {all} arms may be the best: {names}. None of them is significantly worse than the first, which \
             validation chose. {which}{sure}{lost}{detect}"
        )
    }

    /// The largest difference between the leader and an arm that may be the best.
    fn largest(&self, rival: &Rank, comparison: &Comparison, open: usize) -> String {
        let Some(lead) = &comparison.lead else { return String::new() };
        let what = if open > 2 { "The largest difference is" } else { "The difference is" };
        if lead.mean < 0.0 {
            let by = self.by(&turned(comparison));
            return format!("{what} {by}: {} is ahead on {}.", rival.name(), self.split());
        }
        let to = if open > 2 { format!(", to {}", rival.name()) } else { String::new() };
        format!("{what} {}{to}.", self.by(comparison))
    }

    fn one_seed(&self, leader: &Rank, field: &Field) -> String {
        let all = self.ranking.ranks.len();
        let metric = self.ranking.metric;
        let lead = |(_, comparison): &&Rival| comparison.lead.as_ref().map_or(f64::INFINITY, |lead| lead.mean);
        let (rival, by) = match field.open.iter().min_by(|a, b| lead(a).total_cmp(&lead(b))) {
            Some(rival) => (rival.0, lead(&rival)),
            None => return String::new(),
        };
        let said = if by < 0.0 {
            format!(
                "validation chose {} ({}), but {} is better on {} by {}",
                leader.name(),
                self.reached(leader),
                rival.name(),
                self.split(),
                points(-by, metric)
            )
        } else {
            let direction = if metric.higher_is_better() { "higher" } else { "lower" };
            let next = if all > 2 { "the next, " } else { "" };
            format!(
                "{} has the best score of {all} arms: {}, {direction} than that of {next}{} by {}",
                leader.name(),
                self.reached(leader),
                rival.name(),
                points(by, metric)
            )
        };
        let which = if all == 2 { "neither arm" } else { "no arm" };
        format!("{said}. With one seed, noise cannot be estimated: {which} can be ruled out as the best.")
    }

    fn overruled(&self, leader: &Rank, (rival, comparison): Rival) -> String {
        let p = comparison.p_adjusted.map_or_else(String::new, |p| {
            let adjusted = if self.comparisons.len() > 2 { "Holm-adjusted p" } else { "p" };
            format!(" ({adjusted} {})", equals(&probability(Some(p))))
        });
        format!(
            "validation and {} disagree: validation chose {} ({}), but {} is significantly better on {}, by {}{p}. \
             Neither can be called the best.",
            self.split(),
            leader.name(),
            self.reached(leader),
            rival.name(),
            self.split(),
            self.by(&turned(comparison)),
        )
    }

    fn alone(&self, leader: &Rank) -> String {
        let costs = self.cost_of_other_values(leader);
        let ran = "No other optimizer or schedule ran on this task.";
        format!("{} reached {} ({}). {}", leader.name(), self.reached(leader), seeds_of(leader), costs.unwrap_or_else(|| ran.into()))
    }

    /// `0.37 points (95% interval 0.10 to 0.64; 3 seeds; 1.2 standard deviations over seeds; 12% fewer errors)`.
    fn by(&self, comparison: &Comparison) -> String {
        let metric = self.ranking.metric;
        let Some(lead) = &comparison.lead else { return "-".into() };
        let mut said = vec![self.how_known(lead)];
        if let Some(deviations) = comparison.effect.deviations.filter(|_| lead.n > 1) {
            said.push(format!("{:.1} standard deviations over seeds", deviations.abs()));
        }
        let share = comparison.effect.share.filter(|share| lead.mean > 0.0 && *share >= 5e-4);
        said.extend(share.map(|share| match metric {
            Metric::Accuracy => format!("{} fewer errors", percent(share)),
            Metric::Loss if self.ranking.loss_floor().is_some() => format!("{} less loss above the floor", percent(share)),
            _ => format!("{} lower {}", percent(share), metric.name()),
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
            let p = probability(lead.p_value());
            return format!("exactly that in each of {seeds}, sign test p {}", equals(&p));
        }
        match self.standard.interval(lead) {
            (low, high) if low.is_infinite() || high.is_infinite() => seeds,
            range => format!("{} {}; {seeds}", self.interval_name(), interval(range, self.ranking.metric)),
        }
    }

    /// `It reached the target (accuracy 0.95) in 320 steps, 150 fewer (95% interval 100 to 200)`.
    fn steps(&self, leader: &Rank, rival: &Rank, comparison: &Comparison) -> Option<String> {
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
        let seeds = self.comparisons.iter().flatten().filter_map(|comparison| Some(comparison.lead.as_ref()?.n)).min()?;
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
            format!("; floor: the lowest loss that a model can be expected to reach is {} nats", score(floor, Metric::Loss))
        });
        format!(
            "{what}, {budget}, {}; settings chosen by validation {}{}{}",
            count(seeds.len(), "seed"),
            self.ranking.metric.name(),
            if seeds.len() > 1 { "; mean ± standard deviation over seeds" } else { "" },
            floor.unwrap_or_default()
        )
    }
}

/// The arm that comes closest to the leader, of those with a score.
fn nearest<'b, 'a, 'c>(rivals: &'c [Rival<'b, 'a>]) -> Option<&'c Rival<'b, 'a>> {
    let lead = |(_, comparison): &&Rival| comparison.lead.as_ref().map_or(f64::INFINITY, |lead| lead.mean);
    rivals.iter().min_by(|a, b| lead(a).total_cmp(&lead(b)))
}

/// The comparison seen from the rival's side.
fn turned(comparison: &Comparison) -> Comparison {
    Comparison { lead: comparison.lead.as_ref().map(Difference::reversed), ..comparison.clone() }
}

/// What became of the arms without a score: `2 arms have no score: every seed diverged or failed.`
fn lost(field: &Field, other: &str) -> Option<String> {
    let failed = field.lost.iter().any(|(rank, _)| rank.best.failed > 0);
    let how = if failed { "diverged or failed" } else { "diverged" };
    match &field.lost[..] {
        [] => None,
        [(rank, _)] => Some(format!("{} {how} in every seed.", if other.is_empty() { rank.name() } else { "the other arm".into() })),
        more => Some(format!("{} {other}arms {how} in every seed.", more.len())),
    }
}

/// ` [1 of 3 seeds; 2 diverged]`, or nothing where no seed is missing.
fn missing(rank: &Rank) -> String {
    if rank.best.lost_in(rank.metric) > 0 { format!(" [{}]", seeds_of(rank)) } else { String::new() }
}

fn seeds_of(rank: &Rank) -> String {
    seeds(&rank.best)
}

/// `= 0.012`, or `< 0.001` as it is.
fn equals(p: &str) -> String {
    if p.starts_with('<') { p.to_owned() } else { format!("= {p}") }
}

/// The same with a capital: our own words, no label.
fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn describe(spec: &Spec) -> String {
    match &spec.dataset {
        Some(dataset) => format!("{} on {}, batch {}", spec.model.kind, dataset.kind, spec.batch_size),
        None => spec.model.kind.clone(),
    }
}
