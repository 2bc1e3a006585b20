//! GitHub's Markdown.

use crate::report::document::{Align, Cell, Check, Level, Report, Room, Table, Task};
use crate::report::render::format::Format;

const ROOM: Room = Room::Wide;

/// The report.
pub const REPORT: Format<Report> = Format { name: "markdown", render: |said| Ok(report(said)), is_illustrated: false };

/// The findings of a check.
pub const CHECK: Format<Check> = Format { name: "markdown", render: |found| Ok(check(found)), is_illustrated: false };

fn report(report: &Report) -> String {
    let tasks: Vec<String> = report.tasks.iter().map(task).collect();
    let mut text = tasks.join("\n");
    text.extend(report.closing.iter().map(|said| format!("\n**{said}**\n")));
    text.extend(report.seeds_note.iter().map(|said| format!("\n{said}\n")));
    text.extend(report.tables.iter().map(|one| titled(one, "##")));
    if let Some(claims) = &report.claimed {
        let (said, parts) = (table(&claims.said), titled(&claims.parts, "###"));
        text += &format!("\n## Claims\n\n**{}**\n\n{said}{parts}", claims.headline);
    }
    text
}

fn task(task: &Task) -> String {
    let note = task.note.as_ref().map_or_else(String::new, |note| format!("\n> {note}\n"));
    let rest = if task.rest.is_empty() { String::new() } else { format!(" {}", task.rest) };
    let mut text = format!("## {}\n\n**{}**{rest}\n{note}\n{}\n", task.task, task.first, task.subtitle);
    let tables = std::iter::once(&task.ranking).filter(|ranking| !ranking.is_empty()).chain(&task.tables);
    text.extend(tables.filter(|table| table.shown.fits(ROOM)).map(|table| titled(table, "###")));
    let warnings: String = task.others.iter().map(|warning| format!("- {warning}\n")).collect();
    if !warnings.is_empty() {
        text += &format!("\n### Warnings\n\n{warnings}");
    }
    text
}

fn check(check: &Check) -> String {
    let mut text = format!("## optbench check\n\n**{}**\n", check.answer);
    text.extend(check.seeds_note.iter().map(|said| format!("\n{said}\n")));
    text.extend(check.tables.iter().map(|table| titled(table, "###")));
    // The table of claims says why by itself.
    let others = check.findings.iter().filter(|finding| finding.level > Level::Pass && finding.class != "claim");
    let mut list: String = others.map(|one| format!("- **{}** {}: {}\n", one.word, one.name, one.message)).collect();
    list.extend(check.notes.iter().map(|note| format!("- {}: {}\n", note.of, note.said)));
    list.extend(check.help.map(|help| format!("- {help}\n")));
    if list.is_empty() { text } else { format!("{text}\n{list}") }
}

/// A table with its heading and what is to be known of it.
fn titled(one: &Table, level: &str) -> String {
    let note = one.explanation(ROOM);
    let note = if note.is_empty() { note } else { format!("\n{note}\n") };
    format!("\n{level} {}\n\n{}{note}", one.title, table(one))
}

fn table(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let rule = table.columns_in(ROOM).map(|(_, column)| match column.align {
        Align::Left => "---".to_owned(),
        Align::Right => "---:".to_owned(),
    });
    let cell = |cell: &Cell| cell.to_string().replace('|', "\\|");
    let rows = table.rows_in(ROOM).map(|row| line(row.into_iter().map(cell).collect()));
    let header = table.titles(ROOM).iter().map(|title| title.replace('|', "\\|")).collect();
    line(header) + &line(rule.collect()) + &rows.collect::<String>()
}
