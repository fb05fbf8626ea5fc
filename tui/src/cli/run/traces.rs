//! Which traces a run made: the files that fit the pattern and were not there before.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The path of traces with the places where process ids go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    dir: PathBuf,
    /// What comes before the process id.
    prefix: String,
    /// What comes after it.
    suffix: String,
    has_id: bool,
}

impl Pattern {
    /// The pattern of a path with or without `%p`.
    ///
    /// Where the file exists already, the recorder inserts `-PID` before the extension; such names fit too.
    pub fn new(path: &Path) -> Pattern {
        let dir = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        match name.split_once("%p") {
            Some((prefix, suffix)) => {
                Pattern { dir, prefix: prefix.to_owned(), suffix: suffix.to_owned(), has_id: true }
            }
            None => {
                let stem_end = name.rfind('.').filter(|&at| at > 0).unwrap_or(name.len());
                let (prefix, suffix) = name.split_at(stem_end);
                Pattern { dir, prefix: prefix.to_owned(), suffix: suffix.to_owned(), has_id: false }
            }
        }
    }

    /// Files that fit.
    pub fn existing(&self) -> BTreeSet<PathBuf> {
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        entries.filter(|entry| self.fits(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect()
    }

    /// Files that fit and were not there, in the order in which they were made.
    pub fn appeared_since(&self, before: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
        let mut appeared: Vec<PathBuf> = self.existing().difference(before).cloned().collect();
        let made = |path: &PathBuf| {
            std::fs::metadata(path).and_then(|metadata| metadata.created().or_else(|_| metadata.modified())).ok()
        };
        appeared.sort_by_cached_key(|path| (made(path), path.clone()));
        appeared
    }

    fn fits(&self, name: &str) -> bool {
        let Some(middle) = name.strip_prefix(&self.prefix).and_then(|rest| rest.strip_suffix(&self.suffix)) else {
            return false;
        };
        let is_id = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        match (self.has_id, middle.split_once('-')) {
            (true, None) => is_id(middle),
            (true, Some((id, further))) => is_id(id) && is_id(further),
            (false, None) => middle.is_empty(),
            (false, Some((nothing, id))) => nothing.is_empty() && is_id(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_the_pattern() {
        for (pattern, name, expected) in [
            ("/t/bank-%p.lks", "bank-12.lks", true),
            ("/t/bank-%p.lks", "bank-12-13.lks", true),
            ("/t/bank-%p.lks", "bank-.lks", false),
            ("/t/bank-%p.lks", "bank-12.log", false),
            ("/t/bank-%p.lks", "bank-x.lks", false),
            ("/t/bank.lks", "bank.lks", true),
            ("/t/bank.lks", "bank-12.lks", true),
            ("/t/bank.lks", "bank-old.lks", false),
            ("/t/bank", "bank-12", true),
            ("/t/.lks", ".lks", true),
        ] {
            assert_eq!(Pattern::new(Path::new(pattern)).fits(name), expected, "{name} for {pattern}");
        }
    }

    #[test]
    fn only_new_files_count() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let pattern = Pattern::new(&dir.path().join("t-%p.lks"));
        std::fs::write(dir.path().join("t-1.lks"), "").expect("a file");
        let before = pattern.existing();
        std::fs::write(dir.path().join("t-2.lks"), "").expect("a file");
        assert_eq!(pattern.appeared_since(&before), [dir.path().join("t-2.lks")]);
    }
}
