//! The findings of `optbench check`: claims and changes, as a table, Markdown, JSON, for GitHub and as `JUnit` XML.

use crate::analysis::claim::{Finding, Judgement, Part};
use crate::analysis::comparison::LEVEL;
use crate::analysis::regression::{Change, Outcome};
use crate::config::Bar;
use crate::report::format::Table;
use crate::report::words::{count, interval, points, probability, score, short, unit};

/// What was checked, and how strictly.
pub struct Checked<'a> {
    /// The experiment's name.
    pub name: &'a str,
    /// The claims.
    pub claims: Vec<Judgement<'a>>,
    /// The arms of the baseline; `None` without one.
    pub changes: Option<Vec<Change>>,
    /// Whether what the seeds cannot decide fails.
    pub strict: bool,
    /// Whether slower steps fail.
    pub fail_on_time: bool,
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
}

impl Checked<'_> {
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
            })
        });
        let changes = self.changes.iter().flatten().map(|change| Item {
            class: "regression",
            name: change_name(change),
            level: self.of_outcome(change.outcome),
            word: change.outcome.word(),
            message: explain_change(change),
        });
        let times = self.changes.iter().flatten().filter_map(|change| {
            let slower = change.slower?;
            Some(Item {
                class: "time",
                name: change_name(change),
                level: if self.fail_on_time { Level::Fail } else { Level::Warn },
                word: "SLOWER",
                message: format!("a step takes {slower:.2} times as long as in the baseline"),
            })
        });
        claims.chain(changes).chain(times).collect()
    }

    fn undecided(&self) -> Level {
        if self.strict { Level::Fail } else { Level::Warn }
    }

    fn of_finding(&self, finding: Finding) -> Level {
        match finding {
            Finding::Supported => Level::Pass,
            Finding::Underpowered => self.undecided(),
            Finding::Refuted => Level::Fail,
        }
    }

    fn of_outcome(&self, outcome: Outcome) -> Level {
        match outcome {
            Outcome::Identical | Outcome::Unchanged | Outcome::Improved => Level::Pass,
            Outcome::Unclear => self.undecided(),
            Outcome::Regressed | Outcome::Diverged | Outcome::Missing => Level::Fail,
        }
    }

    /// The findings in one sentence.
    pub fn headline(&self) -> String {
        let mut said = Vec::new();
        if !self.claims.is_empty() {
            let with = |finding| self.claims.iter().filter(|judgement| judgement.finding == finding).count();
            let mut text = format!("{} of {} supported", with(Finding::Supported), count(self.claims.len(), "claim"));
            for finding in [Finding::Refuted, Finding::Underpowered] {
                if with(finding) > 0 {
                    text += &format!(", {} {}", with(finding), finding.word().to_lowercase());
                }
            }
            said.push(text);
        }
        if let Some(changes) = &self.changes {
            let bad = changes.iter().filter(|change| self.of_outcome(change.outcome) == Level::Fail).count();
            let unclear = changes.iter().filter(|change| change.outcome == Outcome::Unclear).count();
            let mut text = if bad == 0 { "no regression".to_owned() } else { count(bad, "regression") };
            text += &format!(" in {}", count(changes.len(), "arm"));
            if unclear > 0 && !self.strict {
                text += &format!(" ({unclear} worse inside the noise)");
            }
            let slower = changes.iter().filter(|change| change.slower.is_some()).count();
            if slower > 0 {
                text += &format!(", {slower} slower");
            }
            said.push(text);
        }
        let verdict = if self.level() == Level::Fail { "FAILED" } else { "passed" };
        format!("{}: check {verdict}: {}.", self.name, said.join("; "))
    }

    /// The table of every claim.
    pub(super) fn claims_table(&self) -> Table {
        let mut table = Table::new("Claims", "", 3);
        table.head(["finding", "claim", "task", "lead [95%]", "margin", "seeds"]);
        for judgement in &self.claims {
            for part in &judgement.parts {
                let lead = part.lead.as_ref();
                let cell = lead.map_or_else(
                    || "-".into(),
                    |lead| {
                        let (low, high) = lead.interval(LEVEL);
                        let score = |x: f64| score(x, part.metric);
                        format!("{} [{}, {}]", score(lead.mean), score(low), score(high))
                    },
                );
                table.rows.push(vec![
                    part.finding.word().to_owned(),
                    judgement.claim.label.clone(),
                    part.task.clone() + &at(part),
                    cell,
                    bar(judgement, part),
                    lead.map_or(0, |lead| lead.n).to_string(),
                ]);
            }
        }
        table
    }

    /// The table of the arms that changed.
    pub(super) fn changes_table(&self) -> Table {
        let mut table = Table::new("Against the baseline", "", 4);
        table.head(["outcome", "task", "arm", "settings", "before", "now", "worse by [95%]", "p (Holm)", "seeds"]);
        let quiet = |change: &&Change| matches!(change.outcome, Outcome::Identical | Outcome::Unchanged);
        for change in self.changes.iter().flatten().filter(|change| !quiet(change)) {
            let cell = |x: Option<f64>| {
                x.map_or_else(|| "-".into(), |x| format!("{}{}", score(x, change.metric), unit(change.metric)))
            };
            let worse = change.worse.as_ref();
            table.rows.push(vec![
                change.outcome.word().to_owned(),
                change.task.clone(),
                change.arm.clone(),
                settings(change),
                cell(change.before),
                cell(change.now),
                worse.map_or_else(
                    || "-".into(),
                    |worse| {
                        let (low, high) = worse.interval(LEVEL);
                        let score = |x: f64| score(x, change.metric);
                        format!("{} [{}, {}]", score(worse.mean), score(low), score(high))
                    },
                ),
                probability(change.p),
                worse.map_or(0, |worse| worse.n).to_string(),
            ]);
        }
        table
    }
}

/// `a+constant at most 1% worse than b+cosine`.
pub(super) fn statement(judgement: &Judgement) -> String {
    let claim = judgement.claim;
    let bar = match claim.bar {
        Bar::Margin(0.0) => "no worse than".to_owned(),
        Bar::Margin(share) => format!("at most {}% worse than", short(100.0 * share)),
        Bar::By(0.0) => "better than".to_owned(),
        Bar::By(share) => format!("more than {}% better than", short(100.0 * share)),
    };
    if let Some((low, high)) = claim.lr {
        let (low, high) = (short(low), short(high));
        return format!("a rate {low} to {high} times the best costs {} {bar} {}", claim.better, claim.than);
    }
    format!("{} {bar} {}", claim.better, claim.than)
}

/// Where a part of a claim is judged, if not at the best settings.
fn at(part: &Part) -> String {
    let lr = part.lr.map_or_else(String::new, |lr| format!(" at lr {}", short(lr)));
    part.horizon.map_or(lr, |step| format!(" at step {step}"))
}

fn part_name(judgement: &Judgement, part: &Part) -> String {
    format!("{} on {}{}", judgement.claim.label, part.task, at(part))
}

/// How much worse is granted, or the lead that is claimed.
fn bar(judgement: &Judgement, part: &Part) -> String {
    match judgement.claim.bar {
        Bar::Margin(_) => points(0.0 - part.needed, part.metric),
        Bar::By(_) => format!("> {}", points(part.needed, part.metric)),
    }
}

fn explain(judgement: &Judgement, part: &Part) -> String {
    let mut text = statement(judgement);
    if let Some(lead) = &part.lead {
        let metric = part.metric;
        text += &format!(
            ": {} {} {} (95% interval of the lead {}, {}; {})",
            metric.name(),
            points(lead.mean.abs(), metric),
            if lead.mean < 0.0 { "worse" } else { "better" },
            interval(lead.interval(LEVEL), metric),
            count(lead.n, "seed"),
            match judgement.claim.bar {
                Bar::Margin(_) => format!("{} worse would do", bar(judgement, part)),
                Bar::By(_) => format!("it takes more than {}", points(part.needed, metric)),
            },
        );
        if let (Finding::Underpowered, Some(detectable)) = (part.finding, part.detectable) {
            text += &format!("; these seeds see {} with 80% power: raise `seeds`", points(detectable, metric));
        }
    }
    if let Some(note) = &part.note {
        text += &format!("; {note}");
    }
    text
}

fn settings(change: &Change) -> String {
    let value = |text: &str| text.parse().map_or_else(|_| text.to_owned(), short);
    change.settings.iter().map(|(key, text)| format!("{key} {}", value(text))).collect::<Vec<_>>().join(", ")
}

fn change_name(change: &Change) -> String {
    format!("{}: {} at {}", change.task, change.arm, settings(change))
}

fn explain_change(change: &Change) -> String {
    let metric = change.metric;
    let Some(worse) = &change.worse else { return format!("no run of it to compare ({})", change.outcome.word()) };
    let mut text = format!(
        "{} worse by {} (95% interval {}, {}); {} allowed; p {}",
        metric.name(),
        points(worse.mean, metric),
        interval(worse.interval(LEVEL), metric),
        count(worse.n, "seed"),
        points(change.allowed, metric),
        probability(change.p),
    );
    if let (Outcome::Unclear, Some(detectable)) = (change.outcome, change.detectable) {
        text += &format!("; these seeds see {} with 80% power: raise `seeds`", points(detectable, metric));
    }
    text
}
