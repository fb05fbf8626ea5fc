//! Threads of the runtime's own: for ever at work in it, so that nothing they do is followed, and not among the records that searches look at.

use std::{
    ffi::c_void,
    sync::{PoisonError, atomic::Ordering},
};

use lockscope_trace::{clock, format::kind, writer::ThreadWriter};

use super::{
    global::{self, flag, registry},
    thread::{Entered, Env, ThreadInfo, enter_for_good},
};

/// The index of their records, which are not in the table.
const NO_INDEX: u32 = u32::MAX;

/// Starts a thread, with signals blocked: those of the program are for the program's threads. Not by std, which cannot in a
/// thread that is about to end. False when the system makes none.
pub(super) fn start(main: extern "C" fn(*mut c_void) -> *mut c_void) -> bool {
    // SAFETY: the sets are initialised before use, the mask is restored, `main` fits and needs no argument; nobody joins the thread.
    unsafe {
        let mut all = std::mem::zeroed();
        let mut before = std::mem::zeroed();
        let mut thread = std::mem::zeroed();
        libc::sigfillset(&mut all);
        // Those of a fault are the thread's own; blocked they would end the process, also where a handler knows what to do.
        for fault in [libc::SIGBUS, libc::SIGSEGV, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP] {
            libc::sigdelset(&mut all, fault);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let made = libc::pthread_create(&mut thread, std::ptr::null(), main, std::ptr::null_mut()) == 0;
        if made {
            libc::pthread_detach(thread);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        made
    }
}

/// Makes this thread one of them.
pub(super) fn observe(name: &str) -> Entered {
    let info = Box::leak(Box::new(ThreadInfo::new(NO_INDEX)));
    *info.name.lock().unwrap_or_else(PoisonError::into_inner) = Some(name.to_owned());
    enter_for_good(info)
}

impl Entered {
    /// Whether this thread is one of them.
    pub(super) fn is_observer(&self) -> bool {
        self.info.index == NO_INDEX
    }

    /// Of an observer: runs `f` as a thread that is in the trace.
    pub(super) fn with_trace<R>(&self, f: impl FnOnce(&Self) -> R) -> R {
        if global::flags() & flag::RECORD != 0
            && let Some(writer) = global::trace()
        {
            let os_id = self.info.os_id.load(Ordering::Relaxed);
            let name = self.info.name.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let id = registry().new_thread(None, name.as_deref(), os_id);
            self.info.id.store(id, Ordering::Relaxed);
            let mut thread_writer = ThreadWriter::new(id, os_id);
            thread_writer.plain(&Env { writer, info: self.info }, kind::START, clock::ticks());
            self.local().writer = Some(thread_writer);
        }
        let result = f(self);
        if let (Some(mut thread_writer), Some(writer)) = (self.local().writer.take(), global::trace()) {
            thread_writer.plain(&Env { writer, info: self.info }, kind::EXIT, clock::ticks());
            thread_writer.end(writer);
        }
        result
    }
}
