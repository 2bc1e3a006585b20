//! The page: one file that needs nothing else.

use minijinja::{AutoEscape, Environment, context};

use crate::error::{Error, Result};
use crate::report::Results;
use crate::report::charts::Named;

const TEMPLATE: &str = include_str!("report.html.jinja");

/// The report as a self-contained page.
pub(super) fn page(results: &Results, charts: &[Named]) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let refused = |error: minijinja::Error| Error::Usage(format!("the page could not be written: {error}"));
    environment.add_template("report", TEMPLATE).map_err(refused)?;
    let tasks: Vec<_> = results
        .sections()
        .iter()
        .map(|section| {
            let tables: Vec<_> = section
                .tables()
                .into_iter()
                .map(|table| {
                    context! {
                        title => table.title,
                        note => table.note,
                        header => table.header,
                        rows => table.rows,
                        words => table.words,
                    }
                })
                .collect();
            context! {
                label => &section.ranking.task,
                headline => section.headline(),
                subtitle => section.subtitle(),
                warnings => section.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
                tables => tables,
            }
        })
        .collect();
    let charts: Vec<_> =
        charts.iter().map(|named| context! { name => &named.name, svg => named.chart.to_svg() }).collect();
    let context = context! {
        name => &results.experiment.name,
        tasks => tasks,
        charts => charts,
        runs => results.records.len(),
        config => results.experiment.to_toml(),
        version => env!("CARGO_PKG_VERSION"),
    };
    environment.get_template("report").and_then(|template| template.render(context)).map_err(refused)
}
