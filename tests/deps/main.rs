//! `lockscope run --deps` as a user has it: whole projects over crates of crates.io, none of whose files is edited.
//!
//! Needs the registry. All projects share a target folder in that of this repository, so most is built once.

#[allow(dead_code, reason = "not every test needs all of the support")]
#[path = "../support/projects.rs"]
mod projects;

mod interrupted;

use std::fs;

use projects::{Project, Ran};

/// Runs, and makes sure that no file of the project is another one afterwards.
#[track_caller]
fn run(project: &Project, options: &[&str], cargo: &[&str]) -> Ran {
    let before = project.files();
    let ran = project.run(options, cargo);
    let after = project.files();
    let changed: Vec<_> =
        before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
    assert!(changed.is_empty(), "{changed:?} changed: {}", ran.stderr);
    ran
}

#[track_caller]
fn contains(ran: &Ran, texts: &[&str]) {
    for text in texts {
        assert!(ran.stderr.contains(text), "`{text}` is missing in:\n{}\n{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn an_inversion_in_dependencies_is_found() {
    let project = Project::copy("shop");
    let ran = run(&project, &["--fail-on", "warning"], &["test", "--test", "orders", "wrong"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let place = |text| format!("inventory/src/lib.rs:{}", project.line("inventory/src/lib.rs", text));
    contains(
        &ran,
        &[
            // Between a lock of dashmap and one of parking_lot, and between that and one of spin, with both places each.
            "warning[lock-order-inversion]: RwLock<RawTable<",
            &format!("and Mutex<Vec<u32>> ({}) are taken in both orders", place("sales are made here")),
            "and now asks for `RwLock<RawTable<(u32, SharedValue<u32>)>>` made at dashmap-",
            &format!("inventory::Inventory::sold_and_in_stock at {}", place("asking takes stock")),
            &format!(
                "and then asked for `Mutex<Vec<u32>>` made at {} at {}",
                place("sales are made here"),
                place("sell takes sales")
            ),
            &format!(
                "thread T3 took `Mutex<u32>` made at {} at {}",
                place("the total is made here"),
                place("close takes the total")
            ),
            &format!(
                "and now asks for `Mutex<Vec<u32>>` made at {} at {}",
                place("sales are made here"),
                place("close takes sales")
            ),
            // What it was that saw them.
            "instrumented: lock_api 0.4.14 and parking_lot 0.12.5, used by dashmap 6.2.1, spin 0.9.9 and this workspace",
            "out of reach: ",
        ],
    );
    assert_eq!(ran.stderr.matches("\nlockscope: warning[lock-order-inversion]").count(), 2, "{}", ran.stderr);
    builds_are_left_alone(&ran);
}

#[test]
fn right_programs_are_silent() {
    let project = Project::copy("shop");
    let ran = run(&project, &["--fail-on", "note"], &["test", "--test", "orders", "right"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    contains(&ran, &["instrumented: lock_api 0.4.14 and parking_lot 0.12.5, used by", "no findings"]);
    assert!(ran.stdout.contains("1 passed"), "{}", ran.stdout);
    builds_are_left_alone(&ran);
}

/// The build script and the procedural macro of the project take locks in both orders.
#[track_caller]
fn builds_are_left_alone(ran: &Ran) {
    contains(ran, &["the build script took its locks"]);
    for text in ["build.rs", "prices/src/lib.rs", "rustc ("] {
        assert!(!ran.stderr.contains(text), "`{text}` was looked into:\n{}", ran.stderr);
    }
}

#[test]
fn what_would_not_work_is_refused() {
    let project = Project::copy("shop");
    for (cargo, message) in [
        (&["test", "--locked"][..], "--locked and --deps exclude each other"),
        (&["test", "--manifest-path", "nowhere/Cargo.toml"], "cargo cannot resolve this workspace"),
    ] {
        let ran = run(&project, &[], cargo);
        assert!(matches!(ran.code, Some(2 | 3)), "{cargo:?}: {ran:?}");
        contains(&ran, &[message]);
    }
}

/// Three majors of parking_lot in one program, two of which are of other crates, and one that is out of reach.
#[test]
fn majors_live_side_by_side() {
    let project = Project::copy("majors");
    let ran = run(&project, &["--fail-on", "warning"], &["run", "--quiet"]);
    assert_eq!(ran.stdout, "done\n", "{}", ran.stderr);
    contains(
        &ran,
        &[
            "instrumented: lock_api 0.4.14, lock_api 0.5.0, parking_lot 0.11.2, parking_lot 0.12.5 and parking_lot 0.13.0, used by",
            "locks that once_cell 1.21.4 made of parking_lot_core",
        ],
    );
    for (older, newer) in [("0.11", "0.12"), ("0.12", "0.13")] {
        let line = project.line("src/main.rs", &format!("{older} then {newer}"));
        contains(&ran, &[&format!("src/main.rs:{line}:")]);
    }
    // The same types by lock_api's name and by parking_lot's; that they are the same is what compiles it.
    for text in ["lock_api 0.5 then 0.13", "0.13 then lock_api 0.5"] {
        contains(&ran, &[&format!("src/main.rs:{}:", project.line("src/main.rs", text))]);
    }
    let inversions = ran.stderr.lines().filter(|line| line.starts_with("lockscope: warning[lock-order-inversion]"));
    assert_eq!(inversions.count(), 2, "{}", ran.stderr);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
}

/// A program that has locked versions that are too old for lockscope.
#[test]
fn old_versions_give_way() {
    let project = Project::copy("old");
    let ran = run(&project, &[], &["version"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    contains(&ran, &["instrumented: lock_api 0.4.14 and parking_lot 0.12.5, used by this workspace"]);
    for locked in ["backtrace 0.3.", "libc 0.2.", "memmap2 0.9."] {
        contains(&ran, &[locked]);
    }
    contains(&ran, &["(locked: 0.3.60)", "(locked: 0.2.150)", "(locked: 0.9.0)"]);
}

/// For good, by hand: the packages in a folder of the project, and the lines where they belong.
#[test]
fn init_does_the_same_for_good() {
    let project = Project::copy("shop");
    let folder = project.folder.with_file_name("shop-patched");
    let _ = fs::remove_dir_all(&folder);
    for (path, content) in project.files() {
        let to = folder.join(path);
        fs::create_dir_all(to.parent().expect("a file is in a folder")).expect("the folder is ours");
        fs::write(to, content).expect("the folder is ours");
    }
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lockscope"))
        .args(["init", "--patch"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", project.target())
        .output()
        .expect("lockscope runs");
    let lines = String::from_utf8(output.stdout).expect("TOML is text");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest = folder.join("Cargo.toml");
    let before = fs::read_to_string(&manifest).expect("it is there");
    assert_eq!(before, fs::read_to_string(project.folder.join("Cargo.toml")).expect("it is there"), "it is not edited");
    fs::write(&manifest, before + "\n" + &lines).expect("the folder is ours");
    let tree = std::process::Command::new("cargo")
        .args(["tree", "-i", "parking_lot"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", project.target())
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned() + &String::from_utf8_lossy(&tree.stderr);
    assert!(tree.contains("lockscope-patch/parking_lot-0.12.5"), "cargo took it:\n{tree}");
}
