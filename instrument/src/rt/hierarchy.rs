//! Ranks from a file: the lock order that a program is to follow, checked in beside it.

use std::{collections::HashMap, path::Path};

use super::Site;

/// Ranks by name or creation place.
#[derive(Debug, Default)]
pub(super) struct Hierarchy {
    ranks: HashMap<String, u16>,
}

impl Hierarchy {
    /// Reads one lock a line, outermost first; `#` begins a comment.
    ///
    /// # Errors
    ///
    /// A sentence that names file and line.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("hierarchy {}: {error}", path.display()))?;
        Self::parse(&text).map_err(|(line, what)| format!("hierarchy {}:{line}: {what}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, (usize, String)> {
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

    /// The rank of a lock: by its name, else by `FILE:LINE` of its creation.
    pub(super) fn rank_of(&self, name: Option<&str>, created: Site) -> Option<u16> {
        if self.ranks.is_empty() {
            return None;
        }
        let by_name = name.and_then(|name| self.ranks.get(name));
        by_name.or_else(|| self.ranks.get(&format!("{}:{}", created.file(), created.line()))).copied()
    }
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
}
