//! What a filter sees of a row of a list.

use super::quantity::Quantity;

/// A row of a list: texts and numbers by key. Rows are asked for what a filter needs, so making a row may cost nothing.
pub trait Fields {
    /// Calls `visit` with the texts of a column, or of all columns without a key, until it says yes; returns whether it did.
    fn any_text(&self, key: Option<&str>, visit: &mut dyn FnMut(&str) -> bool) -> bool;

    /// The number in a column.
    fn quantity(&self, key: &str) -> Option<Quantity>;
}

/// A row whose texts and numbers were collected beforehand.
#[derive(Clone, Debug, Default)]
pub struct Row {
    texts: Vec<(&'static str, String)>,
    quantities: Vec<(&'static str, Quantity)>,
}

impl Row {
    /// Adds a text to a column, which may have several.
    pub fn add(&mut self, key: &'static str, text: &str) {
        self.texts.push((key, text.to_owned()));
    }

    /// Sets the number in a column.
    pub fn set(&mut self, key: &'static str, quantity: Quantity) {
        self.quantities.push((key, quantity));
    }
}

impl Fields for Row {
    fn any_text(&self, key: Option<&str>, visit: &mut dyn FnMut(&str) -> bool) -> bool {
        self.texts.iter().filter(|(of, _)| key.is_none_or(|key| key == *of)).any(|(_, text)| visit(text))
    }

    fn quantity(&self, key: &str) -> Option<Quantity> {
        self.quantities.iter().find(|(of, _)| key == *of).map(|(_, quantity)| *quantity)
    }
}
