//! Plain tables: columns aligned by display width, nothing drawn around them, so that they can be read and piped.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use crate::cli::style::{HEADER, Look};

/// Which side of its column a text is moved to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// One cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A cell in a style.
    pub fn styled(text: impl Into<String>, style: Style) -> Cell {
        Cell { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell { text: text.into(), style: Style::new() }
    }
}

/// A table under construction.
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with the titles of its columns.
    pub fn new(columns: &[(&'static str, Align)]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are columns.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        debug_assert_eq!(N, self.columns.len(), "a row has as many cells as the table has columns");
        self.rows.push(cells.into());
    }

    /// Writes it. On a terminal the last column is cut to fit, elsewhere nothing is.
    pub fn write(&self, out: &mut dyn Write, look: &Look) -> io::Result<()> {
        let mut widths: Vec<usize> = self.columns.iter().map(|(title, _)| title.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        let titles: Vec<Cell> = self.columns.iter().map(|(title, _)| Cell::styled(*title, HEADER)).collect();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let mut line = String::new();
            let mut room = look.width.unwrap_or(usize::MAX);
            for (idx, cell) in row.iter().enumerate() {
                let is_last = idx + 1 == row.len();
                let text = fit(&cell.text, room, look.ascii);
                let padding = " ".repeat(widths[idx].saturating_sub(text.width()).min(room));
                let painted = look.paint(cell.style, &text);
                match self.columns[idx].1 {
                    Align::Right => line.extend([padding, painted]),
                    Align::Left if is_last => line.push_str(&painted),
                    Align::Left => line.extend([painted, padding]),
                }
                room = room.saturating_sub(widths[idx] + 2);
                if !is_last && room > 0 {
                    line.push_str("  ");
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// The text cut to at most `room` columns, with a mark where something is missing.
pub fn fit(text: &str, room: usize, ascii: bool) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mark = if ascii { '~' } else { '…' };
    let mut out = String::new();
    for c in text.chars() {
        let mut buffer = [0; 4];
        if out.width() + (c.encode_utf8(&mut buffer) as &str).width() >= room {
            break;
        }
        out.push(c);
    }
    if room > 0 {
        out.push(mark);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_display_width() {
        let mut table = Table::new(&[("name", Align::Left), ("count", Align::Right), ("where", Align::Left)]);
        table.row(["錠".into(), "7".into(), "a.rs:1".into()]);
        table.row(["accounts".into(), "1234".into(), "src/bank.rs:41:9".into()]);
        let write = |width| {
            let mut out = Vec::new();
            table.write(&mut out, &Look { color: false, ascii: false, width }).expect("a vector takes everything");
            String::from_utf8(out).expect("only texts were written")
        };
        assert_eq!(write(None), "name      count  where\n錠            7  a.rs:1\naccounts   1234  src/bank.rs:41:9\n");
        assert_eq!(write(Some(24)).lines().last(), Some("accounts   1234  src/ba…"));
    }

    #[test]
    fn texts_fit() {
        for (text, room, expected) in
            [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("錠錠", 3, "錠…"), ("錠錠", 2, "…"), ("ab", 0, ""), ("ab", 1, "…")]
        {
            assert_eq!(fit(text, room, false), expected);
        }
    }
}
