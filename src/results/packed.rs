//! The records of all runs in one file, which is enough to judge and to report results without their
//! curves: what to keep of a study in a repository.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::results::file_name::is_name;
use crate::results::{Record, Store};

pub(super) const FILE: &str = "records.toml";

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Packed {
    /// How many there are, so that a file that was cut off is found.
    count: usize,
    #[serde(default)]
    runs: Vec<Record>,
}

impl Store {
    /// Writes the records into one file, beside those packed before that they do not replace.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn pack(&self, records: &[Record]) -> Result<()> {
        let mut kept = self.packed()?;
        let runs: Vec<Record> = records.iter().map(|record| replace(&mut kept, record.clone())).collect();
        let runs: Vec<Record> = runs.into_iter().chain(kept.into_values()).collect();
        let text = toml::to_string(&Packed { count: runs.len(), runs });
        self.write(FILE, text.map_err(|error| Error::damaged(self.root().join(FILE), &error))?)
    }

    /// The records in the file, by name.
    ///
    /// A damaged file is passed over where runs have folders: it follows from them, and is written again.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn packed(&self) -> Result<BTreeMap<String, Record>> {
        match self.unpack() {
            Err(Error::Damaged { .. }) if !self.names()?.is_empty() => Ok(BTreeMap::new()),
            records => Ok(records?.into_iter().map(|record| (record.run.clone(), record)).collect()),
        }
    }

    fn unpack(&self) -> Result<Vec<Record>> {
        // One that was cut off to nothing holds nothing.
        let Some(text) = self.read(FILE)?.filter(|text| !text.trim().is_empty()) else { return Ok(Vec::new()) };
        let damaged = |problem: &str| Error::damaged(self.root().join(FILE), &problem);
        let packed: Packed = toml::from_str(&text).map_err(|error| damaged(error.message()))?;
        if packed.runs.len() != packed.count {
            return Err(damaged(&format!("it holds {} runs of {}", packed.runs.len(), packed.count)));
        }
        if let Some(record) = packed.runs.iter().find(|record| !is_name(&record.run)) {
            return Err(damaged(&format!("`{}` is not the name of a run", record.run)));
        }
        Ok(packed.runs)
    }
}

/// Takes the packed record of a run out, and gives back which of the two is to be kept.
fn replace(packed: &mut BTreeMap<String, Record>, new: Record) -> Record {
    packed.remove(&new.run).filter(|old| old.is_done() && !new.is_done()).unwrap_or(new)
}

/// Puts a record in the place of a packed one, unless that is worth more.
pub(super) fn keep(packed: &mut BTreeMap<String, Record>, new: Record) {
    let newest = replace(packed, new);
    packed.insert(newest.run.clone(), newest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::mark::RECORD;

    fn record(run: &str, validation: &str) -> String {
        format!(
            "run = \"{run}\"\nfingerprint = \"f\"\ntask = \"t\"\noptimizer = \"o\"\nschedule = \"s\"\nseed = 0\n\
             hyper_parameters = [[\"lr\", \"0.1\"]]\nstatus = \"finished\"\nsteps = 3\nseconds = 1.5\n\
             gradient_seconds = 1.0\noptimizer_seconds = 0.25\nevaluation_seconds = 0.25\nstate_bytes = 8\n\
             [validation]\nloss = {validation}\n[[horizons]]\nsteps = 1\n[horizons.test]\nloss = 2.5\n"
        )
    }

    fn records() -> Vec<Record> {
        let texts = [record("a", "0.30000000000000004"), record("b", "inf")];
        texts.iter().map(|text| toml::from_str(text).unwrap()).collect()
    }

    #[test]
    fn a_packed_record_stays_until_its_run_is_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let read = || store.inventory().unwrap().records().unwrap();
        assert_eq!(read(), []);
        store.pack(&records()).unwrap();
        assert_eq!(read(), records());
        let put = |text: &str| {
            std::fs::create_dir_all(store.run("b")).unwrap();
            std::fs::write(store.run("b").join(RECORD), text).unwrap();
        };
        std::fs::create_dir_all(store.run("b")).unwrap();
        assert_eq!(read(), records(), "an empty folder is no run");
        put(&record("b", "inf").replace("finished", "failed"));
        assert_eq!(read(), records(), "a failure is worth less than a result");
        put(&record("b", "0.25"));
        let successor: Record = toml::from_str(&record("b", "0.25")).unwrap();
        let both = [records()[0].clone(), successor.clone()];
        assert_eq!(read(), both);
        store.pack(&[successor]).unwrap();
        std::fs::remove_dir_all(store.run("b")).unwrap();
        assert_eq!(read(), both, "what is packed does not forget the others");
        assert_eq!(store.inventory().unwrap().len(), 2);
    }

    #[test]
    fn a_run_whose_name_leads_elsewhere_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        for name in ["../../mine", "/mine", "", ".", ".hidden"] {
            store.write(FILE, format!("count = 1\n[[runs]]\n{}", record(name, "1.0"))).unwrap();
            let error = store.inventory().unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}` is not the name of a run")), "{error}");
        }
    }

    #[test]
    fn a_file_that_was_cut_off_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store.pack(&records()).unwrap();
        let text = store.read(FILE).unwrap().unwrap();
        for end in [text.len() - 10, text.rfind("[[runs]]").unwrap()] {
            store.write(FILE, &text[..end]).unwrap();
            let error = store.inventory().unwrap_err().to_string();
            assert!(error.contains(FILE), "{error}");
        }
    }
}
