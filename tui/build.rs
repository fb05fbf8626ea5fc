//! Puts the sources of the stand-ins, which `lockscope run --deps` writes into projects, into the program.
//!
//! `stand_ins/` links to where they live, so that there is one copy of them; a package for a registry has the files themselves.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("stand_ins");
    let mut table = String::from("[\n");
    for package in sorted(&root)? {
        let mut files = Vec::new();
        collect(&package, &mut files)?;
        let name = package.file_name().expect("a folder has a name").to_string_lossy().into_owned();
        table.push_str(&format!("    ({name:?}, &[\n"));
        for file in files {
            let path = file.strip_prefix(&package).expect("it was found in there").display().to_string();
            table.push_str(&format!("        ({path:?}, include_str!({:?})),\n", file.display().to_string()));
        }
        table.push_str("    ]),\n");
    }
    table.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("stand_ins.rs");
    fs::write(out, table)
}

/// All Rust files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for path in sorted(folder)? {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
