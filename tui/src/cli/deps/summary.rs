//! What is instrumented and what is not: said after the run, from what cargo resolved.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    metadata::{Locked, Metadata, Package},
    stand_ins::{LeftAlone, StandIn, label},
};

/// What became of a workspace's locks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Packages that have a stand-in, which cargo took.
    pub instrumented: Vec<String>,
    /// Packages that use those.
    pub users: Vec<String>,
    /// Whether packages of the workspace itself are among the users.
    pub workspace_uses_them: bool,
    /// Packages that have a stand-in, which cargo did not take.
    pub not_taken: Vec<String>,
    /// Packages that were left as they are.
    pub left_alone: Vec<LeftAlone>,
    /// Packages that have locks of their own over parking_lot_core.
    pub core_users: Vec<String>,
    /// Packages whose version differs in this build: name, locked, used.
    pub changed: Vec<(String, String, String)>,
}

/// Compares what cargo resolved with what was asked of it. `before` and `after` are Cargo.lock without the stand-ins and with
/// them, `metadata` is that of the build.
pub fn summarise(
    stand_ins: &[StandIn],
    left_alone: Vec<LeftAlone>,
    metadata: &Metadata,
    before: &[Locked],
    after: &[Locked],
) -> Summary {
    let is_taken = |stand_in: &&StandIn| {
        let same = |locked: &&Locked| locked.name == stand_in.real.name && locked.version == stand_in.real.version;
        // A package in a folder has no source.
        after.iter().filter(same).all(|locked| locked.source.is_none()) && after.iter().any(|locked| same(&locked))
    };
    let (taken, not_taken): (Vec<&StandIn>, Vec<&StandIn>) = stand_ins.iter().partition(is_taken);
    let labels = |stand_ins: &[&StandIn]| stand_ins.iter().map(|stand_in| label(&stand_in.real)).collect();

    let is_stand_in = |package: &Package| {
        package.source.is_none() && taken.iter().any(|stand_in| label(&stand_in.real) == label(package))
    };
    let is_ours = |package: &Package| is_stand_in(package) || package.name.ends_with("-real");
    let is_member = |package: &Package| metadata.workspace_members.contains(&package.id);
    let users: Vec<&Package> =
        metadata.dependents(is_stand_in).into_iter().filter(|package| !is_ours(package)).collect();
    let uses_lock_api = |package: &Package| {
        let is_lock_api = |other: &Package| is_stand_in(other) && other.name == "lock_api";
        metadata.dependents(is_lock_api).iter().any(|user| user.id == package.id)
    };
    let core_users = metadata.dependents(|package| package.name == "parking_lot_core").into_iter();
    let in_build =
        |stand_in: &&&StandIn| metadata.packages.iter().any(|package| label(package) == label(&stand_in.real));
    Summary {
        instrumented: labels(&taken.iter().filter(in_build).copied().collect::<Vec<_>>()),
        users: sorted(users.iter().filter(|package| !is_member(package)).map(|package| label(package))),
        workspace_uses_them: users.iter().any(|package| is_member(package)),
        not_taken: labels(&not_taken),
        left_alone,
        core_users: sorted(
            core_users
                .filter(|package| !is_ours(package) && package.name != "parking_lot" && !uses_lock_api(package))
                .map(label),
        ),
        changed: changed(before, after),
    }
}

fn sorted(labels: impl Iterator<Item = String>) -> Vec<String> {
    labels.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Packages of which another version is used.
fn changed(before: &[Locked], after: &[Locked]) -> Vec<(String, String, String)> {
    let versions = |locked: &[Locked]| {
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for locked in locked {
            versions.entry(locked.name.clone()).or_default().insert(locked.version.clone());
        }
        versions
    };
    let after = versions(after);
    let mut changed = Vec::new();
    for (name, before) in versions(before) {
        let Some(after) = after.get(&name) else { continue };
        let gone = before.difference(after).cloned().collect::<Vec<_>>();
        let new = after.difference(&before).cloned().collect::<Vec<_>>();
        if !gone.is_empty() && !new.is_empty() {
            changed.push((name, gone.join(", "), new.join(", ")));
        }
    }
    changed
}

/// Most users that are named.
const MOST_NAMED: usize = 8;

impl Summary {
    /// Sentences for people, one a line: a word for its kind, and the sentence.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if self.instrumented.is_empty() {
            let text = "none of this build's dependencies has locks of parking_lot or lock_api";
            lines.push(("note", text.to_owned()));
        } else {
            let mut users = named(&self.users);
            if self.workspace_uses_them {
                users.push("this workspace".to_owned());
            }
            let users = if users.is_empty() { String::new() } else { format!(", used by {}", join(&users)) };
            lines.push(("instrumented", format!("{}{users}", join(&self.instrumented))));
        }
        for package in &self.not_taken {
            lines
                .push(("warning", format!("cargo did not take the stand-in for {package}, which is not instrumented")));
        }
        for LeftAlone { package, reason } in &self.left_alone {
            lines.push(("warning", format!("{package} is not instrumented: it {reason}")));
        }
        let mut unseen = Vec::new();
        if !self.core_users.is_empty() {
            unseen.push(format!("locks that {} made of parking_lot_core", join(&named(&self.core_users))));
        }
        unseen.push("std's locks inside dependencies".to_owned());
        unseen.push("raw locks that are used by themselves".to_owned());
        lines.push(("out of reach", join(&unseen)));
        if !self.changed.is_empty() {
            let changed: Vec<String> =
                self.changed.iter().map(|(name, before, after)| format!("{name} {after} (locked: {before})")).collect();
            lines.push((
                "note",
                format!("lockscope needs newer versions of what is locked, so this was built with {}", join(&changed)),
            ));
        }
        lines
    }
}

fn named(labels: &[String]) -> Vec<String> {
    match labels.len() {
        0..=MOST_NAMED => labels.to_vec(),
        n => {
            let mut named = labels[..MOST_NAMED - 1].to_vec();
            named.push(format!("{} more", n - named.len()));
            named
        }
    }
}

fn join(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::deps::stand_ins::choose;

    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

    /// A graph by lines `name version [path]: dependencies`. The first is the workspace's own package.
    fn graph(text: &str) -> Metadata {
        let lines: Vec<(&str, Vec<&str>)> = text
            .split(';')
            .map(|line| line.split_once(':').expect("a package and its dependencies"))
            .map(|(package, on)| (package.trim(), on.split_whitespace().collect()))
            .collect();
        let package = |(index, (package, _)): (usize, &(&str, Vec<&str>))| {
            let words: Vec<&str> = package.split_whitespace().collect();
            let is_folder = index == 0 || words.get(2) == Some(&"path");
            json!({
                "name": words[0], "version": words[1], "id": words[0], "source": (!is_folder).then_some(CRATES_IO),
                "manifest_path": "/Cargo.toml", "edition": "2021", "features": {}, "dependencies": [],
            })
        };
        let packages: Vec<_> = lines.iter().enumerate().map(package).collect();
        let id = |package: &str| package.split_whitespace().next().expect("a name").to_owned();
        let nodes: Vec<_> =
            lines.iter().map(|(package, on)| json!({ "id": id(package), "dependencies": on })).collect();
        let metadata = json!({
            "packages": packages, "resolve": { "nodes": nodes }, "workspace_members": [id(lines[0].0)],
            "workspace_root": "/", "target_directory": "/target",
        });
        serde_json::from_value(metadata).expect("it is as cargo writes it")
    }

    fn lock(metadata: &Metadata) -> Vec<Locked> {
        let locked = |package: &Package| Locked {
            name: package.name.clone(),
            version: package.version.clone(),
            source: package.source.clone(),
        };
        metadata.packages.iter().map(locked).collect()
    }

    #[track_caller]
    fn check(before: &str, after: &str, expected: &[&str]) {
        let (before, after) = (graph(before), graph(after));
        let (stand_ins, left_alone) = choose(&before);
        let summary = summarise(&stand_ins, left_alone, &after, &lock(&before), &lock(&after));
        let lines: Vec<String> = summary.lines().iter().map(|(kind, text)| format!("{kind}: {text}")).collect();
        assert_eq!(lines, expected);
    }

    const REST: &str = "out of reach: std's locks inside dependencies and raw locks that are used by themselves";

    #[test]
    fn what_is_instrumented_is_said() {
        check(
            "me 1.0: dashmap; dashmap 6.2.1: lock_api parking_lot_core; lock_api 0.4.14:; parking_lot_core 0.9.12:",
            "me 1.0: dashmap; dashmap 6.2.1: lock_api parking_lot_core; lock_api 0.4.14 path:; parking_lot_core 0.9.12:",
            &["instrumented: lock_api 0.4.14, used by dashmap 6.2.1", REST],
        );
        check(
            "me 1.0: parking_lot once_cell; parking_lot 0.12.5: parking_lot_core; once_cell 1.0.0: parking_lot_core; parking_lot_core 0.9.12:",
            "me 1.0: parking_lot once_cell; parking_lot 0.12.5 path: parking_lot-real; once_cell 1.0.0: parking_lot_core;
             parking_lot-real 0.12.5 path: parking_lot_core; parking_lot_core 0.9.12:",
            &[
                "instrumented: parking_lot 0.12.5, used by this workspace",
                "out of reach: locks that once_cell 1.0.0 made of parking_lot_core, std's locks inside dependencies and raw locks that are used by themselves",
            ],
        );
    }

    #[test]
    fn what_is_not_is_said_too() {
        check(
            "me 1.0: log; log 0.4.0:",
            "me 1.0: log; log 0.4.0:",
            &["note: none of this build's dependencies has locks of parking_lot or lock_api", REST],
        );
        let old = "me 1.0: parking_lot; parking_lot 0.10.2: lock_api; lock_api 0.3.4:";
        check(
            old,
            old,
            &[
                "note: none of this build's dependencies has locks of parking_lot or lock_api",
                "warning: lock_api 0.3.4 is not instrumented: it is of a version for which there is no stand-in",
                "warning: parking_lot 0.10.2 is not instrumented: it is of a version for which there is no stand-in",
                REST,
            ],
        );
    }

    #[test]
    fn a_patch_that_cargo_ignored_is_noticed() {
        let ignored = "me 1.0: lock_api; lock_api 0.4.14:";
        check(
            ignored,
            ignored,
            &[
                "note: none of this build's dependencies has locks of parking_lot or lock_api",
                "warning: cargo did not take the stand-in for lock_api 0.4.14, which is not instrumented",
                REST,
            ],
        );
    }

    #[test]
    fn other_versions_are_named() {
        check(
            "me 1.0: lock_api libc; lock_api 0.4.14:; libc 0.2.100:",
            "me 1.0: lock_api libc; lock_api 0.4.14 path: libc; libc 0.2.191:",
            &[
                "instrumented: lock_api 0.4.14, used by this workspace",
                REST,
                "note: lockscope needs newer versions of what is locked, so this was built with libc 0.2.191 (locked: 0.2.100)",
            ],
        );
    }
}
