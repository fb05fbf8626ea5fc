//! Creating, reserving, mapping a trace file, and its header.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::AsRawFd,
        unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    },
    path::Path,
};

use memmap2::{MmapOptions, MmapRaw};

use super::{Options, TraceWriter};
use crate::{
    clock,
    format::{CHUNK_SIZE, HEADER_SIZE, MAGIC, VERSION_MAJOR, VERSION_MINOR, header},
    stopped,
};

/// Creates a file for the owner only; fails if anything is there, a link included.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).custom_flags(libc::O_CLOEXEC).open(path)
}

/// Makes sure that the bytes from `start` exist on disk, so that stores into their pages cannot fail.
pub(super) fn reserve(file: &File, start: u64, bytes: u64) -> io::Result<()> {
    // Growing past RLIMIT_FSIZE would raise SIGXFSZ, which kills the program.
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place for the result.
    if unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) } == 0 && start + bytes > limit.rlim_cur {
        return Err(io::Error::from_raw_os_error(libc::EFBIG));
    }
    loop {
        // SAFETY: a system call on a descriptor that `file` keeps open.
        if unsafe { libc::fallocate(file.as_raw_fd(), 0, start as libc::off_t, bytes as libc::off_t) } == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            // File systems without fallocate: writing zeros reserves as well.
            Some(libc::EOPNOTSUPP | libc::ENOSYS) => {
                static ZEROS: [u8; 4096] = [0; 4096];
                let pages = (start..start + bytes).step_by(ZEROS.len());
                return pages.into_iter().try_for_each(|page| file.write_all_at(&ZEROS, page));
            }
            _ => return Err(error),
        }
    }
}

/// Whether the file still has a name, and all of its bytes.
pub(super) fn look(file: &File, expected: u64) -> io::Result<()> {
    let metadata = file.metadata()?;
    if metadata.nlink() == 0 {
        return Err(io::Error::from_raw_os_error(stopped::DELETED));
    }
    if metadata.len() < expected { Err(io::Error::from_raw_os_error(stopped::CUT_OFF)) } else { Ok(()) }
}

/// Maps the file with room to grow; settles for less where address space is limited. Returns the bytes mapped.
pub(super) fn map(file: &File, wanted: usize) -> io::Result<(MmapRaw, usize)> {
    let mut bytes = wanted;
    loop {
        match MmapOptions::new().len(bytes).no_reserve_swap().map_raw(file) {
            Ok(map) => return Ok((map, bytes)),
            Err(_) if bytes > HEADER_SIZE + 16 * CHUNK_SIZE => {
                bytes = HEADER_SIZE + (bytes - HEADER_SIZE) / 2 / CHUNK_SIZE * CHUNK_SIZE
            }
            Err(error) => return Err(error),
        }
    }
}

/// Fills the header, the magic last, so that a file without it was never begun.
pub(super) fn write_header(writer: &TraceWriter, options: &Options) {
    let mut bytes = vec![0u8; HEADER_SIZE];
    let mut put = |offset: usize, value: &[u8]| bytes[offset..offset + value.len()].copy_from_slice(value);
    let rate = clock::estimate_rate();
    clock::set_rate(rate);
    let (ticks, nanos) = clock::pair();
    put(header::VERSION, &VERSION_MAJOR.to_le_bytes());
    put(header::VERSION + 2, &VERSION_MINOR.to_le_bytes());
    put(header::HEADER_BYTES, &(HEADER_SIZE as u32).to_le_bytes());
    put(header::CHUNK_BYTES, &(CHUNK_SIZE as u32).to_le_bytes());
    put(header::PID, &std::process::id().to_le_bytes());
    put(header::CLOCK, &clock::kind().to_le_bytes());
    put(header::COARSE, &(if options.coarse { clock::TICK.as_nanos() as u32 } else { 0 }).to_le_bytes());
    put(header::START_TICKS, &ticks.to_le_bytes());
    put(header::START_MONOTONIC, &nanos.to_le_bytes());
    put(header::START_UNIX, &clock::unix().to_le_bytes());
    put(header::TICKS_PER_SECOND, &rate.to_le_bytes());
    put(header::PROCESS_START, &crate::host::process_start(std::process::id()).unwrap_or(0).to_le_bytes());
    put(header::BOOT_ID, &crate::host::boot_id());
    put(header::RUN, &options.run.to_le_bytes());
    put(header::STRINGS, &strings(options));
    // SAFETY: the header's space is reserved and mapped, and nobody else knows of the mapping yet.
    unsafe {
        let base = writer.map.as_mut_ptr();
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), base, HEADER_SIZE);
        std::sync::atomic::fence(std::sync::atomic::Ordering::Release);
        std::ptr::copy_nonoverlapping(MAGIC.as_ptr(), base, MAGIC.len());
    }
}

fn strings(options: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    let push = |text: &[u8], out: &mut Vec<u8>| {
        let text = &text[..text.len().min(4096)];
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(text);
    };
    push(options.executable.as_os_str().as_encoded_bytes(), &mut out);
    // What does not fit is left out; the first arguments say most.
    let room = HEADER_SIZE - header::STRINGS - 16;
    let mut arguments = Vec::new();
    let mut count = 0u32;
    for argument in &options.command {
        let before = arguments.len();
        push(argument.as_bytes(), &mut arguments);
        if out.len() + arguments.len() > room {
            arguments.truncate(before);
            break;
        }
        count += 1;
    }
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&arguments);
    out
}
