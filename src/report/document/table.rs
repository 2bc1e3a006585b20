//! Tables: columns that say what they are, and cells that say what they mean.

use crate::report::document::cell::Cell;

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// How much there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// About a hundred columns of a terminal.
    Narrow,
    /// A document, such as Markdown.
    Wide,
    /// A page that is scrolled and filtered.
    Page,
}

/// Where a table, a column or a note is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Wherever there is a report.
    Everywhere,
    /// Where room is scarce, in place of more.
    WhereNarrow,
    /// Where there is room.
    WhereWide,
    /// On the page alone.
    OnPage,
}

impl Shown {
    /// Whether it is shown in that room.
    pub fn fits(self, room: Room) -> bool {
        match self {
            Self::Everywhere => true,
            Self::WhereNarrow => room == Room::Narrow,
            Self::WhereWide => room != Room::Narrow,
            Self::OnPage => room == Room::Page,
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// What a reader needs to know of it, in sentences; empty where the heading says it all.
    pub help: String,
    /// Where its cells stand.
    pub align: Align,
    /// Where it is shown.
    pub shown: Shown,
}

impl Column {
    /// Explains it.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = help.into();
        self
    }

    /// Says where it is shown, if not everywhere.
    pub fn only(&mut self, shown: Shown) -> &mut Self {
        self.shown = shown;
        self
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// What it is about; [`Table::explanation`] adds what its columns are.
    pub note: String,
    /// Where the explanation is shown.
    pub explained: Shown,
    /// Where the table is shown.
    pub shown: Shown,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without columns, shown where there is room.
    pub fn new(title: impl Into<String>, note: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            note: note.into(),
            explained: Shown::WhereWide,
            shown: Shown::WhereWide,
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Says where the table is shown.
    #[must_use]
    pub fn only(self, shown: Shown) -> Self {
        Self { shown, ..self }
    }

    /// Adds a column of words, with a cell for each row.
    pub fn words<C: Into<Cell>>(&mut self, title: impl Into<String>, cells: impl Iterator<Item = C>) -> &mut Column {
        self.column(title.into(), Align::Left, cells)
    }

    /// Adds a column of numbers, with a cell for each row.
    pub fn numbers<C: Into<Cell>>(&mut self, title: impl Into<String>, cells: impl Iterator<Item = C>) -> &mut Column {
        self.column(title.into(), Align::Right, cells)
    }

    fn column<C: Into<Cell>>(&mut self, title: String, align: Align, cells: impl Iterator<Item = C>) -> &mut Column {
        for (row, cell) in cells.enumerate() {
            if row == self.rows.len() {
                self.rows.push(Vec::new());
            }
            self.rows[row].push(cell.into());
        }
        let last = self.columns.len();
        self.columns.push(Column { title, help: String::new(), align, shown: Shown::Everywhere });
        &mut self.columns[last]
    }

    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What a reader needs to know of the table and of its columns in that room; empty where that is nothing.
    pub fn explanation(&self, room: Room) -> String {
        let helps = self.columns_in(room).map(|(_, column)| column.help.as_str());
        let said: Vec<&str> = std::iter::once(self.note.as_str())
            .chain(helps)
            .filter(|said| self.explained.fits(room) && !said.is_empty())
            .collect();
        said.join(" ")
    }

    /// The columns that are shown in that room, with their places.
    pub fn columns_in(&self, room: Room) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(move |(_, column)| column.shown.fits(room))
    }

    /// The headings in that room.
    pub fn titles(&self, room: Room) -> Vec<&str> {
        self.columns_in(room).map(|(_, column)| column.title.as_str()).collect()
    }

    /// The cells in that room, row by row.
    pub fn rows_in(&self, room: Room) -> impl Iterator<Item = Vec<&Cell>> {
        self.rows.iter().map(move |row| self.columns_in(room).map(|(place, _)| &row[place]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_has_the_columns_and_the_explanations_that_fit_it() {
        let mut table = Table::new("Title", "Of two arms.");
        table.words("arm", ["a", "b"].into_iter());
        table.words("long", ["x", "y"].into_iter()).help("Long: letters.").only(Shown::WhereWide);
        table.words("short", ["1", "2"].into_iter()).help("Short: digits.").only(Shown::WhereNarrow);
        let rows = |room| -> Vec<String> {
            table.rows_in(room).map(|row| row.iter().map(ToString::to_string).collect()).collect()
        };
        assert_eq!((table.titles(Room::Narrow), table.titles(Room::Page)), (vec!["arm", "short"], vec!["arm", "long"]));
        assert_eq!(
            (rows(Room::Narrow), rows(Room::Wide)),
            (vec!["a1".into(), "b2".into()], vec!["ax".into(), "by".into()])
        );
        assert_eq!(table.explanation(Room::Wide), "Of two arms. Long: letters.");
        assert_eq!(table.explanation(Room::Narrow), "");
    }
}
