//! The report in the terminal, in Markdown and as CSV; what other formats need lies in files of their own.

use crate::analysis::{Difference, Sample, Warning, good_range, rates};
use crate::error::Result;
use crate::report::format::{Format, Table};
use crate::report::over_tasks::{self, Over};
use crate::report::profiles::Profiles;
use crate::report::sensitivity::GOOD;
use crate::report::{Checked, Results, Section, charts, gradients, html, json};
use crate::settings::number;

/// Where a reader of the terminal finds what it leaves out.
const MORE: &str = "\nhelp: what the columns mean, every setting and the charts are in report.html\n";

/// The report of an experiment in one format.
///
/// # Errors
/// When it cannot be put together from the results.
pub fn render(results: &Results, format: Format) -> Result<String> {
    let sections = results.sections();
    let rankings = results.rankings();
    let profiles = Profiles::new(&rankings);
    let closing = over_tasks::answer(&sections);
    match format {
        Format::Brief | Format::Table => {
            let details = |one: &Section| if format == Format::Table { details(one) } else { String::new() };
            let texts: Vec<String> = sections.iter().map(|one| terminal(one) + &details(one)).collect();
            let closing = closing.map(|text| format!("\n{text}\n")).unwrap_or_default();
            let seeds = results.seeds_said().iter().map(|said| format!("\n{said}\n")).collect::<String>();
            let rest = if format == Format::Table { MORE } else { "" };
            Ok(texts.join("\n") + &closing + &seeds + rest)
        }
        Format::Markdown => {
            let texts = sections.iter().map(|section| markdown(results, section)).collect::<Result<Vec<_>>>()?;
            let tables = Over::new(&sections).map(|over| over.table()).into_iter();
            let tables = tables.chain(profiles.map(|profiles| profiles.table()));
            let over_tasks: String = tables.map(|table| table_with_note(&table, "##")).collect();
            let closing = closing.map(|text| format!("\n**{text}**\n")).unwrap_or_default();
            let seeds = results.seeds_said().iter().map(|said| format!("\n{said}\n")).collect::<String>();
            Ok(texts.join("\n") + &closing + &seeds + &over_tasks + &claims(results).unwrap_or_default())
        }
        Format::Csv => csv(&sections),
        Format::Json => json::json(results, &sections, profiles.as_ref()),
        Format::Html => html::page(results, &charts::draw(results, &charts::Choice::default())?),
    }
}

/// Sensitivity, search and cost, after the ranking.
fn details(section: &Section) -> String {
    let mut tables = vec![section.sensitivity(), section.search(), section.cost()];
    if section.ranking.ranks.len() == 1 {
        // There is nothing else to compare.
        tables.insert(0, section.other_values());
    }
    let shown = tables.iter().filter(|table| !table.rows.is_empty());
    shown.map(|table| format!("\n{}\n\n{}", table.title, table.terminal())).collect()
}

pub(super) fn terminal(section: &Section) -> String {
    let said = |warning: &Warning| format!("warning: {warning}\n");
    let caveats: String = section.caveats().map(said).collect();
    let top = format!("{}\n{caveats}{}\n", section.headline(), section.subtitle());
    let warnings: String = section.other_warnings().map(said).collect();
    if section.ranking.ranks.is_empty() {
        return format!("{top}\n{warnings}");
    }
    let gap = if warnings.is_empty() { "" } else { "\n" };
    let order = section.order_note().map_or_else(String::new, |note| format!("\n{note}\n"));
    let anytime = section.anytime_answers().iter().map(|answer| format!("Anytime: {answer}.\n")).collect::<String>();
    let anytime = if anytime.is_empty() { anytime } else { format!("\n{anytime}") };
    let table = section.compact().terminal();
    format!("{top}\n{table}{order}{anytime}{gap}{warnings}")
}

fn markdown(results: &Results, section: &Section) -> Result<String> {
    let probed = gradients::table(&gradients::seen(&results.store, &section.ranking)?);
    let note = section.note().map_or_else(String::new, |note| format!("\n> {note}\n"));
    let (answer, rest) = section.answer();
    let rest = if rest.is_empty() { rest } else { format!(" {rest}") };
    let mut text = format!("## {}\n\n**{answer}**{rest}\n{note}\n{}\n", section.ranking.task, section.subtitle());
    for table in section.tables().into_iter().chain(probed) {
        text += &table_with_note(&table, "###");
    }
    let warnings: String = section.other_warnings().map(|warning| format!("- {warning}\n")).collect();
    if !warnings.is_empty() {
        text += &format!("\n### Warnings\n\n{warnings}");
    }
    Ok(text)
}

/// The claims with what was found; `None` where there are none.
fn claims(results: &Results) -> Option<String> {
    let checked = Checked::of_claims(results)?;
    let (said, parts) = (checked.claims_table().markdown(), checked.parts_table(true));
    Some(format!("\n## Claims\n\n**{}**\n\n{said}{}", checked.headline(), table_with_note(&parts, "###")))
}

fn table_with_note(table: &Table, level: &str) -> String {
    let note = if table.note.is_empty() { String::new() } else { format!("\n{}\n", table.note) };
    format!("\n{level} {}\n\n{}{note}", table.title, table.markdown())
}

/// One row an optimizer and schedule, numbers that read back exactly; every hyper-parameter has a column at the end.
fn csv(sections: &[Section]) -> Result<String> {
    let mut table = Table::new("", "", 6);
    table.head(["task", "rank", "optimizer", "schedule", "chosen", "metric"]);
    table.head(["val_mean", "val_std", "test_mean", "test_std", "n", "runs", "diverged"]);
    table.head(["lead_mean", "lead_low", "lead_high", "p_holm", "verdict"]);
    table.head(["good_lr_low", "good_lr_high", "steps_to_target", "seconds_to_target", "ms_per_step", "state_bytes"]);
    table.head(["loss_floor", "above_floor_mean", "above_floor_std", "reached_target"]);
    let keys = keys(sections);
    table.head(keys.iter().copied());
    table.head(["may_be_best", "p_worse", "lead_std", "lead_share"]);
    table.head(["steps_saved_mean", "steps_saved_low", "steps_saved_high", "basis", "level", "note"]);
    let cell = |x: Option<f64>| x.filter(|x| x.is_finite()).map(number).unwrap_or_default();
    for section in sections {
        let Section { ranking, comparisons, .. } = section;
        let metric = ranking.metric;
        for (place, (rank, comparison)) in ranking.ranks.iter().zip(comparisons).enumerate() {
            let (validation, reported) = (rank.selection.validation(metric), rank.best.reported(metric));
            let settings = if rank.is_ranked() { rank.chosen() } else { Vec::new() };
            let chosen: Vec<String> = settings.iter().map(|(key, value)| format!("{key} {value}")).collect();
            let number = if rank.is_ranked() { (place + 1).to_string() } else { String::new() };
            let mut row = vec![ranking.task.clone(), number];
            row.extend([rank.optimizer.to_owned(), rank.schedule.to_owned(), chosen.join(", ")]);
            row.push(metric.name().to_owned());
            let tested = Some(&reported).filter(|_| rank.best.runs.iter().any(|run| run.test.is_some()));
            row.extend([validation.mean(), validation.deviation()].map(cell));
            row.extend([tested.and_then(Sample::mean), tested.and_then(Sample::deviation)].map(cell));
            row.extend([reported.len(), rank.runs, rank.diverged].map(|n| n.to_string()));
            let lead = comparison.as_ref().and_then(|comparison| comparison.lead.as_ref());
            let with_interval = |difference: Option<&Difference>| {
                let interval = difference.map(|difference| section.standard.interval(difference));
                [difference.map(|difference| difference.mean), interval.map(|i| i.0), interval.map(|i| i.1)].map(cell)
            };
            row.extend(with_interval(lead));
            row.push(cell(comparison.as_ref().and_then(|comparison| comparison.p_adjusted)));
            row.push(comparison.as_ref().map_or("leader", |comparison| comparison.verdict.word()).to_owned());
            let good = good_range(&rates(rank), GOOD).filter(|_| !section.gave_up(rank));
            row.extend([good.map(|good| good.0), good.map(|good| good.1)].map(cell));
            row.push(cell(rank.best.steps_to_target().mean()));
            row.push(cell(rank.best.seconds_to_target().mean()));
            row.push(cell(rank.best.milliseconds().mean()));
            row.push(rank.best.runs[0].state_bytes.to_string());
            let above = rank.best.above_floor();
            row.extend([ranking.loss_floor(), above.mean(), above.deviation()].map(cell));
            row.push(rank.best.steps_to_target().len().to_string());
            let run = rank.best.runs[0];
            let value = |key: &&str| run.hyper_parameter(key).filter(|_| rank.is_ranked());
            row.extend(keys.iter().map(|key| value(key).map(ToString::to_string).unwrap_or_default()));
            let compared = comparison.as_ref();
            row.push(section.may_be_best_at(place).to_string());
            let effect = compared.map(|comparison| comparison.effect).unwrap_or_default();
            row.extend([compared.and_then(|one| one.p_worse), effect.deviations, effect.share].map(cell));
            row.extend(with_interval(compared.and_then(|comparison| comparison.steps_saved.as_ref())));
            row.extend([section.standard.basis.name().to_owned(), cell(Some(section.standard.alpha))]);
            row.push(section.note_at(place).unwrap_or_default());
            table.rows.push(row);
        }
    }
    table.csv()
}

/// The hyper-parameters of what is ranked, the optimizers' before the schedules'.
fn keys<'a>(sections: &[Section<'a>]) -> Vec<&'a str> {
    let mut keys: Vec<&'a str> = Vec::new();
    let runs = sections.iter().flat_map(|section| &section.ranking.ranks).map(|rank| rank.best.runs[0]);
    for (key, _) in runs.flat_map(|run| &run.hyper_parameters) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    keys.sort_by_key(|key| key.starts_with("schedule."));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ranking;
    use crate::analysis::simulated::{Arm, records};
    use crate::metric::Metric;

    #[test]
    fn a_task_without_a_test_split_has_empty_test_columns() {
        let tested = |test: Option<Vec<f64>>| {
            let records = records(&[Arm { test, steps_to_target: Some(40), ..Arm::at("a", 0.1, &[1.0, 2.0]) }]);
            let text = csv(&[Section::new(ranking(&records, "task", Metric::LOSS), &records, None)]).unwrap();
            let row: std::collections::BTreeMap<String, String> =
                csv::Reader::from_reader(text.as_bytes()).deserialize().next().unwrap().unwrap();
            [row["val_mean"].clone(), row["test_mean"].clone(), row["reached_target"].clone(), row["lr"].clone()]
        };
        assert_eq!(tested(None), ["1.5", "", "2", "0.1"]);
        assert_eq!(tested(Some(vec![3.0, 4.0])), ["1.5", "3.5", "2", "0.1"]);
    }

    #[test]
    fn the_terminal_has_sensitivity_and_cost() {
        let records = records(&[Arm::at("a", 0.1, &[1.0]), Arm::at("a", 1.0, &[2.0])]);
        let text = details(&Section::new(ranking(&records, "task", Metric::LOSS), &records, None));
        for title in ["Sensitivity to the learning rate", "What the search cost", "Cost"] {
            assert!(text.contains(&format!("\n{title}\n")), "{title}: {text}");
        }
    }
}
