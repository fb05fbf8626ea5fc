//! What Tab offers: keys, and the values of a key.

use std::ops::Range;

use super::key::{self, KEYS, Kind};

/// What can be put in the place of a part of the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// Bytes of the text that are replaced.
    pub replace: Range<usize>,
    /// What may stand there, in the order in which it is offered.
    pub candidates: Vec<String>,
}

/// Completes the word before `cursor` (a byte of the text), for a list with these keys. `values` are those that occur in a column;
/// those that the language knows are offered first.
pub fn complete(text: &str, cursor: usize, keys: &[&str], values: &dyn Fn(&str) -> Vec<String>) -> Completion {
    let before = text.get(..cursor).unwrap_or(text);
    let start = before
        .rfind(|c: char| c.is_whitespace() || matches!(c, '(' | '|'))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let start = start + before[start..].len() - before[start..].trim_start_matches(['-', '!']).len();
    let word = &before[start..];
    if let Some((name, value)) = word.split_once(':')
        && let Some(key) = key::find(name).filter(|key| keys.contains(&key.name))
    {
        let known = key.values.iter().map(|&value| value.to_owned());
        let mut candidates: Vec<String> = known.chain(values(name).into_iter().map(|value| quoted(&value))).collect();
        let typed = value.trim_start_matches('"').to_lowercase();
        candidates.retain(|candidate| candidate.trim_start_matches('"').to_lowercase().starts_with(&typed));
        let mut seen = std::collections::HashSet::new();
        candidates.retain(|candidate| seen.insert(candidate.clone()));
        return Completion { replace: start + name.len() + 1..before.len(), candidates };
    }
    let fitting = KEYS.iter().filter(|key| keys.contains(&key.name) && key.name.starts_with(word));
    let candidates = fitting
        .map(|key| match key.kind {
            Kind::Text | Kind::Place | Kind::Levels(_) => format!("{}:", key.name),
            Kind::Count | Kind::Share | Kind::Time => format!("{} > ", key.name),
        })
        .collect();
    Completion { replace: start..before.len(), candidates }
}

/// A value in quotes where it is more than a word.
fn quoted(value: &str) -> String {
    let is_word = !value.is_empty()
        && value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '#'));
    if is_word { value.to_owned() } else { format!("\"{}\"", value.replace('\\', r"\\").replace('"', r#"\""#)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, replaced: &str, expected: &[&str]) {
        let values = |key: &str| match key {
            "thread" => vec!["teller-1".to_owned(), "the auditor".to_owned()],
            _ => Vec::new(),
        };
        let keys = ["thread", "state", "wait", "waiting"];
        let completion = complete(text, text.len(), &keys, &values);
        assert_eq!(&text[completion.replace.clone()], replaced, "{text:?}");
        assert_eq!(completion.candidates, expected, "{text:?}");
    }

    #[test]
    fn keys_and_values_are_offered() {
        check("th", "th", &["thread:"]);
        check("a -wai", "wai", &["wait > ", "waiting > "]);
        check("(thread:te", "te", &["teller-1"]);
        check("thread:", "", &["teller-1", "\"the auditor\""]);
        check("state:bl", "bl", &["blocked"]);
        check("lock:a", "lock:a", &[]);
        check("", "", &["thread:", "state:", "wait > ", "waiting > "]);
    }
}
