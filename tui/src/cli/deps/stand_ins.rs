//! The packages that stand in for others: which there are, and how they are written.
//!
//! A package that cargo puts in another one's place must have the other's name and the very version that is locked, else cargo
//! ignores it; it must have all of the other's features; and it must not depend on the other, directly or not. So parking_lot's
//! stand-ins use a copy of the real one under another name, which is made from cargo's own sources. lock_api's do not need
//! the real one: they are lockscope's own, and parking_lot's types are made of theirs as they are of lock_api's elsewhere.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    embedded::{self, When},
    manifest::{Manifest, quote},
    metadata::{Metadata, Package},
};
use crate::cli::Failure;

/// How a package is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// lock_api 0.4, declared anew.
    LockApi,
    /// lock_api 0.5, declared anew.
    LockApi05,
    /// parking_lot 0.11 or 0.12: locks of the stand-in of lock_api, the rest wrapped.
    ParkingLot,
    /// parking_lot 0.13: the same.
    ParkingLot13,
}

/// A package that is to be replaced.
#[derive(Clone, Debug)]
pub struct StandIn {
    kind: Kind,
    /// The one that it stands in for.
    pub real: Package,
}

/// Why a package that has locks is left as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LeftAlone {
    /// Name and version.
    pub package: String,
    /// As in `it is left alone, since it ...`.
    pub reason: &'static str,
}

/// Decides what is replaced.
pub fn choose(metadata: &Metadata) -> (Vec<StandIn>, Vec<LeftAlone>) {
    let (mut chosen, mut left_alone) = (Vec::new(), Vec::new());
    for package in &metadata.packages {
        let Some(kind) = kind(&package.name, &package.version) else { continue };
        match kind {
            Err(reason) => left_alone.push(LeftAlone { package: label(package), reason }),
            Ok(_) if !package.is_from_crates_io() => {
                left_alone.push(LeftAlone { package: label(package), reason: "does not come from crates.io" });
            }
            Ok(kind) => chosen.push(StandIn { kind, real: package.clone() }),
        }
    }
    left_alone.sort();
    (chosen, left_alone)
}

/// Name and version.
pub fn label(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

fn kind(name: &str, version: &str) -> Option<Result<Kind, &'static str>> {
    let minor = version.split('.').take(2).collect::<Vec<_>>().join(".");
    Some(match (name, minor.as_str()) {
        ("lock_api", "0.4") => Ok(Kind::LockApi),
        ("lock_api", "0.5") => Ok(Kind::LockApi05),
        ("parking_lot", "0.11" | "0.12") => Ok(Kind::ParkingLot),
        ("parking_lot", "0.13") => Ok(Kind::ParkingLot13),
        ("lock_api" | "parking_lot", _) => Err("is of a version for which there is no stand-in"),
        _ => return None,
    })
}

/// Where the crate `lockscope` comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Runtime {
    /// A folder: of the repository that this program was built from.
    Folder(PathBuf),
    /// crates.io, in this program's version.
    Registry,
}

impl Runtime {
    /// The folder if it is still there.
    pub fn find() -> Runtime {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../instrument");
        match folder.join("Cargo.toml").is_file().then(|| folder.canonicalize()) {
            Some(Ok(folder)) => Runtime::Folder(folder),
            _ => Runtime::Registry,
        }
    }

    fn dependency(&self, when: When) -> String {
        let features = if when == When::Always { r#", features = ["force"]"# } else { "" };
        match self {
            Runtime::Folder(folder) => format!("{{ path = {}{features} }}", quote(&folder.to_string_lossy())),
            Runtime::Registry => {
                format!("{{ version = {}{features} }}", quote(concat!("=", env!("CARGO_PKG_VERSION"))))
            }
        }
    }
}

impl StandIn {
    /// Name of its folder.
    pub fn folder(&self) -> String {
        format!("{}-{}", self.real.name, self.real.version)
    }

    fn real_folder(&self) -> String {
        format!("{}-real", self.folder())
    }

    /// Writes its package, and what it needs beside it, into a folder. Files that are as they should be are not touched, so
    /// that cargo does not build them anew.
    pub fn write(&self, into: &Path, runtime: &Runtime, when: When) -> Result<(), Failure> {
        let package = into.join(self.folder());
        write_package(&package, &self.manifest(runtime, when).finish(), &self.sources(when))
            .map_err(|error| Failure::write(&package, &error))?;
        if !matches!(self.kind, Kind::LockApi | Kind::LockApi05) {
            let copy = into.join(self.real_folder());
            let files = rust_files(self.real.folder()).and_then(|files| write_package(&copy, &self.copy(), &files));
            files.map_err(|error| Failure::write(&copy, &error))?;
        }
        Ok(())
    }

    fn sources(&self, when: When) -> Vec<(String, String)> {
        let files = match self.kind {
            Kind::LockApi => embedded::sources("lock_api", "stand_in.rs", when),
            Kind::LockApi05 => embedded::sources("lock_api_0_5", "stand_in.rs", when),
            Kind::ParkingLot => embedded::sources("parking_lot", "lib.rs", when),
            Kind::ParkingLot13 => embedded::sources("parking_lot_0_13", "lib.rs", when),
        };
        files.into_iter().map(|(path, text)| (format!("src/{path}"), text)).collect()
    }

    fn manifest(&self, runtime: &Runtime, when: When) -> Manifest {
        let (name, version) = (&self.real.name, &self.real.version);
        let mut manifest = Manifest::new(name, version, "2024", name);
        manifest.dependency("lockscope", &runtime.dependency(when));
        let copy = format!(
            "{{ package = {}, path = {}, version = {}, default-features = false }}",
            quote(&format!("{name}-real")),
            quote(&format!("../{}", self.real_folder())),
            quote(&format!("={version}")),
        );
        // Like the real one's, which the copy has as well.
        let lock_api =
            self.real.dependencies.iter().find(|dependency| dependency.name == "lock_api" && dependency.kind.is_none());
        let lock_api = lock_api.map_or("*", |dependency| &dependency.req);
        match self.kind {
            Kind::LockApi | Kind::LockApi05 => {
                manifest.dependency("owning_ref", r#"{ version = "0.4.1", optional = true }"#);
                let serde = r#"{ package = "serde", version = "1.0.126", default-features = false, optional = true }"#;
                manifest.dependency("serde_core", serde);
            }
            Kind::ParkingLot => {
                manifest.dependency("real", &copy).dependency("lock_api", &quote(lock_api));
            }
            Kind::ParkingLot13 => {
                manifest.dependency("parking_lot", &copy);
            }
        }
        for (feature, enables) in &self.real.features {
            let enables: Vec<String> = match (self.kind, feature.as_str()) {
                (_, "default") => {
                    enables.iter().filter(|feature| self.real.features.contains_key(*feature)).cloned().collect()
                }
                (Kind::LockApi | Kind::LockApi05, "owning_ref") => vec!["dep:owning_ref".into()],
                (Kind::LockApi | Kind::LockApi05, "serde") => vec!["dep:serde_core".into()],
                (Kind::LockApi | Kind::LockApi05, _) => Vec::new(),
                // Not handed on: lockscope answers itself, and parking_lot does not have it together with `send_guard`.
                (_, "deadlock_detection") => vec!["lockscope/backtraces".into()],
                (Kind::ParkingLot, _) => vec![format!("real/{feature}")],
                (Kind::ParkingLot13, _) => vec![format!("parking_lot/{feature}")],
            };
            manifest.feature(feature, enables.iter().map(String::as_str));
        }
        manifest
    }

    /// The manifest of the copy of the real one.
    fn copy(&self) -> String {
        let Package { name, version, edition, features, dependencies, .. } = &self.real;
        // Types are called after the library, and some are known by that name.
        let mut manifest = Manifest::new(&format!("{name}-real"), version, edition, name);
        for dependency in dependencies {
            manifest.copied(dependency);
        }
        for (feature, enables) in features {
            manifest.feature(feature, enables.iter().map(String::as_str));
        }
        manifest.finish()
    }
}

/// The lines that put stand-ins in their places, for Cargo.toml or a configuration file; `folder` is as seen from there.
pub fn patch_table(stand_ins: &[StandIn], folder: &Path) -> String {
    let mut text = String::from("[patch.crates-io]\n");
    for stand_in in stand_ins {
        let Package { name, version, .. } = &stand_in.real;
        // Several versions of one package need keys of their own; the package is named in the value.
        let key: String =
            format!("{name}-{version}").chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let path = folder.join(stand_in.folder());
        text.push_str(&format!("{key} = {{ package = {}, path = {} }}\n", quote(name), quote(&path.to_string_lossy())));
    }
    text
}

/// The Rust files of a package that cargo has downloaded, in `src`.
fn rust_files(package: &Path) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut folders = vec![package.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(package).expect("it was found in there");
                files.push((relative.to_string_lossy().into_owned(), fs::read_to_string(&path)?));
            }
        }
    }
    Ok(files)
}

fn write_package(folder: &Path, manifest: &str, files: &[(String, String)]) -> io::Result<()> {
    let mut expected = BTreeSet::from([folder.join("Cargo.toml")]);
    write_unless_same(&folder.join("Cargo.toml"), manifest)?;
    for (path, text) in files {
        let path = folder.join(path);
        write_unless_same(&path, text)?;
        expected.insert(path);
    }
    // What an older version has left.
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !expected.contains(&path) {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

/// Writes a file that is not there with this text.
pub fn write_unless_same(path: &Path, text: &str) -> io::Result<()> {
    if fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, source: Option<&str>) -> Package {
        let features =
            [("default", &["arc_lock"][..]), ("arc_lock", &["lock_api/arc_lock"]), ("serde", &["lock_api/serde"])];
        Package {
            name: name.into(),
            version: version.into(),
            id: format!("{name} {version}"),
            source: source.map(Into::into),
            manifest_path: "/registry/Cargo.toml".into(),
            edition: "2021".into(),
            features: features.map(|(name, on)| (name.into(), on.iter().map(|on| (*on).into()).collect())).into(),
            dependencies: Vec::new(),
        }
    }

    const CRATES_IO: Option<&str> = Some("registry+https://github.com/rust-lang/crates.io-index");

    #[test]
    fn what_is_replaced() {
        let packages = [
            ("lock_api", "0.4.9", CRATES_IO, "lock_api-0.4.9"),
            ("lock_api", "0.5.0", CRATES_IO, "lock_api-0.5.0"),
            ("lock_api", "0.3.4", CRATES_IO, "left alone"),
            ("parking_lot", "0.11.2", CRATES_IO, "parking_lot-0.11.2"),
            ("parking_lot", "0.12.5", CRATES_IO, "parking_lot-0.12.5"),
            ("parking_lot", "0.12.5", None, "left alone"),
            ("parking_lot", "0.13.0", CRATES_IO, "parking_lot-0.13.0"),
            ("parking_lot", "0.10.2", CRATES_IO, "left alone"),
            ("parking_lot_core", "0.9.12", CRATES_IO, ""),
            ("dashmap", "6.2.1", CRATES_IO, ""),
        ];
        for (name, version, source, expected) in packages {
            let metadata = Metadata {
                packages: vec![package(name, version, source)],
                resolve: None,
                workspace_members: Vec::new(),
                workspace_root: PathBuf::new(),
                target_directory: PathBuf::new(),
            };
            let (chosen, left_alone) = choose(&metadata);
            let found = match (&*chosen, &*left_alone) {
                ([stand_in], []) => stand_in.folder(),
                ([], [_]) => "left alone".into(),
                _ => String::new(),
            };
            assert_eq!(found, expected, "{name} {version} {source:?}");
        }
    }

    #[test]
    fn all_features_are_there() {
        let of = |name: &str, version: &str| {
            let (kind, real) =
                (kind(name, version).expect("known").expect("replaced"), package(name, version, CRATES_IO));
            StandIn { kind, real }.manifest(&Runtime::Registry, When::Always).finish()
        };
        for (name, version, line) in [
            ("lock_api", "0.4.14", r#""serde" = ["dep:serde_core"]"#),
            ("parking_lot", "0.12.5", r#""serde" = ["real/serde"]"#),
            ("lock_api", "0.5.0", r#""serde" = ["dep:serde_core"]"#),
            ("parking_lot", "0.13.0", r#""serde" = ["parking_lot/serde"]"#),
        ] {
            let manifest = of(name, version);
            for line in [line, r#""default" = ["arc_lock"]"#, r#""arc_lock" = "#, &format!("version = \"{version}\"")] {
                assert!(manifest.contains(line), "{name} {version}: {line} is not in\n{manifest}");
            }
        }
    }

    #[test]
    fn patches_have_keys_of_their_own() {
        let stand_in = |version| StandIn { kind: Kind::ParkingLot, real: package("parking_lot", version, CRATES_IO) };
        let stand_ins = [stand_in("0.11.2"), stand_in("0.12.5")];
        assert_eq!(
            patch_table(&stand_ins, Path::new("/p")),
            "[patch.crates-io]\n\
             parking_lot_0_11_2 = { package = \"parking_lot\", path = \"/p/parking_lot-0.11.2\" }\n\
             parking_lot_0_12_5 = { package = \"parking_lot\", path = \"/p/parking_lot-0.12.5\" }\n"
        );
    }

    #[test]
    fn files_that_are_right_are_not_touched() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let files = |text: &str| vec![("src/lib.rs".to_owned(), text.to_owned())];
        let modified =
            || fs::metadata(dir.path().join("src/lib.rs")).and_then(|file| file.modified()).expect("it is there");
        write_package(dir.path(), "", &files("one")).expect("it can be written");
        let first = modified();
        write_package(dir.path(), "", &files("one")).expect("it can be written");
        assert_eq!(modified(), first);
        fs::write(dir.path().join("src/old.rs"), "").expect("it can be written");
        write_package(dir.path(), "", &files("two")).expect("it can be written");
        assert_eq!(fs::read_to_string(dir.path().join("src/lib.rs")).expect("it is there"), "two");
        assert!(!dir.path().join("src/old.rs").exists());
    }
}
