//! Columns for a terminal, of about a hundred letters.

use comfy_table::{CellAlignment, ContentArrangement, Table as Columns, presets};

use crate::report::document::{Align, Check, Level, Report, Room, Table, Task};
use crate::report::render::format::Format;

const ROOM: Room = Room::Narrow;

/// Where a reader finds what a terminal leaves out.
const MORE: &str = "\nhelp: what the columns mean, every setting and the charts are in report.html\n";

/// The whole report.
pub const REPORT: Format<Report> = Format { name: "table", render: |report| Ok(full(report)), is_illustrated: false };

/// The report after training: without what follows the ranking.
pub const BRIEF: Format<Report> =
    Format { name: "brief", render: |report| Ok(tasks(report, ranking)), is_illustrated: false };

/// The findings of a check.
pub const CHECK: Format<Check> = Format { name: "table", render: |found| Ok(check(found)), is_illustrated: false };

fn full(report: &Report) -> String {
    let with_tables = |task: &Task| {
        let tables = task.tables.iter().filter(|table| table.shown.fits(ROOM));
        let tables: String = tables.map(|one| format!("\n{}\n\n{}", one.title, table(one))).collect();
        ranking(task) + &tables
    };
    tasks(report, with_tables) + MORE
}

fn tasks(report: &Report, task: impl Fn(&Task) -> String) -> String {
    let texts: Vec<String> = report.tasks.iter().map(task).collect();
    let closing: String = report.closing.iter().chain(&report.seeds_note).map(|said| format!("\n{said}\n")).collect();
    texts.join("\n") + &closing
}

/// The answer, what weakens it, and the ranking.
pub(in crate::report) fn ranking(task: &Task) -> String {
    let warned = |said: &[String]| said.iter().map(|said| format!("warning: {said}\n")).collect::<String>();
    let top = format!("{}\n{}{}\n", task.answer, warned(&task.caveats), task.subtitle);
    let warnings = warned(&task.others);
    if task.ranking.is_empty() {
        return format!("{top}\n{warnings}");
    }
    let gap = if warnings.is_empty() { "" } else { "\n" };
    let order = task.order_note.as_ref().map_or_else(String::new, |note| format!("\n{note}\n"));
    let anytime: String = task.anytime_said.iter().map(|said| format!("Anytime: {said}.\n")).collect();
    let anytime = if anytime.is_empty() { anytime } else { format!("\n{anytime}") };
    format!("{top}\n{}{order}{anytime}{gap}{warnings}", table(&task.ranking))
}

fn check(check: &Check) -> String {
    let mut text = format!("{}\n", check.answer);
    text.extend(check.seeds_note.iter().map(|said| format!("{said}\n")));
    for one in &check.tables {
        text += &format!("\n{}", table(one));
        let explanation = one.explanation(ROOM);
        if !explanation.is_empty() {
            text += &format!("\n  {explanation}\n");
        }
    }
    let said = check.findings.iter().filter_map(|finding| match (finding.level, &finding.note) {
        (Level::Pass, None) => None,
        (Level::Pass, Some(note)) => Some(format!("note: {} {}: {note}\n", finding.word, finding.name)),
        (Level::Warn, _) => Some(format!("warning: {} {}: {}\n", finding.word, finding.name, finding.message)),
        (Level::Fail, _) => Some(format!("error: {} {}: {}\n", finding.word, finding.name, finding.message)),
    });
    let said: String = said.collect();
    if !said.is_empty() {
        text += &format!("\n{said}");
    }
    text.extend(check.notes.iter().map(|note| format!("note: {}: {}\n", note.of, note.said)));
    text.extend(check.help.map(|help| format!("help: {help}\n")));
    text
}

/// A table in columns.
fn table(table: &Table) -> String {
    let mut columns = Columns::new();
    columns.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    columns.set_header(table.titles(ROOM));
    for row in table.rows_in(ROOM) {
        columns.add_row(row.iter().map(ToString::to_string));
    }
    for ((_, one), column) in table.columns_in(ROOM).zip(columns.column_iter_mut()) {
        if one.align == Align::Right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    columns.lines().map(|line| format!("  {}\n", line.trim_end())).collect()
}
