//! Which traces a run made: the files that fit the pattern, were not there before, and are not another run's.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use lockscope_trace::reader::run_of;

/// The path of traces, with placeholders for what differs by process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    dir: PathBuf,
    parts: Vec<Part>,
}

/// A part of a file name.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    /// This text.
    Text(String),
    /// `%p`: a process id.
    Id,
    /// `%e`: the name of a program.
    Name,
    /// What the recorder inserts before the extension where a file exists already: `-` and a process id, or nothing.
    Further,
}

impl Pattern {
    /// The pattern of a path, perhaps with `%p` for the process id and `%e` for the program's name.
    pub fn new(path: &Path) -> Pattern {
        let dir = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let stem_end = name.rfind('.').filter(|&at| at > 0).unwrap_or(name.len());
        let (stem, extension) = name.split_at(stem_end);
        let mut parts = Vec::new();
        let mut rest = stem;
        while let Some(at) = rest.find("%p").into_iter().chain(rest.find("%e")).min() {
            parts.push(Part::Text(rest[..at].to_owned()));
            parts.push(if rest[at..].starts_with("%p") { Part::Id } else { Part::Name });
            rest = &rest[at + 2..];
        }
        parts.extend([Part::Text(rest.to_owned()), Part::Further, Part::Text(extension.to_owned())]);
        Pattern { dir, parts }
    }

    /// Files that fit.
    pub fn existing(&self) -> BTreeSet<PathBuf> {
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        entries.filter(|entry| self.fits(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect()
    }

    /// Files that fit and were not there, in the order in which they were made, but for traces of other runs. Not yet those that
    /// have not been begun, which nothing was recorded in.
    pub fn appeared_since(&self, before: &BTreeSet<PathBuf>, run: u64) -> Vec<PathBuf> {
        let is_ours = |path: &PathBuf| match run_of(path) {
            // A program that has lost its environment does not know its run.
            Ok(of) => of.is_some_and(|of| of == run || of == 0),
            // Why it cannot be read is told when it is looked into.
            Err(_) => true,
        };
        let mut appeared: Vec<PathBuf> =
            self.existing().difference(before).filter(|path| is_ours(path)).cloned().collect();
        let made = |path: &PathBuf| {
            std::fs::metadata(path).and_then(|metadata| metadata.created().or_else(|_| metadata.modified())).ok()
        };
        appeared.sort_by_cached_key(|path| (made(path), path.clone()));
        appeared
    }

    fn fits(&self, name: &str) -> bool {
        fits(&self.parts, name)
    }
}

/// Whether a text is made of these parts. Names are short and parts few, so trying all ways is quick.
fn fits(parts: &[Part], text: &str) -> bool {
    let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
    let n_digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
    match part {
        Part::Text(expected) => text.strip_prefix(expected.as_str()).is_some_and(|text| fits(rest, text)),
        Part::Id => n_digits(text) > 0 && fits(rest, &text[n_digits(text)..]),
        Part::Name => text
            .char_indices()
            .skip(1)
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| at > 0 && fits(rest, &text[at..])),
        Part::Further => {
            let inserted = text.strip_prefix('-').filter(|id| n_digits(id) > 0).map(|id| &id[n_digits(id)..]);
            fits(rest, text) || inserted.is_some_and(|text| fits(rest, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use lockscope_trace::format::{HEADER_SIZE, MAGIC, header};

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
            ("/t/%e-%p.lks", "bank-12.lks", true),
            ("/t/%e-%p.lks", "bank-4f3a-12.lks", true),
            ("/t/%e-%p.lks", "bank-12-13.lks", true),
            ("/t/%e-%p.lks", "bank.lks", false),
            ("/t/%e-%p.lks", "-12.lks", false),
            ("/t/%p", "12", true),
            ("/t/%e.lks", "größe.lks", true),
        ] {
            assert_eq!(Pattern::new(Path::new(pattern)).fits(name), expected, "{name} for {pattern}");
        }
    }

    #[test]
    fn only_new_files_count() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let pattern = Pattern::new(&dir.path().join("t-%p.lks"));
        let write = |name: &str, run: Option<u64>| {
            let mut bytes = vec![0; HEADER_SIZE];
            if let Some(run) = run {
                bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
                bytes[header::RUN..header::RUN + 8].copy_from_slice(&run.to_le_bytes());
            }
            std::fs::write(dir.path().join(name), bytes).expect("the folder is ours");
        };
        write("t-1.lks", Some(7));
        let before = pattern.existing();
        write("t-2.lks", Some(7));
        write("t-3.lks", Some(8));
        write("t-4.lks", Some(0));
        write("t-5.lks", None);
        std::fs::write(dir.path().join("t-6.lks"), "no trace at all").expect("the folder is ours");
        let names = ["t-2.lks", "t-4.lks", "t-6.lks"];
        assert_eq!(pattern.appeared_since(&before, 7), names.map(|name| dir.path().join(name)));
    }
}
