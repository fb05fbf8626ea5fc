//! Small projects that use crates of crates.io, as a user has them: copied out of the repository, and run by `lockscope run
//! --deps` without being touched.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A copy of a project of `tests/deps/projects`, which one test has at a time: a run has another Cargo.lock in it meanwhile.
pub struct Project {
    pub folder: PathBuf,
    /// Holds other tests off as long as it is open, also those of another process.
    _turn: fs::File,
}

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// Copies the project to where it was copied before, so that what is built of it is not built again. Waits until no other
    /// test has it.
    pub fn copy(name: &str) -> Project {
        let folder = projects().join(name);
        fs::create_dir_all(projects().join("target")).expect("the folder is ours");
        let turn = fs::File::create(projects().join(format!("{name}.turn"))).expect("the folder is ours");
        turn.lock().expect("files can be locked here");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/deps/projects").join(name);
        for (path, content) in files(&from) {
            let to = folder.join(path);
            // Not touched without need, for the same reason.
            if fs::read(&to).ok().as_ref() != Some(&content) {
                fs::create_dir_all(to.parent().expect("a file is in a folder")).expect("the folder is ours");
                fs::write(to, content).expect("the folder is ours");
            }
        }
        Project { folder, _turn: turn }
    }

    /// `lockscope run --deps OPTIONS -- cargo ARGUMENTS` in it.
    pub fn command(&self, options: &[&str], cargo: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockscope"));
        command.args(["run", "--deps"]).args(options).args(["--", "cargo"]).args(cargo);
        command.current_dir(&self.folder).env("CARGO_TARGET_DIR", self.target()).stdin(Stdio::null());
        // What a build of this repository was told is not for the project.
        for variable in ["LOCKSCOPE", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUST_BACKTRACE"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs `lockscope run --deps` to its end.
    pub fn run(&self, options: &[&str], cargo: &[&str]) -> Ran {
        let output = self.command(options, cargo).output().expect("lockscope runs");
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Where it is built; one folder for all projects, which have most dependencies in common.
    pub fn target(&self) -> PathBuf {
        projects().join("target")
    }

    /// The project's own files.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(&self.folder)
    }

    /// Line, from 1, of a file on which a text stands.
    pub fn line(&self, file: &str, text: &str) -> usize {
        let source = fs::read_to_string(self.folder.join(file)).expect("it is a file of the project");
        let found: Vec<usize> =
            (1..).zip(source.lines()).filter(|(_, line)| line.contains(text)).map(|(n, _)| n).collect();
        assert_eq!(found.len(), 1, "`{text}` stands once in {file}");
        found[0]
    }
}

/// Beside what this repository builds.
fn projects() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_lockscope"));
    let target = program.ancestors().nth(2).expect("the program is in a profile's folder of the target folder");
    target.join("deps-projects")
}

/// All files below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("it is a folder") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let mut content = Vec::new();
                fs::File::open(&path).and_then(|mut file| file.read_to_end(&mut content)).expect("it can be read");
                found.insert(path.strip_prefix(folder).expect("it was found in there").to_owned(), content);
            }
        }
    }
    found
}
