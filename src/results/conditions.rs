//! Under which conditions the runs of a folder were trained, to compare folders with each other or with a plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::results::{Data, Identity, Record, Store};
use crate::task::{Spec, data};

/// Data, devices and revisions of a set of runs. More than one of anything: they do not belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The data of each task whose data is known, by the task's label.
    pub data: BTreeMap<String, BTreeSet<Data>>,
    /// The kinds of device: `cpu`, `cuda`.
    pub devices: BTreeSet<String>,
    /// The revisions of each kind, as `optimizer adamw`.
    pub revisions: BTreeMap<String, BTreeSet<u32>>,
    /// The tasks that learn from data of which the digest is not known.
    pub unknown: BTreeSet<String>,
}

/// A condition that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// What was and what is, in a line.
    pub words: String,
    /// The file or folder of the user's own that holds the data now, as the config names it.
    pub path: Option<String>,
}

impl Conditions {
    /// The conditions that records tell of and, of runs from before records told of them, `provenance.json`.
    ///
    /// # Errors
    /// When `provenance.json` is needed and cannot be read.
    pub fn of(store: &Store, records: &[Record], tasks: &[Spec]) -> Result<Self> {
        let mut conditions = Self::default();
        let mut older: BTreeSet<&str> = BTreeSet::new();
        for record in records {
            match &record.identity {
                Some(identity) => conditions.add(&record.task, identity),
                None => drop(older.insert(&record.task)),
            }
        }
        if older.is_empty() {
            return Ok(conditions);
        }
        let provenance = store.provenance()?;
        conditions.devices.extend(provenance.device_kinds().into_iter().map(str::to_owned));
        let digests = provenance.data_digests();
        for task in tasks.iter().filter(|task| older.contains(task.label.as_str())) {
            let Some(settings) = &task.dataset else { continue };
            match digests.get(data::title(settings).as_str()) {
                Some(known) => conditions
                    .data
                    .entry(task.label.clone())
                    .or_default()
                    .extend(known.iter().map(|sha256| Data::of(settings, (*sha256).to_owned()))),
                None => drop(conditions.unknown.insert(task.label.clone())),
            }
        }
        Ok(conditions)
    }

    /// Adds the conditions of a run of a task.
    pub fn add(&mut self, task: &str, identity: &Identity) {
        if let Some(data) = &identity.data
            && !self.data.get(task).is_some_and(|known| known.contains(data))
        {
            self.data.entry(task.to_owned()).or_default().insert(data.clone());
        }
        if !self.devices.contains(&identity.device) {
            self.devices.insert(identity.device.clone());
        }
        for (kind, revision) in &identity.revisions {
            if !self.revisions.get(kind).is_some_and(|known| known.contains(revision)) {
                self.revisions.entry(kind.clone()).or_default().insert(*revision);
            }
        }
    }

    /// Adds the conditions of other runs.
    pub fn extend(&mut self, others: Self) {
        for (task, data) in others.data {
            self.data.entry(task).or_default().extend(data);
        }
        for (kind, revisions) in others.revisions {
            self.revisions.entry(kind).or_default().extend(revisions);
        }
        self.devices.extend(others.devices);
        self.unknown.extend(others.unknown);
    }

    /// What differs from these conditions to others in data and device, as far as both are known.
    pub fn other_data(&self, now: &Self) -> Vec<Other> {
        let mut all = Vec::new();
        for (task, was) in &self.data {
            let Some(is) = now.data.get(task) else { continue };
            let contents = |all: &BTreeSet<Data>| all.iter().map(|data| data.sha256.clone()).collect::<BTreeSet<_>>();
            if contents(was) == contents(is) {
                continue;
            }
            let new = is.iter().filter(|new| was.iter().all(|old| old.sha256 != new.sha256));
            let old = was.iter().filter(|old| is.iter().all(|new| old.sha256 != new.sha256));
            let (old, new) = (old.chain(was).next(), new.chain(is).next());
            let words = match (old, new) {
                (Some(old), Some(new)) if old.path == new.path && old.dataset == new.dataset => {
                    format!("task `{task}`: {old} has changed: SHA-256 was {}, is {}", old.sha256, new.sha256)
                }
                (Some(old), Some(new)) => {
                    format!(
                        "task `{task}`: the data was {old}, SHA-256 {}; is {new}, SHA-256 {}",
                        old.sha256, new.sha256
                    )
                }
                _ => format!("task `{task}` has other data"),
            };
            all.push(Other { words, path: new.and_then(|new| new.path.clone()) });
        }
        if !self.devices.is_empty() && !now.devices.is_empty() && self.devices != now.devices {
            let words = |devices: &BTreeSet<String>| {
                devices.iter().map(|device| format!("`{device}`")).collect::<Vec<_>>().join(" and ")
            };
            let words = format!("the device was {}, is {}", words(&self.devices), words(&now.devices));
            all.push(Other { words, path: None });
        }
        all
    }

    /// The kinds whose numbers changed from these conditions to others, one line each.
    pub fn other_revisions(&self, now: &Self) -> Vec<String> {
        let number = |all: &BTreeSet<u32>| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let differs = |(kind, was): (&String, &BTreeSet<u32>)| {
            let is = now.revisions.get(kind).filter(|is| *is != was)?;
            let (was, is) = (number(was), number(is));
            Some(format!("{kind} computes other numbers in this optbench: its revision was {was}, is {is}"))
        };
        self.revisions.iter().filter_map(differs).collect()
    }

    /// The tasks whose runs were trained on data that changed in between, in words.
    pub fn mixed_data(&self) -> Vec<String> {
        let mixed = self.data.iter().filter_map(|(task, all)| {
            let contents: BTreeSet<&str> = all.iter().map(|data| data.sha256.as_str()).collect();
            let data = all.first().filter(|_| contents.len() > 1)?;
            let n = contents.len();
            Some(format!("task `{task}`: its runs were trained on {n} versions of {data} and cannot be compared"))
        });
        mixed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(device: &str, sha256: &str, revision: u32) -> Identity {
        Identity {
            device: device.into(),
            data: Some(Data { dataset: "text".into(), path: Some("my.txt".into()), sha256: sha256.into() }),
            revisions: [("optimizer sgd".to_owned(), revision)].into(),
        }
    }

    fn conditions(identities: &[Identity]) -> Conditions {
        let mut conditions = Conditions::default();
        for identity in identities {
            conditions.add("reader", identity);
        }
        conditions
    }

    #[test]
    fn what_differs_is_named_with_what_it_was() {
        let was = conditions(&[identity("cpu", "aa", 1)]);
        assert!(was.other_data(&was).is_empty() && was.other_revisions(&was).is_empty());
        let is = conditions(&[identity("cuda", "bb", 2)]);
        let words = |others: Vec<Other>| others.into_iter().map(|other| other.words).collect::<Vec<_>>();
        assert_eq!(
            words(was.other_data(&is)),
            [
                "task `reader`: `my.txt` (dataset `text`) has changed: SHA-256 was aa, is bb",
                "the device was `cpu`, is `cuda`"
            ]
        );
        let revision = "optimizer sgd computes other numbers in this optbench: its revision was 1, is 2";
        assert_eq!(was.other_revisions(&is), [revision]);
        let both = conditions(&[identity("cpu", "aa", 1), identity("cpu", "bb", 1)]);
        assert_eq!(both.mixed_data().len(), 1);
        assert!(!both.other_data(&was).is_empty() && !was.other_data(&both).is_empty());
        // What is not known cannot differ.
        assert!(was.other_data(&Conditions::default()).is_empty() && Conditions::default().other_data(&was).is_empty());
    }
}
