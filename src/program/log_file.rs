//! A CSV file that a program writes as it trains, read as it grows.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use crate::metric::{Metric, Scores};
use crate::program::line::{Line, score};
use crate::recorded::columns::{self, split};
use crate::task::Split;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    Step,
    Epoch,
    Split,
    Loss,
    Rate,
    Score(Option<Split>, Metric),
    Other,
}

/// The file, and how far it was read.
pub(super) struct LogFile {
    path: PathBuf,
    metrics: Vec<Metric>,
    steps_per_epoch: Option<u64>,
    read: u64,
    rest: Vec<u8>,
    columns: Option<Vec<Column>>,
    row: u64,
}

impl LogFile {
    /// A file that need not be there yet.
    pub(super) fn new(path: PathBuf, metrics: &[Metric], steps_per_epoch: Option<u64>) -> Self {
        let metrics = metrics.to_vec();
        Self { path, metrics, steps_per_epoch, read: 0, rest: Vec::new(), columns: None, row: 0 }
    }

    /// Reads what was added since; with `all`, also a last line without its end.
    ///
    /// # Errors
    /// In words for the user, where a cell is not what its column holds.
    pub(super) fn read(&mut self, all: bool) -> Result<Vec<Line>, String> {
        let refused = |error: std::io::Error| format!("cannot read the log {}: {error}", self.path.display());
        let mut new = Vec::new();
        match File::open(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => {
                let mut file = opened.map_err(refused)?;
                file.seek(SeekFrom::Start(self.read)).map_err(refused)?;
                self.read += file.read_to_end(&mut new).map_err(refused)? as u64;
            }
        }
        self.rest.extend(new);
        let end = if all {
            self.rest.len()
        } else {
            self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
        };
        let whole: Vec<u8> = self.rest.drain(..end).collect();
        let mut lines = Vec::new();
        let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&whole[..]);
        for row in rows.records() {
            let row = row.map_err(|error| format!("the log {} cannot be parsed: {error}", self.path.display()))?;
            self.row += 1;
            match &self.columns {
                None => self.columns = Some(self.header(&row)?),
                Some(columns) => {
                    let found = self.measurements(columns, &row);
                    let place = format!("line {} of {}", self.row, self.path.display());
                    lines.extend(found.map_err(|problem| format!("{problem}\n  {place}"))?);
                }
            }
        }
        Ok(lines)
    }

    fn header(&self, names: &csv::StringRecord) -> Result<Vec<Column>, String> {
        let columns: Vec<Column> = names.iter().map(|name| column(name.trim(), &self.metrics)).collect();
        if columns.iter().any(|column| matches!(column, Column::Score(..))) {
            return Ok(columns);
        }
        let expected: Vec<String> = self.metrics.iter().map(|metric| format!("`val_{}`", metric.name())).collect();
        Err(format!(
            "the log {} has no column of a metric: {}; expected {}",
            self.path.display(),
            names.iter().collect::<Vec<_>>().join(", "),
            expected.join(", ")
        ))
    }

    fn measurements(&self, columns: &[Column], row: &csv::StringRecord) -> Result<Vec<Line>, String> {
        let cell = |wanted: Column| {
            let found = columns.iter().zip(row).find(|(column, cell)| **column == wanted && !cell.trim().is_empty());
            found.map(|(_, cell)| cell.trim())
        };
        let number = |text: &str| text.parse::<f64>().map_err(|_| format!("`{text}` is no number"));
        let value = |wanted: Column| cell(wanted).map(number).transpose();
        let step = value(Column::Step)?;
        let epochs =
            || Ok::<_, String>(value(Column::Epoch)?.zip(self.steps_per_epoch).map(|(epoch, n)| epoch * n as f64));
        let step = match step {
            None => epochs()?,
            step => step,
        };
        let step = step.map(|step| step.round() as u64);
        let named = match cell(Column::Split) {
            Some(name) => Some(split(name).ok_or_else(|| format!("there is no split `{name}`"))?),
            None => None,
        };
        let mut lines = Vec::new();
        if let (Some(loss), Some(step), None | Some(Split::Train)) =
            (value(Column::Loss)?, step.filter(|step| *step > 0), named)
        {
            lines.push(Line::Update { step, loss: Some(loss), lr: value(Column::Rate)?, grad_norm: None });
        }
        for split in [Split::Validation, Split::Test] {
            let mut scores = Scores::default();
            for (column, cell) in columns.iter().zip(row).filter(|(_, cell)| !cell.trim().is_empty()) {
                if let Column::Score(of, metric) = column
                    && of.or(named) == Some(split)
                {
                    scores.set(*metric, score(*metric, number(cell.trim())?)?);
                }
            }
            if scores.iter().next().is_some() {
                lines.push(Line::Evaluation { step, split, scores });
            }
        }
        Ok(lines)
    }
}

fn column(name: &str, metrics: &[Metric]) -> Column {
    // A declared metric is one, whatever its name would mean elsewhere.
    let declared = |split, name: &str| Metric::find(name, metrics).map(|metric| Column::Score(split, metric));
    let found = match columns::column(name) {
        columns::Column::Step => Column::Step,
        columns::Column::Epoch => Column::Epoch,
        columns::Column::Split => Column::Split,
        columns::Column::Rate => Column::Rate,
        columns::Column::Score(Some(Split::Train), metric) if metric == "loss" => Column::Loss,
        columns::Column::Score(split, metric) => declared(split, &metric).unwrap_or(Column::Other),
        _ => Column::Other,
    };
    if found == Column::Other { declared(None, name.trim()).unwrap_or(found) } else { found }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_as_it_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut log = LogFile::new(path.clone(), &[Metric::LOSS, Metric::ACCURACY], None);
        assert_eq!(log.read(false).unwrap(), []);
        fs::write(&path, "step,train_loss,val_loss,val/accuracy,note\n10,0.5,,,x\n10,,0.7,0.").unwrap();
        assert_eq!(log.read(false).unwrap(), [Line::Update { step: 10, loss: Some(0.5), lr: None, grad_norm: None }]);
        fs::write(&path, "step,train_loss,val_loss,val/accuracy,note\n10,0.5,,,x\n10,,0.7,0.25,").unwrap();
        let scores = Scores::of_loss(0.7).with(Metric::ACCURACY, 0.25);
        let expected = [Line::Evaluation { step: Some(10), split: Split::Validation, scores }];
        assert_eq!(log.read(true).unwrap(), expected);
    }

    #[test]
    fn rows_with_a_split_and_mistakes_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        let read = |text: &str, per_epoch| {
            fs::write(&path, text).unwrap();
            LogFile::new(path.clone(), &[Metric::LOSS], per_epoch).read(true)
        };
        let lines = read("epoch,split,loss\n2,val,0.5\n2,test,0.75\n", Some(4)).unwrap();
        let evaluation = |split, loss| Line::Evaluation { step: Some(8), split, scores: Scores::of_loss(loss) };
        assert_eq!(lines, [evaluation(Split::Validation, 0.5), evaluation(Split::Test, 0.75)]);
        assert!(read("step,val_loss\n1,abc\n", None).unwrap_err().contains("`abc` is no number\n  line 2 of"));
        assert!(read("step,speed\n1,2\n", None).unwrap_err().contains("no column of a metric: step, speed"));
    }
}
