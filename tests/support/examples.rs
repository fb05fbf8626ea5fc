//! The example programs: where they are, and lines of theirs by what stands there.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The `lockscope` program.
pub fn lockscope() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockscope"));
    command.env_remove("LOCKSCOPE");
    command
}

/// Packages that examples are built of. The first has none: its tests ask for a feature, without which all would be built a second time.
pub const PACKAGES: [&str; 3] = ["lockscope", "lockscope-parking_lot", "lockscope-crossbeam-channel"];

/// The built example; builds all of them once, since a test of one package does not build another's examples.
pub fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let program = Path::new(env!("CARGO_BIN_EXE_lockscope"));
        let profile = program.parent().expect("the program is in the profile's folder");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet"]);
        for package in PACKAGES {
            build.args(["--package", package]);
        }
        build.args(["--examples", "--target-dir"]);
        build.arg(profile.parent().expect("the profile's folder is in the target folder")).current_dir(root());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success(), "the examples do not build");
        profile.join("examples")
    });
    folder.join(name)
}

/// Lines (from 1) of an example on which a text stands.
pub fn lines_with(example: &str, text: &str) -> Vec<u64> {
    let source = std::fs::read_to_string(root().join("examples").join(format!("{example}.rs"))).expect("the example");
    let lines: Vec<u64> = (1..).zip(source.lines()).filter(|(_, line)| line.contains(text)).map(|(n, _)| n).collect();
    assert!(!lines.is_empty(), "`{text}` is not in {example}.rs any more");
    lines
}
