//! Claims against the records: supported, refuted, or not to be decided with these seeds.

use crate::analysis::anytime::{at_stage, endless, stages};
use crate::analysis::around_best::{Costs, costs};
use crate::analysis::caveats;
use crate::analysis::claim_evidence::{FAILED, compare};
use crate::analysis::claim_settings::settings;
use crate::analysis::{Difference, Rank, Ranking, Roles, Standard, order, progress, ranking, ranking_of};
use crate::analysis::{reaches, standard};
use crate::config::{Arm, Around, At, Bar, Claim, Experiment, Reaches};
use crate::metric::Metric;
use crate::results::Record;
use crate::settings::short;

pub use crate::analysis::claim_evidence::Divergence;

/// What the results say to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// It holds.
    Supported,
    /// These seeds cannot decide it.
    Undecided,
    /// It does not hold.
    Refuted,
}

impl Finding {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Supported => "SUPPORTED",
            Self::Undecided => "UNDECIDED",
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
    /// How sure the finding had to be.
    pub standard: Standard,
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
    /// The lead that it takes, which may be a share of the mean of `than`; below zero where a margin is granted.
    pub needed: f64,
    /// What is left of the lead over what it takes, seed by seed: it decides.
    pub excess: Option<Difference>,
    /// How many updates earlier `better` reached the target of the task, where every run of both sides did.
    pub steps_saved: Option<Difference>,
    /// In how many runs either side diverged, where that is compared.
    pub divergence: Option<Divergence>,
    /// The standard of the interval that decided, where it is not the one that the claim was judged by.
    pub decided: Option<Standard>,
    /// The smallest excess, either way, that these seeds find with 80% power.
    pub detectable: Option<f64>,
    /// What it comes to.
    pub finding: Finding,
    /// Why, where it is not the interval that decides, or why nothing does.
    pub reason: Option<String>,
    /// What was compared, where the claim leaves that open, and what weakens the finding.
    pub note: Option<String>,
    /// What rates around the best one cost, where the claim is about that.
    pub costs: Option<Costs>,
}

impl Part {
    /// The standard of the intervals that are shown: of the one that decided, where one did. `standard` is the claim's.
    pub fn shown(&self, standard: Standard) -> Standard {
        self.decided.unwrap_or_else(|| self.of_scores(standard))
    }

    /// The two-sided interval of the lead.
    pub fn interval(&self, standard: Standard) -> Option<(f64, f64)> {
        self.lead.as_ref().map(|lead| self.shown(standard).interval(lead))
    }

    /// The two-sided interval of the excess.
    pub fn interval_of_excess(&self, standard: Standard) -> Option<(f64, f64)> {
        self.excess_at(self.shown(standard))
    }

    fn excess_at(&self, standard: Standard) -> Option<(f64, f64)> {
        let lead = self.lead.as_ref()?;
        if lead.same_step().is_some() {
            // Its sign is all that is known.
            let (low, high) = standard.interval(lead);
            return Some((low - self.needed, high - self.needed));
        }
        self.excess.as_ref().map(|excess| standard.interval(excess))
    }

    /// The standard of the test of scores.
    fn of_scores(&self, standard: Standard) -> Standard {
        self.divergence.as_ref().map_or(standard, |divergence| divergence.beside(standard))
    }
}

/// Judges one claim.
///
/// A part is supported where the whole two-sided interval of the excess (the lead less what is needed, seed by seed) lies
/// at or above zero, or above it with `by` (so `better` is wrongly called good enough at most 2.5% of
/// the time), and refuted where all of the interval falls short of that; the interval that refutes is
/// widened to `1 - 0.05 / parts`, so that a claim of many parts is not refuted by chance alone.
/// Support needs no such correction: every part has to give it. Where significantly more runs of one side diverged, that
/// decides alone, see [`Divergence`]. Where planned runs of a side are
/// missing, nothing is decided: its best settings may be among them.
pub fn judge<'a>(claim: &'a Claim, experiment: &Experiment, records: &[Record], standard: Standard) -> Judgement<'a> {
    let mut parts: Vec<Part> = Vec::new();
    for task in experiment.tasks_of(claim) {
        let metric = claim.metric.unwrap_or(task.metric);
        let meant = |optimizer: &str, schedule: &str| {
            [&claim.better, &claim.than].iter().any(|arm| arm.means(optimizer, schedule))
        };
        if let Some(missing) = progress(experiment, records, &task.label, meant).missing() {
            parts.push(Part::undecided(&task.label, metric, missing));
            continue;
        }
        if let Some(reaches) = claim.reaches {
            parts.push(absolute(claim, reaches, &task.label, experiment, records, standard));
            continue;
        }
        parts.extend(match claim.at {
            At::EveryHorizon => at_horizons(claim, &task.label, metric, experiment, records, standard),
            At::AroundBest => around_best(claim, &task.label, metric, experiment, records, standard),
            at => at_settings(claim, at, &task.label, metric, experiment, records, standard),
        });
    }
    let each = standard.shared(parts.len());
    for part in &mut parts {
        part.refute(claim.bar, each);
    }
    let finding = parts.iter().map(|part| part.finding).max().unwrap_or(Finding::Undecided);
    Judgement { claim, finding, parts, standard }
}

/// The part of an absolute claim on one task.
fn absolute(
    claim: &Claim,
    reaches: Reaches,
    task: &str,
    experiment: &Experiment,
    records: &[Record],
    standard: Standard,
) -> Part {
    let ranking = ranking_of(records, task, reaches.score.metric, &roles(claim, experiment));
    let Some(rank) = ranking.ranks.iter().find(|rank| claim.better.means(rank.optimizer, rank.schedule)) else {
        return Part::not_run(claim, task, reaches.score.metric, false);
    };
    let part = reaches::judge(reaches, task, rank, experiment, standard);
    part.noting(caveats::of_claim(&[rank], reaches.score.metric, experiment))
}

/// The parts of a claim on one task at the end of the runs.
fn at_settings(
    claim: &Claim,
    at: At,
    task: &str,
    metric: Metric,
    experiment: &Experiment,
    records: &[Record],
    standard: Standard,
) -> Vec<Part> {
    let ranking = ranking_of(records, task, metric, &roles(claim, experiment));
    let (better, than) = match (side(&ranking, &claim.better, &claim.than), side(&ranking, &claim.than, &claim.better))
    {
        (Some(better), Some(than)) => (better, than),
        (better, _) => return vec![Part::not_run(claim, task, metric, better.is_none())],
    };
    let settings = match settings(at, better, than, metric, experiment) {
        Ok(settings) => settings,
        Err(reason) => return vec![Part::beyond_seeds(task, metric, &reason)],
    };
    let parts = settings.pairs.iter().map(|(lr, a, b)| {
        let part = Part { lr: *lr, ..compare(claim.bar, task, metric, a, b, standard) };
        let weak = if at == At::Tuned { caveats::of_claim(&[better, than], metric, experiment) } else { Vec::new() };
        part.naming(claim, better, than).noting(settings.note.clone()).noting(weak)
    });
    parts.collect()
}

/// The parts of a claim on one task, one for each stopping time.
fn at_horizons(
    claim: &Claim,
    task: &str,
    metric: Metric,
    experiment: &Experiment,
    records: &[Record],
    standard: Standard,
) -> Vec<Part> {
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
                let part = compare(claim.bar, task, metric, &better.best, &than.best, standard);
                let weak = caveats::of_claim(&[better, than], metric, experiment);
                Part { horizon, ..part }.naming(claim, better, than).noting(weak)
            }
            (better, _) => Part { horizon, ..Part::not_run(claim, task, metric, better.is_none()) },
        }
    });
    parts.collect()
}

/// The part of a claim on one task about what rates off the best one cost.
fn around_best(
    claim: &Claim,
    task: &str,
    metric: Metric,
    experiment: &Experiment,
    records: &[Record],
    standard: Standard,
) -> Vec<Part> {
    let ranking = ranking_of(records, task, metric, &roles(claim, experiment));
    let (better, than) = match (side(&ranking, &claim.better, &claim.than), side(&ranking, &claim.than, &claim.better))
    {
        (Some(better), Some(than)) => (better, than),
        (better, _) => return vec![Part::not_run(claim, task, metric, better.is_none())],
    };
    let width = match claim.around {
        Some(Around::Width(width)) => width,
        Some(Around::Lopsided(low, high)) => return vec![lopsided(task, metric, low, high)],
        None => return vec![Part::beyond_seeds(task, metric, "the claim has no `width`")],
    };
    if [better, than].iter().flat_map(|rank| &rank.tried).any(|arm| arm.failed > 0) {
        return vec![Part::undecided(task, metric, FAILED.into())];
    }
    let costs = match costs([better, than], width, metric) {
        Ok(costs) => costs,
        Err(reason) => return vec![Part::beyond_seeds(task, metric, &reason)],
    };
    let needed = claim.bar.needed(than.best.finite_mean(metric).unwrap_or(0.0));
    let mut part = Part { needed, ..Part::new(task, metric) };
    part.weigh(claim.bar, costs.lead.clone(), standard);
    let interval = part.interval(standard).unwrap_or_default();
    if part.finding == Finding::Undecided && part.reason.is_none() && costs.grid_is_coarse(interval) {
        let reason =
            "the learning rates are too far apart to know the scores between them: add rates between those of `lr`";
        part.reason = Some(reason.into());
    }
    vec![Part { costs: Some(costs), ..part }.noting(caveats::of_claim(&[better, than], metric, experiment))]
}

/// The seeds that judge a claim: the chosen settings alone are trained under judge seeds.
fn roles(claim: &Claim, experiment: &Experiment) -> Roles {
    let roles = Roles::of(experiment);
    if claim.at == At::Tuned { roles } else { roles.without_judges() }
}

/// A claim about more of one side of the best rate than of the other, which earlier versions judged.
fn lopsided(task: &str, metric: Metric, low: f64, high: f64) -> Part {
    let width = short(high.max(1.0 / low));
    let reason = format!(
        "`lr = [{}, {}]` does not reach equally far below and above the best rate, whose place between the rates that \
         were tried would decide: write `width = {width}` instead",
        short(low),
        short(high)
    );
    Part::beyond_seeds(task, metric, &reason)
}

/// The best arm that a side of a claim means; a `*` means every label, but not the other side.
fn side<'a, 'b>(ranking: &'b Ranking<'a>, arm: &Arm, other: &Arm) -> Option<&'b Rank<'a>> {
    let means = |rank: &&Rank| arm.means(rank.optimizer, rank.schedule);
    let others = |rank: &&Rank| !arm.is_pattern() || !other.means(rank.optimizer, rank.schedule);
    ranking.ranks.iter().filter(means).find(others)
}

impl Part {
    /// A part of which nothing is known yet.
    pub(super) fn new(task: &str, metric: Metric) -> Self {
        Self {
            task: task.to_owned(),
            metric,
            lr: None,
            horizon: None,
            lead: None,
            needed: 0.0,
            excess: None,
            steps_saved: None,
            divergence: None,
            decided: None,
            detectable: None,
            finding: Finding::Undecided,
            reason: None,
            note: None,
            costs: None,
        }
    }

    pub(super) fn undecided(task: &str, metric: Metric, reason: String) -> Self {
        Self { reason: Some(reason), ..Self::new(task, metric) }
    }

    /// A part that the config leaves open, however many seeds it has.
    pub(super) fn beyond_seeds(task: &str, metric: Metric, reason: &str) -> Self {
        Self::undecided(task, metric, format!("{reason}; more seeds would not help"))
    }

    fn not_run(claim: &Claim, task: &str, metric: Metric, better: bool) -> Self {
        let missing = if better { &claim.better } else { &claim.than };
        Self::beyond_seeds(task, metric, &format!("{missing} has not run"))
    }

    /// Takes a lead as evidence, of which what is needed is known without noise. See [`Part::take`].
    pub(super) fn weigh(&mut self, bar: Bar, lead: Option<Difference>, standard: Standard) {
        let excess = lead.as_ref().map(|lead| lead.beyond(self.needed));
        self.take(bar, lead, excess, standard);
    }

    /// Takes a lead and its excess as evidence; they support the part where the whole interval of the excess clears the
    /// bar, unless more runs of `better` diverged. Where nothing is decided, it says why, if more seeds alone
    /// would not help.
    pub(super) fn take(&mut self, bar: Bar, lead: Option<Difference>, excess: Option<Difference>, standard: Standard) {
        let scores = self.of_scores(standard);
        self.detectable = excess.as_ref().and_then(|excess| excess.detectable(scores.alpha, standard::POWER));
        (self.lead, self.excess) = (lead, excess);
        let interval = self.excess_at(scores);
        let cleared = interval.is_some_and(|(low, _)| bar.is_cleared(low, 0.0));
        let missed = interval.is_some_and(|(_, high)| bar.is_missed(high, 0.0));
        let divergence = self.divergence.as_ref();
        if divergence.is_some_and(|divergence| divergence.favours(standard)) && !missed {
            (self.finding, self.reason) = (Finding::Supported, divergence.map(ToString::to_string));
        } else if cleared && !divergence.is_some_and(Divergence::is_against) {
            self.finding = Finding::Supported;
            self.note_divergence();
        } else {
            self.reason = self.why_undecided();
        }
    }

    /// Refutes a part that was not supported: by divergence, or where the whole interval of the excess falls short.
    pub(super) fn refute(&mut self, bar: Bar, standard: Standard) {
        if self.finding != Finding::Undecided {
            return;
        }
        let scores = self.of_scores(standard);
        if let Some(divergence) = self.divergence.as_ref().filter(|divergence| divergence.refutes(standard)) {
            (self.finding, self.reason) = (Finding::Refuted, Some(divergence.to_string()));
        } else if self.excess_at(scores).is_some_and(|(_, high)| bar.is_missed(high, 0.0)) {
            (self.finding, self.reason, self.decided) = (Finding::Refuted, None, Some(scores));
            self.note_divergence();
        }
    }

    /// Notes beside a finding that the scores made that some runs diverged.
    fn note_divergence(&mut self) {
        if let Some(divergence) = self.divergence.as_ref().filter(|divergence| divergence.is_any()) {
            let note = format!("unstable: {divergence}");
            *self = self.clone().noting(Some(note));
        }
    }

    fn why_undecided(&self) -> Option<String> {
        let divergence = self.divergence.as_ref().filter(|divergence| divergence.is_any());
        let Some(lead) = &self.lead else {
            return divergence.map(|lost| format!("{lost}: nothing is left to compare"));
        };
        if let Some(lost) = divergence.filter(|divergence| divergence.is_against()) {
            return Some(format!(
                "unstable: {lost}; that is not significant, but the other runs alone do not support the claim"
            ));
        }
        match (lead.error, lead.same_step(), divergence) {
            (None, Some(n), _) => Some(if lead.mean == 0.0 {
                format!(
                    "all {n} seeds have the same score, which tells nothing of the noise: raise `seeds`, or claim the loss"
                )
            } else {
                format!("all {n} seeds differ by exactly the same step: raise `seeds`, or claim the loss")
            }),
            (None, None, Some(lost)) => Some(format!("{lost}: too few seeds are left to compare")),
            (None, None, None) => Some("with one seed, noise cannot be estimated: set `seeds` to 3 or more".into()),
            _ => None,
        }
    }

    /// The part with the arms named that a pattern came to mean.
    fn naming(mut self, claim: &Claim, better: &Rank, than: &Rank) -> Self {
        for (arm, rank) in [(&claim.better, better), (&claim.than, than)] {
            if arm.is_pattern() {
                self = self.noting(Some(format!("the best of {arm} on validation is {}", rank.name())));
            }
        }
        self
    }

    /// The part with something more to note.
    fn noting(mut self, more: impl IntoIterator<Item = String>) -> Self {
        let notes: Vec<String> = self.note.into_iter().chain(more).collect();
        self.note = (!notes.is_empty()).then(|| notes.join("; "));
        self
    }
}
