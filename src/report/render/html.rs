//! The page: one file that needs nothing else.

use minijinja::{AutoEscape, Environment, HtmlEscape, Value, context};

use crate::error::{Error, Result};
use crate::report::document::{Align, Cell, Content, Figure, Report, Room, Table, Task, Tone};
use crate::report::render::format::Format;

const TEMPLATE: &str = include_str!("page.html.jinja");
const ROOM: Room = Room::Page;

/// The report.
pub const REPORT: Format<Report> = Format { name: "html", render: page, is_illustrated: true };

/// The report as a self-contained page.
///
/// # Errors
/// Never with finite memory.
pub fn page(report: &Report) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("prose", |text: String| Value::from_safe_string(prose(&text)));
    let refused = |error: minijinja::Error| Error::Usage(format!("the page could not be written: {error}"));
    environment.add_template("report", TEMPLATE).map_err(refused)?;
    let context = context! {
        name => &report.experiment,
        tasks => report.tasks.iter().map(task).collect::<Vec<_>>(),
        closing => &report.closing,
        over_tasks => report.tables.iter().map(table).collect::<Vec<_>>(),
        seeds => &report.seeds_note,
        charts => figures(&report.figures),
        claims => report.claimed.as_ref().map(|claims| context! {
            note => &claims.headline,
            // The section has the table's title already.
            said => table(&Table { title: String::new(), ..claims.said.clone() }),
            parts => table(&claims.parts),
        }),
        runs => report.provenance.runs,
        curves => report.provenance.curves,
        provenance => &report.provenance.text,
        config => &report.provenance.config,
        version => env!("CARGO_PKG_VERSION"),
    };
    environment.get_template("report").and_then(|template| template.render(context)).map_err(refused)
}

fn task(task: &Task) -> Value {
    context! {
        label => &task.task,
        headline => &task.first,
        rest => &task.rest,
        subtitle => &task.subtitle,
        caveats => &task.caveats,
        warnings => &task.others,
        ranking => (!task.ranking.is_empty()).then(|| table(&task.ranking)),
        tables => task.tables.iter().filter(|table| table.shown.fits(ROOM)).map(table).collect::<Vec<_>>(),
        charts => figures(&task.figures),
    }
}

fn figures(figures: &[Figure]) -> Vec<Value> {
    figures.iter().map(|figure| context! { name => &figure.name, svg => &figure.svg }).collect()
}

fn table(table: &Table) -> Value {
    let columns: Vec<Value> = table
        .columns_in(ROOM)
        .map(|(_, column)| {
            let help = (!column.help.is_empty()).then_some(&column.help);
            context! { title => &column.title, help => help, class => (column.align == Align::Right).then_some("number") }
        })
        .collect();
    let aligned: Vec<Align> = table.columns_in(ROOM).map(|(_, column)| column.align).collect();
    let row = |row: Vec<&Cell>| -> Vec<Value> {
        row.into_iter().zip(&aligned).map(|(one, align)| cell(one, *align)).collect()
    };
    context! {
        title => &table.title,
        note => table.explanation(ROOM),
        columns => columns,
        rows => table.rows_in(ROOM).map(row).collect::<Vec<_>>(),
    }
}

fn cell(cell: &Cell, align: Align) -> Value {
    let tone = match cell.content {
        Content::Word(_, Tone::Good) => Some("good"),
        Content::Word(_, Tone::Doubtful) => Some("warn"),
        Content::Word(_, Tone::Bad) => Some("bad"),
        _ => None,
    };
    let classes: Vec<&str> = (align == Align::Right).then_some("number").into_iter().chain(tone).collect();
    context! {
        text => cell.to_string(),
        value => cell.sort_value().map(|value| value.to_string()),
        class => (!classes.is_empty()).then(|| classes.join(" ")),
    }
}

/// Sentences in which what a config or a command would hold, between backticks, is set apart.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    let set = |(place, part): (usize, &&str)| {
        let part = HtmlEscape(part);
        // A backtick without another one stands for itself.
        match place % 2 {
            1 if place == last => format!("`{part}"),
            1 => format!("<code>{part}</code>"),
            _ => part.to_string(),
        }
    };
    parts.iter().enumerate().map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_config_holds_is_set_apart() {
        assert_eq!(prose("set `a < b` to `\"x\"`."), "set <code>a &lt; b</code> to <code>&quot;x&quot;</code>.");
        assert_eq!(
            (prose("no code & more"), prose("one ` alone")),
            ("no code &amp; more".into(), "one ` alone".into())
        );
    }
}
