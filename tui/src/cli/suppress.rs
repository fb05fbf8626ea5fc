//! The file of findings that are not to be reported, with a reason for each.

use std::{cell::Cell, path::Path};

use lockscope_analyzer::finding::Finding;
use lockscope_trace::Definitions;
use toml::de::{DeTable, DeValue};

use crate::{
    cli::{Failure, report::rows},
    filter::{self, Filter, key::similar},
};

/// Entries of the file.
#[derive(Debug, Default)]
pub struct Suppressions {
    path: String,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    line: usize,
    filter: Filter,
    fingerprint: Option<String>,
    reason: String,
    is_used: Cell<bool>,
}

/// Keys of an entry.
const KEYS: [&str; 3] = ["match", "fingerprint", "reason"];

impl Suppressions {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Suppressions, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::input(format!("cannot read the suppressions {}: {error}", path.display()), ""))?;
        Suppressions::parse(&path.display().to_string(), &text).map_err(|(line, message)| {
            let help = "an entry is [[suppress]] with `match` or `fingerprint`, and `reason`";
            Failure::usage(format!("{}:{line}: {message}", path.display()), help)
        })
    }

    /// The error is a line and what is wrong there.
    fn parse(path: &str, text: &str) -> Result<Suppressions, (usize, String)> {
        let line = |byte: usize| 1 + text.as_bytes().iter().take(byte).filter(|&&byte| byte == b'\n').count();
        let table = DeTable::parse(text)
            .map_err(|error| (line(error.span().map_or(0, |span| span.start)), error.message().to_owned()))?;
        let mut entries = Vec::new();
        for (name, value) in table.get_ref() {
            let at = line(name.span().start);
            let list = (name.get_ref() == "suppress").then(|| value.get_ref().as_array()).flatten();
            let list =
                list.ok_or((at, format!("there is nothing called `{}`, expected [[suppress]]", name.get_ref())))?;
            for item in list {
                let at = line(item.span().start);
                let DeValue::Table(table) = item.get_ref() else {
                    return Err((at, "expected a table with `match` and `reason`".to_owned()));
                };
                entries.push(entry(table, at, &line)?);
            }
        }
        Ok(Suppressions { path: path.to_owned(), entries })
    }

    /// The reason of the first entry that fits a finding. All that fit count as used.
    pub fn reason(&self, defs: &Definitions, finding: &Finding) -> Option<String> {
        let row = rows::finding(defs, finding, None);
        let mut reason = None;
        for entry in &self.entries {
            let is_same = entry.fingerprint.as_ref().is_none_or(|fingerprint| *fingerprint == finding.fingerprint);
            if is_same && entry.filter.keeps(&row) {
                entry.is_used.set(true);
                reason.get_or_insert_with(|| entry.reason.clone());
            }
        }
        reason
    }

    /// A sentence for each entry that fits nothing.
    pub fn unused(&self) -> Vec<String> {
        let unused = self.entries.iter().filter(|entry| !entry.is_used.get());
        unused.map(|entry| format!("{}:{}: this suppression fits no finding", self.path, entry.line)).collect()
    }
}

fn entry(table: &DeTable<'_>, at: usize, line: &dyn Fn(usize) -> usize) -> Result<Entry, (usize, String)> {
    let mut values: [Option<&str>; 3] = [None; 3];
    let mut filter = Filter::default();
    for (key, value) in table {
        let at = line(key.span().start);
        let name: &str = key.get_ref();
        let Some(idx) = KEYS.iter().position(|known| *known == name) else {
            let like =
                similar(name, KEYS.into_iter()).map_or(String::new(), |like| format!(", did you mean `{like}`?"));
            return Err((at, format!("there is no key `{name}`{like}")));
        };
        let text = value.get_ref().as_str().filter(|text| !text.trim().is_empty());
        values[idx] = Some(text.ok_or((at, format!("`{name}` expects a text")))?);
        if name == "match" {
            let text = values[idx].unwrap_or_default();
            filter = filter::parse_for(text, rows::FINDING_KEYS).map_err(|error| (at, error.to_string()))?;
        }
    }
    let [matching, fingerprint, reason] = values;
    if matching.is_none() && fingerprint.is_none() {
        return Err((
            at,
            "an entry needs `match` or `fingerprint`; to turn off all findings use lint levels".to_owned(),
        ));
    }
    let reason = reason.ok_or((at, "an entry needs a `reason`".to_owned()))?.to_owned();
    Ok(Entry { line: at, filter, fingerprint: fingerprint.map(str::to_owned), reason, is_used: Cell::new(false) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn entries_fit_findings() {
        let text = "[[suppress]]\nmatch = \"code:lock-order-* lock:audit site:bank.rs\"\nreason = \"fixed in v2\"\n\
                    [[suppress]]\nfingerprint = \"0123456789abcdef\"\nreason = \"old\"\n";
        let suppressions = Suppressions::parse("s.toml", text).expect("a valid file");
        let (defs, findings) = (fixture::defs(), fixture::findings());
        let reasons: Vec<_> = findings.iter().map(|finding| suppressions.reason(&defs, finding)).collect();
        assert_eq!(reasons, [None, Some("fixed in v2".to_owned())]);
        assert_eq!(suppressions.unused(), ["s.toml:4: this suppression fits no finding"]);
    }

    #[test]
    fn mistakes_are_errors_with_lines() {
        for (text, expected) in [
            ("[[supress]]", "1 there is nothing called `supress`, expected [[suppress]]"),
            ("suppress = 1", "1 there is nothing called `suppress`, expected [[suppress]]"),
            ("suppress = [1]", "1 expected a table with `match` and `reason`"),
            ("[[suppress]]\nmatsh = \"a\"", "2 there is no key `matsh`, did you mean `match`?"),
            ("[[suppress]]\nmatch = \"a\"", "1 an entry needs a `reason`"),
            (
                "[[suppress]]\nreason = \"a\"",
                "1 an entry needs `match` or `fingerprint`; to turn off all findings use lint levels",
            ),
            ("[[suppress]]\nmatch = \"\"\nreason = \"a\"", "2 `match` expects a text"),
        ] {
            let (line, message) = Suppressions::parse("s.toml", text).expect_err(text);
            assert_eq!(format!("{line} {message}"), expected, "{text}");
        }
        let (line, message) = Suppressions::parse("s", "[[suppress]]\nmatch = \"wait > 3\"").expect_err("no such key");
        assert!(line == 2 && message.starts_with("this list has no `wait`"), "{line} {message}");
    }
}
