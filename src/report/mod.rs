//! What people and scripts read: the ranking in several formats, the tables, the charts, the page.

pub mod charts;
mod csv;
mod format;
mod html;
mod ranking;
pub mod schedules;

use crate::analysis::{Ranking, ranking};
use crate::config::Experiment;
use crate::error::Result;
use crate::results::{Record, Store};

pub use format::Format;
pub use ranking::{headline, render};

/// The results of one experiment, read back.
pub struct Results {
    /// The folder.
    pub store: Store,
    /// What was to be run.
    pub experiment: Experiment,
    /// What has run, in the order of the folder's names.
    pub records: Vec<Record>,
}

impl Results {
    /// Reads the folder of an experiment.
    ///
    /// # Errors
    /// When it is none, or something in it is damaged.
    pub fn open(store: Store) -> Result<Self> {
        let path = store.root().join("experiment.toml");
        let Some(text) = store.read("experiment.toml")? else {
            return Err(crate::error::Error::Usage(format!(
                "{} holds no experiment: there is no {}",
                store.root().display(),
                path.display()
            )));
        };
        let experiment = Experiment::parse(&path.display().to_string(), &text, "", &[])?;
        let records = store.load_all()?;
        Ok(Self { store, experiment, records })
    }

    /// Who is ahead on each task.
    pub fn rankings(&self) -> Vec<Ranking<'_>> {
        let tasks = self.experiment.tasks.iter();
        tasks.map(|task| ranking(&self.records, &task.label, task.metric)).filter(|r| !r.ranks.is_empty()).collect()
    }

    /// Writes everything that follows from the runs: tables, charts and the page.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self) -> Result<()> {
        self.store.write("runs.csv", csv::runs(&self.records)?)?;
        self.store.write("summary.csv", csv::summary(&self.records)?)?;
        let charts = charts::draw(self)?;
        charts::save(self, &charts, charts::SVG_AND_PNG)?;
        self.store.write("report.html", html::page(self, &charts)?)
    }
}
