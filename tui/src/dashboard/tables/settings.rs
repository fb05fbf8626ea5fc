//! What a user has made of a list.

use std::collections::HashSet;

use super::{List, Row};
use crate::filter::Filter;

/// How a list is to be shown. Kept per list while the program runs.
#[derive(Clone, Debug, Default)]
pub struct ListSettings {
    /// Text of the filter.
    pub text: String,
    /// The filter: that of the text, or of the text before it became incomplete.
    pub filter: Filter,
    /// Column by which it is sorted, and whether the other way around.
    pub sort: Option<(usize, bool)>,
    /// Column under the cursor, as its place among those that are shown.
    pub cursor: usize,
    /// By what it is grouped.
    pub group: Option<usize>,
    /// Titles of groups that are folded.
    pub folded: HashSet<String>,
    /// Rows that are hidden.
    pub hidden: HashSet<Row>,
    /// Hidden rows are shown all the same.
    pub shows_hidden: bool,
    /// Rows that stay at the top.
    pub pinned: HashSet<Row>,
    /// The selected row, where it is no thread, lock or finding, which are selected in all views at once.
    pub selected: Option<Row>,
    /// Columns that were chosen, in their order; all that there is room for when nothing was.
    pub columns: Option<Vec<usize>>,
}

/// Columns of a list on a screen.
pub type Shape = Vec<usize>;

impl ListSettings {
    /// The columns that are shown on a screen of this width, in their order.
    pub fn shape(&self, list: List, width: u16) -> Shape {
        match &self.columns {
            Some(chosen) => chosen.clone(),
            None => {
                let columns = list.columns().iter().enumerate();
                columns.filter(|(_, column)| column.from <= width).map(|(idx, _)| idx).collect()
            }
        }
    }
}
