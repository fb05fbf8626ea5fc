//! The filter language, the same for `--filter` on the command line and for `/` in the dashboard.
//!
//! ```text
//! filter = all { ("or" | "|") all }            all  = not { ["and"] not }
//! not    = { "-" | "!" } part                  part = "(" filter ")" | term
//! term   = pattern                             in any column
//!        | key ":" pattern                     in one column
//!        | key (= != < <= > >=) quantity       wait > 5ms, contended >= 10%, count = 3, sev >= warning
//!        | ("after" | "before") ":" point      12.4s, #1234 (an event), F1 (a finding)
//! ```
//!
//! A pattern is a word, `"…"` (as it is) or `~/…/` (a regular expression). Case matters only where a pattern has an upper-case
//! letter. A handle (`T3`, `L7`) is found as a whole, so that `T3` is not in `T31`. After a key, `*` stands for anything, and then
//! the whole column has to match.
//!
//! Reading order: [`key`] is the table of keys; [`expr`] the tree and what it means; `parse` the parser; [`error`] its complaints;
//! [`row`] what a filter sees of a list; [`complete`] what Tab offers.

#[allow(dead_code, reason = "for the prompt of the dashboard")]
pub mod complete;
pub mod error;
pub mod expr;
pub mod key;
mod narrow;
mod parse;
pub mod quantity;
pub mod row;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use self::expr::{Expr, Place, Term};
pub use self::{
    error::FilterError,
    key::KEYS,
    quantity::Quantity,
    row::{Fields, Row},
};

/// A parsed filter. The empty one keeps everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    expr: Option<Expr>,
}

/// Parses a filter for any list.
///
/// # Errors
///
/// What was expected, and where.
pub fn parse(text: &str) -> Result<Filter, FilterError> {
    parse::parse(text, &|_| true)
}

/// Parses a filter for a list with these keys; others are errors that name the ones there are.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_for(text: &str, keys: &[&str]) -> Result<Filter, FilterError> {
    parse::parse(text, &|key| keys.contains(&key))
}

impl Filter {
    /// Whether it keeps everything.
    pub fn is_empty(&self) -> bool {
        self.expr.is_none()
    }

    /// Whether it keeps a row.
    pub fn keeps(&self, row: &dyn Fields) -> bool {
        self.expr.as_ref().is_none_or(|expr| expr.keeps(row))
    }

    /// Whether it keeps nothing that another one leaves out, as far as that is seen from how they are written.
    pub fn narrows(&self, other: &Filter) -> bool {
        match (&self.expr, &other.expr) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(new), Some(old)) => narrow::narrows(new, old),
        }
    }

    /// Replaces findings (`before:F1`) by events, as `event_of` says; returns the number of a finding that it does not know.
    ///
    /// Until then, rows are neither before nor after a finding.
    pub fn resolve(&mut self, event_of: &dyn Fn(u64) -> Option<u64>) -> Result<(), u64> {
        let mut unknown = None;
        if let Some(expr) = &mut self.expr {
            expr.for_each_mut(&mut |term| {
                if let Term::Place { place, .. } = term
                    && let Place::Finding(number) = *place
                {
                    match event_of(number) {
                        Some(event) => *place = Place::Event(event),
                        None => unknown = Some(number),
                    }
                }
            });
        }
        unknown.map_or(Ok(()), Err)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Filter, FilterError> {
        parse(text)
    }
}

/// In a form that parses to the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.as_ref().map_or(Ok(()), |expr| expr.fmt(f))
    }
}
