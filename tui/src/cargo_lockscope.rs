//! `cargo lockscope`: cargo runs a program of this name, and this starts `lockscope`, which is beside it or in PATH.
//!
//! It says by its name how it was called; see `cli/cargo.rs` for what that means.

use std::{
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    let beside =
        std::env::current_exe().ok().map(|path| path.with_file_name("lockscope")).filter(|path| path.is_file());
    let program = beside.unwrap_or_else(|| "lockscope".into());
    let error = Command::new(&program).arg0("cargo-lockscope").args(std::env::args_os().skip(1)).exec();
    eprintln!("error: cannot start {}: {error}", program.display());
    ExitCode::from(127)
}
