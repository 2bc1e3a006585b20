//! A part of a claim: what two sides say to it on one task, and what it comes to.

use crate::analysis::around_best::Costs;
use crate::analysis::divergence::Divergence;
use crate::analysis::{Difference, MORE_SEEDS, Rank, Standard, standard};
use crate::config::{Bar, Claim};
use crate::metric::Metric;

/// Why nothing is judged where runs stopped by an error.
pub(super) const FAILED: &str = "runs failed: `optbench run` tries them again";

/// The reason of what the config leaves open, however many seeds it has.
pub(super) fn beyond_seeds(reason: &str) -> String {
    format!("{reason}; more seeds would not help")
}

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
        Self::undecided(task, metric, beyond_seeds(reason))
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
        let cleared = interval.is_some_and(|(low, _)| bar.is_cleared(low));
        let missed = interval.is_some_and(|(_, high)| bar.is_missed(high));
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
        } else if self.excess_at(scores).is_some_and(|(_, high)| bar.is_missed(high)) {
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
                    "all {n} seeds have the same score, which tells nothing of the noise: claim the loss, or train more seeds: {MORE_SEEDS}"
                )
            } else {
                format!(
                    "all {n} seeds differ by exactly the same step: claim the loss, or train more seeds: {MORE_SEEDS}"
                )
            }),
            (None, None, Some(lost)) => Some(format!("{lost}: too few seeds are left to compare")),
            (None, None, None) => Some("with one seed, noise cannot be estimated: set `seeds` to 3 or more".into()),
            _ => None,
        }
    }

    /// The part with the arms named that a pattern came to mean.
    pub(super) fn naming(mut self, claim: &Claim, better: &Rank, than: &Rank) -> Self {
        for (arm, rank) in [(&claim.better, better), (&claim.than, than)] {
            if arm.is_pattern() {
                self = self.noting(Some(format!("the best of {arm} on validation is {}", rank.name())));
            }
        }
        self
    }

    /// The part with something more to note.
    pub(super) fn noting(mut self, more: impl IntoIterator<Item = String>) -> Self {
        let notes: Vec<String> = self.note.into_iter().chain(more).collect();
        self.note = (!notes.is_empty()).then(|| notes.join("; "));
        self
    }
}
