//! The table of what is covered: names beside code that must compile, and the README that has to say the same.

use std::{fmt::Write, path::Path};

/// Types with their items, each with a line that uses it. A line may need a feature of the crate.
#[macro_export]
macro_rules! items {
    ($($group:literal { $($(#[$feature:meta])* $item:literal $code:block)* })*) => {
        /// Types and the names of their items.
        pub const ITEMS: &[(&str, &[&str])] = &[$(($group, &[$($item),*])),*];

        $($(
            $(#[$feature])*
            const _: fn() = || $code;
        )*)*
    };
}

/// Checks that the README's table between the markers of `name` is that of the items; with `LOCKSCOPE_BLESS=1` in the environment it is
/// written there.
pub fn check(name: &str, items: &[(&str, &[&str])]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.ancestors().map(|folder| folder.join("CHANGELOG.md")).find(|file| file.exists());
    let path = path.expect("the root has a changelog").with_file_name("README.md");
    let readme = std::fs::read_to_string(&path).expect("there is a README");
    let (begin, end) = (format!("<!-- api: {name} -->\n"), "<!-- end of api -->");
    let (before, rest) = readme.split_once(&begin).unwrap_or_else(|| panic!("the README has no place for {name}"));
    let (current, after) = rest.split_once(end).expect("what begins ends");
    let table = table(name, items);
    if std::env::var_os("LOCKSCOPE_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).expect("the README can be written");
        return;
    }
    assert_eq!(current, table, "the README says something else; LOCKSCOPE_BLESS=1 writes this");
}

fn table(name: &str, items: &[(&str, &[&str])]) -> String {
    let n: usize = items.iter().map(|(_, items)| items.len()).sum();
    let mut table = format!("| {name}: {n} of {n} | |\n| --- | --- |\n");
    for (group, items) in items {
        writeln!(table, "| {group} | {} |", items.join("; ")).expect("strings take everything");
    }
    table
}
