//! The answer in a few sentences: which arms may be the best, by how much, and how sure that is.

use crate::analysis::{Comparison, Difference, Rank, Verdict};
use crate::report::Section;
use crate::report::content::evidence::{missing, seeds_of};
use crate::report::content::words::{count, listed, mean, p_value, points, short};
use crate::words::capitalised;

/// How many arms are named before they are counted.
const NAMED: usize = 4;

/// An arm beside the leader.
type Rival<'b, 'a> = (&'b Rank<'a>, &'b Comparison);

/// The arms of a task beside its leader.
struct Field<'b, 'a> {
    /// Those that may be the best.
    open: Vec<Rival<'b, 'a>>,
    /// Those that are worse.
    worse: Vec<Rival<'b, 'a>>,
    /// Those that are ruled out by the seeds that diverged.
    unstable: Vec<Rival<'b, 'a>>,
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
        let mut field = Field { open: Vec::new(), worse: Vec::new(), unstable: Vec::new(), lost: Vec::new() };
        for (rank, comparison) in self.ranking.ranks.iter().zip(&self.comparisons) {
            let Some(comparison) = comparison else { continue };
            // By this look or, as its verdict then says, by an earlier one.
            let is_worse =
                comparison.verdict == Verdict::Worse || comparison.p_worse.is_some_and(|p| p <= self.standard.alpha);
            let place = match (rank.is_ranked(), comparison.may_be_best) {
                (false, _) => &mut field.lost,
                (true, true) => &mut field.open,
                (true, false) if is_worse => &mut field.worse,
                (true, false) => &mut field.unstable,
            };
            place.push((rank, comparison));
        }
        field
    }

    fn won(&self, leader: &Rank, field: &Field) -> String {
        let all = self.ranking.ranks.len();
        let best = format!("{} is the best of {all} arms: ", leader.name());
        let rest = unscored(field);
        let Some((rival, comparison)) = nearest(&field.worse) else {
            return format!("{best}{} ({}).{rest}", self.score_of(leader), seeds_of(leader));
        };
        let direction = if self.ranking.metric.higher_is_better() { "higher" } else { "lower" };
        let other = if all > 2 { format!("the next, {},", rival.name()) } else { rival.name() };
        let by = self.by(comparison);
        let steps = self.steps(leader, rival, comparison).map_or_else(String::new, |steps| format!(" {steps}"));
        let sure = self.how_sure(&field.worse, all, false);
        format!("{best}{}, {direction} than that of {other} by {by}.{steps} {sure}{rest}", self.reached(leader))
    }

    /// How sure it is that some of `all` arms are worse, in one sentence, and by how much where that is not said yet.
    fn how_sure(&self, worse: &[Rival], all: usize, by: bool) -> String {
        let n = worse.len();
        let others = n + 1 == all;
        let adjusted = if self.comparisons.len() > 2 { "Holm-adjusted p" } else { "p" };
        let who = match (n, others) {
            (1, true) => "The other arm is".to_owned(),
            (2, true) => "Both other arms are".to_owned(),
            (n, true) => format!("All {n} other arms are"),
            (1, false) => format!("{} is", worse[0].0.name()),
            (n, false) => format!("{n} arms are"),
        };
        let lead = nearest(worse).and_then(|(_, comparison)| comparison.lead.as_ref()).filter(|_| by);
        let by = lead.map_or_else(String::new, |lead| {
            format!(" by {}{}", points(lead.mean, self.ranking.metric), if n > 1 { " or more" } else { "" })
        });
        let is_significant = |(_, comparison): &&Rival| comparison.verdict == Verdict::Worse;
        let significant = worse.iter().filter(is_significant).count();
        let largest = worse.iter().filter_map(|(_, comparison)| comparison.p_adjusted).fold(0.0, f64::max);
        let p = p_value(largest);
        if significant == n {
            let p = match &p {
                _ if largest == 0.0 => String::new(),
                p if !p.relation.is_empty() || n == 1 => format!(" ({adjusted} {})", p.equation()),
                p => format!(" ({adjusted} ≤ {p})"),
            };
            return format!("{who} significantly worse{by}{p}.");
        }
        if let [(_, comparison)] = worse {
            let both = if self.comparisons.len() > 2 { adjusted } else { "two-sided p" };
            let one = comparison.p_worse.map_or_else(|| "= -".to_owned(), |p| p_value(p).equation());
            return format!("{who} worse{by} (one-sided p {one}; {both} {}).", p.equation());
        }
        let after = match significant {
            0 => "none of them significantly after Holm's correction".to_owned(),
            k => format!("{k} of them also after Holm's correction"),
        };
        let level = short(100.0 * self.standard.alpha);
        format!("{who} worse{by} (one-sided test at {level}% for each; {after}).")
    }

    fn open(&self, leader: &Rank, field: &Field) -> String {
        let (metric, all, open) = (self.ranking.metric, self.ranking.ranks.len(), field.open.len() + 1);
        let name =
            |rank: &Rank| format!("{} ({}{})", rank.name(), mean(&rank.best.reported(metric), metric), missing(rank));
        let first = format!("{} ({})", leader.name(), self.reached(leader));
        let same = |(_, comparison): &Rival| comparison.verdict == Verdict::Equal;
        let detect = self.detectable().map_or_else(String::new, |text| format!(" {}.", capitalised(&text)));
        let rest = unscored(field);
        let sure =
            if field.worse.is_empty() { String::new() } else { format!(" {}", self.how_sure(&field.worse, all, true)) };
        if field.open.iter().all(same) {
            let equal: Vec<String> =
                std::iter::once(first).chain(field.open.iter().map(|(rank, _)| rank.name())).take(NAMED).collect();
            let more = if open > NAMED { format!(" and {} more", open - NAMED) } else { String::new() };
            let names = if more.is_empty() { listed(&equal) } else { equal.join(", ") };
            return format!("{names}{more} have the same score in every seed.{sure}{rest}");
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
        let names =
            if open > NAMED { format!("{} and {} more", names.join(", "), open - NAMED) } else { listed(&names) };
        let none = if open == 2 { "The second is not" } else { "None of them is" };
        format!(
            "{open} of {all} arms may be the best: {names}. {none} significantly worse than the first, which validation chose. \
             {which}{sure}{rest}{detect}"
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
            let other = if all > 2 { format!("the next, {},", rival.name()) } else { rival.name() };
            format!(
                "{} has the best score of {all} arms: {}, {direction} than that of {other} by {}",
                leader.name(),
                self.reached(leader),
                points(by, metric)
            )
        };
        let which = if all == 2 { "neither arm" } else { "no arm" };
        format!("{said}. With one seed, noise cannot be estimated: {which} can be ruled out as the best.")
    }

    fn overruled(&self, leader: &Rank, (rival, comparison): Rival) -> String {
        let p = comparison.p_adjusted.map_or_else(String::new, |p| {
            let adjusted = if self.comparisons.len() > 2 { "Holm-adjusted p" } else { "p" };
            format!(" ({adjusted} {})", p_value(p).equation())
        });
        format!(
            "validation and {} disagree: validation chose {} ({}), but {} is significantly better on {}{p}, by {}. \
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
        let costs = self.rows().next().and_then(|row| self.cost_of_other_values(row));
        let ran = "No other optimizer or schedule ran on this task.";
        format!(
            "{} reached {} ({}). {}",
            leader.name(),
            self.score_of(leader),
            seeds_of(leader),
            costs.unwrap_or_else(|| ran.into())
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

/// What became of the arms that no score rules out: ` b+constant diverged in every seed.`
fn unscored(field: &Field) -> String {
    let names = |names: Vec<String>| if names.len() > NAMED { count(names.len(), "arm") } else { listed(&names) };
    let mut said = String::new();
    if !field.unstable.is_empty() {
        let verb = if field.unstable.len() == 1 { "is" } else { "are" };
        let arms = field.unstable.iter().map(|(rank, _)| format!("{} [{}]", rank.name(), seeds_of(rank)));
        said += &format!(" {} {verb} ruled out, as significantly more seeds diverged.", names(arms.collect()));
    }
    if !field.lost.is_empty() {
        let failed = field.lost.iter().any(|(rank, _)| rank.best.failed > 0);
        let how = if failed { "diverged or failed" } else { "diverged" };
        let arms = field.lost.iter().map(|(rank, _)| rank.name());
        said += &format!(" {} {how} in every seed.", names(arms.collect()));
    }
    said
}
