//! The findings of `optbench check`: claims and changes since a baseline.

mod change_facts;
mod change_table;
mod change_words;
mod checked;
mod claim_facts;
mod claim_tables;
mod claim_words;
mod notes;

use crate::analysis::Progress;
use crate::analysis::claim::Finding;
use crate::analysis::regression::{Change, Outcome};
use crate::report::content::words::count;
use crate::report::document::{self, Check, Claim, Claims, Level, Runs, SCHEMA_VERSION, Shown};

pub use checked::{Against, Checked};

use change_words::{change_name, explain_change, unstable};
use claim_words::{explain, part_name};

impl Checked<'_> {
    /// Everything that is to be said of it.
    pub fn check(&self) -> Check {
        let findings = self.findings();
        let level = findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Pass);
        let tables = [
            claim_tables::said(&self.claims).only(Shown::Everywhere),
            claim_tables::parts(&self.claims).only(Shown::Everywhere),
            change_table::table(self.against.as_ref()),
        ];
        let against = self.against.as_ref();
        Check {
            schema_version: SCHEMA_VERSION,
            experiment: self.name.to_owned(),
            passed: level < Level::Fail,
            answer: self.headline(level),
            runs: Runs { there: self.progress.there, planned: self.progress.planned },
            claims: self.claim_facts(),
            baseline: against.map(change_facts::rules),
            arms: against.map(|against| against.changes.iter().map(change_facts::change).collect()),
            seeds_note: self.seeds.clone(),
            level,
            tables: tables.into_iter().filter(|table| !table.is_empty()).collect(),
            findings,
            notes: self.notes(),
            help: self.help(),
        }
    }

    /// The claims for scripts.
    pub(in crate::report) fn claim_facts(&self) -> Vec<Claim> {
        self.claims.iter().map(claim_facts::claim).collect()
    }

    /// The claims in a sentence and tables, for a report; `None` where there are none.
    pub(in crate::report) fn claimed(&self) -> Option<Claims> {
        let level = self.findings().iter().map(|finding| finding.level).max()?;
        Some(Claims {
            headline: self.headline(level),
            said: claim_tables::said(&self.claims),
            parts: claim_tables::parts(&self.claims),
        })
    }

    /// Every finding.
    fn findings(&self) -> Vec<document::Finding> {
        let claims = self.claims.iter().flat_map(|judgement| {
            judgement.parts.iter().map(|part| document::Finding {
                class: "claim",
                name: part_name(judgement, part),
                level: self.of_finding(part.finding),
                word: part.finding.word(),
                message: explain(judgement, part),
                note: part.note.clone(),
            })
        });
        let all = || self.against.iter().flat_map(|against| &against.changes);
        let changes = all().map(|change| document::Finding {
            class: "regression",
            name: change_name(change),
            level: self.of_outcome(change.outcome),
            word: change.outcome.word(),
            message: explain_change(change),
            note: None,
        });
        let unstable = all().filter_map(|change| {
            Some(document::Finding {
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
            Some(document::Finding {
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

    /// The findings in one sentence.
    fn headline(&self, level: Level) -> String {
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
        let verdict = if level == Level::Fail { "FAILED" } else { "passed" };
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
