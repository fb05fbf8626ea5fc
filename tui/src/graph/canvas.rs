//! A grid of characters with roles, on which layouts draw and which prints or colours itself.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What a character belongs to; whoever shows it decides how that looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// Nothing in particular.
    #[default]
    Plain,
    /// A thread.
    Thread,
    /// A lock.
    Lock,
    /// Something in a cycle.
    Cycle,
    /// What matters less.
    Dim,
    /// A title.
    Title,
}

/// The set of characters for lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Glyphs {
    /// Corners and sides of a thread's box: top left, top right, bottom left, bottom right.
    pub thread: [char; 4],
    /// Corners of a lock's box.
    pub lock: [char; 4],
    /// Horizontal and vertical line.
    pub line: [char; 2],
    /// Horizontal and vertical double line.
    pub double: [char; 2],
    /// Bottom left corner of double lines.
    pub double_corner: char,
    /// Heads of arrows: right, left, down, up.
    pub heads: [char; 4],
    /// Branches of a tree: between, last, going on, double corner.
    pub tree: [&'static str; 4],
    /// Mark of a cycle.
    pub mark: char,
    /// Times sign.
    pub times: char,
}

/// Box drawing characters.
pub const UNICODE: Glyphs = Glyphs {
    thread: ['╭', '╮', '╰', '╯'],
    lock: ['┌', '┐', '└', '┘'],
    line: ['─', '│'],
    double: ['═', '║'],
    double_corner: '╚',
    heads: ['▶', '◀', '▼', '▲'],
    tree: ["├─ ", "└─ ", "│  ", "╘═ "],
    mark: '✖',
    times: '×',
};

/// ASCII only; threads have round brackets' corners, locks have pluses.
pub const ASCII: Glyphs = Glyphs {
    thread: ['.', '.', '\'', '\''],
    lock: ['+', '+', '+', '+'],
    line: ['-', '|'],
    double: ['=', '#'],
    double_corner: '#',
    heads: ['>', '<', 'v', '^'],
    tree: ["|- ", "`- ", "|  ", "`= "],
    mark: 'X',
    times: 'x',
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cell {
    /// `None` is the second half of a wide character.
    c: Option<char>,
    role: Role,
}

const EMPTY: Cell = Cell { c: Some(' '), role: Role::Plain };

/// A drawing. Grows as needed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Canvas {
    rows: Vec<Vec<Cell>>,
}

impl Canvas {
    /// Writes a text from a place to the right.
    pub fn put(&mut self, x: usize, y: usize, text: &str, role: Role) {
        let mut x = x;
        for c in text.chars() {
            match c.width().unwrap_or(0) {
                0 => continue,
                1 => self.set(x, y, Some(c), role),
                _ => {
                    self.set(x, y, Some(c), role);
                    self.set(x + 1, y, None, role);
                }
            }
            x += c.width().unwrap_or(0);
        }
    }

    /// Appends a line of parts below everything else and returns its row.
    pub fn line(&mut self, parts: &[(&str, Role)]) -> usize {
        let y = self.rows.len();
        self.rows.push(Vec::new());
        let mut x = 0;
        for (text, role) in parts {
            self.put(x, y, text, *role);
            x += text.width();
        }
        y
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// Number of columns of the longest row.
    #[cfg(test)]
    pub fn width(&self) -> usize {
        self.rows.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Puts another drawing below this one.
    pub fn append(&mut self, other: Canvas) {
        self.rows.extend(other.rows);
    }

    /// Each row as runs of one role, without trailing spaces.
    pub fn runs(&self) -> impl Iterator<Item = Vec<(String, Role)>> {
        self.rows.iter().map(|row| {
            let end = row.iter().rposition(|cell| *cell != EMPTY).map_or(0, |idx| idx + 1);
            let mut runs: Vec<(String, Role)> = Vec::new();
            for cell in &row[..end] {
                let Some(c) = cell.c else { continue };
                match runs.last_mut() {
                    Some((text, role)) if *role == cell.role || c == ' ' => text.push(c),
                    _ => runs.push((c.to_string(), cell.role)),
                }
            }
            runs
        })
    }

    fn set(&mut self, x: usize, y: usize, c: Option<char>, role: Role) {
        if self.rows.len() <= y {
            self.rows.resize_with(y + 1, Vec::new);
        }
        let row = &mut self.rows[y];
        if row.len() <= x {
            row.resize(x + 1, EMPTY);
        }
        row[x] = Cell { c, role };
    }
}

impl std::fmt::Display for Canvas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for runs in self.runs() {
            let line: String = runs.into_iter().map(|(text, _)| text).collect();
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
