//! Call stacks: captured as addresses, resolved only when they are printed.
//!
//! Capturing costs about 1 to 6 µs; resolving the first one of a process costs over 100 ms, mostly reading debug
//! information, so it happens only for a report.

use std::{
    collections::HashMap,
    fmt,
    path::Path,
    sync::{Mutex, atomic::AtomicU32},
};

use lockscope_trace::defs::short_paths;

use crate::config::Stacks;

use super::{Site, global, reentry};

/// Frames that are kept.
const MAX_FRAMES: usize = 48;
/// Frames that are printed.
const SHOWN: usize = 12;

/// A call stack. Each is kept once, for ever, so that it may be pointed to from anywhere; programs have few that differ.
pub(super) type Stack = &'static CallStack;

/// See [`Stack`].
#[derive(Debug)]
pub(super) struct CallStack {
    /// Return addresses, innermost first.
    pub addresses: Box<[usize]>,
    /// Its id in the trace, 0 while it has none.
    pub id: AtomicU32,
}

/// Stacks that are kept, with at most 400 bytes each; others are not captured any more.
const MOST_STACKS: usize = 1 << 16;

/// The frames of a stack while it is captured.
struct Frames {
    n: usize,
    addresses: [usize; MAX_FRAMES],
}

impl Frames {
    fn new() -> Self {
        Self { n: 0, addresses: [0; MAX_FRAMES] }
    }

    /// Whether there is room for more.
    fn push(&mut self, frame: &backtrace::Frame) -> bool {
        let address = frame.ip() as usize;
        // The outermost frame of a thread may have no address.
        if address != 0 {
            self.addresses[self.n] = address;
            self.n += 1;
        }
        self.n < MAX_FRAMES
    }

    fn keep(&self) -> Option<Stack> {
        static KNOWN: Mutex<Option<HashMap<&[usize], Stack>>> = Mutex::new(None);
        let addresses = &self.addresses[..self.n];
        let mut known = reentry::lock(&KNOWN)?;
        let known = known.get_or_insert_default();
        if let Some(&stack) = known.get(addresses) {
            return Some(stack);
        }
        if known.len() == MOST_STACKS {
            return None;
        }
        let stack: Stack = Box::leak(Box::new(CallStack { addresses: addresses.into(), id: AtomicU32::new(0) }));
        known.insert(&stack.addresses, stack);
        Some(stack)
    }
}

/// The current stack, unless stacks are off.
pub(super) fn capture() -> Option<Stack> {
    if global::config().stacks == Stacks::Off {
        return None;
    }
    let mut frames = Frames::new();
    backtrace::trace(|frame| frames.push(frame));
    frames.keep()
}

/// A return address on the stack, and where it lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Return {
    pub place: usize,
    pub address: usize,
}

impl Return {
    /// How a frame will be returned to, as the unwinder says: a call pushes the return address, so it lies below where the caller's stack ends.
    fn to(frame: &backtrace::Frame) -> Self {
        Self { place: (frame.sp() as usize).wrapping_sub(size_of::<usize>()), address: frame.ip() as usize }
    }

    /// Whether it is there. Only of a live frame.
    fn is_there(self) -> bool {
        self.address != 0 && word_at(self.place) == self.address
    }
}

/// Whether return addresses are found on the stack: on other machines than x86-64 a function need not keep its own there.
const HAS_RETURNS: bool = cfg!(all(target_arch = "x86_64", not(miri)));

/// The current stack, unless stacks are off, and its return addresses above `here`, a place in the frame of the calling function, the innermost
/// first, as far as they are found where the unwinder says.
pub(super) fn capture_with_returns(here: usize) -> Option<(Stack, Vec<Return>)> {
    if global::config().stacks == Stacks::Off {
        return None;
    }
    let mut frames = Frames::new();
    let mut returns = Vec::with_capacity(MAX_FRAMES);
    let mut all_found = HAS_RETURNS;
    backtrace::trace(|frame| {
        let to = Return::to(frame);
        if all_found && to.place > here {
            all_found = to.is_there();
            returns.extend(all_found.then_some(to));
        }
        frames.push(frame)
    });
    Some((frames.keep()?, returns))
}

/// The current stack and the return address of the function in which an operation was called at `site`. `None` when stacks are off, and when
/// that function is not found: see [`loads`].
pub(super) fn capture_function(site: Site) -> Option<(Stack, Return)> {
    if !HAS_RETURNS || global::config().stacks == Stacks::Off {
        return None;
    }
    let mut frames = Frames::new();
    let mut is_found = false;
    let mut returns = None;
    backtrace::trace(|frame| {
        if is_found && returns.is_none() {
            returns = Some(Return::to(frame));
        }
        is_found = is_found || loads(frame, site);
        frames.push(frame)
    });
    let returns = returns.filter(|to| to.is_there())?;
    Some((frames.keep()?, returns))
}

/// Code before a call that is searched for what is loaded for it.
const ARGUMENTS: usize = 128;

/// Whether the code of a frame's function loads the address of a place just before the call that it is in. The place of a call is a constant of the
/// function that makes it; who is called has it as an argument, and those that it calls too.
fn loads(frame: &backtrace::Frame, site: Site) -> bool {
    let (start, end) = (frame.symbol_address() as usize, frame.ip() as usize);
    if start == 0 || start > end {
        return false;
    }
    let site = std::ptr::from_ref(site).addr();
    let is_it = |at: usize| {
        let word = half_at(at);
        // Relative to the next instruction, which begins after these four bytes; or the address itself, where programs lie in the lowest 4 GiB.
        let relative = (at + 4).wrapping_add_signed(word.cast_signed() as isize);
        relative == site || word as usize == site
    };
    // Four bytes of this function's each.
    (start.max(end.saturating_sub(ARGUMENTS))..end.saturating_sub(3)).rev().any(is_it)
}

/// Whether a return address of this thread's stack is where it was. `None` when the stack does not go as far, being another one.
pub(super) fn is_live(to: Return) -> Option<bool> {
    let mut found = None;
    backtrace::trace(|frame| {
        let other = Return::to(frame);
        if other.place >= to.place {
            found = Some(other == to);
        }
        found.is_none()
    });
    found
}

/// The word at a place in a frame of this thread's stack; 0 where that is not known to be possible.
#[inline]
pub(super) fn word_at(place: usize) -> usize {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let word;
        // SAFETY: callers name places in live frames of this thread, which are mapped and aligned. Not a read of Rust's, for which
        // return addresses are no values.
        unsafe {
            std::arch::asm!("mov {}, [{}]", out(reg) word, in(reg) place, options(nostack, readonly, preserves_flags));
        }
        word
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    {
        let _ = place;
        0
    }
}

/// Four bytes of the code of a function.
fn half_at(place: usize) -> u32 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let half;
        // SAFETY: the caller names a place in a function's code, which is mapped. Not a read of Rust's, as in `word_at`.
        unsafe {
            std::arch::asm!("mov {:e}, dword ptr [{}]", out(reg) half, in(reg) place, options(nostack, readonly, preserves_flags));
        }
        half
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    {
        let _ = place;
        0
    }
}

/// What called the function that has the operation at `site`, as far as its file tells: `function at file:line`.
pub(super) fn caller(stack: Stack, site: Site) -> Option<String> {
    let frames = resolve(stack);
    let operation = frames.iter().position(|frame| frame.is_at(site))?;
    let outside = |frame: &&Frame| !frame.is_boring() && !frame.file.ends_with(site.file());
    frames[operation..].iter().find(outside).map(Frame::to_string)
}

/// Lines for a report, `function at file:line`, from the frame of the operation at `site` outwards, without std's and other
/// frames that say nothing about the program.
pub(super) fn describe(stack: Stack, site: Site) -> Vec<String> {
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
