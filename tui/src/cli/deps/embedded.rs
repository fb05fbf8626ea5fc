//! Sources of the stand-ins: the files in `stand_ins/`, as this program was built with them.

/// Files of a package's `src`, by path.
pub type Sources = &'static [(&'static str, &'static str)];

const PACKAGES: &[(&str, Sources)] = &include!(concat!(env!("OUT_DIR"), "/stand_ins.rs"));

/// Where the facades are instrumented: in debug builds and where it is forced.
const CONDITION: &str = r#"any(debug_assertions, feature = "force")"#;

/// When a stand-in is to be instrumented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Always, in release builds too.
    Always,
    /// Where there are debug assertions, and nothing is left of it elsewhere.
    Debug,
}

/// The files of a package, root first, adapted to `when`. The root becomes `lib.rs`.
pub fn sources(package: &str, root: &str, when: When) -> Vec<(String, String)> {
    let (_, files) = PACKAGES.iter().find(|(name, _)| *name == package).expect("it is one of `stand_ins/`");
    let condition = match when {
        When::Always => "all()",
        When::Debug => "debug_assertions",
    };
    let is_root = |path: &str| path == root;
    // Another root would be compiled by nobody.
    let used = files.iter().filter(|(path, _)| is_root(path) || *path != "lib.rs");
    used.map(|(path, text)| {
        let path = if is_root(path) { "lib.rs" } else { path };
        (path.to_owned(), text.replace(CONDITION, condition).replace(r#"feature = "atomic_usize""#, "all()"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_say_when_they_are_instrumented() {
        let packages = [
            ("lock_api", "stand_in.rs"),
            ("lock_api_0_5", "stand_in.rs"),
            ("parking_lot", "lib.rs"),
            ("parking_lot_0_13", "lib.rs"),
        ];
        for (package, root) in packages {
            for when in [When::Always, When::Debug] {
                let files = sources(package, root, when);
                let root = &files.iter().find(|(path, _)| path == "lib.rs").expect("every package has a root").1;
                assert!(root.contains("not(lockscope_off)"), "{package} can be switched off");
                assert_eq!(root.contains("all(not(lockscope_off), all())"), when == When::Always, "{package} {when:?}");
                assert!(files.iter().all(|(_, text)| !text.contains(CONDITION)), "{package} {when:?}");
            }
        }
    }
}
