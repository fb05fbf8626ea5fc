//! The tree of a filter, and which rows it keeps.

use std::{cmp::Ordering, fmt};

use lockscope_trace::Nanos;
use regex_lite::Regex;

use super::{
    key::{Key, Kind},
    quantity::{Bound, Quantity},
    row::Fields,
};

/// A filter, or a part of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expr {
    /// All of at least two.
    All(Vec<Expr>),
    /// Any of at least two.
    Any(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A condition.
    Term(Term),
}

/// A condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Term {
    /// A text of one column, or of any, is like this.
    Text(Option<&'static Key>, Pattern),
    /// The number in a column is in this relation.
    Number(&'static Key, Relation, Bound),
    /// The word in a column is in this relation to the word with this place in its key's list.
    Level(&'static Key, Relation, usize),
    /// Before or after a place in the trace.
    Place {
        /// After it, else before.
        is_after: bool,
        /// Where.
        place: Place,
    },
}

/// What a text is to be like.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Contains it; a handle as a whole.
    Word(String),
    /// Contains it, as it is.
    Quoted(String),
    /// Is it, with anything at each `*`.
    Glob(String),
    /// Contains what the expression describes.
    Regex(Box<Regex>),
}

/// A relation between numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// A place in a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A time.
    Time(Nanos),
    /// An event, by number.
    Event(u64),
    /// A finding, by number; see [`Filter::resolve`](super::Filter::resolve).
    Finding(u64),
}

impl Expr {
    /// Whether it keeps a row.
    pub fn keeps(&self, row: &dyn Fields) -> bool {
        match self {
            Expr::All(parts) => parts.iter().all(|part| part.keeps(row)),
            Expr::Any(parts) => parts.iter().any(|part| part.keeps(row)),
            Expr::Not(part) => !part.keeps(row),
            Expr::Term(term) => term.keeps(row),
        }
    }

    /// Calls `change` with every term.
    pub fn for_each_mut(&mut self, change: &mut dyn FnMut(&mut Term)) {
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter_mut().for_each(|part| part.for_each_mut(change)),
            Expr::Not(part) => part.for_each_mut(change),
            Expr::Term(term) => change(term),
        }
    }
}

impl Term {
    fn keeps(&self, row: &dyn Fields) -> bool {
        match self {
            Term::Text(key, pattern) => row.any_text(key.map(|key| key.name), &mut |text| pattern.matches(text)),
            Term::Number(key, relation, bound) => {
                let order = row.quantity(key.name).and_then(|quantity| bound.compare(quantity));
                order.is_some_and(|order| relation.holds(order))
            }
            Term::Level(key, relation, bound) => {
                let Kind::Levels(words) = key.kind else { return false };
                row.any_text(Some(key.name), &mut |text| {
                    words.iter().position(|word| *word == text).is_some_and(|level| relation.holds(level.cmp(bound)))
                })
            }
            Term::Place { is_after, place } => {
                let relation = if *is_after { Relation::Greater } else { Relation::Less };
                let (key, bound) = match *place {
                    Place::Time(time) => ("time", Bound::Time(time)),
                    Place::Event(event) => ("event", Bound::Count(event)),
                    Place::Finding(_) => return false,
                };
                let order = row.quantity(key).and_then(|quantity: Quantity| bound.compare(quantity));
                order.is_some_and(|order| relation.holds(order))
            }
        }
    }
}

impl Relation {
    /// All, longest first, so that the first that fits a text is the right one.
    pub const ALL: [(&str, Relation); 6] = [
        ("!=", Relation::NotEqual),
        ("<=", Relation::AtMost),
        (">=", Relation::AtLeast),
        ("=", Relation::Equal),
        ("<", Relation::Less),
        (">", Relation::Greater),
    ];

    fn holds(self, order: Ordering) -> bool {
        match self {
            Relation::Equal => order.is_eq(),
            Relation::NotEqual => order.is_ne(),
            Relation::Less => order.is_lt(),
            Relation::AtMost => order.is_le(),
            Relation::Greater => order.is_gt(),
            Relation::AtLeast => order.is_ge(),
        }
    }
}

impl Pattern {
    /// Whether a text is like it.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Word(word) if is_handle(word) => contains_whole(text, word),
            Pattern::Word(word) | Pattern::Quoted(word) => contains(text, word),
            Pattern::Glob(glob) => matches_glob(text, glob),
            Pattern::Regex(regex) => regex.is_match(text),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        match (self, other) {
            (Pattern::Word(a), Pattern::Word(b))
            | (Pattern::Quoted(a), Pattern::Quoted(b))
            | (Pattern::Glob(a), Pattern::Glob(b)) => a == b,
            (Pattern::Regex(a), Pattern::Regex(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

impl Eq for Pattern {}

/// `T3`, `l17`, `F1`: letter and number of what is on the screen.
pub(super) fn is_handle(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|c| "tTlLfF".contains(c))
        && !chars.as_str().is_empty()
        && chars.all(|c| c.is_ascii_digit())
}

fn is_exact(word: &str) -> bool {
    word.chars().any(char::is_uppercase)
}

fn contains(text: &str, word: &str) -> bool {
    if is_exact(word) {
        return text.contains(word);
    }
    if text.is_ascii() {
        return contains_ascii(text.as_bytes(), word.as_bytes());
    }
    text.to_lowercase().contains(word)
}

/// The same for text of one byte a character: at most places the first one tells.
fn contains_ascii(text: &[u8], word: &[u8]) -> bool {
    let Some((first, rest)) = word.split_first() else { return true };
    let Some(last) = text.len().checked_sub(word.len()) else { return false };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let starts = text[..=last].iter().enumerate().filter(|(_, byte)| **byte == lower || **byte == upper);
    let mut starts = starts.map(|(at, _)| &text[at + 1..][..rest.len()]);
    starts.any(|part| part.eq_ignore_ascii_case(rest))
}

fn contains_whole(text: &str, word: &str) -> bool {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    let is_exact = is_exact(word);
    parts.into_iter().any(|part| if is_exact { part == word } else { part.eq_ignore_ascii_case(word) })
}

/// Whether the whole text fits, with anything at each star; the time is the product of the lengths at worst.
fn matches_glob(text: &str, glob: &str) -> bool {
    let lower;
    let text = if is_exact(glob) {
        text
    } else {
        lower = text.to_lowercase();
        &lower
    };
    let mut parts = glob.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            let part: &str = part;
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, parts: &[Expr], between: &str, in_brackets: fn(&Expr) -> bool| {
            for (idx, part) in parts.iter().enumerate() {
                f.write_str(if idx == 0 { "" } else { between })?;
                if in_brackets(part) { write!(f, "({part})")? } else { write!(f, "{part}")? }
            }
            Ok(())
        };
        match self {
            Expr::All(parts) => list(f, parts, " ", |part| matches!(part, Expr::All(_) | Expr::Any(_))),
            Expr::Any(parts) => list(f, parts, " or ", |part| matches!(part, Expr::Any(_))),
            Expr::Not(part) if matches!(**part, Expr::Term(_)) => write!(f, "-{part}"),
            Expr::Not(part) => write!(f, "-({part})"),
            Expr::Term(term) => term.fmt(f),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Text(None, pattern) => pattern.fmt(f),
            Term::Text(Some(key), pattern) => write!(f, "{}:{pattern}", key.name),
            Term::Number(key, relation, bound) => write!(f, "{} {relation} {bound}", key.name),
            Term::Level(key, relation, level) => {
                let Kind::Levels(words) = key.kind else { return Err(fmt::Error) };
                write!(f, "{} {relation} {}", key.name, words[*level])
            }
            Term::Place { is_after, place } => {
                write!(f, "{}:", if *is_after { "after" } else { "before" })?;
                match place {
                    Place::Time(time) => write!(f, "{}", Bound::Time(*time)),
                    Place::Event(event) => write!(f, "#{event}"),
                    Place::Finding(number) => write!(f, "F{number}"),
                }
            }
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, _) = Relation::ALL.into_iter().find(|(_, relation)| relation == self).expect("all are listed");
        f.write_str(text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Word(word) | Pattern::Glob(word) => f.write_str(word),
            Pattern::Quoted(text) => write!(f, "\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#)),
            Pattern::Regex(regex) => write!(f, "~/{}/", regex.as_str().replace('/', r"\/")),
        }
    }
}
