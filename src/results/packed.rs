//! The records of all runs in one file, which is enough to judge and to report results without their
//! curves: what to keep of a study in a repository.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::results::{Record, Store};

const FILE: &str = "records.toml";

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Packed {
    /// How many there are, so that a file that was cut off is found.
    count: usize,
    #[serde(default)]
    runs: Vec<Record>,
}

impl Store {
    /// Writes the records into one file.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn pack(&self, records: &[Record]) -> Result<()> {
        let packed = Packed { count: records.len(), runs: records.to_vec() };
        let text = toml::to_string(&packed).map_err(|error| Error::damaged(self.root().join(FILE), &error))?;
        self.write(FILE, text)
    }

    /// The records of all runs: from their folders or, where no run has one, as they were packed.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn records(&self) -> Result<Vec<Record>> {
        let own = self.load_all()?;
        if !own.is_empty() {
            return Ok(own);
        }
        let Some(text) = self.read(FILE)? else { return Ok(own) };
        let damaged = |problem: &str| Error::damaged(self.root().join(FILE), &problem);
        let packed: Packed = toml::from_str(&text).map_err(|error| damaged(error.message()))?;
        if packed.runs.len() != packed.count {
            return Err(damaged(&format!("it holds {} runs of {}", packed.runs.len(), packed.count)));
        }
        Ok(packed.runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::store::RECORD;

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
    fn records_read_back_as_packed_until_there_are_runs() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        assert_eq!(store.records().unwrap(), []);
        store.pack(&records()).unwrap();
        assert_eq!(store.records().unwrap(), records());
        std::fs::create_dir_all(store.run("a")).unwrap();
        assert_eq!(store.records().unwrap(), records(), "an empty folder is no run");
        std::fs::write(store.run("a").join(RECORD), record("a", "0.30000000000000004")).unwrap();
        assert_eq!(store.records().unwrap(), records()[..1]);
    }

    #[test]
    fn a_file_that_was_cut_off_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store.pack(&records()).unwrap();
        let text = store.read(FILE).unwrap().unwrap();
        for end in [text.len() - 10, text.rfind("[[runs]]").unwrap()] {
            store.write(FILE, &text[..end]).unwrap();
            let error = store.records().unwrap_err().to_string();
            assert!(error.contains(FILE), "{error}");
        }
    }
}
