//! The text of a config as a tree that remembers where everything stands.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A place in one of the texts that a config is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// Which text: 0 is the file, the others are `--set` arguments.
    pub(super) source: usize,
    /// The bytes.
    pub(super) span: (usize, usize),
}

/// The start of the file: where what is missing is missed.
pub(super) const START: Place = Place { source: 0, span: (0, 0) };

impl Place {
    fn new(source: usize, span: Range<usize>) -> Self {
        Self { source, span: (span.start, span.end) }
    }
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) item: Item,
    pub(super) place: Place,
}

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Array(Vec<Node>),
    Table(Table),
    /// Something that TOML has and no key takes, such as a date; in words.
    Other(&'static str),
}

/// Keys and values in the order of the text.
#[derive(Debug, Clone, Default)]
pub(super) struct Table(pub(super) Vec<Entry>);

/// One key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) value: Node,
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }
}

impl Item {
    /// What the value is, in words for the user.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(what) => what,
        }
    }
}

/// A syntax error and where it is.
pub(super) struct SyntaxError {
    pub(super) message: String,
    pub(super) place: Place,
}

/// Parses one text; what can be read is read even where there are errors.
pub(super) fn parse(source: usize, text: &str) -> (Table, Vec<SyntaxError>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let errors = errors
        .into_iter()
        .map(|error| SyntaxError {
            message: error.message().to_owned(),
            place: Place::new(source, error.span().unwrap_or(0..0)),
        })
        .collect();
    (convert_table(source, table.get_ref()), errors)
}

fn convert_table(source: usize, table: &DeTable) -> Table {
    let entries = table.iter().map(|(key, value)| Entry {
        key: key.get_ref().to_string(),
        key_place: Place::new(source, key.span()),
        value: convert(source, value),
    });
    Table(entries.collect())
}

fn convert(source: usize, value: &Spanned<DeValue>) -> Node {
    let item = match value.get_ref() {
        DeValue::Boolean(flag) => Item::Bool(*flag),
        DeValue::Integer(integer) => {
            let digits = integer.as_str().replace('_', "");
            match i64::from_str_radix(&digits, integer.radix()) {
                Ok(n) => Item::Integer(n),
                Err(_) => Item::Other("an integer beyond 64 bits"),
            }
        }
        DeValue::Float(float) => match float.as_str().replace('_', "").parse() {
            Ok(x) => Item::Float(x),
            Err(_) => Item::Other("a number that cannot be read"),
        },
        DeValue::String(text) => Item::Text(text.to_string()),
        DeValue::Array(values) => Item::Array(values.iter().map(|value| convert(source, value)).collect()),
        DeValue::Table(table) => Item::Table(convert_table(source, table)),
        DeValue::Datetime(_) => Item::Other("a date or time"),
    };
    Node { item, place: Place::new(source, value.span()) }
}

/// Lays `patch` over `base`: tables that a dotted key implies merge, anything else is replaced.
pub(super) fn merge(base: &mut Table, patch: Table) {
    for entry in patch.0 {
        let implied = entry.key_place == entry.value.place;
        let Some(old) = base.0.iter_mut().find(|old| old.key == entry.key) else {
            base.0.push(entry);
            continue;
        };
        match (&mut old.value.item, entry.value.item) {
            (Item::Table(old), Item::Table(patch)) if implied => merge(old, patch),
            (_, item) => {
                old.value = Node { item, place: entry.value.place };
                old.key_place = entry.key_place;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Table {
        parse(0, text).0
    }

    #[test]
    fn a_dotted_patch_reaches_into_tables_and_an_inline_table_replaces() {
        let mut base = tree("steps = 5\n[optimizers.adamw]\nlr = { log = [1e-3, 1e-1], points = 3 }\neps = 1e-8\n");
        merge(&mut base, tree("optimizers.adamw.lr = { linear = [0, 1], points = 2 }"));
        merge(&mut base, tree("optimizers.sgd.lr = 1"));
        let Item::Table(optimizers) = &base.get("optimizers").unwrap().value.item else { panic!() };
        let Item::Table(adamw) = &optimizers.get("adamw").unwrap().value.item else { panic!() };
        assert!(adamw.get("eps").is_some() && optimizers.get("sgd").is_some());
        let Item::Table(lr) = &adamw.get("lr").unwrap().value.item else { panic!() };
        assert!(lr.get("log").is_none() && lr.get("linear").is_some());
    }

    #[test]
    fn what_can_be_read_is_read_beside_an_error() {
        let (table, errors) = parse(0, "x = 1\ny = @\nw = 2\n");
        assert_eq!(errors.len(), 1);
        assert!(table.get("x").is_some() && table.get("w").is_some());
    }
}
