//! Claims against the records: supported, refuted, or not to be decided with these seeds.

use crate::analysis::anytime::{at_stage, endless, stages};
use crate::analysis::around_best::costs;
use crate::analysis::claim_evidence::compare;
use crate::analysis::claim_part::{FAILED, beyond_seeds};
use crate::analysis::claim_settings::settings;
use crate::analysis::{Rank, Ranking, Roles, Standard, Summary, order, progress, ranking, ranking_of};
use crate::analysis::{caveats, reaches};
use crate::config::{Arm, Around, At, Claim, Experiment, Reaches};
use crate::metric::Metric;
use crate::results::Record;
use crate::settings::short;
use crate::task::Spec;

pub use crate::analysis::claim_part::{Finding, Part};
pub use crate::analysis::divergence::Divergence;

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

/// Judges one claim.
///
/// A part is supported where the whole two-sided interval of the excess (the lead less what is needed, seed by seed) lies
/// at or above zero, or above it with `by`: `better` is wrongly called good enough with half of the standard's alpha at
/// most (2.5%). It is refuted where all of the interval falls short of that; the interval that refutes is
/// widened to `1 - alpha / parts`, so that a claim of many parts is not refuted by chance alone.
/// Support needs no such correction: every part has to give it. Where significantly more runs of one side diverged, that
/// decides alone, see [`Divergence`]; where it might, the test of scores has half of the alpha. Where planned runs of a
/// side are missing, nothing is decided: its best settings may be among them.
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
        let case = Case { claim, task, metric, experiment, records, standard };
        parts.extend(case.parts());
    }
    let each = standard.shared(parts.len());
    for part in &mut parts {
        part.refute(claim.bar, each);
    }
    let finding = parts.iter().map(|part| part.finding).max().unwrap_or(Finding::Undecided);
    Judgement { claim, finding, parts, standard }
}

/// A claim on one task, with what it is judged by.
struct Case<'a> {
    claim: &'a Claim,
    task: &'a Spec,
    metric: Metric,
    experiment: &'a Experiment,
    records: &'a [Record],
    standard: Standard,
}

impl<'a> Case<'a> {
    fn parts(&self) -> Vec<Part> {
        if let Some(reaches) = self.claim.reaches {
            return vec![self.absolute(reaches)];
        }
        match self.claim.at {
            At::EveryHorizon => self.at_horizons(),
            At::AroundBest => vec![self.around_best().unwrap_or_else(|reason| self.open(reason))],
            at => self.at_settings(at).unwrap_or_else(|reason| vec![self.open(reason)]),
        }
    }

    /// The part of an absolute claim.
    fn absolute(&self, reaches: Reaches) -> Part {
        let metric = reaches.score.metric;
        let ranking = ranking_of(self.records, &self.task.label, metric, &self.roles());
        let Some(rank) = ranking.ranks.iter().find(|rank| self.claim.better.means(rank.optimizer, rank.schedule))
        else {
            return Part::undecided(&self.task.label, metric, not_run(&self.claim.better));
        };
        let part = reaches::judge(reaches, &self.task.label, rank, self.experiment, self.standard);
        part.noting(caveats::of_claim(&[rank], metric, self.experiment))
    }

    /// The parts at the end of the runs.
    fn at_settings(&self, at: At) -> Result<Vec<Part>, String> {
        let ranking = self.ranking();
        let (better, than) = self.sides(&ranking)?;
        let settings =
            settings(at, better, than, self.metric, self.experiment).map_err(|reason| beyond_seeds(&reason))?;
        let parts = settings.pairs.iter().map(|(lr, a, b)| {
            let weak = if at == At::Tuned { self.caveats(better, than) } else { Vec::new() };
            let part = Part { lr: *lr, ..self.compare(a, b) }.naming(self.claim, better, than);
            part.noting(settings.note.clone()).noting(weak)
        });
        Ok(parts.collect())
    }

    /// The parts at every stopping time.
    fn at_horizons(&self) -> Vec<Part> {
        let (task, metric) = (&self.task.label, self.metric);
        let stages = stages(self.records, task);
        let endless = endless(self.records, task);
        let rankings: Vec<Ranking> = stages.iter().map(|stage| ranking(&stage.records, task, metric)).collect();
        let Some(whole) = rankings.last() else {
            return vec![self.open("no run was stopped or read at a horizon".into())];
        };
        let same = |a: &Rank, b: &Rank| (a.optimizer, a.schedule) == (b.optimizer, b.schedule);
        let parts = stages.iter().zip(&rankings).map(|(stage, ranking)| {
            // Every arm as it stands at this horizon; what has one run only keeps its settings.
            let as_of_now = ranking.ranks.iter().map(|rank| {
                let at_end = whole.ranks.iter().find(|other| same(rank, other));
                let best = at_stage(rank, at_end, endless.contains(&(rank.optimizer, rank.schedule)));
                Rank { best, ..rank.clone() }
            });
            let mut ranking = Ranking { ranks: as_of_now.collect(), ..ranking.clone() };
            ranking.ranks.sort_by(|a, b| order(&a.best, &b.best, metric));
            let part = self.sides(&ranking).map_or_else(
                |reason| self.open(reason),
                |(better, than)| {
                    let part = self.compare(&better.best, &than.best).naming(self.claim, better, than);
                    part.noting(self.caveats(better, than))
                },
            );
            Part { horizon: Some(stage.steps), ..part }
        });
        parts.collect()
    }

    /// The part about what rates off the best one cost.
    fn around_best(&self) -> Result<Part, String> {
        let ranking = self.ranking();
        let (better, than) = self.sides(&ranking)?;
        let width = match self.claim.around {
            Some(Around::Width(width)) => width,
            Some(Around::Lopsided(low, high)) => return Err(beyond_seeds(&lopsided(low, high))),
            None => return Err(beyond_seeds("the claim has no `width`")),
        };
        if [better, than].iter().flat_map(|rank| &rank.tried).any(|arm| arm.failed > 0) {
            return Err(FAILED.into());
        }
        let costs = costs([better, than], width, self.metric).map_err(|reason| beyond_seeds(&reason))?;
        let needed = self.claim.bar.needed(than.best.finite_mean(self.metric).unwrap_or(0.0));
        let mut part = Part { needed, ..Part::new(&self.task.label, self.metric) };
        part.weigh(self.claim.bar, costs.lead.clone(), self.standard);
        let interval = part.interval(self.standard).unwrap_or_default();
        if part.finding == Finding::Undecided && part.reason.is_none() && costs.grid_is_coarse(interval) {
            let reason = "the learning rates are too far apart to know the scores between them: add rates between \
                          those of `lr`";
            part.reason = Some(reason.into());
        }
        Ok(Part { costs: Some(costs), ..part }.noting(self.caveats(better, than)))
    }

    fn compare(&self, better: &Summary, than: &Summary) -> Part {
        compare(self.claim.bar, &self.task.label, self.metric, better, than, self.standard)
    }

    fn caveats(&self, better: &Rank, than: &Rank) -> Vec<String> {
        caveats::of_claim(&[better, than], self.metric, self.experiment)
    }

    fn open(&self, reason: String) -> Part {
        Part::undecided(&self.task.label, self.metric, reason)
    }

    fn ranking(&self) -> Ranking<'a> {
        ranking_of(self.records, &self.task.label, self.metric, &self.roles())
    }

    /// The seeds that judge the claim: the chosen settings alone are trained under judge seeds.
    fn roles(&self) -> Roles {
        let roles = Roles::of(self.experiment);
        if self.claim.at == At::Tuned { roles } else { roles.without_judges() }
    }

    /// The best arms that both sides mean, the better one first; as an error which one has not run.
    fn sides<'b>(&self, ranking: &'b Ranking<'a>) -> Result<(&'b Rank<'a>, &'b Rank<'a>), String> {
        let Claim { better, than, .. } = self.claim;
        match (side(ranking, better, than), side(ranking, than, better)) {
            (Some(ours), Some(theirs)) => Ok((ours, theirs)),
            (None, _) => Err(not_run(better)),
            _ => Err(not_run(than)),
        }
    }
}

fn not_run(arm: &Arm) -> String {
    beyond_seeds(&format!("{arm} has not run"))
}

/// What is wrong with a claim about more of one side of the best rate than of the other, which earlier versions judged.
fn lopsided(low: f64, high: f64) -> String {
    let width = short(high.max(1.0 / low));
    format!(
        "`lr = [{}, {}]` does not reach equally far below and above the best rate, whose place between the rates that \
         were tried would decide: write `width = {width}` instead",
        short(low),
        short(high)
    )
}

/// The best arm that a side of a claim means; a `*` means every label, but not the other side.
fn side<'a, 'b>(ranking: &'b Ranking<'a>, arm: &Arm, other: &Arm) -> Option<&'b Rank<'a>> {
    let means = |rank: &&Rank| arm.means(rank.optimizer, rank.schedule);
    let others = |rank: &&Rank| !arm.is_pattern() || !other.means(rank.optimizer, rank.schedule);
    ranking.ranks.iter().filter(means).find(others)
}
