//! Where things are on a screen that was drawn, so that keys and the mouse can be about what is seen.

use std::ops::Range;

use lockscope_trace::{LockId, ThreadId};
use ratatui::layout::Rect;

use crate::dashboard::state::View;

/// A place to go to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// A thread.
    Thread(ThreadId),
    /// A lock.
    Lock(LockId),
    /// A finding, by its place in the list of all.
    Finding(usize),
    /// An event, by its number.
    Event(u64),
}

/// A handle on the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// Where it stands.
    pub area: Rect,
    /// Where it leads.
    pub target: Target,
}

/// A list on the screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// Its rows, without the titles.
    pub rows: Rect,
    /// Row of the titles.
    pub titles: u16,
    /// Index of the first row that is shown.
    pub first: usize,
    /// Columns of the screen that each column takes, with its place among all columns.
    pub columns: Vec<(Range<u16>, usize)>,
}

/// What was drawn where.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Screen {
    /// How far what can be scrolled can be scrolled.
    pub scroll_limit: usize,
    /// Handles that can be followed, in the order of reading.
    pub links: Vec<Link>,
    /// Titles of views.
    pub tabs: Vec<(Rect, View)>,
    /// Titles of panes.
    pub panes: Vec<(Rect, usize)>,
    /// The list, where there is one.
    pub table: Option<Table>,
    /// Lanes of the timeline.
    pub lanes: Option<Rect>,
    /// The line between list and detail.
    pub splitter: Option<u16>,
    /// Rows of the menu, and the index of the first one.
    pub menu: Option<(Rect, usize)>,
    /// The view's own part of the screen.
    pub body: Rect,
}

/// The place that a text names: `T3`, `L7`, `F1`, `#1234`.
pub fn parse(text: &str) -> Option<Target> {
    let number = || text.get(1..)?.parse::<u32>().ok();
    match text.chars().next()? {
        'T' => number().map(|id| Target::Thread(ThreadId(id))),
        'L' => number().map(|id| Target::Lock(LockId(id))),
        'F' => number().and_then(|id| id.checked_sub(1)).map(|idx| Target::Finding(idx as usize)),
        '#' => text.get(1..)?.replace([',', ' ', '\u{a0}', '\u{202f}'], "").parse().ok().map(Target::Event),
        _ => None,
    }
}

/// Handles in a line of the screen, with the columns (of characters) that they take.
pub fn handles(line: &[&str]) -> Vec<(Range<usize>, Target)> {
    let mut found = Vec::new();
    let is_word = |cell: &str| cell.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut at = 0;
    while at < line.len() {
        let begins = matches!(line[at], "T" | "L" | "F" | "#") && (at == 0 || !is_word(line[at - 1]));
        let mut end = at + 1;
        while begins && line.get(end).is_some_and(|cell| cell.len() == 1 && cell.as_bytes()[0].is_ascii_digit()) {
            end += 1;
        }
        if begins
            && end > at + 1
            && !line.get(end).is_some_and(|cell| is_word(cell))
            && let Some(target) = parse(&line[at..end].concat())
        {
            found.push((at..end, target));
        }
        at = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&str]) {
        let cells: Vec<String> = line.chars().map(String::from).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let found: Vec<String> = handles(&cells).into_iter().map(|(range, _)| cells[range].concat()).collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn handles_are_found_in_text() {
        check("T1 teller holds L0 accounts, wants L12", &["T1", "L0", "L12"]);
        check("(F1) at #1234, T7", &["F1", "#1234", "T7"]);
        check("HTML5 T F T3x L99999999999 F0 #", &[]);
        check("T1/T2", &["T1", "T2"]);
    }
}
