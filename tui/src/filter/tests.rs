//! The language as a whole: what texts mean, what is wrong with others, and that nothing panics.

use lockscope_trace::Nanos;

use super::*;

fn row() -> Row {
    let mut row = Row::default();
    row.add("thread", "T3 teller-1");
    row.add("state", "blocked");
    row.add("wants", "L7 audit log");
    row.add("lock", "L30 Mutex<u32> (src/bank.rs:12)");
    row.add("site", "src/bank.rs:41:9");
    row.add("code", "lock-order-inversion");
    row.add("sev", "warning");
    row.set("wait", Quantity::Time(Nanos(5_000_000)));
    row.set("count", Quantity::Count(3));
    row.set("contended", Quantity::Share(3, 20));
    row.set("time", Quantity::Time(Nanos(12_400_000_000)));
    row.set("event", Quantity::Count(100));
    row
}

fn check(filter: &str, expected: bool) {
    let parsed = parse(filter).unwrap_or_else(|error| panic!("{filter:?} is a filter: {error}"));
    assert_eq!(parsed.keeps(&row()), expected, "{filter:?} is {parsed:?}");
}

#[test]
fn words() {
    for (filter, expected) in [
        ("", true),
        ("  ", true),
        ("teller", true),
        ("teller blocked", true),
        ("teller running", false),
        ("-running", true),
        ("-blocked", false),
        ("!blocked", false),
        ("!!blocked", true),
        ("TELLER", false),
        ("T3", true),
        ("t3", true),
        ("L3", false),
        ("wants:audit", true),
        ("wants:l7", true),
        ("holds:audit", false),
        ("-holds:audit teller", true),
        ("thread:audit", false),
        ("bank.rs:41", true),
        ("Mutex<u32>", true),
        ("teller-1", true),
        ("\"audit log\"", true),
        ("wants:\"audit log\"", true),
        ("\"log audit\"", false),
        ("code:lock-*", true),
        ("code:*inversion", true),
        ("code:order*", false),
        ("code:lock*order*version", true),
        ("~/tell.r-\\d/", true),
        ("~/TELL/", false),
        ("site:~/rs:41/", true),
        ("site:~/src\\/bank/", true),
    ] {
        check(filter, expected);
    }
}

#[test]
fn numbers_and_places() {
    for (filter, expected) in [
        ("wait > 5ms", false),
        ("wait>=5ms", true),
        ("wait >= 5 ms", true),
        ("wait < 1s teller", true),
        ("count = 3", true),
        ("count:3", true),
        ("count != 3", false),
        ("contended > 10%", true),
        ("contended >= 15%", true),
        ("contended > 15%", false),
        ("contended = 3", true),
        ("hold > 1ns", false),
        ("-hold > 1ns", true),
        ("sev >= warning", true),
        ("sev>warning", false),
        ("sev:warning", true),
        ("sev = error", false),
        ("after:12s", true),
        ("before:12.4s", false),
        ("before:#101", true),
        ("after:#100", false),
        ("after:F1", false),
    ] {
        check(filter, expected);
    }
}

#[test]
fn words_between_conditions() {
    for (filter, expected) in [
        ("running or blocked", true),
        ("running | teller", true),
        ("running or auditor", false),
        ("teller and blocked", true),
        ("running or teller nothing", false),
        ("(running or teller) blocked", true),
        ("-(running or teller)", false),
        ("-(running teller)", true),
        ("order", true),
        ("android", false),
        ("\"or\" teller", true),
    ] {
        check(filter, expected);
    }
}

#[test]
fn findings_are_resolved() {
    let mut filter = parse("after:F1 or before:F2").expect("a filter");
    assert_eq!(filter.resolve(&|number| (number == 1).then_some(99)), Err(2));
    assert!(filter.keeps(&row()), "{filter}");
}

#[test]
fn errors_point_at_what_is_wrong() {
    for (filter, expected, marked, is_incomplete) in [
        ("-", "expected what to leave out after `-`", "", true),
        ("a - b", "expected what to leave out after `-`", "-", false),
        ("a \"b", "expected a closing quote", "", true),
        ("(a or b", "expected `)`", "", true),
        ("a)", "this bracket closes none", ")", false),
        ("a or", "expected a word, `key:word` or a comparison", "", true),
        ("| a", "expected a word, `key:word` or a comparison before this", "|", false),
        ("(a) =b", "expected a key before this; as a text, put it in quotes", "=", false),
        ("or a", "expected something before `or`", "or", false),
        ("wait > fast", "`wait` expects a time with its unit, as 5ms", "fast", true),
        ("wait > 5 x", "`wait` expects a time with its unit, as 5ms", "5", false),
        ("wait >", "expected a time with its unit, as 5ms after `wait >`", "", true),
        ("sev >= bad x", "expected note, warning, error", "bad", false),
        ("thread > 3", "`thread` cannot be compared; expected a pattern after `:`", "thread", false),
        ("wiat>5ms", "there is no key `wiat`, did you mean `wait`? As a text, put it in quotes", "wiat", false),
        ("thred:T3", "there is no key `thred`, did you mean `thread`? As a text, put it in quotes", "thred", false),
        ("after:x y", "expected a time as 12.4s, an event as #1234, or a finding as F1", "x", false),
        ("thread:", "expected a word after `thread:`", "", true),
        ("~/a", "expected `/` at the end", "", true),
    ] {
        let error = parse(filter).expect_err(filter);
        assert_eq!(error.message, expected, "{filter}");
        assert_eq!(&filter[error.span.clone()], marked, "{filter}");
        assert_eq!(error.is_incomplete, is_incomplete, "{filter}");
    }
    let error = parse("größe wiat>5ms").expect_err("no such key").to_string();
    assert!(error.ends_with("\n  größe wiat>5ms\n        ^^^^"), "{error}");
    assert!(parse("~/(/").expect_err("no expression").message.starts_with("no regular expression: "));
    let error = parse_for("op:wait", &["thread", "wait"]).expect_err("not in this list");
    assert_eq!(error.message, "this list has no `op`; it has thread, wait");
}

/// Pseudo-random numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_of<'a>(&mut self, parts: &[&'a str]) -> &'a str {
        parts[self.roll(parts.len() as u64) as usize]
    }
}

const PARTS: &[&str] = &[
    "a", "T3", "or", "and", "|", "(", ")", "-", "!", " ", "  ", "\"", "~/", "/", "\\", "thread:", "wait", "count", ">",
    ">=", "!=", "=", "5ms", "10%", "3", "sev", "warning", "after:", "#7", "F1", "code:x*", "größe", ":", "\u{1b}",
    "\n", "L7", "*", "state", "(x)", "1.5s", "é",
];

#[test]
fn nothing_panics_and_what_is_printed_parses_to_the_same() {
    let mut dice = Dice(7);
    let mut n_valid = 0;
    for _ in 0..20_000 {
        let text: String = (0..dice.roll(12)).map(|_| dice.one_of(PARTS)).collect();
        match parse(&text) {
            Ok(filter) => {
                n_valid += 1;
                let printed = filter.to_string();
                let again = parse(&printed).unwrap_or_else(|error| panic!("{text:?} as {printed:?}: {error}"));
                assert_eq!(again, filter, "{text:?} as {printed:?}");
                filter.keeps(&row());
            }
            Err(error) => {
                assert!(error.span.end <= text.len() && text.is_char_boundary(error.span.start), "{text:?}: {error:?}");
                let _ = error.to_string();
            }
        }
        let keys: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        let at = dice.roll(text.len() as u64 + 2) as usize;
        complete::complete(&text, at, &keys, &|_| vec!["v".to_owned()]);
    }
    assert!(n_valid > 1000, "{n_valid} of the texts were filters");
}

#[test]
fn brackets_are_bounded() {
    let deep = "(".repeat(100_000);
    assert!(parse(&deep).expect_err("too deep").message.contains("brackets within brackets"));
    assert!(parse(&format!("{}a", "!".repeat(100_000))).is_ok());
}
