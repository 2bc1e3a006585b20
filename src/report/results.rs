//! The results of one experiment, read back.

use std::collections::BTreeMap;

use crate::analysis::sequential::is_extended;
use crate::analysis::{Roles, Standing, mark_independent, ranking_of};
use crate::catalog::Catalog;
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::report::marks;
use crate::report::section::Section;
use crate::results::{Conditions, EXPERIMENT, Inventory, Record, Store};
use crate::sweep::order;
use crate::task::Spec;

/// The results of one experiment, read back.
pub struct Results {
    /// The folder.
    pub store: Store,
    /// What was to be run.
    pub experiment: Experiment,
    /// What has run, in the order of the experiment.
    pub records: Vec<Record>,
    /// Whether there is more of the runs than their records.
    pub curves: bool,
    /// Whether seeds were added after results had been seen.
    pub extended: bool,
    /// What of it is judged, and by which standard.
    pub standing: Standing,
}

impl Results {
    /// Reads the folder of an experiment.
    ///
    /// # Errors
    /// When it is none, or something in it is damaged.
    pub fn open(catalog: &Catalog, store: Store) -> Result<Self> {
        store.refuse_file()?;
        let there = store.inventory();
        let curves = there.as_ref().is_ok_and(Inventory::has_folders);
        let records = there.and_then(Inventory::records);
        Self::with(catalog, store, records, curves)
    }

    /// Reads the folder of an experiment without the runs that are damaged; also tells what is wrong with these.
    ///
    /// # Errors
    /// When it is none, or anything but runs is damaged.
    pub fn open_sound(catalog: &Catalog, store: Store) -> Result<(Self, Vec<String>)> {
        store.refuse_file()?;
        let there = store.inventory()?;
        Self::of_sound(catalog, store, there)
    }

    /// The same, of a folder whose runs were read before.
    ///
    /// # Errors
    /// See [`Results::open_sound`].
    pub fn of_sound(catalog: &Catalog, store: Store, there: Inventory) -> Result<(Self, Vec<String>)> {
        let curves = there.has_folders();
        let (records, flaws) = there.sound();
        Ok((Self::with(catalog, store, Ok(records), curves)?, flaws))
    }

    fn with(catalog: &Catalog, store: Store, records: Result<Vec<Record>>, has_folders: bool) -> Result<Self> {
        let path = store.root().join(EXPERIMENT);
        let Some(text) = store.read(EXPERIMENT)? else {
            return Err(Error::Usage(format!(
                "{} holds no experiment: there is no {}",
                store.root().display(),
                path.display()
            )));
        };
        let experiment = Experiment::stored(catalog, &path.display().to_string(), &text)?;
        let mut records = records?;
        marks::fill(&store, &experiment, &mut records)?;
        mark_independent(&mut records, &experiment);
        order::sort(&mut records, &experiment);
        let curves = records.is_empty() || has_folders;
        let provenance = store.provenance_if_sound().unwrap_or_default();
        let extended = is_extended(&experiment, &provenance.extended);
        let standing = Standing::of(&experiment, &records, extended);
        Ok(Self { store, experiment, records, curves, extended, standing })
    }

    /// Reads the folder of an experiment to judge what has run.
    ///
    /// # Errors
    /// See [`Results::open`]; also where nothing has run.
    pub fn open_run(catalog: &Catalog, store: Store) -> Result<Self> {
        let results = Self::open(catalog, store)?;
        if results.records.is_empty() {
            return Err(Error::Usage(format!(
                "{} holds no run: nothing has finished there yet\n  help: `optbench run` trains what its {EXPERIMENT} plans",
                results.store.root().display()
            )));
        }
        Ok(results)
    }

    /// Warnings where the runs do not belong together: of other data, or from builds of different commits.
    ///
    /// # Errors
    /// When `provenance.json` is needed and cannot be read.
    pub fn mixed(&self) -> Result<Vec<String>> {
        let mut warnings = self.conditions()?.mixed_data();
        warnings.extend(self.mixed_builds());
        Ok(warnings)
    }

    /// The conditions that the runs were trained under.
    ///
    /// # Errors
    /// When `provenance.json` is needed and cannot be read.
    pub fn conditions(&self) -> Result<Conditions> {
        Conditions::of(&self.store, &self.records, &self.experiment.tasks)
    }

    /// A warning where the runs come from builds of different commits, as far as these are known.
    fn mixed_builds(&self) -> Option<String> {
        let mut runs: BTreeMap<&str, usize> = BTreeMap::new();
        for commit in self.records.iter().filter_map(|record| record.commit.as_deref()) {
            *runs.entry(commit).or_default() += 1;
        }
        let counts: Vec<String> = runs.iter().map(|(commit, n)| format!("{n} from {commit:.10}")).collect();
        (counts.len() > 1).then(|| {
            format!(
                "the runs were trained by builds of different commits, and numbers may differ: {}",
                counts.join(", ")
            )
        })
    }

    /// The records that are judged: those of the latest look, where looks are planned.
    pub fn judged(&self) -> &[Record] {
        self.standing.records(&self.records)
    }

    /// What there is to say, task by task, of those without a run, too.
    pub fn sections(&self) -> Vec<Section<'_>> {
        let (experiment, records) = (self.standing.experiment(&self.experiment), self.judged());
        let roles = Roles::of(experiment);
        let section = |task: &Spec| {
            let mut ranking = ranking_of(records, &task.label, task.metric, &roles);
            self.standing.order(&mut ranking);
            let comparisons = self.standing.comparisons(&ranking);
            Section::under(self.standing.standard, ranking, comparisons, records, Some(experiment))
        };
        self.experiment.tasks.iter().map(section).collect()
    }
}
