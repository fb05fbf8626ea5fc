//! What keeps a file that somebody cuts off from taking the traced program with it.
//!
//! A store into a mapped page that the file has no more is `SIGBUS`. Disk space is reserved before a page is touched and the file is looked
//! at whenever a chunk is taken, but who truncates it in between hits the next event. No arrangement of the file
//! prevents that: only files in memory can be sealed, and those are gone with `kill -9`, which a trace must survive. So there is a handler:
//! a fault in the mapping puts memory of the process' own in place of what the file has lost, and stops the recording.
//! The store is done again and succeeds; what was committed to the part of the file that is left stays there.
//!
//! Any other `SIGBUS` goes to whom it would have gone to: the handler that was there before (std's, which watches for overflowing stacks,
//! or the program's), or the default action. A program that installs a handler later and does not call the one before, as it should, is on its
//! own.
//!
//! The handler is async-signal-safe: it loads atomics, and calls `fstat`, `mmap`, `pwrite` and `sigaction`.

use std::{
    cell::UnsafeCell,
    ffi::{c_int, c_void},
    mem::{self, MaybeUninit},
    ptr,
    sync::{
        Once,
        atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicUsize, Ordering},
    },
};

use crate::{
    format::{HEADER_SIZE, header},
    stopped::CUT_OFF,
};

/// Mappings that can be watched at once. A process has one trace; tests of this crate have several.
const MOST: usize = 16;

static WATCHED: [Watched; MOST] = [const { Watched::none() }; MOST];

/// One mapping, as the handler sees it.
///
/// | `base` | the other fields |
/// | --- | --- |
/// | 0 | nobody's |
/// | 1 | being filled in, or emptied |
/// | else | the mapping's; they do not change |
#[derive(Debug)]
struct Watched {
    base: AtomicUsize,
    len: AtomicUsize,
    file: AtomicI32,
    /// Where the error that stopped the recording goes.
    stopped: AtomicPtr<AtomicU32>,
    /// From here on the file's pages have been replaced.
    replaced: AtomicUsize,
}

const FREE: usize = 0;
const CHANGING: usize = 1;

/// Watches a mapping until dropped.
#[derive(Debug)]
pub(super) struct Watch {
    watched: Option<&'static Watched>,
}

impl Watch {
    /// Watches `len` bytes from `base`, where `file` is mapped. Does nothing when too many mappings are watched already.
    ///
    /// # Safety
    ///
    /// Until the value is dropped the mapping exists, `file` is open, and `stopped` is valid.
    pub(super) unsafe fn new(base: *mut u8, len: usize, file: c_int, stopped: *const AtomicU32) -> Self {
        install();
        let is_mine =
            |slot: &&Watched| slot.base.compare_exchange(FREE, CHANGING, Ordering::Acquire, Ordering::Relaxed).is_ok();
        let watched = WATCHED.iter().find(is_mine);
        if let Some(slot) = watched {
            slot.len.store(len, Ordering::Relaxed);
            slot.file.store(file, Ordering::Relaxed);
            slot.stopped.store(stopped.cast_mut(), Ordering::Relaxed);
            slot.replaced.store(usize::MAX, Ordering::Relaxed);
            slot.base.store(base as usize, Ordering::Release);
        }
        Self { watched }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(slot) = self.watched {
            // Nobody stores into the mapping any more, so the handler does not look at it.
            slot.base.store(FREE, Ordering::Release);
        }
    }
}

impl Watched {
    const fn none() -> Self {
        Self {
            base: AtomicUsize::new(FREE),
            len: AtomicUsize::new(0),
            file: AtomicI32::new(-1),
            stopped: AtomicPtr::new(ptr::null_mut()),
            replaced: AtomicUsize::new(usize::MAX),
        }
    }

    /// In the handler: makes the address usable if it is in this mapping.
    fn replace(&self, address: usize) -> bool {
        let base = self.base.load(Ordering::Acquire);
        if base <= CHANGING {
            return false;
        }
        let end = base + self.len.load(Ordering::Relaxed);
        if !(base..end).contains(&address) {
            return false;
        }
        // Another thread was here first.
        if address >= self.replaced.load(Ordering::Acquire) {
            return true;
        }
        let page = page_size();
        let file = self.file.load(Ordering::Relaxed);
        let bytes = size_of_file(file);
        let first_lost = base + bytes.next_multiple_of(page);
        // Unless somebody has made the file longer again, everything behind its end goes.
        let (from, to) = if first_lost <= address { (first_lost, end) } else { (address & !(page - 1), address + 1) };
        let flags = libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: the pages are within a mapping that only the writer uses, which expects nothing of what is in there but that it can
        // be stored to: it follows no pointer, and bounds each number that it loads.
        let new =
            unsafe { libc::mmap(from as *mut c_void, to - from, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        if new == libc::MAP_FAILED {
            return false;
        }
        if to == end {
            self.replaced.fetch_min(from, Ordering::Release);
        }
        // SAFETY: valid as long as the mapping is watched.
        let stopped = unsafe { &*self.stopped.load(Ordering::Relaxed) };
        if stopped.compare_exchange(0, CUT_OFF as u32, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            && bytes >= HEADER_SIZE
        {
            // By the file, since a store could fault in here.
            let reason = (CUT_OFF as u32).to_le_bytes();
            // SAFETY: writes four bytes from the stack; should it fail nobody is told, which is all there is to lose.
            unsafe { libc::pwrite(file, reason.as_ptr().cast(), reason.len(), header::STOPPED as libc::off_t) };
        }
        true
    }
}

/// Bytes of an open file; 0 when that cannot be told.
fn size_of_file(file: c_int) -> usize {
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: `stat` is a valid place for the result, which is read only if the call has filled it.
    unsafe { if libc::fstat(file, stat.as_mut_ptr()) == 0 { stat.assume_init().st_size as usize } else { 0 } }
}

fn page_size() -> usize {
    // SAFETY: asks the C library for a constant.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// The action that was there before.
struct Before(UnsafeCell<MaybeUninit<libc::sigaction>>);

// SAFETY: written once, before the handler that reads it is installed.
unsafe impl Sync for Before {}

static BEFORE: Before = Before(UnsafeCell::new(MaybeUninit::uninit()));

/// Installs the handler, once in a process.
fn install() {
    static ONCE: Once = Once::new();
    // SAFETY: the structures are valid; `BEFORE` is written before anybody can read it.
    ONCE.call_once(|| unsafe {
        let before = (*BEFORE.0.get()).as_mut_ptr();
        if libc::sigaction(libc::SIGBUS, ptr::null(), before) != 0 {
            return;
        }
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = on_sigbus as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
        // As the handler before wants it; on a stack of its own where the thread has one.
        action.sa_mask = (*before).sa_mask;
        action.sa_flags =
            libc::SA_SIGINFO | libc::SA_ONSTACK | (*before).sa_flags & (libc::SA_RESTART | libc::SA_NODEFER);
        libc::sigaction(libc::SIGBUS, &action, ptr::null_mut());
    });
}

extern "C" fn on_sigbus(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes valid pointers; `errno` is this thread's.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        let is_fault = (*info).si_code > 0;
        let address = (*info).si_addr() as usize;
        let is_done = is_fault && WATCHED.iter().any(|watched| watched.replace(address));
        *errno = saved;
        if !is_done {
            pass_on(signal, info, context);
        }
    }
}

/// Does what would have been done without this handler.
///
/// # Safety
///
/// In the handler, with its arguments.
unsafe fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    type WithInfo = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
    type Plain = extern "C" fn(c_int);
    // SAFETY: `install` has filled it, with an action that the system had accepted.
    unsafe {
        let before = (*BEFORE.0.get()).assume_init_ref();
        let is_sent = (*info).si_code <= 0;
        match before.sa_sigaction {
            libc::SIG_IGN if is_sent => {}
            // What is not sent by anybody cannot be ignored: it would happen again at once.
            libc::SIG_DFL | libc::SIG_IGN => {
                let mut default: libc::sigaction = mem::zeroed();
                default.sa_sigaction = libc::SIG_DFL;
                libc::sigaction(signal, &default, ptr::null_mut());
                // A fault comes again when this returns, what was sent does not.
                if is_sent {
                    libc::raise(signal);
                }
            }
            handler if before.sa_flags & libc::SA_SIGINFO != 0 => {
                mem::transmute::<usize, WithInfo>(handler)(signal, info, context);
            }
            handler => mem::transmute::<usize, Plain>(handler)(signal),
        }
    }
}
