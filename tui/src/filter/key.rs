//! The keys of the language, in one table: the parser, completion and help all read it.

/// What a column holds, and so what may follow its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Texts: `key:pattern`.
    Text,
    /// Words in an order, least first: `key:pattern`, and `key >= word`.
    Levels(&'static [&'static str]),
    /// A number: `key > 3`.
    Count,
    /// A part of a whole: `key > 3`, or `key > 10%`.
    Share,
    /// A duration, or a time since the start: `key > 5ms`.
    Time,
    /// A place in the trace: `key:12.4s`.
    Place,
}

impl Kind {
    /// What is expected after a comparison, with an example.
    pub fn expected(self) -> &'static str {
        match self {
            Kind::Time => "a time with its unit, as 5ms",
            Kind::Count => "a number, as 3",
            Kind::Share => "a number, as 3, or a share, as 10%",
            Kind::Levels(_) => "one of the words that the key has",
            Kind::Text => "a pattern after `:`",
            Kind::Place => "a time as 12.4s, an event as #1234, or a finding as F1",
        }
    }
}

/// A key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// How it is written.
    pub name: &'static str,
    /// What its column holds.
    pub kind: Kind,
    /// What it is, for help.
    pub help: &'static str,
    /// Values that completion offers; there may be others.
    pub values: &'static [&'static str],
}

const fn key(name: &'static str, kind: Kind, values: &'static [&'static str], help: &'static str) -> Key {
    Key { name, kind, help, values }
}

const SEVERITIES: &[&str] = &["note", "warning", "error"];
const CONFIDENCES: &[&str] = &["potential", "predicted", "actual"];
const STATES: &[&str] =
    &["blocked", "running", "sleeping", "finished", "\"not started\"", "held", "contended", "poisoned"];
const KINDS: &[&str] =
    &["mutex", "rwlock", "condvar", "channel", "semaphore", "barrier", "once", "once-lock", "lazy-lock"];

/// Every key.
pub const KEYS: &[Key] = &[
    key("thread", Kind::Text, &[], "a thread, by handle or name"),
    key("lock", Kind::Text, &[], "a lock or other object, by handle, name or type"),
    key("state", Kind::Text, STATES, "what a thread does; whether a lock is held"),
    key("kind", Kind::Text, KINDS, "the kind of a lock"),
    key("mode", Kind::Text, &["exclusive", "shared", "upgradable"], "how a lock is held or wanted"),
    key("holds", Kind::Text, &[], "what a thread holds"),
    key("wants", Kind::Text, &[], "what a thread waits for"),
    key("site", Kind::Text, &[], "a place in the source"),
    key("op", Kind::Text, &["acquired", "released", "wait", "notify"], "what an event does"),
    key("code", Kind::Text, &[], "the code of a finding"),
    key("title", Kind::Text, &[], "the title of a finding"),
    key("sev", Kind::Levels(SEVERITIES), SEVERITIES, "severity of a finding"),
    key("conf", Kind::Levels(CONFIDENCES), CONFIDENCES, "confidence of a finding"),
    key("wait", Kind::Time, &[], "how long was waited, or has been until now"),
    key("hold", Kind::Time, &[], "how long a lock was held at most"),
    key("age", Kind::Time, &[], "how long ago it was first seen"),
    key("time", Kind::Time, &[], "when, since the start of the recording"),
    key("count", Kind::Count, &[], "how often it was seen, or a lock taken"),
    key("contended", Kind::Share, &[], "how often a lock had to be waited for, also as a share"),
    key("waiting", Kind::Count, &[], "how many threads wait for a lock"),
    key("held", Kind::Count, &[], "how many locks a thread holds"),
    key("rank", Kind::Count, &[], "rank of a lock"),
    key("event", Kind::Count, &[], "number of an event"),
    key("after", Kind::Place, &[], "later than a time, an event or a finding"),
    key("before", Kind::Place, &[], "earlier than a time, an event or a finding"),
];

/// The key of a name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The name that is most like a mistyped one, when one is.
pub fn similar<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = if text.chars().count() < 4 { 1 } else { 2 };
    names.map(|name| (distance(text, name), name)).filter(|(n, _)| *n <= limit).min().map(|(_, name)| name)
}

/// How many letters have to be added, removed, changed or exchanged with the next one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(32).collect(), b.chars().take(32).collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_names_are_recognised() {
        for (text, expected) in [
            ("wiat", Some("wait")),
            ("thred", Some("thread")),
            ("thread", Some("thread")),
            ("cond", Some("conf")),
            ("std", None),
            ("bank.rs", None),
            ("", None),
        ] {
            assert_eq!(similar(text, KEYS.iter().map(|key| key.name)), expected, "{text}");
        }
    }

    #[test]
    fn names_are_unique() {
        for key in KEYS {
            assert_eq!(KEYS.iter().filter(|other| other.name == key.name).count(), 1, "{}", key.name);
            assert_eq!(find(key.name), Some(key));
        }
    }
}
