//! The parser: recursive descent over the text itself, since what a character means depends on where it stands.

use std::ops::Range;

use regex_lite::RegexBuilder;

use super::{
    Filter, FilterError,
    expr::{Expr, Pattern, Place, Relation, Term},
    key::{self, KEYS, Key, Kind},
    quantity::Bound,
};
use crate::cli::time::Point;

/// Brackets within brackets: more is nothing that anybody means, and recursion must end.
const MAX_DEPTH: usize = 64;
/// Bytes that a compiled regular expression may take.
const MAX_REGEX: usize = 1 << 20;

type Parsed<T> = Result<T, FilterError>;

/// Parses a filter for a list that has the keys that `has` says.
pub(super) fn parse(text: &str, has: &dyn Fn(&str) -> bool) -> Parsed<Filter> {
    let mut parser = Parser { text, at: 0, depth: 0, has };
    parser.skip_space();
    if parser.rest().is_empty() {
        return Ok(Filter::default());
    }
    let expr = parser.any()?;
    if !parser.rest().is_empty() {
        return Err(parser.error(parser.at..parser.at + 1, "this bracket closes none"));
    }
    Ok(Filter { expr: Some(expr) })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    has: &'a dyn Fn(&str) -> bool,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, span: Range<usize>, message: impl Into<String>) -> FilterError {
        FilterError { text: self.text.to_owned(), span, message: message.into(), is_incomplete: false }
    }

    /// Something is missing at the end.
    fn incomplete(&self, message: impl Into<String>) -> FilterError {
        FilterError { is_incomplete: true, ..self.error(self.text.len()..self.text.len(), message) }
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes a text when it is next.
    fn take(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    /// Takes a whole word when it is next, and the space after it.
    fn take_word(&mut self, word: &str) -> bool {
        let is_next = self.rest().strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_word));
        self.at += if is_next { word.len() } else { 0 };
        self.skip_space();
        is_next
    }

    fn any(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.all()?];
        while self.take("|") || self.take_word("or") {
            self.skip_space();
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Any(parts) })
    }

    fn all(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.not()?];
        loop {
            self.skip_space();
            let is_and = self.take_word("and");
            let is_end = self.rest().is_empty() || self.rest().starts_with(['|', ')']) || self.is_or();
            if is_end && !is_and {
                break;
            }
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::All(parts) })
    }

    fn is_or(&self) -> bool {
        self.rest().strip_prefix("or").is_some_and(|rest| !rest.starts_with(is_word))
    }

    fn not(&mut self) -> Parsed<Expr> {
        let mut is_negated = false;
        while let Some(mark) = ["-", "!"].into_iter().find(|mark| self.rest().starts_with(mark)) {
            self.at += mark.len();
            is_negated = !is_negated;
            if self.rest().is_empty() || self.rest().starts_with(char::is_whitespace) {
                let message = format!("expected what to leave out after `{mark}`");
                return Err(match self.rest().trim_start() {
                    "" => self.incomplete(message),
                    _ => self.error(self.at - 1..self.at, message),
                });
            }
        }
        let part = self.part()?;
        Ok(if is_negated { Expr::Not(Box::new(part)) } else { part })
    }

    fn part(&mut self) -> Parsed<Expr> {
        let start = self.at;
        if self.take("(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(self.error(start..start + 1, format!("more than {MAX_DEPTH} brackets within brackets")));
            }
            self.skip_space();
            let inside = self.any()?;
            self.skip_space();
            if !self.take(")") {
                return Err(self.incomplete("expected `)`"));
            }
            self.depth -= 1;
            return Ok(inside);
        }
        match self.rest().chars().next() {
            None => Err(self.incomplete("expected a word, `key:word` or a comparison")),
            Some(')' | '|') => {
                Err(self.error(start..start + 1, "expected a word, `key:word` or a comparison before this"))
            }
            Some('"') => self.pattern(None),
            Some('~') if self.rest().starts_with("~/") => self.pattern(None),
            Some('=' | '<' | '>') => {
                let message = "expected a key before this; as a text, put it in quotes";
                Err(self.error(start..start + 1, message))
            }
            Some(_) if self.is_or() => Err(self.error(start..start + 2, "expected something before `or`")),
            Some(_) => self.term(),
        }
    }

    /// A word, or a key with what it is to be.
    fn term(&mut self) -> Parsed<Expr> {
        let start = self.at;
        let name = self.rest().split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next().unwrap_or_default();
        let name_span = start..start + name.len();
        let after = &self.text[name_span.end..];
        let relation = |text: &str| Relation::ALL.into_iter().find(|(mark, _)| text.starts_with(mark));
        let spaced = after.trim_start();
        match key::find(name) {
            Some(key) if after.starts_with(':') => {
                self.at = name_span.end + 1;
                self.known(key, name_span)?;
                return self.value(key);
            }
            // `a < b` compares only where `a` can be compared: a type has such characters as well.
            Some(key) if relation(spaced).is_some() && key.kind != Kind::Text && key.kind != Kind::Place => {
                let (mark, relation) = relation(spaced).expect("it was found");
                self.at = self.text.len() - spaced.len() + mark.len();
                self.known(key, name_span)?;
                return self.comparison(key, relation, mark);
            }
            Some(key) if spaced.len() < after.len() && relation(spaced).is_some() => {
                let message = format!("`{name}` cannot be compared; expected {}", key.kind.expected());
                return Err(self.error(name_span, message));
            }
            Some(_) => {}
            None => self.mistyped(name, name_span, after, spaced, relation(spaced).map(|(mark, _)| mark))?,
        }
        self.pattern(None)
    }

    /// Complains of what looks like a key and is none.
    fn mistyped(&self, name: &str, span: Range<usize>, after: &str, spaced: &str, mark: Option<&str>) -> Parsed<()> {
        // `std::sync` has colons and is no key.
        let is_key = after.starts_with(':') && !after.starts_with("::") && !name.is_empty();
        let is_compared = mark.is_some_and(|mark| {
            let value = spaced[mark.len()..].trim_start();
            !name.is_empty() && (spaced.len() < after.len() || value.starts_with(|c: char| c.is_ascii_digit()))
        });
        if !is_key && !is_compared {
            return Ok(());
        }
        let like = key::similar(name, KEYS.iter().map(|key| key.name).filter(|key| (self.has)(key)));
        match like {
            Some(like) => Err(self
                .error(span, format!("there is no key `{name}`, did you mean `{like}`? As a text, put it in quotes"))),
            None if is_compared => Err(self.error(
                span,
                format!(
                    "there is no key `{name}` that can be compared; keys are {}",
                    self.keys(|kind| { kind != Kind::Text && kind != Kind::Place })
                ),
            )),
            None => Ok(()),
        }
    }

    fn keys(&self, fits: impl Fn(Kind) -> bool) -> String {
        let names = KEYS.iter().filter(|key| fits(key.kind) && (self.has)(key.name)).map(|key| key.name);
        names.collect::<Vec<_>>().join(", ")
    }

    fn known(&self, key: &Key, span: Range<usize>) -> Parsed<()> {
        if (self.has)(key.name) {
            return Ok(());
        }
        Err(self.error(span, format!("this list has no `{}`; it has {}", key.name, self.keys(|_| true))))
    }

    /// What follows `key:`.
    fn value(&mut self, key: &'static Key) -> Parsed<Expr> {
        if self.rest().is_empty() {
            return Err(self.incomplete(match key.kind {
                Kind::Place => format!("expected {}", key.kind.expected()),
                _ => format!("expected a word after `{}:`", key.name),
            }));
        }
        match key.kind {
            Kind::Text | Kind::Levels(_) => self.pattern(Some(key)),
            Kind::Place => {
                let span = self.word_span();
                let word = &self.text[span.clone()];
                self.at = span.end;
                let finding = word.strip_prefix(['F', 'f']).and_then(|number| number.parse().ok());
                let place = match (finding, word.parse()) {
                    (Some(number), _) => Place::Finding(number),
                    (None, Ok(Point::Time(time))) => Place::Time(time),
                    (None, Ok(Point::Event(event))) => Place::Event(event),
                    _ => return Err(self.bad(span, format!("expected {}", key.kind.expected()))),
                };
                Ok(Expr::Term(Term::Place { is_after: key.name == "after", place }))
            }
            Kind::Count | Kind::Share | Kind::Time => self.comparison(key, Relation::Equal, ":"),
        }
    }

    /// What follows `key >`.
    fn comparison(&mut self, key: &'static Key, relation: Relation, mark: &str) -> Parsed<Expr> {
        self.skip_space();
        let mut span = self.word_span();
        if span.is_empty() {
            let message = format!("expected {} after `{} {mark}`", key.kind.expected(), key.name);
            let found = self.rest().chars().next().map_or(0, char::len_utf8);
            return Err(if found == 0 {
                self.incomplete(message)
            } else {
                self.error(self.at..self.at + found, message)
            });
        }
        // `5 ms` is what people write.
        let unit = self.text[span.end..].trim_start();
        let unit_text = ["ns", "us", "µs", "ms", "s"]
            .into_iter()
            .find(|text| unit.strip_prefix(text).is_some_and(|rest| !rest.starts_with(is_word)));
        let lacks_unit = key.kind == Kind::Time && self.text[span.clone()].ends_with(|c: char| c.is_ascii_digit());
        if let Some(unit_text) = unit_text.filter(|_| lacks_unit) {
            span.end = self.text.len() - unit.len() + unit_text.len();
        }
        let word: String = self.text[span.clone()].chars().filter(|c| !c.is_whitespace()).collect();
        self.at = span.end;
        let term = match key.kind {
            Kind::Levels(words) => match words.iter().position(|level| *level == word) {
                Some(level) => Term::Level(key, relation, level),
                None => return Err(self.bad(span, format!("expected {}", words.join(", ")))),
            },
            kind => match Bound::parse(&word, kind) {
                Some(bound) => Term::Number(key, relation, bound),
                None => return Err(self.bad(span, format!("`{}` expects {}", key.name, kind.expected()))),
            },
        };
        Ok(Expr::Term(term))
    }

    /// A wrong value; while it is being typed it may become right.
    fn bad(&self, span: Range<usize>, message: String) -> FilterError {
        FilterError { is_incomplete: span.end == self.text.len(), ..self.error(span, message) }
    }

    fn word_span(&self) -> Range<usize> {
        let len = self.rest().find(|c: char| !is_word(c)).unwrap_or(self.rest().len());
        self.at..self.at + len
    }

    /// A word, a quoted text or a regular expression.
    fn pattern(&mut self, key: Option<&'static Key>) -> Parsed<Expr> {
        let start = self.at;
        let pattern = if self.take("\"") {
            Pattern::Quoted(self.until('"', true).ok_or_else(|| self.incomplete("expected a closing quote"))?)
        } else if self.take("~/") {
            let source = self.until('/', false).ok_or_else(|| self.incomplete("expected `/` at the end"))?;
            let is_exact = source.chars().any(char::is_uppercase);
            let regex = RegexBuilder::new(&source).case_insensitive(!is_exact).size_limit(MAX_REGEX).build();
            let regex = regex.map_err(|error| self.error(start..self.at, format!("no regular expression: {error}")))?;
            Pattern::Regex(Box::new(regex))
        } else {
            let span = self.pattern_span();
            if span.is_empty() {
                let found = self.rest().chars().next().map_or(0, char::len_utf8);
                return Err(self.error(start..start + found, "expected a word"));
            }
            self.at = span.end;
            let word = self.text[span].to_owned();
            if key.is_some() && word.contains('*') { Pattern::Glob(word) } else { Pattern::Word(word) }
        };
        Ok(Expr::Term(Term::Text(key, pattern)))
    }

    /// A word with brackets that belong to it: `lock()`, `Vec<(u8,u8)>`.
    fn pattern_span(&self) -> Range<usize> {
        let mut open = 0_usize;
        let mut end = self.rest().len();
        for (at, c) in self.rest().char_indices() {
            match c {
                '(' if at > 0 => open += 1,
                ')' if open > 0 => open -= 1,
                c if !is_word(c) => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        // An open bracket would swallow one that closes a group.
        if open > 0 {
            return self.word_span();
        }
        self.at..self.at + end
    }

    /// The text up to a mark, which is taken too; a backslash before the mark keeps it. With `unescape` that goes for
    /// backslashes as well.
    fn until(&mut self, mark: char, unescape: bool) -> Option<String> {
        let mut out = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == mark => {
                    self.at += at + c.len_utf8();
                    return Some(out);
                }
                '\\' => match chars.next() {
                    Some((_, next)) if next == mark || (unescape && next == '\\') => out.push(next),
                    Some((_, next)) => out.extend([c, next]),
                    None => return None,
                },
                c => out.push(c),
            }
        }
        None
    }
}

/// Whether a character can be part of a word.
fn is_word(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '(' | ')' | '|' | '"')
}
