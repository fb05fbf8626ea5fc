//! Ranks from a file: the lock order that a program is to follow, checked in beside it.
//!
//! Either TOML as `lockscope hierarchy` writes it, of which this reads the part that such files need (tables `[[lock]]` with `name` or
//! `made`, and `rank`; numbers and texts without escapes but for the quote and the backslash), or a list of one lock a line,
//! outermost first. A file is TOML when it has a table.

use std::{collections::HashMap, path::Path};

use super::Site;

/// Ranks by name or creation place.
#[derive(Debug, Default)]
pub(super) struct Hierarchy {
    ranks: HashMap<String, u16>,
}

/// A line, from 1, and what is wrong there.
type Complaint = (usize, String);

impl Hierarchy {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// A sentence that names file and line.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("hierarchy {}: {error}", path.display()))?;
        Self::parse(&text).map_err(|(line, what)| format!("hierarchy {}:{line}: {what}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, Complaint> {
        let is_toml = text.lines().any(|line| line.trim_start().starts_with("[["));
        if is_toml { Self::parse_toml(text) } else { Self::parse_list(text) }
    }

    fn parse_list(text: &str) -> Result<Self, Complaint> {
        let mut ranks = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let name = line.split('#').next().unwrap_or_default().trim();
            if name.is_empty() {
                continue;
            }
            let rank = u16::try_from(ranks.len()).ok().filter(|&rank| rank < u16::MAX);
            let rank = rank.ok_or((index + 1, "more than 65535 locks".to_owned()))?;
            if ranks.insert(name.to_owned(), rank).is_some() {
                return Err((index + 1, format!("`{name}` is listed twice")));
            }
        }
        Ok(Self { ranks })
    }

    fn parse_toml(text: &str) -> Result<Self, Complaint> {
        let mut hierarchy = Self::default();
        let mut table = Table::Top;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let wrong = |what: String| (number, what);
            let line = without_comment(line).trim();
            if line.is_empty() {
                continue;
            }
            if line.starts_with('[') {
                hierarchy.add(table)?;
                table = match line {
                    "[[lock]]" => Table::Lock(Lock { line: number, ..Lock::default() }),
                    // What proves the ranks is for people.
                    "[[order]]" => Table::Order,
                    other => return Err(wrong(format!("expected [[lock]] or [[order]], not `{other}`"))),
                };
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                return Err(wrong("expected key = value".to_owned()));
            };
            let (key, value) = (key.trim(), value.trim());
            match (&mut table, key) {
                (Table::Top, "version") if value == "1" => {}
                (Table::Top, "version") => return Err(wrong(format!("version {value} is not 1"))),
                (Table::Lock(lock), "name" | "made") => {
                    let text = unquote(value).ok_or_else(|| wrong(format!("`{key}` expects a text in quotes")))?;
                    *if key == "name" { &mut lock.name } else { &mut lock.made } = Some(text);
                }
                (Table::Lock(lock), "rank") => {
                    let rank = value.parse().ok().filter(|&rank| rank < u16::MAX);
                    lock.rank = Some(rank.ok_or_else(|| wrong("`rank` expects a number from 0 to 65534".to_owned()))?);
                }
                (Table::Lock(_), "kind") | (Table::Order, _) => {}
                _ => return Err(wrong(format!("there is no key `{key}` here"))),
            }
        }
        hierarchy.add(table)?;
        Ok(hierarchy)
    }

    fn add(&mut self, table: Table) -> Result<(), Complaint> {
        let Table::Lock(Lock { line, name, made, rank }) = table else { return Ok(()) };
        // A lock without a rank is there for people: it is in a circle, or nested in itself.
        let Some(key) = name.or(made) else { return Err((line, "a lock needs `name` or `made`".to_owned())) };
        let Some(rank) = rank else { return Ok(()) };
        if self.ranks.insert(key.clone(), rank).is_some() {
            return Err((line, format!("`{key}` is listed twice")));
        }
        Ok(())
    }

    /// Whether no lock has a rank by it.
    pub(super) fn is_empty(&self) -> bool {
        self.ranks.is_empty()
    }

    /// The rank of a lock: by its name, else by `FILE:LINE` of its creation.
    pub(super) fn rank_of(&self, name: Option<&str>, created: Site) -> Option<u16> {
        if self.ranks.is_empty() {
            return None;
        }
        let by_name = name.and_then(|name| self.ranks.get(name));
        by_name.or_else(|| self.ranks.get(&format!("{}:{}", created.file(), created.line()))).copied()
    }
}

/// Where a line of TOML belongs.
enum Table {
    Top,
    Lock(Lock),
    Order,
}

#[derive(Default)]
struct Lock {
    line: usize,
    name: Option<String>,
    made: Option<String>,
    rank: Option<u16>,
}

/// The line up to a `#` that is not in a text.
fn without_comment(line: &str) -> &str {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '#' if !is_quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

/// The text in quotes.
fn unquote(value: &str) -> Option<String> {
    let inside = value.strip_prefix('"')?.strip_suffix('"').filter(|_| value.len() > 1)?;
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next().filter(|c| matches!(c, '\\' | '"'))?),
            '"' => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

/// For who feeds it with nonsense.
#[cfg(fuzzing)]
pub(crate) fn check(text: &str) -> Result<(), (usize, String)> {
    Hierarchy::parse(text).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;

    #[test]
    fn ranks_follow_the_lines() {
        let here = Location::caller();
        let text = format!("# outermost first\naccounts\n\n{}:{} # the log\n", here.file(), here.line());
        let hierarchy = Hierarchy::parse(&text).unwrap();
        assert_eq!(hierarchy.rank_of(Some("accounts"), here), Some(0));
        assert_eq!(hierarchy.rank_of(Some("other"), here), Some(1));
        assert_eq!(hierarchy.rank_of(None, here), Some(1));
        assert_eq!(Hierarchy::parse("a\nb\na").unwrap_err(), (3, "`a` is listed twice".to_owned()));
    }

    #[test]
    fn toml_is_read() {
        let here = Location::caller();
        let text = format!(
            "# a comment\nversion = 1\n\n[[lock]]\nname = \"a # \\\"b\\\"\" # outermost\nrank = 10\n\n\
             [[lock]]\nmade = \"{}:{}\"\nkind = \"Mutex<u32>\"\nrank = 20\n[[lock]]\nname = \"free\"\n\
             [[order]]\nheld = \"x\"\ncount = 3\n",
            here.file(),
            here.line()
        );
        let hierarchy = Hierarchy::parse(&text).unwrap();
        assert_eq!(hierarchy.rank_of(Some("a # \"b\""), here), Some(10));
        assert_eq!(hierarchy.rank_of(None, here), Some(20));
        assert_eq!(hierarchy.ranks.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, what) in [
            ("[[lock]]\nname = a", 2, "`name` expects a text in quotes"),
            ("[[lock]]\nname = \"a\\n\"", 2, "`name` expects a text in quotes"),
            ("[[lock]]\nname = \"", 2, "`name` expects a text in quotes"),
            ("[[lock]]\nrank = 65535", 2, "`rank` expects a number from 0 to 65534"),
            ("[[lock]]\nrank = 1", 1, "a lock needs `name` or `made`"),
            ("[[lock]]\nrang = 1", 2, "there is no key `rang` here"),
            ("version = 2\n[[lock]]", 1, "version 2 is not 1"),
            ("[[locks]]", 1, "expected [[lock]] or [[order]], not `[[locks]]`"),
            ("[[lock]]\nname", 2, "expected key = value"),
            ("[[lock]]\nname = \"a\"\nrank = 1\n[[lock]]\nname = \"a\"\nrank = 2", 4, "`a` is listed twice"),
        ] {
            assert_eq!(Hierarchy::parse(text).unwrap_err(), (line, what.to_owned()), "{text}");
        }
    }
}
