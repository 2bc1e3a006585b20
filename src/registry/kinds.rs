//! The kinds of one sort that can be named, and what a definition has to be like to join them.

use crate::registry::{About, Described, Key};
use crate::settings::Sort;

/// The kinds of one sort, in the order in which they are listed.
#[derive(Debug, Clone)]
pub struct Kinds<D: 'static>(Vec<&'static D>);

impl<D: Described> Kinds<D> {
    /// These kinds.
    pub fn new(definitions: &'static [D]) -> Self {
        Self(definitions.iter().collect())
    }

    /// The same and one more, whose description is known to be right.
    #[must_use]
    pub fn with(mut self, definition: &'static D) -> Self {
        self.0.push(definition);
        self
    }

    /// The kind of that name.
    pub fn find(&self, name: &str) -> Option<&'static D> {
        self.iter().find(|definition| definition.about().name == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'static D> + ExactSizeIterator {
        self.0.iter().copied()
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.iter().map(|definition| definition.about().name).collect()
    }

    /// One more kind.
    ///
    /// # Errors
    /// In words for whoever wrote it, where its name is taken, or its description cannot be right.
    pub fn add(&mut self, definition: &'static D) -> Result<(), String> {
        let (sort, name) = (D::SORT.name(), definition.about().name);
        if let Some(flaw) = flaw(definition) {
            return Err(format!("{sort} `{name}`: {flaw}"));
        }
        if self.find(name).is_some() {
            return Err(format!("{sort} `{name}`: there is one of this name already"));
        }
        self.0.push(definition);
        Ok(())
    }
}

/// What a description cannot be: what no config could name, or would contradict itself.
pub fn flaw<D: Described>(definition: &D) -> Option<String> {
    let is_bare = |name: &str| {
        let rest = name.trim_start_matches(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        name.starts_with(|c: char| c.is_ascii_lowercase()) && rest.is_empty()
    };
    let About { name, revision, .. } = *definition.about();
    if !is_bare(name) {
        return Some("the name of a kind is lowercase letters, digits and `_`, a letter first".into());
    }
    if revision == 0 {
        return Some("`revision` is 0; expected 1, and 1 more with every change of its numbers".into());
    }
    let keys: Vec<&Key> = definition.keys().collect();
    if D::SORT == Sort::Optimizer && definition.key("lr").is_none() {
        return Some("it has no key `lr`".into());
    }
    keys.iter().enumerate().find_map(|(place, key)| {
        let twice = keys[..place].iter().any(|other| other.name == key.name) || D::RESERVED.contains(&key.name);
        let unfit = key.default.value().filter(|value| !key.accepts.takes(value));
        match (is_bare(key.name) || key.name == Key::REST, twice, unfit) {
            (false, _, _) => Some(format!("the key `{}` is not lowercase letters, digits and `_`", key.name)),
            (_, true, _) => Some(format!("the key `{}` has another meaning already", key.name)),
            (_, _, Some(value)) => Some(format!("`{}` is {value} by default; expected {}", key.name, key.accepts)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Accepts, Bounds};

    struct Plain(About);

    impl Described for Plain {
        const SORT: Sort = Sort::Schedule;

        fn about(&self) -> &About {
            &self.0
        }
    }

    const NAMED: About = About { name: "mine", revision: 1, summary: "", equations: "", keys: &[], source: "" };
    static MINE: Plain = Plain(NAMED);

    #[test]
    fn a_name_is_taken_once() {
        let mut kinds = Kinds::new(&[]);
        assert!(kinds.add(&MINE).is_ok());
        assert_eq!(kinds.add(&MINE).unwrap_err(), "schedule `mine`: there is one of this name already");
        assert_eq!((kinds.names(), kinds.find("mine").is_some()), (vec!["mine"], true));
    }

    #[test]
    fn a_description_that_no_config_could_use_is_refused() {
        const RATE: Key = Key::float("rate", 2.0, Bounds::UNIT, "");
        const KIND: Key = Key::optional("kind", Accepts::Text, "");
        const OUTSIDE: &[Key] = &[RATE];
        const TWICE: &[Key] = &[Key { default: crate::registry::Fallback::Float(0.5), ..RATE }, RATE];
        for (about, part) in [
            (About { name: "My rule", ..NAMED }, "lowercase"),
            (About { revision: 0, ..NAMED }, "`revision` is 0"),
            (About { keys: OUTSIDE, ..NAMED }, "`rate` is 2 by default; expected a number, at least 0 and at most 1"),
            (About { keys: TWICE, ..NAMED }, "`rate` has another meaning"),
            (About { keys: &[KIND], ..NAMED }, "`kind` has another meaning"),
        ] {
            let said = flaw(&Plain(about)).unwrap();
            assert!(said.contains(part), "{said}");
        }
    }
}
