//! The report in one form, and everything that a results folder holds beside its runs.

use crate::error::Result;
use crate::report::charts::{self, Named};
use crate::report::document::{Figure, Report};
use crate::report::render::{Format, html};
use crate::report::{Results, content, csv};

/// The report of an experiment in one of the formats.
///
/// # Errors
/// When it cannot be put together from the results.
pub fn render(results: &Results, format: &Format<Report>) -> Result<String> {
    let sections = results.sections();
    let mut report = content::report(results, &sections)?;
    if format.is_illustrated {
        illustrate(&mut report, &charts::draw(results, &sections, &charts::Choice::default())?);
    }
    (format.render)(&report)
}

impl Results {
    /// Writes everything that follows from the runs: tables, charts and the page, whose report it returns.
    ///
    /// Where all runs are known without their curves, charts and page stay as they are.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self) -> Result<Report> {
        self.store.pack(&self.records)?;
        self.store.write("runs.csv", csv::runs(&self.records, &self.experiment.judge_seeds)?)?;
        self.store.write("summary.csv", csv::summary(&self.records, &self.experiment.judge_seeds)?)?;
        let sections = self.sections();
        let mut report = content::report(self, &sections)?;
        if self.curves {
            let charts = charts::draw(self, &sections, &charts::Choice::default())?;
            charts::save(&self.store.charts(), &charts, charts::SVG_AND_PNG)?;
            illustrate(&mut report, &charts);
            self.store.write("report.html", html::page(&report)?)?;
        }
        Ok(report)
    }
}

/// Puts the charts beside what they show.
fn illustrate(report: &mut Report, charts: &[Named]) {
    let of = |task: Option<&str>| -> Vec<Figure> {
        let own = charts.iter().filter(|named| named.task.as_deref() == task);
        own.map(|named| Figure { name: named.name.clone(), svg: named.chart.to_svg() }).collect()
    };
    for task in &mut report.tasks {
        task.figures = of(Some(&task.task));
    }
    report.figures = of(None);
}
