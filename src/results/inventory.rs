//! What is there of the runs of a folder, read once and handed on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::results::mark::{Found, RECORD};
use crate::results::packed;
use crate::results::{Record, Store};

/// Every run of a folder: as its own folder tells or, where it has none, as it was packed.
#[derive(Debug, Default)]
pub struct Inventory {
    packed: Stamped<BTreeMap<String, Record>>,
    runs: BTreeMap<String, Stamped<Found>>,
}

/// What a file told, and which file that was: it is read again only where another has taken its place.
#[derive(Debug, Default)]
struct Stamped<T> {
    file: Option<(SystemTime, u64)>,
    told: T,
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

impl Store {
    /// Reads what is there.
    ///
    /// # Errors
    /// When the folder or the packed records cannot be read; a run that cannot be is a flaw.
    pub fn inventory(&self) -> Result<Inventory> {
        let mut inventory = Inventory::default();
        inventory.refresh(self)?;
        Ok(inventory)
    }
}

impl Inventory {
    /// Reads what is new since, be it of another process.
    ///
    /// # Errors
    /// See [`Store::inventory`].
    pub fn refresh(&mut self, store: &Store) -> Result<()> {
        let file = stamp(&store.root().join(packed::FILE));
        if file.is_none() || file != self.packed.file {
            self.packed = Stamped { file, told: store.packed()? };
        }
        let mut before = std::mem::take(&mut self.runs);
        for name in store.names()? {
            let file = stamp(&store.run(&name).join(RECORD));
            let known = before.remove(&name).filter(|known| file.is_some() && known.file == file);
            let found = match known {
                Some(known) => known,
                None => Stamped { file, told: store.find(&name)? },
            };
            self.runs.insert(name, found);
        }
        Ok(())
    }

    /// Whether nothing of any run is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many runs there is something of: a folder, or a packed record.
    pub fn len(&self) -> usize {
        let without = self.packed.told.keys().filter(|name| !self.runs.contains_key(*name));
        self.runs.len() + without.count()
    }

    /// Whether any run has a folder of its own, and so its curves.
    pub fn has_folders(&self) -> bool {
        !self.runs.is_empty()
    }

    /// The record of a run that needs no more training: its folder is there, whole, and it did not fail.
    pub fn finished(&self, run: &str) -> Option<&Record> {
        self.runs.get(run)?.told.finished()
    }

    /// The same or, where its folder is not, what was packed of it when it was done.
    pub fn done_run(&self, run: &str) -> Option<&Record> {
        self.finished(run).or_else(|| self.packed.told.get(run).filter(|record| record.is_done()))
    }

    /// Why a run that is there is to be trained again, in words; `None` where nothing is wrong with it.
    pub fn flaw(&self, run: &str) -> Option<String> {
        match &self.runs.get(run)?.told {
            Found::Nothing | Found::Whole(_) => None,
            Found::Lacking(_, gone) => Some(format!("{} is gone", gone.display())),
            Found::Damaged(path, problem) => Some(Error::damaged(path, problem).to_string()),
        }
    }

    /// The records of all runs in the folder that need no more training, by name.
    pub fn all_finished(&self) -> Vec<Record> {
        self.runs.values().filter_map(|run| run.told.finished()).cloned().collect()
    }

    /// The records of all runs that are done, from their folders or, of those without one, as they were packed.
    pub fn all_done(&self) -> Vec<Record> {
        let packed = self.packed.told.iter().filter(|(_, record)| record.is_done());
        let folders = self.runs.iter().filter_map(|(name, run)| Some((name, run.told.finished()?)));
        let done: BTreeMap<&String, &Record> = packed.chain(folders).collect();
        done.into_values().cloned().collect()
    }

    /// A run that another version of optbench than this one trained, and that version, as far as they are known.
    pub fn trained_by_other(&self, version: &str) -> Option<(&str, &str)> {
        let folders = self.runs.iter().filter_map(|(name, run)| Some((name, run.told.record()?)));
        let records: BTreeMap<&String, &Record> = self.packed.told.iter().chain(folders).collect();
        let mut versions = records.into_values().filter_map(|record| Some((&*record.run, record.optbench.as_deref()?)));
        versions.find(|(_, trained_by)| *trained_by != version)
    }

    /// The records of all runs, by name.
    ///
    /// A run that failed does not take the place of one that was packed when it was done.
    ///
    /// # Errors
    /// When a run is damaged.
    pub fn records(self) -> Result<Vec<Record>> {
        let mut records = self.packed.told;
        for run in self.runs.into_values() {
            match run.told {
                Found::Nothing => {}
                Found::Whole(own) | Found::Lacking(own, _) => packed::keep(&mut records, own),
                Found::Damaged(path, problem) => return Err(Error::Damaged { path, problem }),
            }
        }
        Ok(records.into_values().collect())
    }

    /// The records of all runs but those that are damaged or lack a file, and what is wrong with each of these.
    pub fn sound(self) -> (Vec<Record>, Vec<String>) {
        let flaws: Vec<String> = self.runs.keys().filter_map(|name| self.flaw(name)).collect();
        let mut records = self.packed.told;
        for (name, run) in self.runs {
            match run.told {
                Found::Nothing => {}
                Found::Whole(own) => packed::keep(&mut records, own),
                Found::Lacking(..) | Found::Damaged(..) => drop(records.remove(&name)),
            }
        }
        (records.into_values().collect(), flaws)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(store: &Store, name: &str, status: &str, more: &str) {
        let text = format!(
            "run = \"{name}\"\nfingerprint = \"f\"\ntask = \"t\"\noptimizer = \"o\"\nschedule = \"s\"\nseed = 0\n\
             hyper_parameters = []\nstatus = \"{status}\"\nsteps = 3\nseconds = 1.5\ngradient_seconds = 1.0\n\
             optimizer_seconds = 0.25\nevaluation_seconds = 0.25\nstate_bytes = 8\n{more}"
        );
        fs::create_dir_all(store.run(name)).unwrap();
        fs::write(store.run(name).join(RECORD), text).unwrap();
    }

    #[test]
    fn what_is_there_is_told_apart_and_read_again_where_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        run(&store, "whole", "finished", "");
        run(&store, "failed", "failed", "");
        run(&store, "lacking", "finished", "[bytes]\n\"evals.csv\" = 7\n");
        run(&store, "damaged", "finished", "seed = 1\n");
        fs::create_dir_all(store.run("empty")).unwrap();
        let mut there = store.inventory().unwrap();
        let names = |records: Vec<Record>| records.into_iter().map(|record| record.run).collect::<Vec<_>>();
        assert_eq!((there.len(), names(there.all_finished())), (5, vec!["whole".to_owned()]));
        let flaws = ["whole", "failed", "lacking", "damaged", "empty", "nothing"].map(|name| there.flaw(name));
        assert_eq!(flaws.map(|flaw| flaw.is_some()), [false, false, true, true, false, false]);
        // The same time and length: nobody looks into it again.
        let path = store.run("whole").join(RECORD);
        let (modified, length) = stamp(&path).unwrap();
        fs::write(&path, vec![b'x'; length as usize]).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        run(&store, "failed", "finished", "");
        fs::remove_dir_all(store.run("lacking")).unwrap();
        there.refresh(&store).unwrap();
        assert_eq!(names(there.all_finished()), ["failed", "whole"]);
        assert!(there.flaw("lacking").is_none());
        let (records, flaws) = there.sound();
        assert_eq!((names(records), flaws.len()), (vec!["failed".to_owned(), "whole".to_owned()], 1));
        assert_eq!(store.inventory().unwrap().all_finished().len(), 1, "another reader finds it damaged");
        assert!(store.inventory().unwrap().records().is_err(), "which is an error to who wants all of them");
    }
}
