//! Verdicts at planned looks: each claim, and each arm that is not the best, is decided at the first look whose share of
//! the error rate decides it, and stays so.
//!
//! Everything follows from the records: of a look count the runs under its seeds, once all of them are there. So any
//! command comes to the same verdicts, whenever it is asked.

use std::collections::BTreeSet;

use crate::analysis::claim::{Finding, Judgement, judge};
use crate::analysis::comparison::{Verdict, comparisons};
use crate::analysis::standard::Basis;
use crate::analysis::{Comparison, Rank, Ranking, Roles, Standard, progress_of_all, ranking_of};
use crate::config::{At, Claim, Experiment, Stage};
use crate::results::Record;
use crate::settings::short;

/// How far an experiment has come, and by which standard it is judged now.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The experiment and the records of its latest whole look; `None` where no looks are planned.
    as_of: Option<(Experiment, Vec<Record>)>,
    /// How sure verdicts have to be now.
    pub standard: Standard,
    /// The place of that look, counted from 0, and how many are planned; one where none is.
    pub look: usize,
    /// See [`Standing::look`].
    pub looks: usize,
    /// Whether every claim is decided (without claims: which arm of each task is the best). Of no meaning where no looks
    /// are planned.
    pub decided: bool,
    out: Vec<Out>,
}

/// An arm that a look found not to be the best.
#[derive(Debug, Clone, PartialEq)]
struct Out {
    look: usize,
    task: String,
    optimizer: String,
    schedule: String,
}

impl Standing {
    /// What has been reached; `extended` says whether seeds were added after results had been seen.
    pub fn of(experiment: &Experiment, records: &[Record], extended: bool) -> Self {
        if experiment.looks().is_empty() {
            let standard = of_chosen(experiment, standard(experiment, 0, extended));
            return Self { as_of: None, standard, look: 0, looks: 1, decided: false, out: Vec::new() };
        }
        let walk = walk(experiment, records, extended);
        let stages = experiment.stages();
        let as_of = (stages.len() > 1).then(|| at_stage(experiment, records, stages[walk.look]));
        let standard = of_chosen(experiment, standard(experiment, walk.look, extended));
        let out = walk.out.into_iter().filter(|out| out.look < walk.look).collect();
        Self { as_of, standard, look: walk.look, looks: stages.len(), decided: walk.decided, out }
    }

    /// The experiment as far as it is judged.
    pub fn experiment<'a>(&'a self, whole: &'a Experiment) -> &'a Experiment {
        self.as_of.as_ref().map_or(whole, |(experiment, _)| experiment)
    }

    /// The records that are judged.
    pub fn records<'a>(&'a self, all: &'a [Record]) -> &'a [Record] {
        self.as_of.as_ref().map_or(all, |(_, records)| records)
    }

    /// The ranking with the arms behind that an earlier look has ruled out.
    pub fn order(&self, ranking: &mut Ranking) {
        let task = ranking.task.clone();
        ranking.ranks.sort_by_key(|rank| self.is_out(&task, rank.optimizer, rank.schedule));
    }

    /// Every arm of a ranking against the first, which is in the order of [`Standing::order`].
    pub fn comparisons(&self, ranking: &Ranking) -> Vec<Option<Comparison>> {
        let mut all = comparisons(ranking, self.standard);
        for (rank, comparison) in ranking.ranks.iter().zip(&mut all) {
            if let Some(comparison) = comparison.as_mut()
                && self.is_out(&ranking.task, rank.optimizer, rank.schedule)
            {
                (comparison.verdict, comparison.may_be_best) = (Verdict::Worse, false);
            }
        }
        all
    }

    fn is_out(&self, task: &str, optimizer: &str, schedule: &str) -> bool {
        self.out.iter().any(|out| (&*out.task, &*out.optimizer, &*out.schedule) == (task, optimizer, schedule))
    }
}

/// Whether one of the seeds that are reported was added after results had been seen; `added` are all that were.
pub fn is_extended(experiment: &Experiment, added: &BTreeSet<u64>) -> bool {
    let roles = Roles::of(experiment);
    added.iter().any(|&seed| roles.report(seed))
}

/// Every claim as it was judged at the look that decided it, or at the latest.
pub fn judgements<'a>(experiment: &'a Experiment, records: &[Record], extended: bool) -> Vec<Judgement<'a>> {
    if experiment.claims.is_empty() {
        return Vec::new();
    }
    walk(experiment, records, extended).claims
}

/// The place of the look at which all is decided, as far as the runs tell.
pub fn decided_at(experiment: &Experiment, records: &[Record], extended: bool) -> Option<usize> {
    let walk = walk(experiment, records, extended);
    walk.decided.then_some(walk.look)
}

struct Walk<'a> {
    claims: Vec<Judgement<'a>>,
    out: Vec<Out>,
    look: usize,
    decided: bool,
}

/// Goes from look to look, as far as their runs are there and something is left to decide.
fn walk<'a>(experiment: &'a Experiment, records: &[Record], extended: bool) -> Walk<'a> {
    let mut walk = Walk { claims: Vec::new(), out: Vec::new(), look: 0, decided: false };
    let stages = experiment.stages();
    for (look, stage) in stages.iter().enumerate() {
        let (now, runs) = match stages.len() {
            // Spares a copy of all records.
            1 => (experiment.clone(), None),
            _ => {
                let (now, runs) = at_stage(experiment, records, *stage);
                (now, Some(runs))
            }
        };
        let runs = runs.as_deref().unwrap_or(records);
        let whole = progress_of_all(&now, runs).is_complete();
        if look > 0 && !whole {
            break;
        }
        walk.look = look;
        walk.judge(experiment, &now, runs, look, extended);
        if whole && walk.decided {
            break;
        }
        walk.decided = false;
    }
    walk
}

impl<'a> Walk<'a> {
    fn judge(&mut self, experiment: &'a Experiment, now: &Experiment, runs: &[Record], look: usize, extended: bool) {
        let standard = standard(experiment, look, extended);
        let before = std::mem::take(&mut self.claims);
        for (place, claim) in experiment.claims.iter().enumerate() {
            let earlier = before.get(place).filter(|judgement| judgement.finding != Finding::Undecided);
            let judged = match earlier {
                Some(judgement) => judgement.clone(),
                None => {
                    let mut judged = judge(claim, now, runs, of_claim(claim, experiment, standard));
                    note_finalists(&mut judged, experiment, standard);
                    judged
                }
            };
            self.claims.push(judged);
        }
        let mut open = false;
        for task in &now.tasks {
            let mut ranking = ranking_of(runs, &task.label, task.metric, &Roles::of(now));
            let out = |out: &Out, rank: &Rank| {
                (&*out.task, &*out.optimizer, &*out.schedule) == (&*task.label, rank.optimizer, rank.schedule)
            };
            ranking.ranks.retain(|rank| !self.out.iter().any(|one| out(one, rank)));
            let compared = comparisons(&ranking, of_chosen(experiment, standard));
            for (rank, comparison) in ranking.ranks.iter().zip(compared) {
                let Some(comparison) = comparison else { continue };
                if !comparison.may_be_best {
                    self.out.push(Out {
                        look,
                        task: task.label.clone(),
                        optimizer: rank.optimizer.to_owned(),
                        schedule: rank.schedule.to_owned(),
                    });
                } else if comparison.verdict != Verdict::Equal {
                    open = true;
                }
            }
        }
        let waits = |judgement: &Judgement| {
            judgement.finding == Finding::Undecided && gains_from_looks(judgement.claim, experiment)
        };
        self.decided = if experiment.claims.is_empty() { !open } else { !self.claims.iter().any(waits) };
    }
}

/// The experiment and the records at one of its stages.
fn at_stage(experiment: &Experiment, records: &[Record], stage: Stage) -> (Experiment, Vec<Record>) {
    let now = experiment.at_stage(stage);
    let own = |record: &&Record| now.seeds.contains(&record.seed) || now.judge_seeds.contains(&record.seed);
    let records = records.iter().filter(own).cloned().collect();
    (now, records)
}

/// How sure verdicts have to be at a look.
fn standard(experiment: &Experiment, look: usize, extended: bool) -> Standard {
    match experiment.looks() {
        _ if extended => Standard::ANYTIME,
        [] => Standard::FIXED,
        looks => Standard::at_look(looks, look),
    }
}

/// The standard for settings that were chosen: where the finalists of a search are chosen with the seeds that are
/// reported, each of them has its share of the chance to look good by luck.
fn of_chosen(experiment: &Experiment, standard: Standard) -> Standard {
    let finalists = experiment.tuning.map_or(1, |tuning| tuning.finalists);
    if experiment.judge_seeds.is_empty() { standard.shared(finalists) } else { standard }
}

/// Says why a claim about what a search chose is held to another level than the standard's.
fn note_finalists(judgement: &mut Judgement, experiment: &Experiment, standard: Standard) {
    let finalists = experiment.tuning.map_or(1, |tuning| tuning.finalists);
    if judgement.standard.alpha < standard.alpha {
        let percent = |alpha: f64| short(100.0 * alpha);
        let note = format!(
            "{finalists} finalists of the search were compared under the seeds that are reported, so the error rate is \
             {}% instead of {}%",
            percent(judgement.standard.alpha),
            percent(standard.alpha)
        );
        for part in &mut judgement.parts {
            part.note = Some(part.note.take().map_or_else(|| note.clone(), |before| format!("{before}; {note}")));
        }
    }
}

/// The standard for a claim. Looks at judge seeds bring nothing new to claims about settings that were not chosen.
fn of_claim(claim: &Claim, experiment: &Experiment, standard: Standard) -> Standard {
    match standard.basis {
        _ if claim.at == At::Tuned => of_chosen(experiment, standard),
        Basis::Looks if !gains_from_looks(claim, experiment) => Standard::FIXED,
        _ => standard,
    }
}

fn gains_from_looks(claim: &Claim, experiment: &Experiment) -> bool {
    experiment.judge_looks.is_empty() || claim.at == At::Tuned
}
