//! Call stacks: captured as addresses, resolved (`symbols`) only when they are printed.
//!
//! Capturing costs about 1 to 6 µs; resolving the first one of a process costs over 100 ms, mostly reading debug
//! information, so it happens only for a report.

mod symbols;

use std::{
    collections::HashMap,
    sync::{Mutex, atomic::AtomicU32},
};

use crate::config::Stacks;

pub(super) use self::symbols::{caller, describe};

use super::{Site, global, reentry};

/// Frames that are kept.
const MAX_FRAMES: usize = 48;

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

/// Walks this thread's stack, from the innermost frame outwards, as long as `f` says so.
fn walk(f: impl FnMut(&backtrace::Frame) -> bool) {
    // SAFETY: what `trace` does besides is to let one thread at a time do this, which the unwinder of Windows needs and those of other systems do
    // not. Its lock must not be waited for while locks of the program are held: who has it may run code of the program's.
    unsafe { backtrace::trace_unsynchronized(f) }
}

/// The current stack, unless stacks are off.
pub(super) fn capture() -> Option<Stack> {
    if global::config().stacks == Stacks::Off {
        return None;
    }
    let mut frames = Frames::new();
    walk(|frame| frames.push(frame));
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
    walk(|frame| {
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
    walk(|frame| {
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
    walk(|frame| {
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
