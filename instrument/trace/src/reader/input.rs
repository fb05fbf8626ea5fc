//! Where the bytes of a trace come from.
//!
//! A file is read with `pread`, not mapped: one that is cut off underneath is then an error and not a signal.

use std::{fs::File, io, os::unix::fs::FileExt};

#[derive(Debug)]
pub(super) enum Input {
    File(File),
    Bytes(Vec<u8>),
}

impl Input {
    /// Reads up to `buffer.len()` bytes; fewer only at the end of the input.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Input::Bytes(bytes) => {
                let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or(&[]);
                let len = rest.len().min(buffer.len());
                buffer[..len].copy_from_slice(&rest[..len]);
                Ok(len)
            }
            Input::File(file) => {
                let mut done = 0;
                while done < buffer.len() {
                    match file.read_at(&mut buffer[done..], offset + done as u64) {
                        Ok(0) => break,
                        Ok(read) => done += read,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(done)
            }
        }
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Input::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
            Input::Bytes(bytes) => bytes.len() as u64,
        }
    }
}
