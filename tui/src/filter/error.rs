//! What is wrong with a filter, and where.

use std::{fmt, ops::Range};

use unicode_width::UnicodeWidthStr;

/// Why a text is no filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterError {
    /// The whole text.
    pub text: String,
    /// Bytes of it that are wrong; empty at the end where something is missing.
    pub span: Range<usize>,
    /// What was expected, a sentence without a full stop.
    pub message: String,
    /// It may become right when more is typed.
    pub is_incomplete: bool,
}

impl FilterError {
    /// Columns of the text, as a terminal counts them, that are to be marked; at least one.
    pub fn columns(&self) -> Range<usize> {
        let start = self.text[..self.span.start].width();
        start..start + self.text[self.span.clone()].width().max(1)
    }
}

/// The message, then the text with a mark below what is wrong.
impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns();
        let (before, marks) = (" ".repeat(columns.start), "^".repeat(columns.len()));
        // A line end would move the mark, and so would anything that drives a terminal.
        let text: String = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        write!(f, "{}\n  {text}\n  {before}{marks}", self.message)
    }
}

impl std::error::Error for FilterError {}
