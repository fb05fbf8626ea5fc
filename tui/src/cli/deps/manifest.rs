//! Writes a Cargo.toml.

use std::{collections::BTreeMap, fmt::Write};

use super::metadata::Dependency;

/// A package's manifest under construction. Fields are written as they are given, so names and values that come from
/// elsewhere are quoted in here.
#[derive(Debug)]
pub struct Manifest {
    text: String,
    features: BTreeMap<String, Vec<String>>,
    /// By section: lines of dependencies.
    dependencies: BTreeMap<String, Vec<String>>,
}

impl Manifest {
    /// A library `lib` in a package that is a workspace of its own, so that the one it lies in does not matter.
    pub fn new(name: &str, version: &str, edition: &str, lib: &str) -> Manifest {
        let mut text = String::from("# Made by lockscope; see `lockscope run --help`.\n[package]\n");
        for (key, value) in [("name", name), ("version", version), ("edition", edition)] {
            // A String takes everything.
            let _ = writeln!(text, "{key} = {}", quote(value));
        }
        let _ = writeln!(text, "publish = false\n\n[lib]\nname = {}\npath = \"src/lib.rs\"", quote(lib));
        Manifest { text, features: BTreeMap::new(), dependencies: BTreeMap::new() }
    }

    /// Adds a feature.
    pub fn feature<'a>(&mut self, name: &str, enables: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.features.insert(name.to_owned(), enables.into_iter().map(str::to_owned).collect());
        self
    }

    /// Adds a dependency whose right side is TOML.
    pub fn dependency(&mut self, key: &str, value: &str) -> &mut Self {
        self.dependencies.entry("dependencies".into()).or_default().push(format!("{} = {value}", quote(key)));
        self
    }

    /// Adds a dependency of a package that this one is a copy of.
    pub fn copied(&mut self, dependency: &Dependency) -> &mut Self {
        let kind = match dependency.kind.as_deref() {
            None => "dependencies",
            Some("build") => "build-dependencies",
            Some(_) => return self,
        };
        let section = match &dependency.target {
            Some(target) => format!("target.{}.{kind}", quote(target)),
            None => kind.to_owned(),
        };
        let key = dependency.rename.as_deref().unwrap_or(&dependency.name);
        let features: Vec<String> = dependency.features.iter().map(|feature| quote(feature)).collect();
        let line = format!(
            "{} = {{ package = {}, version = {}, optional = {}, default-features = {}, features = [{}] }}",
            quote(key),
            quote(&dependency.name),
            quote(&dependency.req),
            dependency.optional,
            dependency.uses_default_features,
            features.join(", "),
        );
        self.dependencies.entry(section).or_default().push(line);
        self
    }

    /// The file's text.
    pub fn finish(&self) -> String {
        let mut text = self.text.clone();
        text.push_str("\n[features]\n");
        for (name, enables) in &self.features {
            let enables: Vec<String> = enables.iter().map(|feature| quote(feature)).collect();
            let _ = writeln!(text, "{} = [{}]", quote(name), enables.join(", "));
        }
        for (section, lines) in &self.dependencies {
            let _ = writeln!(text, "\n[{section}]\n{}", lines.join("\n"));
        }
        // Cargo shows warnings of packages in folders, and these are nobody's business here.
        text.push_str("\n[lints.rust]\nwarnings = { level = \"allow\", priority = -1 }\nunexpected_cfgs = \"allow\"\n\n[workspace]\n");
        text
    }
}

/// A text as a TOML string.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted() {
        for (text, expected) in [("a", r#""a""#), (r#"a"\b"#, r#""a\"\\b""#), ("a\nb", r#""a\u000Ab""#), ("ü", "\"ü\"")]
        {
            assert_eq!(quote(text), expected);
        }
    }

    #[test]
    fn manifests_are_written() {
        let mut manifest = Manifest::new("lock_api", "0.4.14", "2024", "lock_api");
        manifest.feature("serde", ["dep:serde"]).dependency("lockscope", r#"{ path = "/l" }"#);
        let dependency = |kind: Option<&str>, target: Option<&str>| Dependency {
            name: "serde".into(),
            rename: None,
            req: "^1.0".into(),
            kind: kind.map(Into::into),
            optional: true,
            uses_default_features: false,
            features: vec!["alloc".into()],
            target: target.map(Into::into),
        };
        manifest.copied(&dependency(None, None)).copied(&dependency(Some("dev"), None));
        manifest.copied(&dependency(None, Some(r#"cfg(target_os = "linux")"#)));
        insta::assert_snapshot!(manifest.finish());
    }
}
