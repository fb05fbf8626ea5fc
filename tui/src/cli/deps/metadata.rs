//! What `cargo metadata` says of a workspace, and what stands in its Cargo.lock.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// The answer of `cargo metadata --format-version 1`, as far as it is needed.
#[derive(Deserialize, Debug)]
pub struct Metadata {
    /// All packages of the graph.
    pub packages: Vec<Package>,
    /// Who depends on whom.
    pub resolve: Option<Resolve>,
    /// Ids of the workspace's own packages.
    pub workspace_members: Vec<String>,
    /// Where Cargo.lock is.
    pub workspace_root: PathBuf,
    /// Where things are built.
    pub target_directory: PathBuf,
}

/// A package.
#[derive(Deserialize, Debug, Clone)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub id: String,
    /// Where it comes from; `None` for a folder.
    pub source: Option<String>,
    pub manifest_path: PathBuf,
    pub edition: String,
    pub features: BTreeMap<String, Vec<String>>,
    pub dependencies: Vec<Dependency>,
}

/// What a package says that it depends on.
#[derive(Deserialize, Debug, Clone)]
pub struct Dependency {
    pub name: String,
    pub rename: Option<String>,
    pub req: String,
    /// `dev`, `build` or nothing.
    pub kind: Option<String>,
    pub optional: bool,
    pub uses_default_features: bool,
    pub features: Vec<String>,
    /// A triple or `cfg(...)`.
    pub target: Option<String>,
}

/// Who depends on whom.
#[derive(Deserialize, Debug)]
pub struct Resolve {
    pub nodes: Vec<Node>,
}

/// A package and those that it depends on.
#[derive(Deserialize, Debug)]
pub struct Node {
    pub id: String,
    pub dependencies: Vec<String>,
}

impl Package {
    /// The folder of its Cargo.toml.
    pub fn folder(&self) -> &Path {
        self.manifest_path.parent().expect("a manifest is in a folder")
    }

    /// Whether it comes from crates.io, so that cargo replaces it by `[patch.crates-io]`.
    pub fn is_from_crates_io(&self) -> bool {
        let source = self.source.as_deref();
        // The sparse protocol has a name of its own; both are the same registry to a patch.
        source.is_some_and(|source| {
            source == "registry+https://github.com/rust-lang/crates.io-index"
                || source == "sparse+https://index.crates.io/"
        })
    }
}

impl Metadata {
    /// The package with an id.
    pub fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }

    /// Packages that depend directly on one of which `is_wanted` is true.
    pub fn dependents(&self, is_wanted: impl Fn(&Package) -> bool) -> Vec<&Package> {
        let wanted: Vec<&str> =
            self.packages.iter().filter(|package| is_wanted(package)).map(|package| package.id.as_str()).collect();
        let nodes = self.resolve.iter().flat_map(|resolve| &resolve.nodes);
        nodes
            .filter(|node| node.dependencies.iter().any(|id| wanted.contains(&id.as_str())))
            .filter_map(|node| self.package(&node.id))
            .collect()
    }
}

/// A package in a Cargo.lock.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Locked {
    pub name: String,
    pub version: String,
    /// `None` for a folder.
    pub source: Option<String>,
}

/// Packages of a Cargo.lock.
pub fn locked(text: &str) -> Vec<Locked> {
    let mut packages: Vec<Locked> = Vec::new();
    let mut is_package = false;
    for line in text.lines() {
        if line.starts_with('[') {
            is_package = line == "[[package]]";
            if is_package {
                packages.push(Locked { name: String::new(), version: String::new(), source: None });
            }
        }
        let Some(package) = packages.last_mut().filter(|_| is_package) else { continue };
        // Cargo writes these values itself, without anything that would have to be escaped.
        let Some((key, value)) = line.split_once(" = ") else { continue };
        let value = value.trim_matches('"').to_owned();
        match key {
            "name" => package.name = value,
            "version" => package.version = value,
            "source" => package.source = Some(value),
            _ => {}
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_files_are_understood() {
        let text = "# generated\nversion = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n\
                    checksum = \"00\"\ndependencies = [\n \"b\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"0.1.0\"\n\n\
                    [[patch.unused]]\nname = \"c\"\nversion = \"2.0.0\"\n";
        let packages: Vec<String> = locked(text)
            .iter()
            .map(|locked| format!("{} {} {:?}", locked.name, locked.version, locked.source.as_deref()))
            .collect();
        assert_eq!(packages, ["a 1.0.0 Some(\"registry+x\")", "b 0.1.0 None"]);
        assert_eq!(locked("\u{0}\n[[package]]"), [Locked { name: "".into(), version: "".into(), source: None }]);
    }
}
