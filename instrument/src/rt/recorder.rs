//! The thread that helps to record: it makes room in the trace ahead of who needs it, and keeps the coarse clock.
//!
//! Started once a process has recorded some thousands of events, from a place where no lock is being taken or released, since it
//! allocates. What it does is in `lockscope_trace::writer`.

use std::{
    ffi::c_void,
    sync::atomic::{AtomicU32, Ordering},
};

use lockscope_trace::writer::TraceWriter;

use super::{
    global,
    observer::{self, observe},
};

/// Its number in the system, 0 while there is none.
static TASK: AtomicU32 = AtomicU32::new(0);

/// Starts it if it was asked for. When no thread can be made, recording goes on without.
#[inline]
pub(super) fn start_if_wanted(writer: &TraceWriter) {
    if writer.is_to_start_helper() {
        observer::start(main);
    }
}

/// Whether this is the helper, asleep: nobody can be waiting for anything that it has.
pub(super) fn is_asleep(task: u32) -> bool {
    TASK.load(Ordering::Relaxed) == task && global::trace().is_some_and(TraceWriter::helper_sleeps)
}

extern "C" fn main(_: *mut c_void) -> *mut c_void {
    // SAFETY: a name of less than 16 bytes.
    unsafe { libc::prctl(libc::PR_SET_NAME, c"lockscope-trace".as_ptr()) };
    let entered = observe("lockscope-trace");
    TASK.store(entered.info.os_id.load(Ordering::Relaxed), Ordering::Relaxed);
    if let Some(writer) = global::trace() {
        // A panic must not end the program that is recorded.
        let _ = std::panic::catch_unwind(|| writer.help());
    }
    std::ptr::null_mut()
}
