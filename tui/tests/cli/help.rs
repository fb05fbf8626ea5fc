//! Help of every verb, and scripts for every shell.

use crate::support::lockscope;

const VERBS: [&str; 13] = [
    "run",
    "check",
    "top",
    "show",
    "graph",
    "explain",
    "export",
    "hierarchy",
    "diff",
    "config",
    "completions",
    "man",
    "doctor",
];

#[test]
fn help_is_as_it_was() {
    insta::assert_snapshot!("lockscope", lockscope(&["--help"]).stdout);
    insta::assert_snapshot!("lockscope_short", lockscope(&["-h"]).stdout);
    for verb in VERBS {
        insta::assert_snapshot!(verb, lockscope(&[verb, "--help"]).stdout);
    }
}

#[test]
fn help_fits_a_hundred_columns() {
    for verb in VERBS {
        for line in lockscope(&[verb, "--help"]).stdout.lines() {
            assert!(line.chars().count() <= 100, "{verb}: {line}");
        }
    }
}

#[test]
fn every_shell_can_complete_every_verb() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = lockscope(&["completions", shell]);
        assert_eq!(ran.code, Some(0), "{shell}");
        for verb in VERBS {
            assert!(ran.stdout.contains(verb), "{shell} knows {verb}");
        }
    }
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(lockscope(&["--version"]).stdout, format!("lockscope {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_code_is_listed_and_explained() {
    let list = lockscope(&["explain", "--list"]).stdout;
    for line in list.lines() {
        let code = line.split_whitespace().next().expect("a line begins with a code");
        let page = lockscope(&["explain", code]);
        assert_eq!(page.code, Some(0), "{code}");
        assert!(page.stdout.starts_with(code), "{code}: {}", page.stdout);
    }
}

/// The README's first command is `cargo run -- run -- …`, which works while one package alone says what is run.
#[test]
fn cargo_knows_what_to_run() {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let members = metadata["workspace_default_members"].as_array().expect("a list");
    let packages = metadata["packages"].as_array().expect("a list").iter();
    let of_default = packages.filter(|package| members.contains(&package["id"]));
    let runs: Vec<&str> = of_default.filter_map(|package| package["default_run"].as_str()).collect();
    assert_eq!(runs, ["lockscope"]);
}
