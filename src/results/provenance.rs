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

/// What stands in the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Provenance {
    /// Every start that the folder knows of, the first one first; a merged folder knows those of its parts.
    pub starts: Vec<Value>,
    /// The seeds that `--extend` added once results were there.
    pub extended: BTreeSet<u64>,
}

impl Provenance {
    /// The SHA-256 of the data that every start read, by dataset: several where a file changed in between.
    pub fn data_digests(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut digests: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let read = self.starts.iter().filter_map(|start| start.get(DATA)?.as_object());
        for (dataset, digest) in read.flatten() {
            digests.entry(dataset).or_default().extend(digest.as_str());
        }
        digests
    }

    /// The kinds of device that the starts trained on: `cpu`, `cuda`.
    pub fn device_kinds(&self) -> BTreeSet<&str> {
        let devices = self.starts.iter().filter_map(|start| start.get(DEVICE)?.as_str());
        // `cuda:1` is a device of the kind `cuda`.
        devices.map(|device| device.split(':').next().unwrap_or(device)).collect()
    }

    /// What the origins in the file say: one, or those of the parts of a merged folder.
    fn of(origins: Vec<Value>) -> Self {
        let mut provenance = Self::default();
        for mut origin in origins {
            let mut take = |key| origin.as_object_mut().and_then(|origin| origin.shift_remove(key));
            let (extended, earlier) = (take(EXTENDED), take(EARLIER));
            provenance.extended.extend(list(extended).iter().filter_map(Value::as_u64));
            provenance.starts.extend(list(earlier));
            if origin.as_object().is_none_or(|origin| !origin.is_empty()) {
                provenance.starts.push(origin);
            }
        }
        provenance
    }

    /// The latest start, with those before it inside.
    fn latest_first(&self) -> Value {
        let mut starts = self.starts.clone();
        let mut latest = starts.pop().unwrap_or_else(nothing);
        if !starts.is_empty() {
            latest[EARLIER] = Value::Array(starts);
        }
        latest
    }
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    }
}

impl Store {
    /// What stands in the file; nothing where there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn provenance(&self) -> Result<Provenance> {
        let Some(text) = self.read(FILE)? else { return Ok(Provenance::default()) };
        match serde_json::from_str(&text).map_err(|error| Error::damaged(self.root().join(FILE), &error))? {
            Value::Array(origins) => Ok(Provenance::of(origins)),
            origin => Ok(Provenance::of(vec![origin])),
        }
    }

    /// The same; nothing of a file that is damaged: it is of no use to anybody, and must not keep a sweep from going on.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn provenance_if_sound(&self) -> Result<Provenance> {
        match self.provenance() {
            Err(Error::Damaged { .. }) => Ok(Provenance::default()),
            provenance => provenance,
        }
    }

    /// Writes the latest start down, with those before it that differ from it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_origin(&self, start: Value) -> Result<()> {
        let mut provenance = self.provenance_if_sound()?;
        provenance.starts.retain(|other| *other != start);
        provenance.starts.push(start);
        self.write_provenance(provenance.latest_first(), &provenance.extended)
    }

    /// Notes seeds that are added to results that are there.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn note_extended(&self, seeds: impl IntoIterator<Item = u64>) -> Result<()> {
        let mut provenance = self.provenance_if_sound()?;
        let before = provenance.extended.len();
        provenance.extended.extend(seeds);
        if provenance.extended.len() == before {
            return Ok(());
        }
        self.write_provenance(provenance.latest_first(), &provenance.extended)
    }

    /// Adds what other folders know of their making to what this one knows.
    ///
    /// # Errors
    /// When one of the files cannot be read or written.
    pub fn merge_provenance(&self, others: &[&Self]) -> Result<()> {
        let Provenance { mut starts, mut extended } = self.provenance_if_sound()?;
        for other in others {
            let other = other.provenance()?;
            for start in other.starts {
                if !starts.contains(&start) {
                    starts.push(start);
                }
            }
            extended.extend(other.extended);
        }
        let document = if starts.len() == 1 { starts.swap_remove(0) } else { Value::Array(starts) };
        self.write_provenance(document, &extended)
    }

    fn write_provenance(&self, mut document: Value, extended: &BTreeSet<u64>) -> Result<()> {
        if !extended.is_empty() {
            let last = match &mut document {
                Value::Array(origins) => {
                    if origins.is_empty() {
                        origins.push(nothing());
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
        assert_eq!(store.provenance().unwrap().starts, [start(1), start(3), start(2)]);
        let text = store.read(FILE).unwrap().unwrap();
        let written: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written, json!({ "threads": 2, "earlier": [start(1), start(3)] }));
        store.write(FILE, &text[..text.len() / 2]).unwrap();
        assert!(store.provenance().is_err());
        store.add_origin(start(4)).unwrap();
        assert_eq!(store.provenance().unwrap().starts, [start(4)]);
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
        let only_seeds = Provenance { starts: Vec::new(), extended: [7].into() };
        assert_eq!(b.provenance().unwrap(), only_seeds);
        b.add_origin(json!({ "jobs": 3 })).unwrap();
        c.merge_provenance(&[a, b]).unwrap();
        let starts = vec![json!({ "jobs": 1 }), json!({ "jobs": 2 }), json!({ "jobs": 3 })];
        assert_eq!(c.provenance().unwrap(), Provenance { starts, extended: [5, 6, 7].into() });
    }
}
