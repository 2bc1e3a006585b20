//! The findings of `optbench check`: claims and changes, as a table, Markdown, JSON, for GitHub and as `JUnit` XML.

use crate::analysis::claim::{Finding, Judgement};
use crate::analysis::regression::{Change, Outcome, Rules};
use crate::analysis::sequential::judgements;
use crate::analysis::{Progress, progress_of_all};
use crate::report::Results;
use crate::report::baseline_words::{change_name, explain_change, unstable};
use crate::report::check_words::{explain, part_name};
use crate::report::words::count;

/// What was checked, and how strictly.
pub struct Checked<'a> {
    /// The experiment's name.
    pub name: &'a str,
    /// How many seeds the verdicts come from, where that is not a number planned in advance.
    pub seeds: Vec<String>,
    /// How much of the experiment is there.
    pub progress: Progress,
    /// The claims.
    pub claims: Vec<Judgement<'a>>,
    /// The arms of the baseline; `None` without one.
    pub against: Option<Against>,
    /// Whether what the seeds cannot decide fails.
    pub strict: bool,
    /// Whether slower steps fail.
    pub fail_on_time: bool,
}

/// A comparison with a baseline.
pub struct Against {
    /// How it was made.
    pub rules: Rules,
    /// Every arm of the baseline.
    pub changes: Vec<Change>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing to do.
    Pass,
    /// To be looked at.
    Warn,
    /// The check fails.
    Fail,
}

/// One line of the findings.
pub(super) struct Item {
    pub(super) class: &'static str,
    pub(super) name: String,
    pub(super) level: Level,
    pub(super) word: &'static str,
    pub(super) message: String,
    /// What weakens a finding that is well by itself.
    pub(super) note: Option<String>,
}

impl<'a> Checked<'a> {
    /// The claims of an experiment against its runs, without a baseline.
    pub fn new(results: &'a Results) -> Self {
        let Results { experiment, records, extended, standing, .. } = results;
        Self {
            name: &experiment.name,
            seeds: results.seeds_said(),
            progress: progress_of_all(standing.experiment(experiment), results.judged()),
            claims: judgements(experiment, records, *extended),
            against: None,
            strict: false,
            fail_on_time: false,
        }
    }

    /// The same for a report; `None` where there are no claims.
    pub(super) fn of_claims(results: &'a Results) -> Option<Self> {
        Some(Self::new(results)).filter(|checked| !checked.claims.is_empty())
    }

    /// The worst of all findings.
    pub fn level(&self) -> Level {
        self.items().iter().map(|item| item.level).max().unwrap_or(Level::Pass)
    }

    /// Every finding.
    pub(super) fn items(&self) -> Vec<Item> {
        let claims = self.claims.iter().flat_map(|judgement| {
            judgement.parts.iter().map(|part| Item {
                class: "claim",
                name: part_name(judgement, part),
                level: self.of_finding(part.finding),
                word: part.finding.word(),
                message: explain(judgement, part),
                note: part.note.clone(),
            })
        });
        let all = || self.against.iter().flat_map(|against| &against.changes);
        let changes = all().map(|change| Item {
            class: "regression",
            name: change_name(change),
            level: self.of_outcome(change.outcome),
            word: change.outcome.word(),
            message: explain_change(change),
            note: None,
        });
        let unstable = all().filter_map(|change| {
            Some(Item {
                class: "divergence",
                name: change_name(change),
                level: self.undecided(),
                word: "UNSTABLE",
                message: unstable(change)?,
                note: None,
            })
        });
        let times = all().filter_map(|change| {
            let slower = change.slower?;
            Some(Item {
                class: "time",
                name: change_name(change),
                level: if self.fail_on_time { Level::Fail } else { Level::Warn },
                word: "SLOWER",
                message: format!("a step takes {slower:.2} times as long as in the baseline"),
                note: None,
            })
        });
        claims.chain(changes).chain(unstable).chain(times).collect()
    }

    fn undecided(&self) -> Level {
        if self.strict { Level::Fail } else { Level::Warn }
    }

    fn of_finding(&self, finding: Finding) -> Level {
        match finding {
            Finding::Supported => Level::Pass,
            Finding::Undecided => self.undecided(),
            Finding::Refuted => Level::Fail,
        }
    }

    pub(super) fn of_outcome(&self, outcome: Outcome) -> Level {
        match outcome {
            Outcome::Identical | Outcome::Unchanged | Outcome::Improved => Level::Pass,
            Outcome::Undecided => self.undecided(),
            Outcome::Regressed | Outcome::Diverged | Outcome::Missing => Level::Fail,
        }
    }

    /// The findings in one sentence.
    pub fn headline(&self) -> String {
        let mut said = Vec::new();
        if !self.claims.is_empty() {
            let with = |finding| self.claims.iter().filter(|judgement| judgement.finding == finding).count();
            let mut text = format!("{} of {} supported", with(Finding::Supported), count(self.claims.len(), "claim"));
            for finding in [Finding::Refuted, Finding::Undecided] {
                if with(finding) > 0 {
                    text += &format!(", {} {}", with(finding), finding.word().to_lowercase());
                }
            }
            said.push(text);
        }
        said.extend(self.against.as_ref().map(|against| self.regressions(&against.changes)));
        let verdict = if self.level() == Level::Fail { "FAILED" } else { "passed" };
        let Progress { there, planned } = self.progress;
        let so_far = if there == planned { String::new() } else { format!(" so far, with {there} of {planned} runs") };
        format!("{}: check {verdict}{so_far}: {}.", self.name, said.join("; "))
    }

    /// `2 regressions in 8 arms, 1 missing, 1 undecided`.
    fn regressions(&self, changes: &[Change]) -> String {
        let with = |is_so: &dyn Fn(&Change) -> bool| changes.iter().filter(|change| is_so(change)).count();
        let missing = with(&|change| change.outcome == Outcome::Missing);
        let bad = with(&|change| self.of_outcome(change.outcome) == Level::Fail) - missing;
        let mut text = if bad == 0 { "no regression".to_owned() } else { count(bad, "regression") };
        text += &format!(" in {}", count(changes.len(), "arm"));
        let undecided = with(&|change| change.outcome == Outcome::Undecided && !self.strict);
        let unstable = with(&|change| change.is_unstable);
        let slower = with(&|change| change.slower.is_some());
        for (n, word) in [(missing, "missing"), (undecided, "undecided"), (unstable, "unstable"), (slower, "slower")] {
            if n > 0 {
                text += &format!(", {n} {word}");
            }
        }
        text
    }
}
