//! Runs the program and says what came out.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What a run of the program left.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The program in an environment without anything that changes its output.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockscope"));
    command.args(arguments).stdin(Stdio::null()).env("LANG", "C.UTF-8").env("LOCKSCOPE_CONFIG", "/dev/null");
    for key in ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM", "LC_ALL", "LC_CTYPE", "LOCKSCOPE"] {
        command.env_remove(key);
    }
    command
}

/// Runs the program.
pub fn lockscope(arguments: &[&str]) -> Ran {
    finish(&mut command(arguments))
}

/// Runs a prepared command.
pub fn finish(command: &mut Command) -> Ran {
    let output = command.output().expect("the program starts");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("the program writes UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("the program writes UTF-8"),
    }
}

/// A trace of the repository's fixtures.
pub fn fixture(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name);
    path.to_str().expect("the repository's path is text").to_owned()
}

/// A file with a content, in a directory that goes away with the first value.
pub fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let path = dir.path().join(name);
    std::fs::File::create(&path).and_then(|mut file| file.write_all(content)).expect("a file in it");
    let path = path.to_str().expect("a path of text").to_owned();
    (dir, path)
}
