//! The order that one run followed, written down, is enforced on the next.

use crate::examples::{example, lockscope};

/// What is said of a run of the philosophers, with these settings and arguments.
fn philosophers(settings: &str, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new(example("philosophers"));
    let output = command.args(arguments).env("LOCKSCOPE", settings).output().expect("the example runs");
    String::from_utf8(output.stderr).expect("the example writes UTF-8")
}

#[test]
fn an_order_that_was_written_down_is_enforced() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| dir.path().join(name).to_str().expect("a path of text").to_owned();
    let (trace, file) = (path("philosophers.lks"), path("hierarchy.toml"));
    philosophers(&format!("record={trace}"), &["--fixed"]);
    let run = |arguments: &[&str]| lockscope().args(arguments).output().expect("lockscope runs");
    let written = run(&["hierarchy", &trace, "-o", &file]);
    assert!(written.status.success(), "{written:?}");
    let text = std::fs::read_to_string(&file).expect("it was written");
    assert!(text.contains("name = \"fork 1\"") && text.contains("examples/philosophers.rs:"), "{text}");

    let settings = format!("order=off,deadlock=off,hierarchy={file}");
    let said = philosophers(&settings, &["--fixed"]);
    assert!(!said.contains("lockscope"), "it keeps to its own order: {said}");
    let said = philosophers(&settings, &[]);
    assert!(said.contains("[hierarchy-violation]") && said.contains("`fork 1` (rank 10)"), "{said}");

    // The ranks are in the recording, so `check` finds the same; and the comparison says where code and file part ways.
    let broken = path("broken.lks");
    philosophers(&format!("{settings},record={broken}"), &[]);
    let checked = run(&["check", "--format", "short", &broken]);
    assert!(String::from_utf8_lossy(&checked.stdout).contains("error[hierarchy-violation]"), "{checked:?}");
    let compared = run(&["hierarchy", "--check", &file, &broken]);
    assert_eq!(compared.status.code(), Some(1), "{compared:?}");
    assert!(String::from_utf8_lossy(&compared.stdout).contains("is taken while `fork"), "{compared:?}");
}
