//! A table of the user's own: numbers and words in columns, and a label for every row.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::checksum::sha256;
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::registry::{About, Accepts, Key};
use crate::rng::Stream;
use crate::settings::{Settings, Value};
use crate::task::Split;
use crate::task::data::files::read_named;
use crate::task::data::{Contents, Dataset, Definition, Examples, Input, Locator, Origin};
use crate::words::{count, listed};

const NAME: &str = "csv";
/// A guard against a wrong path and packed zeros.
const MOST_BYTES: u64 = 1 << 30;
/// Different words that a column or a label may have: more of them are names, not kinds.
const MOST_WORDS: usize = 1000;
/// Wrong rows that are named before the others are counted.
const MOST_NAMED: usize = 20;
/// What stands for a missing value, in any case.
const MISSING: [&str; 6] = ["", "na", "n/a", "nan", "null", "?"];

crate::choice! {
    /// What the label is.
    pub(crate) enum Goal {
        /// One of several classes.
        Classification = "classification",
        /// A number.
        Regression = "regression",
    }
}

/// The key that says what the label is.
pub(crate) const TASK: &str = "task";

pub(super) const DEFINITION: Definition = Definition {
    about: About {
        name: NAME,
        revision: 1,
        summary: "a table with a header, at `path`: columns of numbers and of words, and a column with the label",
        equations: "\
a column is one of numbers where more than half of its values are; then every other value is an error, named by line
numbers: (x - mean) / deviation, both of the training rows; missing (empty, NA, N/A, NaN, null, ?) is the mean, so 0
words: a 0 or 1 for each word of the column, in the order of the alphabet; missing is a word of its own; at most 1,000
classification: one class for each different label; regression: labels are standardised as numbers are, and loss is
the mean squared error of these; mse and mae are in the units of the label, r2 = 1 - mse / variance of the split
train 80% of the rows, val 10%, test 10%, by a shuffle that is the same for every seed; lines before the header that
begin with # are left out",
        keys: &[
            Key::required("path", Accepts::Text, "the file, as seen from where optbench is started")
                .that_decides_nothing(),
            Key::required("label", Accepts::Text, "the column that is predicted"),
            Key::choice(TASK, Goal::WORDS, "classification", "what the label is"),
            Key::optional("ignore", Accepts::Texts, "columns that the model does not learn from, such as [\"id\"]"),
            Key::optional("categorical", Accepts::Texts, "columns of numbers that are names, such as [\"zip_code\"]"),
        ],
        source: "the format: RFC 4180",
    },
    licence: "that of your table",
    contents: Contents::Table,
    origin: Origin::Path,
    load,
};

fn load(settings: &Settings, _: &Locator) -> Result<Dataset> {
    let path = settings.text("path");
    let bytes = read_named(NAME, Path::new(path), MOST_BYTES)?;
    let names = |key: &str| -> Vec<String> {
        match settings.get(key) {
            Some(Value::List(texts)) => texts.iter().filter_map(Value::as_text).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    };
    let reading = Reading {
        label: settings.text("label").to_owned(),
        goal: settings.choice(TASK),
        ignore: names("ignore"),
        categorical: names("categorical"),
    };
    let table = reading.table(&bytes).map_err(|problem| Error::data(NAME, format!("{path}: {problem}")))?;
    Ok(Dataset::Table(Arc::new(table)))
}

/// How a table is read.
struct Reading {
    label: String,
    goal: Goal,
    ignore: Vec<String>,
    categorical: Vec<String>,
}

/// What is wrong with rows, by line.
#[derive(Default)]
struct Mistakes {
    named: Vec<(u64, String)>,
    count: usize,
}

impl Mistakes {
    fn add(&mut self, line: u64, problem: String) {
        self.count += 1;
        self.named.push((line, problem));
    }

    fn check(mut self) -> Result<(), String> {
        if self.count == 0 {
            return Ok(());
        }
        self.named.sort_by_key(|&(line, _)| line);
        self.named.truncate(MOST_NAMED);
        let mut text = count(self.count, "mistake");
        for (line, problem) in &self.named {
            text += &format!("\n  line {line}: {problem}");
        }
        if self.count > self.named.len() {
            text += &format!("\n  and {} more", self.count - self.named.len());
        }
        Err(text + "\n  help: correct these rows, or leave the column out by `ignore`")
    }
}

/// The cells of one column, by row.
type Cells<'a> = Vec<&'a str>;

fn is_missing(cell: &str) -> bool {
    MISSING.iter().any(|missing| cell.eq_ignore_ascii_case(missing))
}

fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|x: &f64| x.is_finite())
}

impl Reading {
    fn table(&self, bytes: &[u8]) -> Result<Table, String> {
        let text = str::from_utf8(bytes).map_err(|error| {
            format!(
                "byte {} is not UTF-8\n  help: convert it, such as by `iconv -f latin1 -t utf-8`",
                error.valid_up_to()
            )
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut mistakes = Mistakes::default();
        let (header, lines, records) = records(text, &mut mistakes)?;
        let label = header.iter().position(|name| *name == self.label).ok_or_else(|| {
            format!("there is no column `{}`\n  help: the columns are {}", self.label, listed(&header, ", "))
        })?;
        for name in self.ignore.iter().chain(&self.categorical) {
            if !header.contains(name) {
                return Err(format!("there is no column `{name}`\n  help: the columns are {}", listed(&header, ", ")));
            }
        }
        let column =
            |i: usize| -> Cells { records.iter().map(|record| record.get(i).unwrap_or_default().trim()).collect() };
        let labels = self.labels(&column(label), &lines, &mut mistakes)?;
        let mut columns = Vec::new();
        for (i, name) in header.iter().enumerate() {
            if i != label && !self.ignore.contains(name) {
                columns.push(self.column(name, &column(i), &lines, &mut mistakes)?);
            }
        }
        mistakes.check()?;
        if columns.is_empty() {
            return Err("there is no column to learn from beside the label".into());
        }
        Table::new(columns, labels, records.len(), sha256(text))
    }

    fn labels(&self, cells: &Cells, lines: &[u64], mistakes: &mut Mistakes) -> Result<Labels, String> {
        for (cell, &line) in cells.iter().zip(lines) {
            if is_missing(cell) {
                mistakes.add(line, format!("the label `{}` is missing", self.label));
            } else if self.goal == Goal::Regression && number(cell).is_none() {
                mistakes.add(line, format!("the label `{}` is `{cell}`; expected a finite number", self.label));
            }
        }
        match self.goal {
            Goal::Regression => Ok(Labels::Numbers(cells.iter().map(|cell| number(cell).unwrap_or(0.0)).collect())),
            Goal::Classification => {
                let (of, words) = words(cells);
                if words.len() > MOST_WORDS {
                    return Err(format!(
                        "the label `{}` has {} different values; expected at most {MOST_WORDS} classes\n  \
                         help: for a label that is a number, write `task = \"regression\"`",
                        self.label,
                        words.len()
                    ));
                }
                if words.len() < 2 {
                    return Err(format!("the label `{}` has the same value in all rows", self.label));
                }
                Ok(Labels::Classes { of, classes: words.len() })
            }
        }
    }

    fn column(&self, name: &str, cells: &Cells, lines: &[u64], mistakes: &mut Mistakes) -> Result<Column, String> {
        let present = cells.iter().filter(|cell| !is_missing(cell)).count();
        let numbers: Vec<Option<f64>> = cells.iter().map(|cell| number(cell)).collect();
        let is_numeric =
            2 * numbers.iter().flatten().count() > present && !self.categorical.iter().any(|own| own == name);
        if is_numeric {
            for ((cell, number), &line) in cells.iter().zip(&numbers).zip(lines) {
                if number.is_none() && !is_missing(cell) {
                    mistakes.add(line, format!("`{name}` is `{cell}`; expected a finite number, as in most rows"));
                }
            }
            return Ok(Column::Numbers(numbers));
        }
        let (of, words) = words(cells);
        if words.len() > MOST_WORDS {
            return Err(format!(
                "the column `{name}` has {} different words; expected at most {MOST_WORDS}\n  help: leave it out: `ignore = [\"{name}\"]`",
                words.len()
            ));
        }
        Ok(Column::Words { of, count: words.len() })
    }
}

/// The names of the columns, and of every row its line and its cells.
type Records = (Vec<String>, Vec<u64>, Vec<csv::StringRecord>);

fn records(text: &str, mistakes: &mut Mistakes) -> Result<Records, String> {
    // Remarks are left out before the header alone: below it, a # is a value.
    let remarks = text.lines().take_while(|line| line.starts_with('#')).count();
    let from: usize = text.split_inclusive('\n').take(remarks).map(str::len).sum();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&text.as_bytes()[from..]);
    let line = |record: &csv::StringRecord| record.position().map_or(0, csv::Position::line) + remarks as u64;
    let header = reader.headers().map_err(|error| error.to_string())?;
    let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    if header.iter().all(String::is_empty) {
        return Err("the file is empty; expected a header and rows".into());
    }
    if let Some(twice) = (1..header.len()).find(|&i| header[..i].contains(&header[i])) {
        return Err(format!("two columns are called `{}`", header[twice]));
    }
    let (mut lines, mut records) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        if record.len() == header.len() {
            lines.push(line(&record));
            records.push(record);
        } else {
            let (found, expected) = (count(record.len(), "value"), header.len());
            mistakes.add(line(&record), format!("{found}; expected {expected}, as in the header"));
        }
    }
    Ok((header, lines, records))
}

/// The number of every cell's word, and the words in order: as numbers where all are, else by the alphabet.
fn words<'a>(cells: &Cells<'a>) -> (Vec<u32>, Vec<&'a str>) {
    let plain = |cell: &&'a str| if is_missing(cell) { "" } else { *cell };
    let distinct: BTreeSet<&str> = cells.iter().map(plain).collect();
    let mut words: Vec<&str> = distinct.into_iter().collect();
    if words.iter().all(|word| number(word).is_some()) {
        words.sort_by(|a, b| number(a).partial_cmp(&number(b)).unwrap_or(std::cmp::Ordering::Equal));
    }
    let places: HashMap<&str, u32> = words.iter().copied().zip(0..).collect();
    (cells.iter().map(|cell| places[plain(cell)]).collect(), words)
}

enum Column {
    Numbers(Vec<Option<f64>>),
    Words { of: Vec<u32>, count: usize },
}

enum Labels {
    Classes { of: Vec<u32>, classes: usize },
    Numbers(Vec<f64>),
}

/// A table in memory, its rows in the order of a fixed shuffle.
#[derive(Debug)]
pub struct Table {
    /// Of every row the numbers, standardised.
    numbers: Vec<f64>,
    numeric: usize,
    /// Of every row the columns, after those of numbers, that are 1.
    ones: Vec<u32>,
    worded: usize,
    columns: usize,
    answers: Answers,
    rows: usize,
    digest: String,
}

#[derive(Debug)]
enum Answers {
    Classes {
        of: Vec<u32>,
        classes: usize,
    },
    /// Standardised, and what 1 of them is in the label's units.
    Numbers {
        of: Vec<f64>,
        unit: f64,
    },
}

impl Table {
    fn new(columns: Vec<Column>, labels: Labels, rows: usize, digest: String) -> Result<Self, String> {
        if rows < 10 {
            return Err(format!("{}; expected at least 10 to split", count(rows, "row")));
        }
        let mut order: Vec<usize> = (0..rows).collect();
        Stream::new(0, "split csv").shuffle(&mut order);
        let train = &order[..train_rows(rows)];
        let (mut standardised, mut worded, mut next) = (Vec::new(), Vec::new(), 0u32);
        for column in columns {
            match column {
                Column::Numbers(of) => {
                    let (mean, deviation) = moments(train.iter().filter_map(|&row| of[row]));
                    standardised.push(
                        of.into_iter().map(move |x| x.map_or(0.0, |x| (x - mean) / deviation)).collect::<Vec<_>>(),
                    );
                }
                Column::Words { of, count } => {
                    worded.push((of, next));
                    next += count as u32;
                }
            }
        }
        let numeric = standardised.len();
        let numbers = order.iter().flat_map(|&row| standardised.iter().map(move |column| column[row])).collect();
        let first = numeric as u32;
        let ones = order.iter().flat_map(|&row| worded.iter().map(move |(of, from)| first + from + of[row])).collect();
        let answers = match labels {
            Labels::Classes { of, classes } => {
                Answers::Classes { of: order.iter().map(|&row| of[row]).collect(), classes }
            }
            Labels::Numbers(of) => {
                let (mean, unit) = moments(train.iter().map(|&row| of[row]));
                Answers::Numbers { of: order.iter().map(|&row| (of[row] - mean) / unit).collect(), unit }
            }
        };
        Ok(Self {
            numbers,
            numeric,
            ones,
            worded: worded.len(),
            columns: numeric + next as usize,
            answers,
            rows,
            digest,
        })
    }

    /// SHA-256 of the file, in hexadecimal.
    pub(super) fn digest(&self) -> String {
        self.digest.clone()
    }
}

/// Rows to train on: what validation and test, a tenth each, leave.
fn train_rows(rows: usize) -> usize {
    rows - 2 * (rows / 10)
}

/// Mean and deviation; the deviation of what is constant counts as 1.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / n;
    let deviation = (values.map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
    (mean, if deviation > 1e-12 * mean.abs() { deviation } else { 1.0 })
}

impl Examples for Table {
    fn input(&self) -> Input {
        let classes = match self.answers {
            Answers::Classes { classes, .. } => Some(classes),
            Answers::Numbers { .. } => None,
        };
        Input::Row { columns: self.columns, classes }
    }

    fn split(&self, split: Split) -> Range<usize> {
        let (train, tenth) = (train_rows(self.rows), self.rows / 10);
        match split {
            Split::Train => 0..train,
            Split::Validation => train..train + tenth,
            Split::Test => train + tenth..self.rows,
        }
    }

    /// Rows `[n, columns]`, and labels `[n]`: classes (u32), or standardised numbers.
    fn batch(&self, positions: &[usize], dtype: DType, device: &Device) -> Result<(Tensor, Tensor)> {
        let n = positions.len();
        let mut rows = vec![0.0; n * self.columns];
        for (row, &position) in rows.chunks_exact_mut(self.columns).zip(positions) {
            row[..self.numeric].copy_from_slice(&self.numbers[position * self.numeric..][..self.numeric]);
            for &one in &self.ones[position * self.worded..][..self.worded] {
                row[one as usize] = 1.0;
            }
        }
        let rows = Tensor::from_vec(rows, (n, self.columns), &Device::Cpu)?.to_dtype(dtype)?.to_device(device)?;
        let labels = match &self.answers {
            Answers::Classes { of, .. } => Tensor::from_vec(positions.iter().map(|&i| of[i]).collect(), n, device)?,
            Answers::Numbers { of, .. } => {
                let labels: Vec<f64> = positions.iter().map(|&i| of[i]).collect();
                Tensor::from_vec(labels, n, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)?
            }
        };
        Ok((rows, labels))
    }

    fn unit(&self) -> f64 {
        match self.answers {
            Answers::Classes { .. } => 1.0,
            Answers::Numbers { unit, .. } => unit,
        }
    }
}
