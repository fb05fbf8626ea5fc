//! The process around the runtime: what it is, fork, exit, mapped files.

use std::path::Path;

use super::{global, thread};

/// Whether this process is part of a build, so that the runtime is to stay out of it.
///
/// Where a dependency is patched for a whole program, build scripts and procedural macros link it too. They are not what is
/// looked into: a compiler that records or stops at a finding would be a build that fails for no reason.
pub(super) fn is_building() -> bool {
    // Only build scripts are told where to put what they make and for which host; tests know the former at most.
    let has_output = ["OUT_DIR", "HOST"].iter().all(|variable| std::env::var_os(variable).is_some());
    std::env::current_exe().is_ok_and(|executable| builds(&executable, has_output))
}

/// Decides by the program's name. Procedural macros are libraries that the compiler loads, or what takes its place in
/// clippy, rustdoc, miri and rust-analyzer; cargo calls a build script after its file, `build-script-build` where that is `build.rs`, and
/// a name that anybody might give to a program is not enough, so its environment must fit as well.
fn builds(executable: &Path, has_output: bool) -> bool {
    const COMPILERS: [&str; 6] =
        ["rustc", "rustdoc", "clippy-driver", "miri", "rust-analyzer", "rust-analyzer-proc-macro-srv"];
    let name = executable.file_stem().unwrap_or_default().to_string_lossy();
    COMPILERS.contains(&&*name) || (name.starts_with("build-script-") && has_output)
}

/// Registers what must happen at fork and at exit. Once per process.
pub(super) fn install_hooks() {
    // SAFETY: the handlers are plain functions that live as long as the program.
    unsafe {
        libc::pthread_atfork(None, None, Some(in_child));
        libc::atexit(at_exit);
    }
}

/// The child of a fork has one thread, a mapping that belongs to its parent, and locks of this runtime that a thread that is
/// gone may have held. So it goes on without: nothing in here may be locked.
extern "C" fn in_child() {
    global::turn_off();
    thread::forget_current();
}

extern "C" fn at_exit() {
    // Not in the child of a fork, which has said nothing.
    if global::flags_if_ready() & global::flag::TRACK != 0 {
        super::counts::say_all();
    }
    if global::flags_if_ready() & global::flag::RECORD != 0
        && let Some(writer) = global::trace()
    {
        // Perhaps nobody has taken a lock since.
        global::note_stopped(writer);
        writer.close();
    }
}

/// A mapped executable file.
pub(super) struct Module {
    pub start: u64,
    pub end: u64,
    pub offset: u64,
    pub path: String,
}

/// Executable mappings of this process.
pub(super) fn modules() -> Vec<Module> {
    parse_maps(&std::fs::read_to_string("/proc/self/maps").unwrap_or_default())
}

fn parse_maps(text: &str) -> Vec<Module> {
    let module = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let executable = fields.next()?.contains('x');
        let offset = fields.next()?;
        let path = fields.nth(2)?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        (executable && path.starts_with('/')).then_some(Module {
            start: hex(start)?,
            end: hex(end)?,
            offset: hex(offset)?,
            path: path.to_owned(),
        })
    };
    text.lines().filter_map(module).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_are_known_by_name() {
        for (executable, has_output, expected) in [
            ("/usr/bin/rustc", false, true),
            ("/toolchain/bin/clippy-driver", false, true),
            ("/toolchain/libexec/rust-analyzer-proc-macro-srv", false, true),
            ("/w/target/debug/build/a-1f/build-script-build", true, true),
            ("/w/target/debug/build/a-1f/build-script-main", true, true),
            ("/usr/bin/build-script-runner", false, false),
            ("/w/target/debug/deps/rustc_tests-1f", true, false),
            ("/w/target/debug/a", true, false),
        ] {
            assert_eq!(builds(Path::new(executable), has_output), expected, "{executable}");
        }
    }

    #[test]
    fn maps_are_parsed() {
        let text = "55d0-55e0 r--p 0 08:01 12 /bin/cat\n55e0-5600 r-xp 00010000 08:01 12 /bin/cat\n7f00-7f10 rwxp 0 0:0 0 [heap]\n";
        let modules = parse_maps(text);
        assert_eq!(modules.len(), 1);
        assert_eq!((modules[0].start, modules[0].end, modules[0].offset), (0x55e0, 0x5600, 0x10000));
        assert_eq!(modules[0].path, "/bin/cat");
    }
}
