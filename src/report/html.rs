//! The page: one file that needs nothing else.

use minijinja::{AutoEscape, Environment, Value, context};

use crate::analysis::claim::judge;
use crate::error::{Error, Result};
use crate::report::charts::Named;
use crate::report::format::Table;
use crate::report::over_tasks::over_tasks;
use crate::report::profiles::Profiles;
use crate::report::{Checked, Results, Section, gradients};

const TEMPLATE: &str = include_str!("report.html.jinja");
const LEGEND: &str = "Lead: how much better the first arm is, with its 95% interval, paired by seed. A claim is supported \
                      where the whole interval lies above minus the margin, refuted where it lies below; otherwise these \
                      seeds cannot decide it.";

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
        closing => over_tasks(&sections),
        charts => of(None),
        profiles => Profiles::new(&results.rankings()).map(|profiles| of_table(&profiles.table())),
        claims => claims(results),
        runs => results.records.len(),
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
    context! {
        label => &section.ranking.task,
        headline => section.headline(),
        subtitle => section.subtitle(),
        warnings => section.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ranking => ranking,
        tables => tables,
        charts => charts,
    }
}

/// The claims of the config with what was found; nothing where there are none.
fn claims(results: &Results) -> Option<Value> {
    let experiment = &results.experiment;
    let claims = experiment.claims.iter().map(|claim| judge(claim, experiment, &results.records)).collect();
    let checked = Checked { name: &experiment.name, claims, changes: None, strict: false, fail_on_time: false };
    (!checked.claims.is_empty()).then(|| {
        context! { note => checked.headline(), table => of_table(&checked.claims_table()), legend => LEGEND }
    })
}

fn of_table(table: &Table) -> Value {
    context! {
        title => &table.title,
        note => &table.note,
        header => &table.header,
        rows => &table.rows,
        words => table.words,
    }
}
