//! What the dashboard remembers from one time to the next: filters, columns and the height of the lower pane.
//!
//! It is a small file in `$XDG_STATE_HOME/lockscope` (or `~/.local/state/lockscope`). What cannot be read is left out and what
//! cannot be written is lost: neither is worth a word to someone whose program hangs.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    dashboard::{state::State, tables::List},
    filter,
};

/// Filters that are kept: the latest ones.
const MOST_FILTERS: usize = 50;
/// Longer files are not ours.
const MOST_BYTES: u64 = 64 * 1024;

/// The file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Filters that were used, latest last.
    filters: Vec<String>,
    /// Share of the height that the lower pane takes, in percent.
    split: Option<u16>,
    /// Columns that were chosen, by the names of list and columns.
    columns: BTreeMap<String, Vec<String>>,
}

/// Where the file is, if there is a place for it.
pub fn path(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let home = home.or_else(|| Some(set("HOME").filter(|path| path.is_absolute())?.join(".local/state")))?;
    Some(home.join("lockscope").join("dashboard.json"))
}

impl Kept {
    /// What is in a file; nothing if it cannot be read.
    pub fn read(path: &Path) -> Kept {
        let is_ours = fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MOST_BYTES);
        let text = is_ours.then(|| fs::read_to_string(path).ok()).flatten().unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Writes a file, whole or not at all.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
        fs::create_dir_all(folder)?;
        let draft = path.with_extension(format!("{}.tmp", std::process::id()));
        let text = serde_json::to_string_pretty(self)?;
        let written = fs::File::create(&draft).and_then(|mut file| file.write_all(text.as_bytes()));
        let done = written.and_then(|()| fs::rename(&draft, path));
        if done.is_err() {
            let _ = fs::remove_file(&draft);
        }
        done
    }

    /// What there is to be kept of a state.
    pub fn of(state: &State) -> Kept {
        let filters = state.filters.iter().skip(state.filters.len().saturating_sub(MOST_FILTERS)).cloned().collect();
        let chosen = |list: &List| {
            let columns = state.list(*list).columns.as_ref()?;
            let names = columns.iter().filter_map(|&idx| list.columns().get(idx));
            Some((list.name().to_owned(), names.map(|column| column.title.to_owned()).collect()))
        };
        let split = Some(state.split).filter(|split| *split != State::SPLIT);
        Kept { filters, split, columns: List::ALL.iter().filter_map(chosen).collect() }
    }

    /// Makes a state as it was. What does not exist any more is left out.
    pub fn restore(self, state: &mut State) {
        state.filters = self.filters.into_iter().filter(|text| filter::parse(text).is_ok()).collect();
        state.split = self.split.map_or(State::SPLIT, |split| split.clamp(10, 90));
        for list in List::ALL {
            let Some(names) = self.columns.get(list.name()) else { continue };
            let index = |name: &String| list.columns().iter().position(|column| column.title == *name);
            let mut columns: Vec<usize> = names.iter().filter_map(index).collect();
            let mut seen = Vec::new();
            columns.retain(|idx| {
                !seen.contains(idx) && {
                    seen.push(*idx);
                    true
                }
            });
            state.list_mut(list).columns = Some(columns).filter(|columns| !columns.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::state::tests::{empty, press};

    #[test]
    fn what_was_chosen_comes_back() {
        let mut state = empty();
        state.filters = vec!["state:blocked".to_owned(), "wait > 5ms".to_owned()];
        state.split = 70;
        state.list_mut(List::Locks).columns = Some(vec![0, 3, 1]);
        let dir = tempfile::tempdir().expect("a directory for the test");
        let path = dir.path().join("a/b/dashboard.json");
        let kept = Kept::of(&state);
        kept.write(&path).expect("it can be written");
        assert_eq!(Kept::read(&path), kept);
        let mut other = empty();
        Kept::read(&path).restore(&mut other);
        assert_eq!((other.filters.len(), other.split), (2, 70));
        assert_eq!(other.list(List::Locks).columns, Some(vec![0, 3, 1]));
        assert_eq!(Kept::of(&other), kept);
        press(&mut other, "3 / up");
        assert_eq!(other.prompt.as_ref().map(|prompt| prompt.text.as_str()), Some("wait > 5ms"));
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let path = dir.path().join("dashboard.json");
        assert_eq!(Kept::read(&path), Kept::default(), "there is none");
        for (text, filters, split) in [
            ("", 0, State::SPLIT),
            ("[1, 2", 0, State::SPLIT),
            (r#"{"filters": ["a", "wait >", "b"], "split": 9999}"#, 2, 90),
            (
                r#"{"columns": {"locks": ["no such", "lock", "lock"], "nothing": ["x"], "threads": ["y"]}, "new": 1}"#,
                0,
                40,
            ),
        ] {
            fs::write(&path, text).expect("a file");
            let mut state = empty();
            Kept::read(&path).restore(&mut state);
            assert_eq!((state.filters.len(), state.split), (filters, split), "{text}");
            assert!(state.list(List::Threads).columns.is_none());
            assert!(state.list(List::Locks).columns.as_ref().is_none_or(|columns| *columns == [0]), "{text}");
        }
    }

    #[test]
    fn the_file_is_where_such_files_belong() {
        let of = |variables: &[(&str, &str)]| {
            let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
            path(variable).map(|path| path.to_string_lossy().into_owned())
        };
        assert_eq!(of(&[("HOME", "/h")]).as_deref(), Some("/h/.local/state/lockscope/dashboard.json"));
        let both = [("HOME", "/h"), ("XDG_STATE_HOME", "/s")];
        assert_eq!(of(&both).as_deref(), Some("/s/lockscope/dashboard.json"));
        assert_eq!(of(&[("XDG_STATE_HOME", "relative"), ("HOME", "")]), None);
    }
}
