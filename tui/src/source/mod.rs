//! Finds and reads what a trace points to: source files, and the functions behind addresses.
//!
//! A trace records paths as the compiler was given them, usually relative to the workspace, and it may be read
//! somewhere else, later, after edits. So each path is looked for in several places, and a file that is newer than
//! the recording is used but said to be so.

pub mod frames;
pub mod span;

use std::{
    cell::RefCell,
    collections::HashMap,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::{Duration, SystemTime},
};

use lockscope_trace::{Definitions, Site, TraceInfo};

/// Files beyond this size are not read: no person wrote them, and the path comes from an untrusted file.
const MAX_SIZE: u64 = 8 << 20;

/// A source file that was found.
#[derive(Debug)]
pub struct SourceFile {
    /// Where it was found.
    pub path: PathBuf,
    /// Its text, free of control characters other than line ends and tabs.
    pub text: String,
    /// Byte offsets at which lines begin.
    line_starts: Vec<usize>,
    /// It was changed after the recording began.
    pub is_newer: bool,
}

impl SourceFile {
    fn new(path: &Path, text: &str, is_newer: bool) -> SourceFile {
        let text: String =
            text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c }).collect();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(idx, _)| idx + 1)).collect();
        SourceFile { path: path.to_owned(), text, line_starts, is_newer }
    }

    /// A line, from 1, without its end.
    pub fn line(&self, number: u32) -> Option<&str> {
        let start = self.line_start(number)?;
        self.text[start..].lines().next().or(Some(""))
    }

    /// Byte offset of a line, from 1.
    pub fn line_start(&self, number: u32) -> Option<usize> {
        self.line_starts.get((number as usize).checked_sub(1)?).copied()
    }

    /// Byte range of the expression at a site; `None` when the file has no such place.
    pub fn span(&self, site: &Site) -> Option<std::ops::Range<usize>> {
        let start = self.line_start(site.line)?;
        let range = span::expression(self.line(site.line)?, site.column)?;
        Some(start + range.start..start + range.end)
    }
}

/// Finds source files and keeps what it found.
#[derive(Debug)]
pub struct Sources {
    roots: Vec<PathBuf>,
    maps: Vec<(String, String)>,
    recorded: Option<SystemTime>,
    files: RefCell<HashMap<Arc<str>, Option<Rc<SourceFile>>>>,
}

impl Sources {
    /// Sources of a trace: looked for from the working directory, the trace and the executable upwards, after the
    /// first of `maps` whose left side begins the path has replaced that beginning.
    pub fn new(info: &TraceInfo, maps: &[(String, String)]) -> Sources {
        let starts = [
            std::env::current_dir().ok(),
            std::path::absolute(&info.path).ok().and_then(|path| path.parent().map(Path::to_owned)),
            Path::new(&info.executable).parent().filter(|path| path.is_absolute()).map(Path::to_owned),
        ];
        let mut roots: Vec<PathBuf> = Vec::new();
        for start in starts.into_iter().flatten() {
            for root in start.ancestors() {
                if !roots.iter().any(|known| known == root) {
                    roots.push(root.to_owned());
                }
            }
        }
        let recorded =
            (info.started > Duration::ZERO).then(|| SystemTime::UNIX_EPOCH.checked_add(info.started)).flatten();
        Sources { roots, maps: maps.to_vec(), recorded, files: RefCell::default() }
    }

    /// The file of a site; `None` when it is not there or no text.
    pub fn file(&self, path: &Arc<str>) -> Option<Rc<SourceFile>> {
        if let Some(known) = self.files.borrow().get(path) {
            return known.clone();
        }
        let found = self.candidates(path).find_map(|candidate| self.read(&candidate)).map(Rc::new);
        self.files.borrow_mut().insert(path.clone(), found.clone());
        found
    }

    /// The text of a site's line.
    pub fn line(&self, site: &Site) -> Option<String> {
        self.file(&site.file)?.line(site.line).map(str::to_owned)
    }

    fn candidates(&self, path: &str) -> impl Iterator<Item = PathBuf> {
        let mapped =
            self.maps.iter().find_map(|(from, to)| path.strip_prefix(from.as_str()).map(|rest| format!("{to}{rest}")));
        let path = PathBuf::from(mapped.unwrap_or_else(|| path.to_owned()));
        // Joining an absolute path to a root yields that path, so one root is enough for it.
        let n_roots = if path.is_absolute() { 1 } else { self.roots.len() };
        self.roots.iter().take(n_roots).map(move |root| root.join(&path))
    }

    fn read(&self, path: &Path) -> Option<SourceFile> {
        let metadata = std::fs::metadata(path).ok()?;
        // A path out of a trace may name a pipe, a device or a file of any size; none of these is source.
        if !metadata.is_file() || metadata.len() > MAX_SIZE {
            return None;
        }
        let text = std::fs::read_to_string(path).ok()?;
        let is_newer =
            self.recorded.zip(metadata.modified().ok()).is_some_and(|(recorded, modified)| modified > recorded);
        Some(SourceFile::new(path, &text, is_newer))
    }
}

/// A path as it is shown: relative to the working directory when it lies in it, in `~` or the registry's short form
/// otherwise, and without anything that could drive a terminal.
pub fn short_path(path: &str) -> String {
    let cleaned: Arc<str> = without_detours(&Definitions::clean(path)).into();
    let relative = std::env::current_dir()
        .ok()
        .and_then(|cwd| Path::new(&*cleaned).strip_prefix(cwd).ok().map(|rest| rest.to_string_lossy().into_owned()));
    if let Some(relative) = relative.filter(|rest| !rest.is_empty()) {
        return relative;
    }
    // `…/registry/src/…/crossbeam-0.8.4/src/lib.rs`: the crate and what follows is what tells.
    if let Some((_, rest)) = cleaned.split_once("/registry/src/")
        && let Some((_, rest)) = rest.split_once('/')
    {
        return rest.to_owned();
    }
    if let Some(rest) = cleaned.strip_prefix("/rustc/")
        && let Some((_, rest)) = rest.split_once('/')
    {
        return rest.to_owned();
    }
    cleaned.to_string()
}

/// `a/b/../../c` as `c`: compilers write the way they were told to go, people want to know where it ends.
fn without_detours(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            (".", Some(_)) => {}
            ("..", Some(&last)) if !matches!(last, "" | "." | "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A site as it is shown: `src/bank.rs:41:9`.
pub fn short_site(site: &Site) -> String {
    Site { file: short_path(&site.file).into(), ..*site }.to_string()
}

/// A site where there is no room for a path: `bank.rs:41`.
pub fn file_and_line(site: &Site) -> String {
    let name = Definitions::clean(site.file.rsplit('/').next().unwrap_or(&site.file));
    Site { file: name, column: 0, ..*site }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(dir: &Path, started: Duration) -> TraceInfo {
        TraceInfo { path: dir.join("target/lockscope/t.lks"), started, ..TraceInfo::default() }
    }

    #[test]
    fn files_are_found_from_the_trace_upwards() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        std::fs::create_dir_all(dir.path().join("src")).expect("a directory in it");
        std::fs::write(dir.path().join("src/bank.rs"), "fn main() {\n\tlet a = x.lock();\u{1b}\n}\n").expect("a file");
        let sources = Sources::new(&info(dir.path(), Duration::from_secs(1)), &[]);
        let site = Site { file: "src/bank.rs".into(), line: 2, column: 12 };
        assert_eq!(sources.line(&site).as_deref(), Some("\tlet a = x.lock(); "));
        let file = sources.file(&site.file).expect("it was read above");
        assert!(file.is_newer);
        assert_eq!(&file.text[file.span(&site).expect("the place is there")], "lock()");
        for (line, column) in [(0, 1), (9, 1), (2, 99)] {
            assert_eq!(file.span(&Site { line, column, ..site.clone() }), None, "{line}:{column}");
        }
        assert!(sources.file(&"src/none.rs".into()).is_none());
        assert!(sources.file(&"src".into()).is_none(), "a directory is no source");
    }

    #[test]
    fn paths_are_mapped() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        std::fs::write(dir.path().join("bank.rs"), "x\n").expect("a file");
        let maps = [("/build/src".to_owned(), dir.path().to_string_lossy().into_owned())];
        let later =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970") + Duration::from_secs(60);
        let sources = Sources::new(&info(dir.path(), later), &maps);
        let file = sources.file(&"/build/src/bank.rs".into()).expect("the mapped path is there");
        assert!(!file.is_newer);
    }

    #[test]
    fn long_paths_are_shown_short() {
        for (path, expected) in [
            ("/home/u/.cargo/registry/src/index-1949/dashmap-6.2.1/src/lib.rs", "dashmap-6.2.1/src/lib.rs"),
            ("/rustc/abcdef/library/std/src/sync/mutex.rs", "library/std/src/sync/mutex.rs"),
            ("src/a\u{1b}[2J.rs", "src/a\u{fffd}[2J.rs"),
            ("src/bank.rs", "src/bank.rs"),
            ("instrument/parking_lot/../../examples/bank.rs", "examples/bank.rs"),
            ("../bank/src/lib.rs", "../bank/src/lib.rs"),
            ("../../x", "../../x"),
            ("a/./b/../c", "a/c"),
        ] {
            assert_eq!(short_path(path), expected);
        }
    }
}
