//! The page: one file that needs nothing else.

use minijinja::{AutoEscape, Environment, Value, context};

use crate::error::{Error, Result};
use crate::report::charts::Named;
use crate::report::format::Table;
use crate::report::over_tasks::{self, Over};
use crate::report::profiles::Profiles;
use crate::report::{Checked, Results, Section, gradients};

const TEMPLATE: &str = include_str!("report.html.jinja");
/// The report as a self-contained page.
pub(super) fn page(results: &Results, charts: &[Named]) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let refused = |error: minijinja::Error| Error::Usage(format!("the page could not be written: {error}"));
    environment.add_template("report", TEMPLATE).map_err(refused)?;
    let of = |task: Option<&str>| -> Vec<Value> {
        let chosen = charts.iter().filter(|named| named.task.as_deref() == task);
        chosen.map(|named| context! { name => &named.name, svg => named.chart.to_svg() }).collect()
    };
    let mut tasks = Vec::new();
    let sections = results.sections();
    for one in &sections {
        let probed = gradients::table(&gradients::seen(&results.store, &one.ranking)?);
        tasks.push(section(one, probed, &of(Some(&one.ranking.task))));
    }
    let context = context! {
        name => &results.experiment.name,
        tasks => tasks,
        closing => over_tasks::answer(&sections),
        over_tasks => Over::new(&sections).map(|over| of_table(&over.table())),
        seeds => results.seeds_said(),
        charts => of(None),
        profiles => Profiles::new(&results.rankings()).map(|profiles| of_table(&profiles.table())),
        claims => claims(results),
        runs => results.records.len(),
        curves => results.curves,
        provenance => results.store.read("provenance.json")?,
        config => results.experiment.to_toml(),
        version => env!("CARGO_PKG_VERSION"),
    };
    environment.get_template("report").and_then(|template| template.render(context)).map_err(refused)
}

fn section(section: &Section, probed: Option<Table>, charts: &[Value]) -> Value {
    let mut tables = section.tables().into_iter().map(|table| of_table(&table));
    let ranking = tables.next();
    let last = probed.into_iter().chain([section.every_setting()]).map(|table| of_table(&table));
    let tables: Vec<Value> = tables.chain(last).collect();
    let (first, rest) = section.answer();
    context! {
        label => &section.ranking.task,
        headline => first,
        rest => rest,
        subtitle => section.subtitle(),
        caveats => section.caveats().map(ToString::to_string).collect::<Vec<_>>(),
        warnings => section.other_warnings().map(ToString::to_string).collect::<Vec<_>>(),
        ranking => ranking,
        tables => tables,
        charts => charts,
    }
}

/// The claims of the config with what was found; nothing where there are none.
fn claims(results: &Results) -> Option<Value> {
    let checked = Checked::of_claims(results)?;
    // The section has the table's title already.
    let said = Table { title: String::new(), ..checked.claims_table() };
    Some(
        context! { note => checked.headline(), said => of_table(&said), parts => of_table(&checked.parts_table(true)) },
    )
}

fn of_table(table: &Table) -> Value {
    let cell = |(column, text): (usize, &String)| {
        // A name that begins with a digit is still a name.
        let value = if column < table.words { text.parse().ok() } else { value(text) };
        context! { text => text, value => value.map(|value: f64| value.to_string()) }
    };
    let rows: Vec<Vec<Value>> = table.rows.iter().map(|row| row.iter().enumerate().map(cell).collect()).collect();
    context! {
        title => &table.title,
        note => &table.note,
        header => &table.header,
        rows => rows,
        words => table.words,
    }
}

/// The number by which a cell is sorted: its first, in bytes where it counts them.
fn value(text: &str) -> Option<f64> {
    let text = text.trim_start_matches(['<', '>', '≥', ' ']);
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-.e".contains(c))).unwrap_or(text.len());
    let number: f64 = if text.starts_with("-∞") {
        f64::NEG_INFINITY
    } else if text.starts_with('∞') {
        f64::INFINITY
    } else {
        text[..end].parse().ok()?
    };
    let unit = match text[end..].trim_start() {
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => 1.0,
    };
    Some(number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_sorted_by_what_they_mean() {
        let values = ["0 B", "12.6 kB", "2.41 MB", "1.20 GB"].map(|text| value(text).unwrap());
        assert_eq!(values, [0.0, 12_600.0, 2_410_000.0, 1.2e9]);
        assert_eq!(
            ["97.22 ± 0.31%", "< 0.001", "-0.5 points", "1.20e-4", "3/5"].map(value),
            [Some(97.22), Some(0.001), Some(-0.5), Some(1.2e-4), Some(3.0)]
        );
        assert_eq!(["∞", "-∞"].map(value), [Some(f64::INFINITY), Some(f64::NEG_INFINITY)]);
        assert_eq!(["-", "none", "", "better", "e"].map(value), [None; 5]);
    }
}
