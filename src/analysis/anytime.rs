//! The anytime comparison: one run without a stopping time against runs that were tuned for theirs.

use std::collections::BTreeSet;

use crate::analysis::comparison::{self, Verdict};
use crate::analysis::{Difference, Rank, Standard, Summary, holm, ranking};
use crate::metric::Metric;
use crate::results::{Record, Status};

/// What is known of a task at one stopping time: as if every run had ended there.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Updates until then.
    pub steps: u64,
    /// The runs that ended there, and those that stand for such a run.
    pub records: Vec<Record>,
}

/// The stopping times of a task, the end of the longest runs last; nothing where no run has a horizon.
pub fn stages(records: &[Record], task: &str) -> Vec<Stage> {
    let own: Vec<&Record> = records.iter().filter(|record| record.task == task).collect();
    let passed = own.iter().flat_map(|record| record.horizons.iter().map(|horizon| horizon.steps));
    let ended = own.iter().filter_map(|record| record.horizon);
    let horizons: BTreeSet<u64> = passed.chain(ended).collect();
    if horizons.is_empty() {
        return Vec::new();
    }
    let early = horizons.into_iter().map(|steps| {
        let at = |record: &&Record| match record.horizon {
            None => record.ended_at(steps),
            Some(horizon) => (horizon == steps).then(|| Record { horizon: None, ..(*record).clone() }),
        };
        Stage { steps, records: own.iter().filter_map(at).collect() }
    });
    let mut stages: Vec<Stage> = early.collect();
    let whole = own.iter().filter(|record| record.horizon.is_none());
    let whole: Vec<Record> = whole.map(|record| Record { horizons: Vec::new(), ..(*record).clone() }).collect();
    let finished = whole.iter().filter(|record| record.status == Status::Finished);
    if let Some(steps) = finished.map(|record| record.steps).max() {
        stages.push(Stage { steps, records: whole });
    }
    stages
}

/// The arms of a task whose long runs stand for shorter ones, whatever their settings.
pub fn endless<'a>(records: &'a [Record], task: &str) -> BTreeSet<(&'a str, &'a str)> {
    let own = || records.iter().filter(|record| record.task == task);
    let arm = |record: &'a Record| (record.optimizer.as_str(), record.schedule.as_str());
    let stopped: BTreeSet<_> = own().filter(|record| record.horizon.is_some()).map(arm).collect();
    own().filter(|record| !record.horizons.is_empty()).map(arm).filter(|arm| !stopped.contains(arm)).collect()
}

/// The arm as it is compared at a stage: an endless one at the settings that were best at the end of its
/// one run, any other at those that are best for this stopping time. Both are chosen on validation.
pub fn at_stage<'a>(rank: &Rank<'a>, whole: Option<&Rank>, endless: bool) -> Summary<'a> {
    let kept = |settings: &Summary<'a>| {
        whole.is_some_and(|whole| whole.best.runs[0].hyper_parameters == settings.runs[0].hyper_parameters)
    };
    let one_run = rank.tried.iter().find(|tried| endless && kept(tried));
    one_run.unwrap_or(&rank.best).clone()
}

/// An endless arm against the envelope at one stopping time.
#[derive(Debug, Clone)]
pub struct AtHorizon<'a> {
    /// Updates until then.
    pub steps: u64,
    /// The endless arm's labels.
    pub optimizer: &'a str,
    /// See [`AtHorizon::optimizer`].
    pub schedule: &'a str,
    /// The endless arm as of then, at the settings of its one run.
    pub one_run: Summary<'a>,
    /// The endless arm at the settings that are best as of then.
    pub retuned: Summary<'a>,
    /// The best of the arms that knew when they would end, chosen on validation.
    pub envelope: Rank<'a>,
    /// The one run's reported score minus the envelope's, turned so that more is better for the one run.
    pub lead: Option<Difference>,
    /// The p-value of the t test, by Holm's method over all horizons of the arm.
    pub p_adjusted: Option<f64>,
    /// What the difference comes to for the one run.
    pub verdict: Verdict,
}

/// Every endless arm against the envelope of the others, horizon by horizon; nothing where there is
/// no arm of one of the two kinds.
pub fn anytime<'a>(
    stages: &'a [Stage],
    records: &[Record],
    task: &str,
    metric: Metric,
    standard: Standard,
) -> Vec<AtHorizon<'a>> {
    let endless = endless(records, task);
    let rankings: Vec<_> = stages.iter().map(|stage| ranking(&stage.records, task, metric)).collect();
    let Some(whole) = rankings.last() else { return Vec::new() };
    let mut all = Vec::new();
    for arm in &whole.ranks {
        let key = (arm.optimizer, arm.schedule);
        if !endless.contains(&key) {
            continue;
        }
        let rows = stages.iter().zip(&rankings).filter_map(|(stage, ranking)| {
            let own = ranking.ranks.iter().find(|rank| (rank.optimizer, rank.schedule) == key)?;
            // The ranks are in the order of validation.
            let envelope = ranking.ranks.iter().find(|rank| !endless.contains(&(rank.optimizer, rank.schedule)))?;
            let one_run = at_stage(own, Some(arm), true);
            let lead = Difference::lead(&one_run, &envelope.best, metric);
            Some(AtHorizon {
                steps: stage.steps,
                optimizer: own.optimizer,
                schedule: own.schedule,
                one_run,
                retuned: own.best.clone(),
                envelope: envelope.clone(),
                lead,
                p_adjusted: None,
                verdict: Verdict::Unknown,
            })
        });
        let mut rows: Vec<AtHorizon> = rows.collect();
        let p: Vec<Option<f64>> = rows.iter().map(|row| standard.p_value(row.lead.as_ref()?)).collect();
        for (row, p) in rows.iter_mut().zip(holm::adjust_known(&p)) {
            row.p_adjusted = p;
            let behind = row.lead.as_ref().map(Difference::reversed);
            row.verdict = comparison::verdict(&row.envelope.best, &row.one_run, behind.as_ref(), p, metric, standard);
        }
        all.extend(rows);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Scores;
    use crate::results::Horizon;

    fn scores(loss: f64) -> Scores {
        Scores::of_loss(loss)
    }

    /// `a` runs once at two rates; `b` has runs of its own that end at step 50.
    fn sweep() -> Vec<Record> {
        let at = |lr, end: [f64; 3], early: f64| -> Vec<Record> {
            let mut runs = records(&[Arm::at("a", lr, &end)]);
            for run in &mut runs {
                let horizon = Some(scores(early + 0.01 * run.seed as f64));
                run.horizons = vec![Horizon { steps: 50, validation: horizon.clone(), test: horizon }];
            }
            runs
        };
        let mut short = records(&[Arm::at("b", 0.1, &[3.0, 3.02, 3.01])]);
        for run in &mut short {
            (run.horizon, run.steps) = (Some(50), 50);
        }
        let long = records(&[Arm::at("b", 0.1, &[2.0, 2.1, 2.2])]);
        [at(0.1, [1.0, 1.1, 1.21], 4.0), at(0.2, [1.5, 1.6, 1.7], 2.0), short, long].concat()
    }

    #[test]
    fn one_run_keeps_its_settings_and_the_envelope_is_tuned_for_each_horizon() {
        let records = sweep();
        assert_eq!(ranking(&records, "task", Metric::LOSS).ranks[1].tried.len(), 1, "the short runs are apart");
        let stages = stages(&records, "task");
        assert_eq!(stages.iter().map(|stage| stage.steps).collect::<Vec<_>>(), [50, 100]);
        assert_eq!(endless(&records, "task").into_iter().collect::<Vec<_>>(), [("a", "constant")]);
        let rows = anytime(&stages, &records, "task", Metric::LOSS, Standard::FIXED);
        let means: Vec<[f64; 3]> = rows
            .iter()
            .map(|row| {
                [&row.one_run, &row.retuned, &row.envelope.best].map(|arm| arm.reported(Metric::LOSS).mean().unwrap())
            })
            .collect();
        // At step 50 the rate 0.2 is better, but the one run has the rate that is better at the end.
        let expected = [[4.01, 2.01, 3.01], [1.103_333_333, 1.103_333_333, 2.1]];
        for (found, expected) in means.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-6, "{means:?}");
        }
        assert_eq!(rows.iter().map(|row| row.verdict).collect::<Vec<_>>(), [Verdict::Worse, Verdict::Better]);
        assert!((rows[0].lead.as_ref().unwrap().mean + 1.0).abs() < 1e-12);
        // Where seeds were added, three of them decide less.
        let later = anytime(&stages, &records, "task", Metric::LOSS, Standard::ANYTIME);
        assert!(later[1].p_adjusted.unwrap() > 2.0 * rows[1].p_adjusted.unwrap(), "{:?}", later[1].p_adjusted);
    }

    #[test]
    fn a_run_that_diverged_before_the_horizon_had_diverged_by_then() {
        let mut records = sweep();
        let lost = records.iter_mut().find(|run| run.hyper_parameter("lr") == Some(&0.1.into())).unwrap();
        (lost.status, lost.steps) = (Status::Diverged, 70);
        let at_50 =
            |records: &[Record]| ranking(&stages(records, "task")[0].records, "task", Metric::LOSS).ranks[0].diverged;
        assert_eq!(at_50(&records), 0, "it diverged later");
        records[0].horizons[0].validation = None;
        assert_eq!(at_50(&records), 1);
    }

    #[test]
    fn without_horizons_there_are_no_stages() {
        assert!(stages(&records(&[Arm::new("a", &[1.0])]), "task").is_empty());
    }
}
