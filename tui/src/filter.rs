//! Filters of lists, the same for `--filter` and for `/` in the dashboard.
//!
//! Words next to each other must all be there; `-word` must not; `key:value` looks into one column. Case matters only
//! when the word has an upper-case letter. [`Filter`] is a tree so that a richer language can replace the parser alone.

use std::str::FromStr;

/// A parsed filter. The empty one keeps everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Term {
    is_negated: bool,
    key: Option<String>,
    text: String,
}

/// Columns that a `key:value` may name.
pub const KEYS: &[&str] = &["thread", "lock", "state", "kind", "holds", "wants", "site", "op", "code", "sev", "conf"];

/// What a filter sees of a row of a list: texts by column.
#[derive(Clone, Debug, Default)]
pub struct Row {
    columns: Vec<(&'static str, String)>,
}

impl Row {
    /// Adds a text to a column.
    pub fn add(&mut self, key: &'static str, text: &str) {
        self.columns.push((key, text.to_owned()));
    }
}

impl Filter {
    /// Whether it keeps everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it keeps a row.
    pub fn keeps(&self, row: &Row) -> bool {
        self.terms.iter().all(|term| term.matches(row) != term.is_negated)
    }
}

impl Term {
    fn matches(&self, row: &Row) -> bool {
        let columns = row.columns.iter().filter(|(key, _)| self.key.as_deref().is_none_or(|wanted| wanted == *key));
        let is_exact = self.text.chars().any(char::is_uppercase);
        columns.into_iter().any(|(_, text)| {
            if is_exact { text.contains(&self.text) } else { text.to_lowercase().contains(&self.text) }
        })
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Filter, String> {
        let mut terms = Vec::new();
        for word in words(text)? {
            let (is_negated, word) = match word.strip_prefix(['-', '!']) {
                Some(rest) => (true, rest),
                None => (false, word.as_str()),
            };
            if word.is_empty() {
                return Err("expected a word after `-`".to_owned());
            }
            // A colon also occurs in `bank.rs:41`, so only known keys are keys.
            let term = match word.split_once(':') {
                Some((key, value)) if KEYS.contains(&key) => {
                    Term { is_negated, key: Some(key.to_owned()), text: value.to_owned() }
                }
                _ => Term { is_negated, key: None, text: word.to_owned() },
            };
            terms.push(term);
        }
        Ok(Filter { terms })
    }
}

/// Words between spaces; quotes keep spaces.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_quoted = false;
    for c in text.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c.is_whitespace() && !is_quoted => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            c => word.push(c),
        }
    }
    if is_quoted {
        return Err("expected a closing quote".to_owned());
    }
    words.extend((!word.is_empty()).then_some(word));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filter: &str, expected: bool) {
        let mut row = Row::default();
        row.add("thread", "T3 teller-1");
        row.add("state", "blocked");
        row.add("wants", "L7 audit log");
        row.add("site", "src/bank.rs:41:9");
        let filter: Filter = filter.parse().expect("the filter is valid");
        assert_eq!(filter.keeps(&row), expected, "{filter:?}");
    }

    #[test]
    fn rows_are_kept_by_words() {
        for (filter, expected) in [
            ("", true),
            ("  ", true),
            ("teller", true),
            ("teller blocked", true),
            ("teller running", false),
            ("-running", true),
            ("-blocked", false),
            ("!blocked", false),
            ("TELLER", false),
            ("T3", true),
            ("t3", true),
            ("wants:audit", true),
            ("holds:audit", false),
            ("-holds:audit teller", true),
            ("thread:audit", false),
            ("bank.rs:41", true),
            ("\"audit log\"", true),
            ("wants:\"audit log\"", true),
            ("\"log audit\"", false),
        ] {
            check(filter, expected);
        }
    }

    #[test]
    fn incomplete_filters_are_errors() {
        for (filter, expected) in [("-", "expected a word after `-`"), ("a \"b", "expected a closing quote")] {
            assert_eq!(filter.parse::<Filter>(), Err(expected.to_owned()));
        }
    }
}
