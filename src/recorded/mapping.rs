//! What the columns of tables hold: as the user says or, where nothing is said, as their names tell.

use crate::error::{Error, Result};
use crate::recorded::columns::{Column, column};
use crate::recorded::sheet::Sheet;
use crate::words::quoted;

/// What stands for a column that is not to be read.
const IGNORED: &str = "ignored";

/// What the user says of columns and metrics.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// What a column holds, by its name in the file.
    said: Vec<(Column, String)>,
    /// Names that are metrics, whatever they look like.
    metrics: Vec<String>,
}

impl Mapping {
    /// From words such as `lr=learning_rate`: our name, then that of the file; and the names of metrics.
    ///
    /// # Errors
    /// In words for the user, where one of them has no `=`.
    pub fn new(words: &[String], metrics: Vec<String>) -> Result<Self> {
        let said = words.iter().map(|word| match word.split_once('=') {
            Some((ours, theirs)) if !ours.is_empty() && !theirs.is_empty() => {
                let holds = if ours == IGNORED { Column::Bookkeeping } else { column(ours) };
                Ok((holds, theirs.to_owned()))
            }
            _ => Err(Error::Usage(format!(
                "`--column {word}` names no column; expected OURS=THEIRS, such as `--column lr=learning_rate`"
            ))),
        });
        Ok(Self { said: said.collect::<Result<_>>()?, metrics })
    }

    /// What each column of a table holds; of two that hold the same, the first one counts.
    pub fn columns(&self, names: &[String]) -> Vec<Column> {
        let said = |name: &String| self.said.iter().find(|(_, theirs)| theirs == name).map(|(holds, _)| holds.clone());
        let is_taken = |holds: &Column| names.iter().any(|name| said(name).as_ref() == Some(holds));
        let mut all: Vec<Column> = Vec::new();
        for name in names {
            let guessed = match self.guess(name) {
                guessed if is_taken(&guessed) => Column::Bookkeeping,
                guessed => guessed,
            };
            let holds = said(name).unwrap_or(guessed);
            all.push(if all.contains(&holds) { Column::Bookkeeping } else { holds });
        }
        all
    }

    /// What a name means, in the first line of a table or in a long table's column of metrics.
    pub fn guess(&self, name: &str) -> Column {
        match column(name) {
            Column::Other(other) if self.metrics.contains(&other) => Column::Score(None, other),
            holds => holds,
        }
    }

    /// Refuses a column that none of the tables has.
    ///
    /// # Errors
    /// In words for the user.
    pub fn check(&self, sheets: &[Sheet]) -> Result<()> {
        let names = |sheet: &'_ Sheet| -> Vec<String> {
            sheet.columns.iter().chain(sheet.constants.iter().map(|(name, _)| name)).cloned().collect()
        };
        let known: Vec<String> = sheets.iter().flat_map(names).collect();
        let Some((_, theirs)) = self.said.iter().find(|(_, theirs)| !known.contains(theirs)) else { return Ok(()) };
        let mut columns: Vec<&str> = Vec::new();
        for name in &known {
            if !columns.contains(&name.as_str()) {
                columns.push(name);
            }
        }
        Err(Error::Usage(format!("there is no column `{theirs}`\n  help: the columns are {}", quoted(&columns))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Split;

    #[test]
    fn what_is_said_comes_before_what_is_guessed() {
        let words = ["run=job", "val.f2=quality", "ignored=host"].map(str::to_owned);
        let mapping = Mapping::new(&words, vec!["wombats".into()]).unwrap();
        let names = ["run", "job", "quality", "host", "wombats", "eps", "step", "global_step"].map(str::to_owned);
        let score = |split, metric: &str| Column::Score(split, metric.into());
        let expected = [
            Column::Bookkeeping,
            Column::Run,
            score(Some(Split::Validation), "f2"),
            Column::Bookkeeping,
            score(None, "wombats"),
            Column::Other("eps".into()),
            Column::Step,
            Column::Bookkeeping,
        ];
        assert_eq!(mapping.columns(&names), expected);
        let sheet = Sheet { columns: names[..2].into(), ..Sheet::default() };
        let said = mapping.check(&[sheet]).unwrap_err().to_string();
        assert!(said.contains("no column `quality`") && said.contains("`run`, `job`"), "{said}");
        assert!(Mapping::new(&["lr".into()], Vec::new()).unwrap_err().to_string().contains("expected OURS=THEIRS"));
    }
}
