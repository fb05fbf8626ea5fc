//! Commands in the help and in the README are commands: each is parsed as if it were typed.

use clap::CommandFactory;

use crate::cli::{Cli, cargo};

/// The words of a command as a shell would see them, up to a pipe, a redirection or a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut is_word = false;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => (quote, is_word) = (Some(c), true),
            (None, '|' | '>' | '#') if !is_word => break,
            (None, c) if c.is_whitespace() => {
                words.extend(is_word.then(|| std::mem::take(&mut word)));
                is_word = false;
            }
            (_, c) => {
                word.push(c);
                is_word = true;
            }
        }
    }
    words.extend(is_word.then_some(word));
    words
}

fn check(line: &str, place: &str) {
    let words = words(line);
    // Settings before a command are the shell's.
    let start = words.iter().position(|word| !word.contains('=')).unwrap_or(0);
    let words = words[start..].to_vec();
    let given = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["cargo", "lockscope", ..] => {
            let name = std::iter::once("cargo-lockscope".to_owned());
            cargo::arguments(name.chain(words.into_iter().skip(1)).map(Into::into).collect())
        }
        ["lockscope", ..] => words.into_iter().map(Into::into).collect(),
        _ => return,
    };
    // Placeholders as `CODE` are no codes.
    let has_placeholder = given.iter().any(|word| ["CODE", "PID", "SHELL"].iter().any(|name| word == name));
    let result = Cli::command().try_get_matches_from(given);
    if let Err(error) = result {
        let is_shown = !error.use_stderr();
        assert!(is_shown || has_placeholder, "{place}: `{line}` is no command: {error}");
    }
}

#[test]
fn examples_of_the_help_are_commands() {
    let mut n_seen = 0;
    let command = Cli::command();
    for verb in command.get_subcommands() {
        let texts = [verb.get_after_help(), verb.get_after_long_help()];
        for line in
            texts.into_iter().flatten().flat_map(|text| text.to_string().lines().map(str::to_owned).collect::<Vec<_>>())
        {
            // Examples are indented.
            if let Some(example) = line.strip_prefix("  ") {
                check(example, verb.get_name());
                n_seen += 1;
            }
        }
    }
    assert!(n_seen > 20, "{n_seen} examples");
}

#[test]
fn commands_of_the_readme_are_commands() {
    let readme = include_str!("../../../README.md");
    let commands = readme.lines().filter_map(|line| line.strip_prefix("$ "));
    assert!(commands.inspect(|line| check(line, "README.md")).count() > 3);
}

#[test]
fn lines_are_taken_apart_as_by_a_shell() {
    assert_eq!(words("lockscope show x --filter 'a b' | less"), ["lockscope", "show", "x", "--filter", "a b"]);
    assert_eq!(words("lockscope check x > y"), ["lockscope", "check", "x"]);
    assert_eq!(words("lockscope top 12 # now"), ["lockscope", "top", "12"]);
}
