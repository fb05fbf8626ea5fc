//! `cargo lockscope test`: arguments as cargo passes them, made into those of `lockscope`.
//!
//! What stands before cargo's verb is for `lockscope run`, and what follows for cargo: `cargo lockscope --deps test --release` is
//! `lockscope run --deps -- cargo test --release`. Everything else is a verb of lockscope.

use std::ffi::OsString;

/// Verbs of cargo that run something. `run` is cargo's here; `check` and all others are lockscope's.
const VERBS: [&str; 7] = ["test", "t", "run", "r", "bench", "nextest", "miri"];
/// Name under which cargo's subcommand starts this program.
const NAME: &str = "cargo-lockscope";

/// The arguments, with those of the subcommand put in lockscope's form.
pub fn arguments(given: Vec<OsString>) -> Vec<OsString> {
    let name = given.first().map(std::path::Path::new).and_then(std::path::Path::file_stem);
    if name.is_none_or(|name| name != NAME) {
        return given;
    }
    let mut rest = given.into_iter().skip(1).peekable();
    // Cargo repeats the name of the subcommand.
    rest.next_if(|argument| argument == "lockscope");
    let rest: Vec<OsString> = rest.collect();
    let is_verb = |argument: &OsString| VERBS.iter().any(|verb| argument == verb);
    let is_option = |argument: &OsString| argument.to_string_lossy().starts_with('-');
    let mut out: Vec<OsString> = vec!["lockscope".into()];
    match rest.iter().position(is_verb) {
        Some(at) if at == 0 || is_option(&rest[0]) => {
            out.push("run".into());
            out.extend(rest[..at].iter().cloned());
            out.extend(["--".into(), std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())]);
            out.extend(rest[at..].iter().cloned());
        }
        _ => out.extend(rest),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_the_verb_is_for_lockscope() {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        for (given, expected) in [
            ("lockscope check x.lks", "lockscope check x.lks".to_owned()),
            ("/bin/cargo-lockscope lockscope test", format!("lockscope run -- {cargo} test")),
            (
                "cargo-lockscope lockscope test -p x -- --nocapture",
                format!("lockscope run -- {cargo} test -p x -- --nocapture"),
            ),
            (
                "cargo-lockscope lockscope --deps -o a.lks run --release",
                format!("lockscope run --deps -o a.lks -- {cargo} run --release"),
            ),
            ("cargo-lockscope nextest run", format!("lockscope run -- {cargo} nextest run")),
            ("cargo-lockscope lockscope check test", "lockscope check test".to_owned()),
            ("cargo-lockscope lockscope top 12", "lockscope top 12".to_owned()),
            ("cargo-lockscope lockscope --help", "lockscope --help".to_owned()),
            ("cargo-lockscope", "lockscope".to_owned()),
        ] {
            let made = arguments(given.split(' ').map(OsString::from).collect());
            let made: Vec<String> = made.into_iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
            assert_eq!(made.join(" "), expected, "{given}");
        }
    }
}
