//! `provenance.json`: how the results of a folder were made.
//!
//! The file is the latest start, with those before it under `earlier`; of a merged folder, a list of the starts of
//! its parts. `extended` holds the seeds that were added once results were there: whoever has seen results and adds
//! seeds has looked, and a verdict has to know.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::results::Store;

const FILE: &str = "provenance.json";
/// The starts before the latest.
const EARLIER: &str = "earlier";
/// The seeds that were added once results were there.
const EXTENDED: &str = "extended";
/// The SHA-256 of what was read, by dataset.
const DATA: &str = "dataset_sha256";
const DEVICE: &str = "device";

impl Store {
    /// Writes the latest start down, with those before it that differ from it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_origin(&self, start: Value) -> Result<()> {
        // One that does not read back is of no use to anybody, and must not keep a sweep from going on.
        let mut origins = self.origins().unwrap_or_default();
        let extended = self.extended()?;
        origins.retain(|other| *other != start);
        origins.push(start);
        self.write_provenance(latest_first(origins), &extended)
    }

    /// Every start that the folder knows of, the first one first; a merged folder knows those of its parts.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn origins(&self) -> Result<Vec<Value>> {
        let mut starts = Vec::new();
        for mut origin in self.provenance()? {
            let earlier = origin.as_object_mut().and_then(|origin| {
                origin.shift_remove(EXTENDED);
                origin.shift_remove(EARLIER)
            });
            starts.extend(earlier.and_then(|earlier| earlier.as_array().cloned()).into_iter().flatten());
            starts.extend(Some(origin).filter(|origin| origin.as_object().is_none_or(|origin| !origin.is_empty())));
        }
        Ok(starts)
    }

    /// The seeds that `--extend` added once results were there; none of a file that is damaged.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn extended(&self) -> Result<BTreeSet<u64>> {
        let origins = match self.provenance() {
            Err(Error::Damaged { .. }) => return Ok(BTreeSet::new()),
            origins => origins?,
        };
        let seeds = origins.iter().filter_map(|origin| origin.get(EXTENDED)?.as_array());
        Ok(seeds.flatten().filter_map(Value::as_u64).collect())
    }

    /// Notes seeds that are added to results that are there.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn note_extended(&self, seeds: impl IntoIterator<Item = u64>) -> Result<()> {
        let before = self.extended()?;
        let all: BTreeSet<u64> = before.iter().copied().chain(seeds).collect();
        if all == before {
            return Ok(());
        }
        self.write_provenance(latest_first(self.origins().unwrap_or_default()), &all)
    }

    /// Adds what other folders know of their making to what this one knows.
    ///
    /// # Errors
    /// When one of the files cannot be read or written.
    pub fn merge_provenance(&self, others: &[&Self]) -> Result<()> {
        let (mut made, mut extended) = (self.origins().unwrap_or_default(), self.extended()?);
        for other in others {
            for start in other.origins()? {
                if !made.contains(&start) {
                    made.push(start);
                }
            }
            extended.extend(other.extended()?);
        }
        let document = if made.len() == 1 { made.swap_remove(0) } else { Value::Array(made) };
        self.write_provenance(document, &extended)
    }

    /// The SHA-256 of the data that every start read, by dataset: several where a file changed in between.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn data_digests(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let mut digests: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for origin in self.origins()? {
            for (dataset, digest) in origin.get(DATA).and_then(Value::as_object).into_iter().flatten() {
                digests.entry(dataset.clone()).or_default().extend(digest.as_str().map(str::to_owned));
            }
        }
        Ok(digests)
    }

    /// The kinds of device that the starts trained on: `cpu`, `cuda`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn device_kinds(&self) -> Result<BTreeSet<String>> {
        let origins = self.origins()?;
        let devices = origins.iter().filter_map(|origin| origin.get(DEVICE)?.as_str());
        // `cuda:1` is a device of the kind `cuda`.
        Ok(devices.map(|device| device.split(':').next().unwrap_or(device).to_owned()).collect())
    }

    /// What stands in the file: one origin, or those of the parts of a merged folder.
    fn provenance(&self) -> Result<Vec<Value>> {
        let Some(text) = self.read(FILE)? else { return Ok(Vec::new()) };
        match serde_json::from_str(&text).map_err(|error| Error::damaged(self.root().join(FILE), &error))? {
            Value::Array(origins) => Ok(origins),
            origin => Ok(vec![origin]),
        }
    }

    fn write_provenance(&self, mut document: Value, extended: &BTreeSet<u64>) -> Result<()> {
        if !extended.is_empty() {
            let last = match &mut document {
                Value::Array(origins) => {
                    if origins.is_empty() {
                        origins.push(Value::Object(serde_json::Map::new()));
                    }
                    origins.last_mut()
                }
                origin => Some(origin),
            };
            if let Some(last) = last {
                last[EXTENDED] = extended.iter().copied().collect();
            }
        }
        let text = serde_json::to_string_pretty(&document).map_err(|error| Error::Usage(error.to_string()))?;
        self.write(FILE, text + "\n")
    }
}

/// The latest start, with those before it inside.
fn latest_first(mut origins: Vec<Value>) -> Value {
    let mut latest = origins.pop().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    if !origins.is_empty() {
        latest[EARLIER] = Value::Array(origins);
    }
    latest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn starts_are_kept_where_they_differ() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let start = |threads: u32| json!({ "threads": threads });
        for threads in [1, 2, 2, 3, 2] {
            store.add_origin(start(threads)).unwrap();
        }
        assert_eq!(store.origins().unwrap(), [start(1), start(3), start(2)]);
        let text = store.read(FILE).unwrap().unwrap();
        let written: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written, json!({ "threads": 2, "earlier": [start(1), start(3)] }));
        store.write(FILE, &text[..text.len() / 2]).unwrap();
        assert!(store.origins().is_err());
        store.add_origin(start(4)).unwrap();
        assert_eq!(store.origins().unwrap(), [start(4)]);
    }

    #[test]
    fn seeds_that_were_added_stay_noted() {
        let folder = tempfile::tempdir().unwrap();
        let stores = ["a", "b", "c"].map(|name| Store::new(folder.path().join(name)));
        for store in &stores {
            std::fs::create_dir(store.root()).unwrap();
        }
        let [a, b, c] = &stores;
        a.add_origin(json!({ "jobs": 1 })).unwrap();
        a.note_extended([6, 5]).unwrap();
        a.add_origin(json!({ "jobs": 2 })).unwrap();
        a.note_extended([5]).unwrap();
        let written: Value = serde_json::from_str(&a.read(FILE).unwrap().unwrap()).unwrap();
        assert_eq!(written, json!({ "jobs": 2, "earlier": [{ "jobs": 1 }], "extended": [5, 6] }));
        b.note_extended([7]).unwrap();
        assert_eq!((b.extended().unwrap().len(), b.origins().unwrap().len()), (1, 0));
        b.add_origin(json!({ "jobs": 3 })).unwrap();
        c.merge_provenance(&[a, b]).unwrap();
        assert_eq!(c.extended().unwrap().into_iter().collect::<Vec<_>>(), [5, 6, 7]);
        assert_eq!(c.origins().unwrap(), [json!({ "jobs": 1 }), json!({ "jobs": 2 }), json!({ "jobs": 3 })]);
    }
}
