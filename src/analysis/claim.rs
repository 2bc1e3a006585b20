//! Claims against the records: supported, refuted, or not to be decided with these seeds.

use crate::analysis::anytime::{at_stage, endless, stages};
use crate::analysis::around_best::{costs, mean};
use crate::analysis::claim_settings::settings;
use crate::analysis::comparison::{ALPHA, LEVEL, POWER};
use crate::analysis::{Difference, Rank, Ranking, Summary, order, ranking};
use crate::config::{Arm, At, Claim, Experiment};
use crate::metric::Metric;
use crate::results::Record;

/// What the results say to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// It holds.
    Supported,
    /// These seeds cannot decide it.
    Underpowered,
    /// It does not hold.
    Refuted,
}

impl Finding {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Supported => "SUPPORTED",
            Self::Underpowered => "UNDERPOWERED",
            Self::Refuted => "REFUTED",
        }
    }
}

/// A claim with what was found, task by task and rate by rate.
#[derive(Debug, Clone)]
pub struct Judgement<'a> {
    /// The claim.
    pub claim: &'a Claim,
    /// The worst of its parts: a claim holds where all of them do.
    pub finding: Finding,
    /// What it was judged by.
    pub parts: Vec<Part>,
}

/// A claim on one task, at one setting of each side.
#[derive(Debug, Clone)]
pub struct Part {
    /// The task.
    pub task: String,
    /// What is compared.
    pub metric: Metric,
    /// The learning rate that both sides share, where the claim is about every one.
    pub lr: Option<f64>,
    /// The step as of which both sides are compared, where the claim is about every horizon.
    pub horizon: Option<u64>,
    /// `better` minus `than`, turned so that more is better; `None` where nothing can be compared.
    pub lead: Option<Difference>,
    /// The lead that it takes, from the claim's share of the mean of `than`; below zero where a margin is granted.
    pub needed: f64,
    /// The smallest lead beyond that, either way, that these seeds would find with 80% power.
    pub detectable: Option<f64>,
    /// What it comes to.
    pub finding: Finding,
    /// What else there is to say.
    pub note: Option<String>,
}

impl Part {
    /// The two-sided 95% interval of the lead.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.lead.as_ref().map(|lead| lead.interval(LEVEL))
    }
}

/// Judges one claim.
///
/// A part is supported where the whole two-sided 95% interval of the lead clears what is needed: lies
/// at or above `-margin`, or above `by` (so `better` is wrongly called good enough at most 2.5% of
/// the time), and refuted where all of the interval falls short of it; the interval that refutes is
/// widened to `1 - 0.05 / parts`, so that a claim of many parts is not refuted by chance alone.
/// Support needs no such correction: every part has to give it.
pub fn judge<'a>(claim: &'a Claim, experiment: &Experiment, records: &[Record]) -> Judgement<'a> {
    let mut parts: Vec<Part> = Vec::new();
    for task in experiment.tasks_of(claim) {
        let metric = claim.metric.unwrap_or(task.metric);
        parts.extend(match claim.at {
            At::EveryHorizon => at_horizons(claim, &task.label, metric, records),
            At::AroundBest => around_best(claim, &task.label, metric, records),
            at => at_settings(claim, at, &task.label, metric, experiment, records),
        });
    }
    let level = 1.0 - ALPHA / parts.len().max(1) as f64;
    for part in &mut parts {
        if let (Finding::Underpowered, Some(lead)) = (part.finding, &part.lead)
            && claim.bar.is_missed(lead.interval(level).1, part.needed)
        {
            part.finding = Finding::Refuted;
        }
    }
    let finding = parts.iter().map(|part| part.finding).max().unwrap_or(Finding::Underpowered);
    Judgement { claim, finding, parts }
}

/// The parts of a claim on one task at the end of the runs.
fn at_settings(
    claim: &Claim,
    at: At,
    task: &str,
    metric: Metric,
    experiment: &Experiment,
    records: &[Record],
) -> Vec<Part> {
    let ranking = ranking(records, task, metric);
    let (better, than) = match (side(&ranking, &claim.better, &claim.than), side(&ranking, &claim.than, &claim.better))
    {
        (Some(better), Some(than)) => (better, than),
        (better, _) => return vec![Part::not_run(claim, task, metric, better.is_none())],
    };
    match settings(at, better, than, metric, experiment) {
        Ok(pairs) => pairs
            .iter()
            .map(|(lr, a, b)| Part { lr: *lr, ..part(claim, task, metric, a, b) }.naming(claim, better, than))
            .collect(),
        Err(note) => vec![Part::undecided(task, metric, note)],
    }
}

/// The parts of a claim on one task, one for each stopping time.
fn at_horizons(claim: &Claim, task: &str, metric: Metric, records: &[Record]) -> Vec<Part> {
    let stages = stages(records, task);
    let endless = endless(records, task);
    let rankings: Vec<Ranking> = stages.iter().map(|stage| ranking(&stage.records, task, metric)).collect();
    let Some(whole) = rankings.last() else {
        return vec![Part::undecided(task, metric, "no run was stopped or read at a horizon".into())];
    };
    let same = |a: &Rank, b: &Rank| (a.optimizer, a.schedule) == (b.optimizer, b.schedule);
    let parts = stages.iter().zip(&rankings).map(|(stage, ranking)| {
        let horizon = Some(stage.steps);
        // Every arm as it stands at this horizon; what has one run only keeps its settings.
        let as_of_now = ranking.ranks.iter().map(|rank| {
            let at_end = whole.ranks.iter().find(|other| same(rank, other));
            Rank { best: at_stage(rank, at_end, endless.contains(&(rank.optimizer, rank.schedule))), ..rank.clone() }
        });
        let mut ranking = Ranking { ranks: as_of_now.collect(), ..ranking.clone() };
        ranking.ranks.sort_by(|a, b| order(&a.best, &b.best, metric));
        let sides = (side(&ranking, &claim.better, &claim.than), side(&ranking, &claim.than, &claim.better));
        match sides {
            (Some(better), Some(than)) => {
                let part = part(claim, task, metric, &better.best, &than.best);
                Part { horizon, ..part }.naming(claim, better, than)
            }
            (better, _) => Part { horizon, ..Part::not_run(claim, task, metric, better.is_none()) },
        }
    });
    parts.collect()
}

/// The part of a claim on one task about what rates off the best one cost.
fn around_best(claim: &Claim, task: &str, metric: Metric, records: &[Record]) -> Vec<Part> {
    let ranking = ranking(records, task, metric);
    let (better, than) = match (side(&ranking, &claim.better, &claim.than), side(&ranking, &claim.than, &claim.better))
    {
        (Some(better), Some(than)) => (better, than),
        (better, _) => return vec![Part::not_run(claim, task, metric, better.is_none())],
    };
    let factors = claim.lr.unwrap_or((1.0, 1.0));
    let costs = match costs([better, than], factors, metric) {
        Ok(costs) => costs,
        Err(note) => return vec![Part::undecided(task, metric, note)],
    };
    let said = [(better, 0), (than, 1)].map(|(rank, side)| {
        let cost = mean(&costs.sides[side]).map_or_else(|| "-".into(), |cost| format!("{cost:.4}"));
        match costs.diverged[side] {
            0 => format!("{} {cost}", rank.name()),
            n => format!("{} {cost} ({n} runs diverged)", rank.name()),
        }
    });
    let mut part = Part::undecided(task, metric, format!("mean cost in {}: {}", metric.name(), said.join(", ")));
    part.needed = claim.bar.needed(than.best.reported(metric).mean().unwrap_or(0.0));
    part.detectable = costs.lead.as_ref().and_then(|lead| lead.detectable(ALPHA, POWER));
    if costs.lead.as_ref().is_some_and(|lead| claim.bar.is_cleared(lead.interval(LEVEL).0, part.needed)) {
        part.finding = Finding::Supported;
    }
    part.lead = costs.lead;
    vec![part]
}

/// The best arm that a side of a claim means; a `*` means every label, but not the other side.
fn side<'a, 'b>(ranking: &'b Ranking<'a>, arm: &Arm, other: &Arm) -> Option<&'b Rank<'a>> {
    let means = |rank: &&Rank| arm.means(rank.optimizer, rank.schedule);
    let others = |rank: &&Rank| !arm.is_pattern() || !other.means(rank.optimizer, rank.schedule);
    ranking.ranks.iter().filter(means).find(others)
}

impl Part {
    fn undecided(task: &str, metric: Metric, note: String) -> Self {
        Self {
            task: task.to_owned(),
            metric,
            lr: None,
            horizon: None,
            lead: None,
            needed: 0.0,
            detectable: None,
            finding: Finding::Underpowered,
            note: Some(note),
        }
    }

    fn not_run(claim: &Claim, task: &str, metric: Metric, better: bool) -> Self {
        let missing = if better { &claim.better } else { &claim.than };
        Self::undecided(task, metric, format!("{missing} has not run"))
    }

    /// The part with the arms named that a pattern came to mean.
    fn naming(mut self, claim: &Claim, better: &Rank, than: &Rank) -> Self {
        for (arm, rank) in [(&claim.better, better), (&claim.than, than)] {
            if arm.is_pattern() {
                let named = format!("the best of {arm} on validation is {}", rank.name());
                self.note = Some(self.note.map_or(named.clone(), |note| format!("{named}; {note}")));
            }
        }
        self
    }
}

/// One part, apart from its refutation by interval.
fn part(claim: &Claim, task: &str, metric: Metric, better: &Summary, than: &Summary) -> Part {
    let lead = Difference::lead(better, than, metric);
    let needed = claim.bar.needed(than.reported(metric).mean().unwrap_or(0.0));
    let detectable = lead.as_ref().and_then(|lead| lead.detectable(ALPHA, POWER));
    let mut part = Part { lead, needed, detectable, ..Part::undecided(task, metric, String::new()) };
    part.note = None;
    if better.failed + than.failed > 0 {
        part.note = Some("runs failed: `optbench run` tries them again".into());
    } else if better.diverged > than.diverged {
        part.finding = Finding::Refuted;
        part.note = Some(format!(
            "{} diverged in {} of {} seeds, {} in {}",
            claim.better,
            better.diverged,
            better.runs.len(),
            claim.than,
            than.diverged
        ));
    } else if part.lead.is_none() && better.finished > 0 {
        part.finding = Finding::Supported;
        part.note = Some(format!("{} diverged in every seed", claim.than));
    } else if let Some(lead) = &part.lead {
        if claim.bar.is_cleared(lead.interval(LEVEL).0, needed) {
            part.finding = Finding::Supported;
        } else if let Some(n) = lead.same_step() {
            part.note =
                Some(format!("all {n} seeds differ by exactly the same step: raise `seeds`, or claim the loss"));
        } else if lead.error.is_none() {
            part.note = Some("one seed knows no noise: set `seeds` to 3 or more".into());
        }
    } else {
        part.note = Some("no seed is left to compare".into());
    }
    part
}
