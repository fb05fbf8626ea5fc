//! Findings in the forms that leave the program.

pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod lines;
pub mod markdown;
pub mod phrase;
pub mod places;
pub mod rows;
pub mod sarif;
pub mod witness;

use lockscope_analyzer::finding::{Finding, Severity};

/// How many findings there are of each severity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Must be fixed.
    pub errors: usize,
    /// Should be looked at.
    pub warnings: usize,
    /// Worth knowing.
    pub notes: usize,
}

impl Counts {
    /// Counts findings.
    pub fn new<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Counts {
        let mut counts = Counts::default();
        for finding in findings {
            match finding.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
        }
        counts
    }
}

/// `1 error, 2 warnings`, or `no findings`.
impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| plural(n as u64, word))
            .collect();
        if parts.is_empty() { f.pad("no findings") } else { f.pad(&parts.join(", ")) }
    }
}

/// `1 thread`, `3 threads`.
pub fn plural(n: u64, word: &str) -> String {
    format!("{} {word}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// `1 234 567`: digits in groups of three.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (idx, c) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) && digits.len() > 4 {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, expected) in [(0, "0"), (1_234, "1234"), (12_345, "12 345"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(n), expected);
        }
    }

    #[test]
    fn counts_read_well() {
        for (counts, expected) in
            [(Counts::default(), "no findings"), (Counts { errors: 1, warnings: 2, notes: 0 }, "1 error, 2 warnings")]
        {
            assert_eq!(counts.to_string(), expected);
        }
    }
}
