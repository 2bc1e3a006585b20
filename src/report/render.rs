//! The report in the terminal, in Markdown, as CSV and as JSON.

use serde_json::{Value, json};

use crate::analysis::{Sample, comparison, good_range, rates};
use crate::error::{Error, Result};
use crate::report::format::{Format, Table};
use crate::report::over_tasks::over_tasks;
use crate::report::profiles::Profiles;
use crate::report::tables::GOOD;
use crate::report::{Results, Section, charts, gradients, html};
use crate::settings::number;

/// The report of an experiment in one format.
///
/// # Errors
/// When it cannot be put together from the results.
pub fn render(results: &Results, format: Format) -> Result<String> {
    let sections = results.sections();
    let rankings = results.rankings();
    let profiles = Profiles::new(&rankings);
    let closing = over_tasks(&sections);
    let joined = |write: fn(&Section) -> String| sections.iter().map(write).collect::<Vec<_>>().join("\n");
    match format {
        Format::Table => Ok(joined(terminal) + &closing.map(|text| format!("\n{text}\n")).unwrap_or_default()),
        Format::Markdown => {
            let texts = sections.iter().map(|section| markdown(results, section)).collect::<Result<Vec<_>>>()?;
            let over_tasks = profiles.map(|profiles| profiles.table()).map(|table| table_with_note(&table, "##"));
            let closing = closing.map(|text| format!("\n**{text}**\n")).unwrap_or_default();
            Ok(texts.join("\n") + &closing + &over_tasks.unwrap_or_default())
        }
        Format::Csv => csv(&sections),
        Format::Json => json(results, &sections, profiles.as_ref()),
        Format::Html => html::page(results, &charts::draw(results, &charts::Choice::default())?),
    }
}

fn terminal(section: &Section) -> String {
    let warnings: String = section.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    let gap = if warnings.is_empty() { "" } else { "\n" };
    let anytime = section.anytime_answers().iter().map(|answer| format!("Anytime: {answer}.\n")).collect::<String>();
    let anytime = if anytime.is_empty() { anytime } else { format!("\n{anytime}") };
    let table = section.compact().terminal();
    format!("{}\n{}\n\n{table}{anytime}{gap}{warnings}", section.headline(), section.subtitle())
}

fn markdown(results: &Results, section: &Section) -> Result<String> {
    let probed = gradients::table(&gradients::seen(&results.store, &section.ranking)?);
    let mut text = format!("## {}\n\n**{}**\n\n{}\n", section.ranking.task, section.headline(), section.subtitle());
    for table in section.tables().into_iter().chain(probed) {
        text += &table_with_note(&table, "###");
    }
    if !section.warnings.is_empty() {
        text += "\n### Warnings\n\n";
        text += &section.warnings.iter().map(|warning| format!("- {warning}\n")).collect::<String>();
    }
    Ok(text)
}

fn table_with_note(table: &Table, level: &str) -> String {
    let note = if table.note.is_empty() { String::new() } else { format!("\n{}\n", table.note) };
    format!("\n{level} {}\n\n{}{note}", table.title, table.markdown())
}

/// One row an optimizer and schedule, numbers that read back exactly.
fn csv(sections: &[Section]) -> Result<String> {
    let mut table = Table::new("", "", 6);
    table.head(["task", "rank", "optimizer", "schedule", "chosen", "metric"]);
    table.head(["val_mean", "val_std", "test_mean", "test_std", "n", "runs", "diverged"]);
    table.head(["lead_mean", "lead_low", "lead_high", "p_holm", "verdict"]);
    table.head(["good_lr_low", "good_lr_high", "steps_to_target", "seconds_to_target", "ms_per_step", "state_bytes"]);
    table.head(["loss_floor", "above_floor_mean", "above_floor_std"]);
    let cell = |x: Option<f64>| x.filter(|x| x.is_finite()).map(number).unwrap_or_default();
    for Section { ranking, comparisons, .. } in sections {
        let metric = ranking.metric;
        for (place, (rank, comparison)) in ranking.ranks.iter().zip(comparisons).enumerate() {
            let (validation, reported) = (rank.best.validation(metric), rank.best.reported(metric));
            let settings = if rank.is_ranked() { rank.chosen() } else { Vec::new() };
            let chosen: Vec<String> = settings.iter().map(|(key, value)| format!("{key} {value}")).collect();
            let place = if rank.is_ranked() { (place + 1).to_string() } else { String::new() };
            let mut row = vec![ranking.task.clone(), place];
            row.extend([rank.optimizer.to_owned(), rank.schedule.to_owned(), chosen.join(", ")]);
            row.push(metric.name().to_owned());
            row.extend([validation.mean(), validation.deviation(), reported.mean(), reported.deviation()].map(cell));
            row.extend([reported.len(), rank.runs, rank.diverged].map(|n| n.to_string()));
            let lead = comparison.as_ref().and_then(|comparison| comparison.lead.as_ref());
            let interval = lead.map(|lead| lead.interval(comparison::LEVEL));
            row.extend([lead.map(|lead| lead.mean), interval.map(|i| i.0), interval.map(|i| i.1)].map(cell));
            row.push(cell(comparison.as_ref().and_then(|comparison| comparison.p_adjusted)));
            row.push(comparison.as_ref().map_or("leader", |comparison| comparison.verdict.word()).to_owned());
            let good = good_range(&rates(&rank.tried, metric), metric, GOOD);
            row.extend([good.map(|good| good.0), good.map(|good| good.1)].map(cell));
            row.push(cell(rank.best.steps_to_target().mean()));
            row.push(cell(rank.best.seconds_to_target().mean()));
            row.push(cell(rank.best.milliseconds().mean()));
            row.push(rank.best.runs[0].state_bytes.to_string());
            let above = rank.best.above_floor();
            row.extend([ranking.loss_floor(), above.mean(), above.deviation()].map(cell));
            table.rows.push(row);
        }
    }
    table.csv()
}

pub(super) fn statistics(sample: &Sample) -> Value {
    json!({ "n": sample.len(), "mean": sample.mean(), "std": sample.deviation() })
}

fn json(results: &Results, sections: &[Section], profiles: Option<&Profiles>) -> Result<String> {
    let tasks = sections
        .iter()
        .map(|section| {
            let seen = gradients::seen(&results.store, &section.ranking)?;
            let ranks = (0..section.ranking.ranks.len()).map(|place| json_rank(section, place, &seen));
            Ok(json!({
                "task": section.ranking.task,
                "metric": section.ranking.metric.name(),
                "answer": section.headline(),
                "loss_floor": section.ranking.loss_floor(),
                "warnings": section.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "anytime": section.anytime_json(),
                "ranks": ranks.collect::<Vec<_>>(),
            }))
        })
        .collect::<Result<Vec<Value>>>()?;
    let answers: Vec<String> = sections.iter().map(Section::headline).chain(over_tasks(sections)).collect();
    let document = json!({
        "experiment": results.experiment.name,
        "answer": answers.join(" "),
        "performance": profiles.map(Profiles::json),
        "tasks": tasks,
    });
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|error| Error::Usage(error.to_string()))
}

fn json_rank(section: &Section, place: usize, seen: &[gradients::Seen]) -> Value {
    let (rank, comparison) = (&section.ranking.ranks[place], section.comparisons[place].as_ref());
    let metric = section.ranking.metric;
    let lead = comparison.and_then(|comparison| comparison.lead.as_ref());
    // Unbounded ends are null: JSON has no infinity.
    let interval = lead.map(|lead| lead.interval(comparison::LEVEL)).map(|(low, high)| [low, high]);
    json!({
        "optimizer": rank.optimizer,
        "schedule": rank.schedule,
        "chosen": rank.chosen().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "validation": statistics(&rank.best.validation(metric)),
        "reported": statistics(&rank.best.reported(metric)),
        "above_floor": statistics(&rank.best.above_floor()),
        "difference": comparison.map(|comparison| json!({
            "lead": lead.map(|lead| lead.mean),
            "interval": interval,
            "n": lead.map(|lead| lead.n),
            "p_holm": comparison.p_adjusted,
            "p_wilcoxon": comparison.wilcoxon,
            "detectable": comparison.detectable,
            "verdict": comparison.verdict.word(),
        })),
        "good_lr": good_range(&rates(&rank.tried, metric), metric, GOOD).map(|(low, high)| [low, high]),
        "expected_best": section.ranking.expected_best(rank),
        "steps_to_target": statistics(&rank.best.steps_to_target()),
        "seconds_to_target": statistics(&rank.best.seconds_to_target()),
        "ms_per_step": statistics(&rank.best.milliseconds()),
        "state_bytes": rank.best.runs[0].state_bytes,
        "magnitudes": gradients::json(seen, place),
        "runs": rank.runs,
        "diverged": rank.diverged,
    })
}
