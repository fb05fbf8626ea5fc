//! The file of findings that are known: what was found before a team began to look, to be worked off later.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use lockscope_analyzer::finding::Finding;
use serde::{Deserialize, Serialize};

use crate::cli::{Failure, report::plural};

/// Version of the format.
const VERSION: u32 = 1;

/// The content of the file.
#[derive(Serialize, Deserialize, Debug)]
struct File {
    version: u32,
    findings: Vec<Known>,
}

/// A finding that is known. All but the fingerprint is for people.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
struct Known {
    fingerprint: String,
    code: String,
    title: String,
}

/// A baseline, and what was found since it was read.
#[derive(Debug)]
pub struct Baseline {
    path: PathBuf,
    known: Vec<Known>,
    is_updated: bool,
    seen: RefCell<BTreeMap<(String, String), Known>>,
}

impl Baseline {
    /// Reads the file. One that is to be updated need not exist.
    pub fn read(path: &Path, is_updated: bool) -> Result<Baseline, Failure> {
        let known = match std::fs::read_to_string(path) {
            Ok(text) => parse(&text).map_err(|error| {
                let help = "remove it and make it anew with --update-baseline";
                Failure::input(format!("{} is no baseline: {error}", path.display()), help)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_updated => Vec::new(),
            Err(error) => {
                let help = if error.kind() == io::ErrorKind::NotFound { "--update-baseline makes it" } else { "" };
                return Err(Failure::input(format!("cannot read the baseline {}: {error}", path.display()), help));
            }
        };
        Ok(Baseline { path: path.to_owned(), known, is_updated, seen: RefCell::default() })
    }

    /// Whether it knows a finding, which counts as seen from now on.
    pub fn knows(&self, finding: &Finding) -> bool {
        let (code, fingerprint) = (finding.code.as_str().to_owned(), finding.fingerprint.clone());
        let known = Known { fingerprint: fingerprint.clone(), code: code.clone(), title: finding.title.clone() };
        self.seen.borrow_mut().entry((code, fingerprint)).or_insert(known);
        self.known.iter().any(|known| known.fingerprint == finding.fingerprint)
    }

    /// Writes it where that is asked for. Returns what is to be said, a sentence each.
    pub fn finish(&self) -> Result<Vec<String>, Failure> {
        let seen = self.seen.borrow();
        let is_seen = |known: &&Known| seen.values().any(|seen| seen.fingerprint == known.fingerprint);
        let n_gone = self.known.iter().filter(|known| !is_seen(known)).count();
        let path = self.path.display();
        if !self.is_updated {
            let gone = plural(n_gone as u64, "finding");
            let remark =
                format!("{gone} of the baseline {path} did not come up; --update-baseline removes what is gone");
            return Ok((n_gone > 0).then_some(remark).into_iter().collect());
        }
        let content = File { version: VERSION, findings: seen.values().cloned().collect() };
        let text = crate::json::to_string_pretty(&content);
        std::fs::write(&self.path, text + "\n").map_err(|error| Failure::write(&self.path, &error))?;
        Ok(vec![format!("{path} now has {}, {n_gone} removed", plural(seen.len() as u64, "finding"))])
    }
}

fn parse(text: &str) -> Result<Vec<Known>, String> {
    let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if file.version != VERSION {
        return Err(format!("version {} is not {VERSION}", file.version));
    }
    Ok(file.findings)
}
