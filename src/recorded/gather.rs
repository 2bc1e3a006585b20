//! From the rows of tables to runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::recorded::columns::{self, Column};
use crate::recorded::mapping::Mapping;
use crate::recorded::run::{Point, Quantity, Run};
use crate::recorded::sheet::{Row, Sheet, mistake};
use crate::settings::number;
use crate::task::Split;

/// What stands in a cell that holds nothing.
const NOTHING: [&str; 8] = ["", "null", "None", "none", "N/A", "n/a", "NA", "-"];

/// All runs of some tables, in the order in which they are found. Tables with a column of runs may tell of the same ones.
///
/// # Errors
/// Names the file and the line of what cannot be read.
pub fn runs(sheets: &[Sheet], mapping: &Mapping) -> Result<Vec<Run>> {
    let mut all: Vec<Run> = Vec::new();
    for sheet in sheets {
        let reader = Reader::new(sheet, mapping);
        for mut run in reader.runs()? {
            let known = all.iter_mut().find(|known| known.name == run.name).filter(|_| reader.names_runs());
            match known {
                Some(known) => {
                    let own = |mine: &mut Option<String>, other| *mine = mine.take().or(other);
                    own(&mut known.task, run.task);
                    own(&mut known.optimizer, run.optimizer);
                    own(&mut known.schedule, run.schedule);
                    own(&mut known.status, run.status);
                    known.seed = known.seed.or(run.seed);
                    known.settings.extend(run.settings);
                    known.points.append(&mut run.points);
                    known.settle(&sheet.path, sheet.later_rows_win)?;
                }
                None => all.push(run),
            }
        }
    }
    Ok(all)
}

/// A value as one text, however it was written: `0.10` and `1e-1` are one.
fn canonical(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() => number(x),
        _ if ["true", "false"].contains(&text.to_ascii_lowercase().as_str()) => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    }
}

/// A table with what its columns hold.
struct Reader<'a> {
    sheet: &'a Sheet,
    mapping: &'a Mapping,
    columns: Vec<Column>,
    /// What a score belongs to whose name tells no split.
    bare: Split,
}

impl<'a> Reader<'a> {
    fn new(sheet: &'a Sheet, mapping: &'a Mapping) -> Self {
        let columns = mapping.columns(&sheet.columns);
        let mut reader = Self { sheet, mapping, columns, bare: Split::Validation };
        let mut names: Vec<Column> = reader.columns.clone();
        if let Some(name) = reader.find(&Column::Name) {
            let cells: BTreeSet<&str> = sheet.rows.iter().map(|row| row.cells[name].as_str()).collect();
            names.extend(cells.into_iter().map(|cell| mapping.guess(cell)));
        }
        // Beside `val_loss`, `loss` is that of training; beside a final `val_accuracy`, `accuracy` is what is reported.
        let is_validation = |column: &Column| matches!(column, Column::Score(Some(Split::Validation), _));
        if names.iter().any(is_validation) {
            reader.bare = if reader.has_time() { Split::Train } else { Split::Test };
        }
        reader
    }

    fn find(&self, column: &Column) -> Option<usize> {
        self.columns.iter().position(|other| other == column)
    }

    fn has_time(&self) -> bool {
        self.find(&Column::Step).or(self.find(&Column::Epoch)).is_some()
    }

    fn names_runs(&self) -> bool {
        self.find(&Column::Run).is_some()
    }

    fn is_long(&self) -> bool {
        self.find(&Column::Name).is_some() && self.find(&Column::Value).is_some()
    }

    /// The runs, each from its rows.
    fn runs(&self) -> Result<Vec<Run>> {
        use Column::{Optimizer, Schedule, Seed, Task};
        if self.names_runs() {
            return self.grouped(&[Column::Run]);
        }
        if !self.has_time() && !self.is_long() {
            return self.sheet.rows.iter().map(|row| self.run(&[row], &format!("-{}", row.line - 1))).collect();
        }
        let labels = [Task, Optimizer, Schedule, Seed];
        let labelled = self.grouped(&labels);
        if labelled.is_ok() {
            return labelled;
        }
        // Rows that contradict each other may be of different settings.
        let is_setting = |column: &&Column| matches!(column, Column::Other(_) | Column::Rate);
        let settings: Vec<Column> = labels.into_iter().chain(self.columns.iter().filter(is_setting).cloned()).collect();
        self.grouped(&settings).or(labelled)
    }

    /// The runs whose rows are alike in some columns.
    fn grouped(&self, by: &[Column]) -> Result<Vec<Run>> {
        let by: Vec<usize> = by.iter().filter_map(|column| self.find(column)).collect();
        let mut groups: Vec<(Vec<&str>, Vec<&Row>)> = Vec::new();
        let mut places: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
        for row in &self.sheet.rows {
            let key: Vec<&str> = by.iter().map(|column| row.cells[*column].as_str()).collect();
            let place = *places.entry(key.clone()).or_insert_with(|| {
                groups.push((key, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(row);
        }
        let suffix = |key: &[&str]| -> String {
            key.iter().filter(|cell| !cell.is_empty()).map(|cell| format!("-{cell}")).collect()
        };
        groups.iter().map(|(key, rows)| self.run(rows, &suffix(key))).collect()
    }

    /// One run of some rows.
    fn run(&self, rows: &[&Row], suffix: &str) -> Result<Run> {
        let mut run = Run { path: self.sheet.path.clone(), ..Run::default() };
        run.settings = self.constants(&mut run.task, &mut run.optimizer, &mut run.schedule, &mut run.seed);
        for (place, column) in self.columns.iter().enumerate() {
            let cells = rows.iter().map(|row| (row.line, row.cells[place].as_str()));
            let cells: Vec<(u64, &str)> = cells.filter(|(_, cell)| !NOTHING.contains(cell)).collect();
            let Some((line, first)) = cells.first().copied() else { continue };
            let text = || Some(first.to_owned());
            match column {
                Column::Run => first.clone_into(&mut run.name),
                Column::Task => run.task = text(),
                Column::Optimizer => run.optimizer = text(),
                Column::Schedule => run.schedule = text(),
                Column::Status => run.status = text(),
                Column::Seed => run.seed = Some(self.whole(line, "seed", first)?),
                Column::Other(name) if cells.iter().all(|(_, cell)| *cell == first) => {
                    run.settings.insert(name.clone(), canonical(first));
                }
                // Of a rate that moves, the largest is what others are multiples of.
                Column::Rate => {
                    let rates = cells.iter().map(|(line, cell)| Ok((self.number(*line, cell)?, *cell)));
                    let rates = rates.collect::<Result<Vec<(f64, &str)>>>()?;
                    if let Some((_, peak)) = rates.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b)) {
                        run.settings.insert("lr".into(), canonical(peak));
                    }
                }
                _ => {}
            }
        }
        if run.name.is_empty() {
            run.name = format!("{}{suffix}", self.sheet.run);
        }
        for row in rows {
            self.measured(row, &mut run.points)?;
        }
        // A rate that stays the same may be the peak that the schedule moves: it tells nothing of single updates.
        let rates = || run.points.iter().filter(|point| point.of == Quantity::Rate).map(|point| point.value);
        if rates().all(|rate| Some(rate) == rates().next()) {
            run.points.retain(|point| point.of != Quantity::Rate);
        }
        run.settle(&self.sheet.path, self.sheet.later_rows_win)?;
        Ok(run)
    }

    /// What the file beside the table says of the whole run.
    fn constants(
        &self,
        task: &mut Option<String>,
        optimizer: &mut Option<String>,
        schedule: &mut Option<String>,
        seed: &mut Option<u64>,
    ) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        let (names, values): (Vec<String>, Vec<&String>) =
            self.sheet.constants.iter().map(|(name, value)| (name.clone(), value)).unzip();
        for (holds, value) in self.mapping.columns(&names).into_iter().zip(values) {
            match holds {
                Column::Task => *task = Some(value.clone()),
                Column::Optimizer => *optimizer = Some(value.clone()),
                Column::Schedule => *schedule = Some(value.clone()),
                Column::Seed => *seed = value.parse().ok(),
                Column::Rate => drop(settings.insert("lr".into(), canonical(value))),
                Column::Other(name) => drop(settings.insert(name, canonical(value))),
                _ => {}
            }
        }
        settings
    }

    /// The numbers of a row.
    fn measured(&self, row: &Row, points: &mut Vec<Point>) -> Result<()> {
        let cell = |column: &Column| {
            self.find(column).map(|place| row.cells[place].as_str()).filter(|cell| !NOTHING.contains(cell))
        };
        let of_row = match cell(&Column::Split) {
            Some(word) => Some(columns::split(word).ok_or_else(|| {
                let problem = format!("there is no split `{word}`; expected `train`, `val` or `test`");
                mistake(&self.sheet.path, Some(row.line), &problem)
            })?),
            None => None,
        };
        let mut found = Vec::new();
        if let (Some(name), Some(value)) = (cell(&Column::Name), cell(&Column::Value)) {
            found.push((self.mapping.guess(name), value));
        }
        let cells = self.columns.iter().zip(&row.cells).filter(|(_, cell)| !NOTHING.contains(&cell.as_str()));
        found.extend(cells.map(|(column, cell)| (column.clone(), cell.as_str())));
        let mut step = None;
        for (column, cell) in found {
            let of = match column {
                Column::Score(split, metric) => Quantity::score(split.or(of_row).unwrap_or(self.bare), metric),
                Column::Rate if self.has_time() => Quantity::Rate,
                Column::GradientNorm if self.has_time() => Quantity::GradientNorm,
                _ => continue,
            };
            let value = self.number(row.line, cell)?;
            if step.is_none() {
                step = self.step(row)?;
            }
            points.push(Point { line: row.line, step, of, value });
        }
        Ok(())
    }

    /// Updates done at a row; without a column of steps, epochs are counted.
    fn step(&self, row: &Row) -> Result<Option<u64>> {
        let Some(place) = self.find(&Column::Step).or(self.find(&Column::Epoch)) else { return Ok(None) };
        let name = &self.sheet.columns[place];
        let cell = row.cells[place].as_str();
        if NOTHING.contains(&cell) {
            return Err(mistake(&self.sheet.path, Some(row.line), &format!("the row has no `{name}`")));
        }
        let step = self.whole(row.line, name, cell)?;
        // Whoever counts epochs from 0 says at epoch 0 what was measured after it.
        let from_zero = self.find(&Column::Step).is_none() && self.sheet.rows.iter().any(|row| row.cells[place] == "0");
        Ok(Some(step + u64::from(from_zero)))
    }

    fn number(&self, line: u64, cell: &str) -> Result<f64> {
        // As people write shares; what it is a percentage of stays as it is.
        let bare = cell.strip_suffix('%').map(str::trim);
        let number = bare.unwrap_or(cell).parse::<f64>();
        let number = number.map(|number| if bare.is_some() { number / 100.0 } else { number });
        number.map_err(|_| mistake(&self.sheet.path, Some(line), &format!("`{cell}` is not a number")))
    }

    fn whole(&self, line: u64, name: &str, cell: &str) -> Result<u64> {
        let number = cell.parse::<u64>().ok().or_else(|| {
            let number = cell.parse::<f64>().ok()?;
            (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as u64)
        });
        number.ok_or_else(|| {
            mistake(
                &self.sheet.path,
                Some(line),
                &format!("`{cell}` in column `{name}` is not a whole number from 0 on"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(text: &str) -> Sheet {
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let columns = lines.next().unwrap();
        let rows = lines.enumerate().map(|(i, cells)| Row { line: i as u64 + 2, cells }).collect();
        Sheet { path: "x.csv".into(), run: "x".into(), columns, rows, ..Sheet::default() }
    }

    fn read(texts: &[&str]) -> Result<Vec<Run>> {
        let sheets: Vec<Sheet> = texts.iter().map(|text| sheet(text)).collect();
        runs(&sheets, &Mapping::default())
    }

    /// Name, settings and points, in few words.
    fn told(run: &Run) -> String {
        let settings: Vec<_> = run.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let points = run.points.iter().map(|point| {
            let step = point.step.map_or(String::new(), |step| format!("@{step}"));
            format!("{:?}{step}={}", point.of, point.value).replace('"', "")
        });
        format!("{} [{}] {}", run.name, settings.join(" "), points.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn long_wide_and_final_tables_become_runs() {
        let long =
            read(&["run,step,split,metric,value\na,10,val,loss,0.5\nb,10,val,acc,0.75\na,10,test,loss,0.6\n"]).unwrap();
        assert_eq!(
            long.iter().map(told).collect::<Vec<_>>(),
            ["a [] Validation(loss)@10=0.5 Test(loss)@10=0.6", "b [] Validation(accuracy)@10=0.75",]
        );
        let wide = read(&["step,loss,val_loss,lr,eps\n1,2,,0.1,1e-8\n2,1,0.5,0.2,1e-8\n"]).unwrap();
        let expected =
            "x [eps=1e-8 lr=0.2] Training(loss)@1=2 Rate@1=0.1 Training(loss)@2=1 Validation(loss)@2=0.5 Rate@2=0.2";
        assert_eq!(told(&wide[0]), expected);
        let scores = read(&["optimizer,lr,seed,val_acc,accuracy\nadamw,0.1,0,0.5,50%\nsgd,1,0,0.75,0.7\n"]).unwrap();
        assert_eq!(told(&scores[0]), "x-1 [lr=0.1] Validation(accuracy)=0.5 Test(accuracy)=0.5");
        assert_eq!((scores[1].optimizer.as_deref(), scores[1].seed), (Some("sgd"), Some(0)));
    }

    #[test]
    fn runs_are_told_apart_by_labels_and_else_by_settings() {
        let text = "optimizer,seed,eps,epoch,val_loss\nsgd,0,1,0,0.5\nsgd,0,1,1,0.25\nadam,0,1,0,1\n";
        let by_labels = read(&[text]).unwrap();
        let expected =
            ["x-sgd-0 [eps=1] Validation(loss)@1=0.5 Validation(loss)@2=0.25", "x-adam-0 [eps=1] Validation(loss)@1=1"];
        assert_eq!(by_labels.iter().map(told).collect::<Vec<_>>(), expected);
        let by_settings = read(&["optimizer,eps,step,val_loss\nsgd,1,5,0.5\nsgd,2,5,0.25\n"]).unwrap();
        assert_eq!(by_settings.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(), ["x-sgd-1", "x-sgd-2"]);
    }

    #[test]
    fn tables_that_name_their_runs_tell_of_the_same_ones() {
        let both = read(&["run,optimizer,eps\na,sgd,1\n", "run,step,val_loss\na,1,0.5\n"]).unwrap();
        assert_eq!(both.len(), 1);
        assert_eq!(
            (told(&both[0]).as_str(), both[0].optimizer.as_deref()),
            ("a [eps=1] Validation(loss)@1=0.5", Some("sgd"))
        );
        let apart = read(&["step,val_loss\n1,0.5\n", "step,val_loss\n1,0.25\n"]).unwrap();
        assert_eq!(apart.len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_line() {
        for (text, problem) in [
            ("step,val_loss\n1,0.5\n2,half\n", "x.csv:3: `half` is not a number"),
            ("step,val_loss\n1.5,0.5\n", "x.csv:2: `1.5` in column `step` is not a whole number"),
            ("epoch,val_loss\n0.5,0.5\n", "x.csv:2: `0.5` in column `epoch`"),
            ("step,val_loss\n,0.5\n", "x.csv:2: the row has no `step`"),
            ("seed,val_loss\nx,0.5\n", "x.csv:2: `x` in column `seed`"),
            ("step,split,loss\n1,vaal,0.5\n", "x.csv:2: there is no split `vaal`"),
            ("step,val_loss\n1,0.5\n1,0.25\n", "x.csv:3: run `x` has two values of the validation loss at step 1"),
        ] {
            let said = read(&[text]).unwrap_err().to_string();
            assert!(said.starts_with(problem), "{said}");
        }
    }
}
