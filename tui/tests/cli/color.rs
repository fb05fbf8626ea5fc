//! Colour or not, by flag and environment. The decision itself is tested beside its code; here, that it is asked.

use crate::support::{command, finish, fixture};

fn check(arguments: &[&str], environment: &[(&str, &str)], expected: bool) {
    for verb in [&["check"][..], &["show"], &["graph"]] {
        let trace = fixture("hung.std");
        let mut all = [verb, arguments, &[trace.as_str()]].concat();
        all.extend((verb == ["graph"]).then_some("wait"));
        let ran = finish(command(&all).envs(environment.iter().copied()));
        assert_eq!(ran.stdout.contains('\u{1b}'), expected, "{all:?} {environment:?}: {}", ran.stdout);
    }
}

#[test]
fn colour_is_used_where_it_is_wanted() {
    check(&[], &[], false);
    check(&["--color", "always"], &[], true);
    check(&["--color", "always"], &[("NO_COLOR", "1"), ("TERM", "dumb")], true);
    check(&[], &[("FORCE_COLOR", "1")], true);
    check(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true);
    check(&["--color", "never"], &[("FORCE_COLOR", "1")], false);
    check(&[], &[("NO_COLOR", "1"), ("FORCE_COLOR", "0")], false);
    check(&[], &[("TERM", "xterm-256color")], false);
}

#[test]
fn errors_are_coloured_by_the_same_rules() {
    for (arguments, expected) in [(&["check", "/nowhere"][..], false), (&["--color=always", "check", "/nowhere"], true)]
    {
        let ran = finish(&mut command(arguments));
        assert_eq!(ran.stderr.contains('\u{1b}'), expected, "{arguments:?}: {}", ran.stderr);
    }
}
