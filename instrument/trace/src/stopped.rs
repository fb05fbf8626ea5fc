//! Why a recording stopped before its process ended: a number of the system's errors, in the file's header.

use std::io;

/// The file was deleted: nobody could find what would be recorded.
pub(crate) const DELETED: i32 = libc::ENOENT;
/// Somebody cut the file off.
pub(crate) const CUT_OFF: i32 = libc::ENODATA;

/// The reason in words, to follow `recording stopped: `.
pub fn reason(errno: i32) -> String {
    match errno {
        libc::EFBIG => "the size limit was reached".to_owned(),
        DELETED => "the file was deleted".to_owned(),
        CUT_OFF => "the file was cut off".to_owned(),
        errno => io::Error::from_raw_os_error(errno).to_string(),
    }
}
