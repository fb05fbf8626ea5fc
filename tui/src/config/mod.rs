//! Configuration files: one parser for the command line and the dashboard.
//!
//! Read are, later ones winning key by key: `lockscope/config.toml` in `$XDG_CONFIG_HOME` (or `~/.config`), then `lockscope.toml` in the
//! working directory or the nearest directory above it. `--config FILE` (or `LOCKSCOPE_CONFIG`) reads that file and no other. Flags
//! win over all of them. A key or value that is not known is an error that names the line, never ignored: a misspelt rule
//! that silently does nothing is worse than none.
//!
//! [`schema`] lists sections and keys; whoever needs a key adds it there. Keys that could make a program run are taken from the user's
//! own file only, since a project's file comes with whatever was cloned.

mod file;
pub mod schema;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use lockscope_trace::Definitions;

pub use self::schema::{Kind, Section, Spec, Value};

/// Name of the file of a project.
pub const PROJECT_FILE: &str = "lockscope.toml";
/// Environment variable that names the only file to read.
pub const VARIABLE: &str = "LOCKSCOPE_CONFIG";

/// A setting with the place that it comes from.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// Its section.
    pub section: String,
    /// Its key.
    pub key: String,
    /// What it is set to.
    pub value: Value,
    /// The file.
    pub file: PathBuf,
    /// Line in it, from 1.
    pub line: usize,
}

/// All settings, each once.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    /// In the order of the files and of their lines.
    pub settings: Vec<Setting>,
}

/// A file of the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// It is the user's own, or was named by the user.
    pub is_trusted: bool,
}

impl Config {
    /// Reads the files that count. The error is a message for people, which names file and line.
    pub fn load(named: Option<&Path>) -> Result<Config, String> {
        let env = |key: &str| std::env::var_os(key);
        let mut config = Config::default();
        for source in sources(named, &env, &std::env::current_dir().unwrap_or_default()) {
            let text = match std::fs::read_to_string(&source.path) {
                Ok(text) => text,
                Err(error) => return Err(format!("cannot read {}: {error}", source.path.display())),
            };
            config.merge(file::parse(&source, &text, &schema::sections())?);
        }
        Ok(config)
    }

    /// Settings of a text, as of a file of this name.
    #[cfg(test)]
    pub fn parse(path: &Path, text: &str) -> Result<Config, String> {
        let source = Source { path: path.to_owned(), is_trusted: true };
        let mut config = Config::default();
        config.merge(file::parse(&source, text, &schema::sections())?);
        Ok(config)
    }

    fn merge(&mut self, settings: Vec<Setting>) {
        for setting in settings {
            self.settings.retain(|known| (&known.section, &known.key) != (&setting.section, &setting.key));
            self.settings.push(setting);
        }
    }

    /// All settings of a section.
    pub fn section<'a>(&'a self, section: &'a str) -> impl Iterator<Item = &'a Setting> {
        self.settings.iter().filter(move |setting| setting.section == section)
    }

    /// A setting.
    pub fn get(&self, section: &str, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.section == section && setting.key == key)
    }

    /// A setting that is a text.
    pub fn text(&self, section: &str, key: &str) -> Option<&str> {
        self.get(section, key).and_then(|setting| setting.value.text())
    }

    /// A setting that is on or off.
    pub fn flag(&self, section: &str, key: &str) -> Option<bool> {
        match self.get(section, key)?.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// A setting that is a path, from the directory of the file that it stands in.
    pub fn path(&self, section: &str, key: &str) -> Option<PathBuf> {
        let setting = self.get(section, key)?;
        let dir = setting.file.parent().unwrap_or(Path::new(""));
        setting.value.text().map(|path| dir.join(path))
    }
}

/// Files that exist, or that somebody named, in the order in which they are read.
pub fn sources(named: Option<&Path>, env: &dyn Fn(&str) -> Option<OsString>, dir: &Path) -> Vec<Source> {
    let set = |key: &str| env(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = named.map(Path::to_owned).or_else(|| set(VARIABLE)) {
        return vec![Source { path, is_trusted: true }];
    }
    let home = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(|| Some(set("HOME")?.join(".config")));
    let user = home.map(|home| home.join("lockscope/config.toml")).filter(|path| path.is_file());
    let project = dir.ancestors().map(|dir| dir.join(PROJECT_FILE)).find(|path| path.is_file());
    let user = user.map(|path| Source { path, is_trusted: true });
    user.into_iter().chain(project.map(|path| Source { path, is_trusted: false })).collect()
}

/// Where the file of the user is looked for, whether or not it exists.
pub fn user_file(env: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |key: &str| env(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(|| Some(set("HOME")?.join(".config")));
    home.map(|home| home.join("lockscope/config.toml"))
}

/// A file with every key, each with its help and its default, as a comment.
pub fn example() -> String {
    let mut out =
        String::from("# lockscope's configuration. Everything here is a default; take the `#` away to change it.\n");
    for section in schema::sections() {
        out.push_str(&format!("\n# {}\n[{}]\n", section.help, section.name));
        for spec in &section.keys {
            out.push_str(&format!("# {}{}\n#{} = {}\n", spec.help, spec.kind.choices(), spec.name, spec.default));
        }
        if let Some(kind) = section.others {
            out.push_str(&format!("# further keys are names of your own{}\n", kind.choices()));
        }
    }
    out
}

/// A message with a place in front, fit for a terminal.
fn at(path: &Path, line: usize, message: &str) -> String {
    Definitions::clean(&format!("{}:{line}: {message}", path.display())).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_their_order() {
        let root = tempfile::tempdir().expect("a directory for the test");
        let make = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory");
            std::fs::write(&path, "").expect("a file");
            path
        };
        let (user, project) = (make("home/lockscope/config.toml"), make("work/lockscope.toml"));
        let dir = root.path().join("work/src/deep");
        let home = root.path().join("home");
        let env = |key: &str| (key == "XDG_CONFIG_HOME").then(|| home.clone().into_os_string());
        let paths = |sources: Vec<Source>| sources.into_iter().map(|source| source.path).collect::<Vec<_>>();
        assert_eq!(paths(sources(None, &env, &dir)), [user, project.clone()]);
        assert_eq!(paths(sources(Some(Path::new("x.toml")), &env, &dir)), [PathBuf::from("x.toml")]);
        assert_eq!(paths(sources(None, &|_| None, &dir)), [project]);
        let named = |key: &str| (key == VARIABLE).then(|| OsString::from("y.toml"));
        assert_eq!(paths(sources(None, &named, &dir)), [PathBuf::from("y.toml")]);
    }

    #[test]
    fn the_example_is_valid_with_and_without_comments() {
        let example = example();
        assert_eq!(Config::parse(Path::new("example"), &example), Ok(Config::default()));
        let is_key = |line: &str| line.starts_with('#') && !line.starts_with("# ");
        let lines = example.lines().map(|line| if is_key(line) { &line[1..] } else { line });
        let on = lines.collect::<Vec<_>>().join("\n");
        let config = Config::parse(Path::new("example"), &on).unwrap_or_else(|error| panic!("{error}\n{on}"));
        assert_eq!(config.settings.len(), example.lines().filter(|line| is_key(line)).count());
    }
}
