//! What the process found about itself, as passed to callbacks.

/// A finding made in the running process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Stable kebab-case code, as `lockscope explain` knows it: `deadlock`, `lock-order-inversion`, ...
    pub code: &'static str,
    /// `actual` (it happened) or `potential` (suspicious, unproved).
    pub confidence: &'static str,
    /// One line, lower case, no full stop.
    pub title: String,
    /// The whole report as printed, several lines.
    pub text: String,
    /// How much of the text comes before stacks.
    pub(crate) brief: usize,
}
