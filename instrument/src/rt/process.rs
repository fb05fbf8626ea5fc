//! The process around the runtime: fork, exit, mapped files.

use super::{global, thread};

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
    fn maps_are_parsed() {
        let text = "55d0-55e0 r--p 0 08:01 12 /bin/cat\n55e0-5600 r-xp 00010000 08:01 12 /bin/cat\n7f00-7f10 rwxp 0 0:0 0 [heap]\n";
        let modules = parse_maps(text);
        assert_eq!(modules.len(), 1);
        assert_eq!((modules[0].start, modules[0].end, modules[0].offset), (0x55e0, 0x5600, 0x10000));
        assert_eq!(modules[0].path, "/bin/cat");
    }
}
