//! Resolves a workspace with its stand-ins in their places.
//!
//! lockscope depends on a few crates that programs use too, and asks for old versions of them. Where a program has locked
//! an even older one, cargo does not replace it by itself, and says which one is in the way; then it is told to.

use std::{collections::BTreeSet, path::Path, process::Stdio};

use super::{cargo::Cargo, metadata::Metadata};
use crate::cli::Failure;

/// Most packages that are replaced by newer ones: more are in the way of something else.
const MOST_UPDATES: usize = 16;

/// Resolves by `ask`, which uses the configuration file `config`.
pub fn resolve(cargo: &Cargo, config: &Path, ask: impl Fn() -> Result<Metadata, Failure>) -> Result<Metadata, Failure> {
    let mut in_the_way = BTreeSet::new();
    let mut result = ask();
    while let Err(failure) = &result {
        let mut said = failure.to_string();
        // An update finds what is in the way next.
        loop {
            let Some(package) = blocking(&said).filter(|_| in_the_way.len() < MOST_UPDATES) else { return result };
            if !in_the_way.insert(package) {
                return result;
            }
            let mut update = cargo.update(&in_the_way.iter().cloned().collect::<Vec<_>>());
            let output = update.arg("--config").arg(config).stdin(Stdio::null()).output();
            match output {
                Ok(output) if output.status.success() => break,
                Ok(output) => said = String::from_utf8_lossy(&output.stderr).into_owned(),
                Err(_) => return result,
            }
        }
        result = ask();
    }
    result
}

/// The package that is locked in a version that does not fit, as `name@version`.
fn blocking(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("previously selected package `")?;
    let (package, _) = rest.split_once('`')?;
    let (name, version) = package.split_once(" v")?;
    // A folder or a registry may follow.
    Some(format!("{name}@{}", version.split_whitespace().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_way_is_understood() {
        let said = "error: failed to select a version for `backtrace`.\n    ... required by package `lockscope v0.1.0 (/l)`\n\n\
                    all possible versions conflict with previously selected packages.\n\n  previously selected package \
                    `backtrace v0.3.30`\n    ... which satisfies dependency `backtrace = \"^0.3\"` of package `me v0.1.0 (/me)`";
        assert_eq!(blocking(said).as_deref(), Some("backtrace@0.3.30"));
        assert_eq!(blocking("previously selected package `a v1.0.0 (/a)`").as_deref(), Some("a@1.0.0"));
        assert_eq!(blocking("error: no matching package named `x` found"), None);
    }
}
