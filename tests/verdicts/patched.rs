//! The programs with a parking_lot 0.12 that stands in for the real one, as `lockscope run --deps` puts it there.

use std::{fs, path::PathBuf, sync::OnceLock};

#[allow(dead_code, reason = "not every test needs all of the support")]
#[path = "../support/projects.rs"]
mod projects;

use projects::Project;

/// The program; built once.
pub fn program() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let project = Project::copy("verdicts");
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/verdicts/program");
        for entry in fs::read_dir(program).expect("the programs are there") {
            let path = entry.expect("it can be listed").path();
            let name = path.file_name().expect("a file has a name").to_owned();
            put(&project, "src/program", &name.to_string_lossy(), &fs::read_to_string(&path).expect("it is text"));
        }
        // Some are about lockscope's own threads; a path in the repository is none where the project is.
        let manifest = fs::read_to_string(project.folder.join("Cargo.toml")).expect("it is there");
        let instrument = fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../instrument")).expect("it is there");
        let lockscope = format!("\n[dependencies.lockscope]\npath = {:?}\n", instrument.display().to_string());
        put(&project, ".", "Cargo.toml", &(manifest + &lockscope));
        let main = fs::read_to_string(format!("{program}/main.rs")).expect("it is there");
        let list = main.find("scenarios! {").expect("it has a list of scenarios");
        put(&project, "src", "scenarios.rs", &main[list..]);
        let ran = project.run(&["--fail-on", "never"], &["build", "--quiet"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stderr.contains("instrumented: lock_api 0.4.14 and parking_lot 0.12.5"), "{}", ran.stderr);
        project.target().join("debug/verdicts")
    })
}

/// Writes a file that is not there as it should be.
fn put(project: &Project, folder: &str, name: &str, text: &str) {
    let folder = project.folder.join(folder);
    fs::create_dir_all(&folder).expect("the folder is ours");
    let path = folder.join(name);
    if fs::read_to_string(&path).ok().as_deref() != Some(text) {
        fs::write(path, text).expect("the folder is ours");
    }
}
