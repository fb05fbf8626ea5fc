//! What the addresses of a stack stand for.

use std::{fmt, path::Path};

use lockscope_trace::defs::short_paths;

use super::Stack;
use crate::rt::Site;

/// Frames that are printed.
const SHOWN: usize = 12;

/// What called the function that has the operation at `site`, as far as its file tells: `function at file:line`.
pub(in crate::rt) fn caller(stack: Stack, site: Site) -> Option<String> {
    let frames = resolve(stack);
    let operation = frames.iter().position(|frame| frame.is_at(site))?;
    let outside = |frame: &&Frame| !frame.is_boring() && !frame.file.ends_with(site.file());
    frames[operation..].iter().find(outside).map(Frame::to_string)
}

/// Lines for a report, `function at file:line`, from the frame of the operation at `site` outwards, without std's and other
/// frames that say nothing about the program.
pub(in crate::rt) fn describe(stack: Stack, site: Site) -> Vec<String> {
    let frames = resolve(stack);
    let first = frames.iter().position(|frame| frame.is_at(site)).unwrap_or(0);
    let shown = frames[first..].iter().filter(|frame| !frame.is_boring());
    shown.take(SHOWN).map(Frame::to_string).collect()
}

fn resolve(stack: Stack) -> Vec<Frame> {
    let mut frames = Vec::new();
    for &address in &stack.addresses {
        // A return address belongs to the instruction after the call.
        backtrace::resolve((address - 1) as *mut _, |symbol| {
            let function = symbol.name().map(|name| without_generics(&format!("{name:#}"))).unwrap_or_default();
            let file = symbol.filename().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
            frames.push(Frame { function, file, line: symbol.lineno().unwrap_or(0) });
        });
    }
    frames
}

struct Frame {
    function: String,
    file: String,
    line: u32,
}

impl Frame {
    fn is_at(&self, site: Site) -> bool {
        self.line == site.line() && self.file.ends_with(site.file())
    }

    fn is_boring(&self) -> bool {
        const FUNCTIONS: [&str; 17] = [
            "lockscope::",
            "lockscope_lock_api::",
            "lockscope_lock_api_05::",
            "lock_api::",
            "parking_lot::",
            "lockscope_parking_lot::",
            "lockscope_parking_lot_012::",
            "backtrace::",
            "std::",
            "core::",
            "alloc::",
            "test::",
            "__rust",
            "_start",
            "__libc_",
            "clone3",
            "start_thread",
        ];
        const FILES: [&str; 5] =
            ["/library/std/", "/library/core/", "/library/alloc/", "/library/test/", "/backtrace-0.3"];
        // Names of inlined functions have no path, so the files of this crate and of its facades count too.
        let is_own = self.file.strip_prefix(env!("CARGO_MANIFEST_DIR")).is_some_and(|file| file.contains("/src/"));
        let function = self.function.trim_start_matches('<');
        is_own
            || function.is_empty()
            || (function == "main" && self.file.is_empty())
            || FUNCTIONS.iter().any(|prefix| function.starts_with(prefix))
            || FILES.iter().any(|part| self.file.contains(part))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        if self.file.is_empty() {
            return Ok(());
        }
        // Shorter, and clickable where paths are relative to the working directory.
        let here = std::env::current_dir().unwrap_or_default();
        let file = Path::new(&self.file);
        let file = file.strip_prefix(here).unwrap_or(file);
        write!(f, " at {}:{}", short_paths(&file.to_string_lossy()), self.line)
    }
}

/// `a::b<c::d>::e` as `a::b::e`. Names that begin with `<`, as trait implementations do, stay.
fn without_generics(name: &str) -> String {
    if name.starts_with('<') {
        return name.to_owned();
    }
    let mut depth = 0usize;
    let mut out = String::with_capacity(name.len());
    let mut previous = ' ';
    for c in name.chars() {
        match c {
            '<' => depth += 1,
            // Not the arrow of a function type.
            '>' if previous != '-' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
        previous = c;
    }
    // `Vec::<T>::push` leaves an empty path segment.
    out.replace("::::", "::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generics_are_left_out() {
        assert_eq!(without_generics("fold<&u8, fn(u8) -> u8>"), "fold");
        assert_eq!(without_generics("a::Vec<T>::push"), "a::Vec::push");
        assert_eq!(without_generics("a::b::{{closure}}"), "a::b::{{closure}}");
        assert_eq!(without_generics("<A as B<C>>::d"), "<A as B<C>>::d");
    }
}
