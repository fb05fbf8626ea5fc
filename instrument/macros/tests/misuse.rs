//! What the compiler says of attributes that are wrong, and where. The attribute is compiled by itself: expansion is all that is looked at.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Calls the compiler; what it says.
fn rustc(arguments: &[&str], folder: &Path) -> (bool, String) {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--edition=2024", "--error-format=short", "--color=never", "-Awarnings"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the compiler that has compiled this");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A folder with the attribute in it, for this process.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("misuse-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder of this test");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
        let (is_good, said) =
            rustc(&["--crate-name=lockscope", "--crate-type=proc-macro", "--extern=proc_macro", source], &folder);
        assert!(is_good, "{said}");
        folder
    })
}

/// Compiles a test under the attribute; every error is `line:column: text`.
fn check(name: &str, code: &str, errors: &[&str]) {
    let folder = folder();
    let file = format!("{name}.rs");
    fs::write(folder.join(&file), code).expect("it can be written");
    let library = format!("lockscope={}", folder.join("liblockscope.so").display());
    let (_, said) = rustc(&["--test", "--emit=metadata", "--extern", &library, &file], folder);
    let ours: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix(&format!("{file}:")))
        // It has no module `testing` here, which the rest of the expansion asks for.
        .filter(|line| !line.contains("cannot find `testing`") && !line.contains("could not find `testing`"))
        .collect();
    assert_eq!(ours, errors, "{said}");
}

#[test]
fn misuse_is_told_where_it_is() {
    for (name, code, error) in [
        ("items", "#[lockscope::test]\nstruct Accounts;", "2:1: error: `#[lockscope::test]` is for functions"),
        ("modules", "#[lockscope::test]\nmod tests {}", "2:1: error: `#[lockscope::test]` is for functions"),
        (
            "arguments",
            "#[lockscope::test]\nfn adds(one: u8) {}",
            "2:8: error: a test takes no arguments; an attribute that supplies them stands above `#[lockscope::test]`",
        ),
        ("types", "#[lockscope::test]\nfn adds<T>() {}", "2:8: error: a test has no type parameters"),
        (
            "runtime",
            "#[lockscope::test]\nasync fn adds() {}",
            "2:1: error: an `async` test needs a runtime: put its attribute beside `#[lockscope::test]`, such as `#[tokio::test]`",
        ),
        (
            "twice",
            "#[lockscope::test]\n#[lockscope::test]\nfn adds() {}",
            "2:1: error: `#[lockscope::test]` stands here twice",
        ),
        (
            "unknown",
            "#[lockscope::test(ignore)]\nfn adds() {}",
            "1:19: error: there is no argument `ignore`; expected `allow = \"CODE, …\"` with codes of findings that are to be left out",
        ),
        (
            "value",
            "#[lockscope::test(allow(poisoned))]\nfn adds() {}",
            "1:19: error: expected `allow = \"CODE, …\"` with codes of findings that are to be left out",
        ),
        (
            "number",
            "#[lockscope::test(allow = 3)]\nfn adds() {}",
            "1:27: error: expected codes in a string, such as \"busy-wait, poisoned\"",
        ),
        (
            "code",
            "#[lockscope::test(allow = \"poisoned, deadlok\")]\nfn adds() {}",
            "1:27: error: `deadlok` is nothing that a running program finds; codes are busy-wait, deadlock, guard-leak, \
             hierarchy-violation, lock-order-inversion, lock-timeout, lost-wakeup, poisoned, self-deadlock, semaphore-leak, \
             unchecked-wakeup",
        ),
    ] {
        check(name, code, &[error]);
    }
}

#[test]
fn good_use_is_no_error() {
    check("good", "#[lockscope::test]\npub(crate) fn adds() -> Result<(), String> { Ok(()) }", &[]);
    check("allows", "#[lockscope::test(allow = \"poisoned, busy-wait\",)]\n#[should_panic]\nfn adds() {}", &[]);
}
