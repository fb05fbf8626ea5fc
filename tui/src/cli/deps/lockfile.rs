//! The workspace's Cargo.lock, which is put back after the command as it was before.
//!
//! Cargo writes into it what it builds, and instrumented dependencies are something else than what belongs there; it
//! can be told to write elsewhere in unstable versions only. So a copy is made first, in the folder of the generated packages
//! and flushed to the disk, and put back when the command has ended, by whatever. When this program is killed as well, the copy is
//! still there, and the next run puts it back before anything else. Nothing is thrown away: a Cargo.lock that is neither the one
//! that was saved nor the one that cargo made of it is kept beside the copy.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

use crate::cli::Failure;

/// The right to change a workspace's Cargo.lock, which one run has at a time.
#[derive(Debug)]
pub struct Turn {
    /// Cargo.lock.
    path: PathBuf,
    /// Where the copies are.
    folder: PathBuf,
    /// Holds other runs off as long as it is open.
    _file: File,
}

/// A Cargo.lock that is to be put back. Dropping it does so too, silently.
#[derive(Debug)]
pub struct SavedLock {
    turn: Turn,
    original: Vec<u8>,
    is_restored: bool,
}

/// The original.
const SAVED: &str = "Cargo.lock.saved";
/// What cargo made of it.
const PATCHED: &str = "Cargo.lock.patched";
/// One that somebody else wrote meanwhile.
const FOUND: &str = "Cargo.lock.found";

/// What was found where the original was to be put.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// What was expected.
    Expected,
    /// Something else, which is kept under this path.
    Other(PathBuf),
}

impl Turn {
    /// Waits for the right, and puts back what an earlier run could not, which the second value tells. `wait` is called before it
    /// waits, with the id of the process that has the right, as far as known.
    ///
    /// To be done before anything else asks cargo about the workspace: it might change what is left of that run.
    pub fn take(path: &Path, folder: &Path, wait: impl FnOnce(Option<u32>)) -> Result<(Turn, Option<Found>), Failure> {
        let fail = |error: io::Error| Failure::write(folder, &error);
        fs::create_dir_all(folder).map_err(fail)?;
        let name = folder.join("turn");
        let mut file = File::options().write(true).create(true).truncate(false).open(&name).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                wait(fs::read_to_string(&name).ok().and_then(|text| text.trim().parse().ok()));
                file.lock().map_err(fail)?;
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", process::id())).map_err(fail)?;
        let turn = Turn { path: path.to_owned(), folder: folder.to_owned(), _file: file };
        match fs::read(folder.join(SAVED)) {
            Ok(original) => {
                let found = turn.put_back(&original).map_err(fail)?;
                Ok((turn, Some(found)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((turn, None)),
            Err(error) => Err(fail(error)),
        }
    }

    /// Saves what is there.
    pub fn save(self) -> Result<SavedLock, Failure> {
        let original = fs::read(&self.path)
            .map_err(|error| Failure::input(format!("cannot read {}: {error}", self.path.display()), ""))?;
        self.write_copy(&original).map_err(|error| Failure::write(&self.folder, &error))?;
        Ok(SavedLock { turn: self, original, is_restored: false })
    }

    fn write_copy(&self, original: &[u8]) -> io::Result<()> {
        // Renamed when it is whole, so that no half of it is ever put back.
        let unfinished = self.folder.join("Cargo.lock.unfinished");
        let mut copy = File::create(&unfinished)?;
        copy.write_all(original)?;
        copy.sync_all()?;
        fs::rename(unfinished, self.folder.join(SAVED))
    }

    /// Makes Cargo.lock the original again, and removes the copies.
    fn put_back(&self, original: &[u8]) -> io::Result<Found> {
        let now = fs::read(&self.path).unwrap_or_default();
        let patched = fs::read(self.folder.join(PATCHED)).ok();
        let mut found = Found::Expected;
        if now != original {
            if !now.is_empty() && patched.is_some_and(|patched| patched != now) {
                let kept = self.folder.join(FOUND);
                fs::write(&kept, &now)?;
                found = Found::Other(kept);
            }
            // In the same folder, so that it takes the other's place in one step.
            let new = self.path.with_extension("lock.lockscope");
            fs::write(&new, original)?;
            if let Ok(old) = fs::metadata(&self.path) {
                fs::set_permissions(&new, old.permissions())?;
            }
            File::open(&new)?.sync_all()?;
            fs::rename(&new, &self.path)?;
        }
        for copy in [PATCHED, SAVED] {
            match fs::remove_file(self.folder.join(copy)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(found)
    }
}

impl SavedLock {
    /// The text of Cargo.lock before.
    pub fn original(&self) -> String {
        String::from_utf8_lossy(&self.original).into_owned()
    }

    /// Notes that cargo has written its Cargo.lock for the instrumented build; returns its text.
    pub fn note_patched(&self) -> Result<String, Failure> {
        let read = |error| Failure::input(format!("cannot read {}: {error}", self.turn.path.display()), "");
        let patched = fs::read(&self.turn.path).map_err(read)?;
        let copy = self.turn.folder.join(PATCHED);
        fs::write(&copy, &patched).map_err(|error| Failure::write(&copy, &error))?;
        Ok(String::from_utf8_lossy(&patched).into_owned())
    }

    /// Puts the original back.
    pub fn restore(mut self) -> Result<Found, Failure> {
        let Turn { path, folder, .. } = &self.turn;
        let found = self.turn.put_back(&self.original).map_err(|error| {
            let help = format!("the original is {}", folder.join(SAVED).display());
            Failure::input(format!("cannot put {} back: {error}", path.display()), help)
        })?;
        self.is_restored = true;
        Ok(found)
    }
}

impl Drop for SavedLock {
    fn drop(&mut self) {
        if !self.is_restored {
            // What cannot be put back now is by the next run.
            let _ = self.turn.put_back(&self.original);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Project {
        dir: tempfile::TempDir,
    }

    impl Project {
        fn new(lock: &str) -> Project {
            let project = Project { dir: tempfile::tempdir().expect("a folder for the test") };
            project.write(lock);
            project
        }

        fn lock(&self) -> PathBuf {
            self.dir.path().join("Cargo.lock")
        }

        fn write(&self, text: &str) {
            fs::write(self.lock(), text).expect("the folder is ours");
        }

        fn read(&self) -> String {
            fs::read_to_string(self.lock()).expect("there is always one")
        }

        fn folder(&self) -> PathBuf {
            self.dir.path().join("target/lockscope/patch")
        }

        fn save(&self) -> (SavedLock, Option<Found>) {
            let (turn, recovered) = Turn::take(&self.lock(), &self.folder(), |_| ()).expect("it can be written");
            (turn.save().expect("it can be saved"), recovered)
        }
    }

    #[test]
    fn it_is_put_back() {
        let project = Project::new("original");
        let (saved, recovered) = project.save();
        assert_eq!((saved.original().as_str(), recovered), ("original", None));
        project.write("patched");
        assert_eq!(saved.note_patched().expect("it is there"), "patched");
        assert_eq!(saved.restore().expect("it can be written"), Found::Expected);
        assert_eq!(project.read(), "original");
        // Nothing is left to put back.
        assert_eq!(project.save().1, None);
    }

    #[test]
    fn it_is_put_back_when_something_fails() {
        let project = Project::new("original");
        let (saved, _) = project.save();
        project.write("half of");
        drop(saved);
        assert_eq!(project.read(), "original");
    }

    #[test]
    fn it_is_put_back_by_the_next_run() {
        for (now, found_other) in [("patched", false), ("original", false), ("somebody's", true)] {
            let project = Project::new("original");
            let (saved, _) = project.save();
            project.write("patched");
            saved.note_patched().expect("it is there");
            // As if killed: the copy stays, and nobody holds the folder.
            let copies = [SAVED, PATCHED].map(|name| (name, fs::read(project.folder().join(name)).expect("a copy")));
            drop(saved);
            for (name, copy) in copies {
                fs::write(project.folder().join(name), copy).expect("the folder is ours");
            }
            project.write(now);
            let (saved, recovered) = project.save();
            assert_eq!((project.read().as_str(), saved.original().as_str()), ("original", "original"), "{now}");
            let kept = project.folder().join(FOUND);
            assert_eq!(
                recovered,
                Some(if found_other { Found::Other(kept.clone()) } else { Found::Expected }),
                "{now}"
            );
            assert_eq!(
                found_other.then(|| fs::read_to_string(kept).expect("kept")).as_deref(),
                found_other.then_some(now)
            );
        }
    }

    #[test]
    fn what_others_wrote_is_kept() {
        let project = Project::new("original");
        let (saved, _) = project.save();
        project.write("patched");
        saved.note_patched().expect("it is there");
        project.write("somebody's");
        let Found::Other(kept) = saved.restore().expect("it can be written") else { panic!("it is something else") };
        assert_eq!(
            (project.read().as_str(), fs::read_to_string(kept).expect("kept").as_str()),
            ("original", "somebody's")
        );
    }

    #[test]
    fn runs_take_turns() {
        let project = Project::new("original");
        let (first, _) = project.save();
        project.write("patched");
        let (began, waits) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                let wait = |other| began.send(other).expect("it is awaited");
                let (turn, _) = Turn::take(&project.lock(), &project.folder(), wait).expect("it can be written");
                turn.save().expect("it can be saved").original()
            });
            assert_eq!(waits.recv().expect("the second run waits for the first"), Some(process::id()));
            drop(first);
            assert_eq!(second.join().expect("no panic"), "original");
        });
    }
}
