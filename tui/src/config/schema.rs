//! Sections and keys of the configuration, in one table that also makes the example file.

use lockscope_analyzer::finding::Code;

/// What a key may be set to.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// Any text.
    Text,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A text or a list of texts, each of which the function accepts or says what it expected.
    Texts(fn(&str) -> Result<(), String>),
    /// A text that the function accepts, or says what it expected.
    Checked(fn(&str) -> Result<(), String>),
}

impl Kind {
    /// What may be chosen, for help: ` (error, warning)`.
    pub fn choices(self) -> String {
        match self {
            Kind::Choice(words) => format!(" ({})", words.join(", ")),
            Kind::Flag | Kind::Text | Kind::Texts(_) | Kind::Checked(_) => String::new(),
        }
    }
}

/// A value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// `true` or `false`.
    Flag(bool),
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
}

impl Value {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// All texts: one, or those of the list.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Value::Flag(_) => Vec::new(),
            Value::Text(text) => vec![text],
            Value::Texts(texts) => texts.iter().map(String::as_str).collect(),
        }
    }
}

/// As in the file.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Texts(texts) => write!(f, "{texts:?}"),
        }
    }
}

/// A key.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// What it may be set to.
    pub kind: Kind,
    /// Its default, as it is written in the file.
    pub default: String,
    /// What it does.
    pub help: String,
    /// Only the user's own file may set it, since it can make a program run.
    pub is_private: bool,
}

/// A section.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub help: &'static str,
    /// Its keys.
    pub keys: Vec<Spec>,
    /// What keys may be set to that are not listed; without it there are no others.
    pub others: Option<Kind>,
}

fn spec(name: &'static str, kind: Kind, default: &str, help: &str) -> Spec {
    Spec { name, kind, default: default.to_owned(), help: help.to_owned(), is_private: false }
}

/// Every section.
pub fn sections() -> Vec<Section> {
    let level = Kind::Choice(&["default", "allow", "warn", "deny"]);
    let lints = Code::ALL.map(|code| spec(code.as_str(), level, "\"default\"", "what such findings count as"));
    let all = spec("all", level, "\"default\"", "what all others count as");
    let mut sections = vec![
        Section {
            name: "check",
            help: "Checking traces, by `check`, `run` and `diff`",
            keys: vec![
                spec(
                    "fail-on",
                    Kind::Choice(&["error", "warning", "note", "never"]),
                    "\"error\"",
                    "the least severity that makes the exit code 1",
                ),
                spec("strict", Kind::Flag, "false", "whether an incomplete trace is a failure"),
                spec(
                    "baseline",
                    Kind::Text,
                    "\"lockscope-baseline.json\"",
                    "file of findings that are known and accepted",
                ),
                spec(
                    "suppressions",
                    Kind::Text,
                    "\"\"",
                    "file of findings not to report, from the directory of this file",
                ),
            ],
            others: None,
        },
        Section {
            name: "lints",
            help: "What findings count as; -A, -W and -D win over it",
            keys: std::iter::once(all).chain(lints).collect(),
            others: None,
        },
        Section {
            name: "source-map",
            help: "Where sources are: the path as recorded = the path here",
            keys: Vec::new(),
            others: Some(Kind::Text),
        },
    ];
    sections.extend(crate::dashboard::config::sections());
    sections
}
