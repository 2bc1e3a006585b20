//! What is said: each file puts one subject into words, tables and numbers.

mod answer;
mod anytime;
mod arms;
pub(super) mod check;
mod cost;
mod differences;
mod evidence;
mod gradients;
mod other_values;
mod over_tasks;
mod profiles;
mod ranking;
mod rows;
mod search;
mod seeds;
mod sensitivity;
mod settings;
mod task;
mod tries;
pub(super) mod words;

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod tests;

use crate::analysis::profile::Profiles;
use crate::error::Result;
use crate::report::document::{Provenance, Report, SCHEMA_VERSION};
use crate::report::{Results, Section};

use check::Checked;
use over_tasks::Over;

/// The report of an experiment, of what there is to say of its tasks.
///
/// # Errors
/// When the probed sizes of a run, or `provenance.json`, cannot be read.
pub fn report(results: &Results, sections: &[Section]) -> Result<Report> {
    let tasks = sections.iter().map(|section| task::task(section, &results.store)).collect::<Result<Vec<_>>>()?;
    let rankings = sections.iter().map(|section| &section.ranking);
    let over = Over::new(sections);
    let closing = over_tasks::answer(sections, over.as_ref());
    let profiles = Profiles::new(rankings);
    let claims = Checked::new(results);
    let answers: Vec<&str> = tasks.iter().map(|task| task.answer.as_str()).chain(closing.as_deref()).collect();
    Ok(Report {
        schema_version: SCHEMA_VERSION,
        experiment: results.experiment.name.clone(),
        answer: answers.join(" "),
        over_tasks: over.as_ref().map(Over::facts),
        performance: profiles.as_ref().map(profiles::facts),
        claims: claims.claim_facts(),
        seeds_note: results.seeds_said(),
        tables: over.iter().map(Over::table).chain(profiles.iter().map(profiles::table)).collect(),
        claimed: claims.claimed(),
        arms: rows::table(sections),
        figures: Vec::new(),
        provenance: Provenance {
            runs: results.records.len(),
            curves: results.curves,
            text: results.store.read("provenance.json")?,
            config: results.experiment.to_toml(),
        },
        tasks,
        closing,
    })
}
