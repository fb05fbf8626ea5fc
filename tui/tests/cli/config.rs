//! Configuration files: which count, what they do, and what is wrong with others.

use crate::support::{command, finish, fixture};

#[test]
fn files_flags_and_their_order() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    };
    write("home/lockscope/config.toml", "[check]\nfail-on = \"never\"\nstrict = true\n");
    write("work/lockscope.toml", "[check]\nfail-on = \"warning\"\n\n[lints]\npoisoned = \"deny\"\n");
    std::fs::create_dir_all(dir.path().join("work/sub")).expect("a directory");
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env_remove("LOCKSCOPE_CONFIG").env("XDG_CONFIG_HOME", dir.path().join("home"));
        finish(command.current_dir(dir.path().join("work/sub")))
    };
    let shown = run(&["config", "show"]);
    let expected =
        ["check.fail-on = \"warning\"", "check.strict = true", "lints.poisoned = \"deny\"", "lockscope.toml:2"];
    for text in expected {
        assert!(shown.stdout.contains(text), "{text}: {shown:?}");
    }
    let inverted = fixture("inverted.std");
    assert_eq!(run(&["check", &inverted]).code, Some(1), "the project's file wins over the user's");
    // What is predicted is an error; here it is told as a warning.
    let warned = ["-W", "predicted-deadlock"];
    assert_eq!(run(&["check", "--fail-on", "error", warned[0], warned[1], &inverted]).code, Some(0), "flags win");
    let only = ["check", "--config", "/dev/null", warned[0], warned[1], &inverted];
    assert_eq!(run(&only).code, Some(0), "a named file is the only one");
    assert_eq!(run(&["config", "path"]).stdout.lines().count(), 2);
}

#[test]
fn mistakes_are_told_with_their_line() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let path = dir.path().join("lockscope.toml");
    for (text, expected) in [
        (
            "[check]\nfail_on = \"error\"\n",
            "lockscope.toml:2: there is no key of [check] `fail_on`, did you mean `fail-on`?",
        ),
        ("[chekc]\n", "there is no section `chekc`, did you mean `check`?"),
        ("[check]\nstrict = \"yes\"\n", "lockscope.toml:2: `strict` expects true or false"),
        ("[check\n", "lockscope.toml:1: "),
    ] {
        std::fs::write(&path, text).expect("a file");
        let path = path.to_str().expect("a path of text");
        let ran = finish(&mut command(&["check", "--config", path, &fixture("hung.std")]));
        assert_eq!(ran.code, Some(2), "{text}: {ran:?}");
        assert!(ran.stderr.contains(expected), "{text}: {}", ran.stderr);
    }
    let missing = finish(&mut command(&["check", "--config", "/nowhere/x.toml", &fixture("hung.std")]));
    assert!(missing.code == Some(2) && missing.stderr.contains("cannot read /nowhere/x.toml"), "{missing:?}");
}

#[test]
fn the_example_is_a_configuration() {
    let example = finish(&mut command(&["config", "example"])).stdout;
    let dir = tempfile::tempdir().expect("a directory for the test");
    let path = dir.path().join("x.toml");
    std::fs::write(&path, example).expect("a file");
    let ran = finish(&mut command(&["config", "show", "--config", path.to_str().expect("a path of text")]));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
}
