//! Opens a trace of any known format, recognised by its content.

mod bytes;
mod foreign;
mod lines;
mod rapid;

use flate2::read::MultiGzDecoder;
use lockscope_trace::{Error, EventSource, reader::Reader, source::Place};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use self::{lines::Lines, rapid::Rapid};

/// First bytes of a trace of our own.
const MAGIC: &[u8] = b"LOCKSCOP";
const GZIP: &[u8] = &[0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Most bytes of a trace of our own that comes compressed or from a pipe, and so has to be read into memory.
const MOST_IN_MEMORY: u64 = 2 << 30;

/// Most bytes that a compressed text may expand to. A hundred times what anybody has recorded, but an end.
const MOST_EXPANDED: u64 = 64 << 30;

/// How to read what is not right.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Go on after a line of a RAPID STD trace that contradicts the ones before it (a lock that two threads hold, a
    /// second fork), and count it as a gap of [`Completeness`](lockscope_trace::Completeness). Otherwise it is an error.
    /// Recordings of real programs have such lines where the recorder missed something.
    pub lenient: bool,
}

/// [`open_with`] the usual options.
///
/// # Errors
///
/// As [`open_with`].
pub fn open(path: &Path) -> Result<Box<dyn EventSource + Send>, Error> {
    open_with(path, &Options::default())
}

/// Opens a trace: a `.lks` file, finished or growing, or RAPID STD text; both also gzipped; `-` is standard input.
///
/// # Errors
///
/// [`Error::Io`] when it cannot be read; [`Error::Format`] of kind `empty`, `foreign` (not a trace), `truncated`,
/// `damaged`, `too-large`, `newer-version`.
pub fn open_with(path: &Path, options: &Options) -> Result<Box<dyn EventSource + Send>, Error> {
    if path == Path::new("-") {
        return open_read(path, Box::new(io::stdin()), options);
    }
    let file = File::open(path).map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    recognise(path, Box::new(file), bytes, true, options)
}

/// Opens a trace of any known format that is read from somewhere else; `path` is what errors call it. One of our own is read into memory.
///
/// # Errors
///
/// As [`open_with`].
pub fn open_read(
    path: &Path,
    input: Box<dyn Read + Send>,
    options: &Options,
) -> Result<Box<dyn EventSource + Send>, Error> {
    recognise(path, input, 0, false, options)
}

/// `bytes` is the size as far as it is known; `is_file` says that `input` is the file at `path`.
fn recognise(
    path: &Path,
    input: Box<dyn Read + Send>,
    bytes: u64,
    is_file: bool,
    options: &Options,
) -> Result<Box<dyn EventSource + Send>, Error> {
    let consumed = Arc::new(AtomicU64::new(0));
    let counted = Counted { input, consumed: consumed.clone() };
    let mut lines = Lines::new(Box::new(counted));
    let head = lines.head().map_err(|error| read_error(path, error, 0))?;
    if head.starts_with(MAGIC) {
        return if is_file { Ok(Box::new(Reader::open(path)?)) } else { in_memory(path, lines) };
    }
    let compressed = head.starts_with(GZIP);
    if compressed {
        let expanded = MultiGzDecoder::new(lines.into_read());
        lines = Lines::new(Box::new(Bounded { input: expanded, left: MOST_EXPANDED }));
    }
    let head = lines.head().map_err(|error| read_error(path, error, 0))?;
    if head.starts_with(MAGIC) {
        return in_memory(path, lines);
    }
    let mark = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    foreign::check(path, &head[mark..])?;
    lines.skip(mark);
    Ok(Box::new(Rapid::new(path, lines, bytes, compressed, consumed, options)))
}

fn in_memory(path: &Path, lines: Lines) -> Result<Box<dyn EventSource + Send>, Error> {
    let bytes = lines.rest(MOST_IN_MEMORY).map_err(|error| read_error(path, error, 0))?;
    let Some(bytes) = bytes else {
        return Err(Error::Format {
            path: path.to_path_buf(),
            place: Place::Byte(MOST_IN_MEMORY),
            kind: "too-large",
            message: format!(
                "a trace of more than {} GiB cannot be read from a pipe or compressed",
                MOST_IN_MEMORY >> 30
            ),
            help: "save it uncompressed to a file and open that".to_owned(),
        });
    };
    Ok(Box::new(Reader::from_bytes(bytes, path)?))
}

/// What an error of reading or decompressing means. `line` is the last line that was there.
fn read_error(path: &Path, source: io::Error, line: u64) -> Error {
    let format = |kind, message: &str, help: &str| Error::Format {
        path: path.to_path_buf(),
        place: Place::Line(line + 1),
        kind,
        message: message.to_owned(),
        help: help.to_owned(),
    };
    match source.kind() {
        io::ErrorKind::UnexpectedEof => format(
            "truncated",
            "the compressed data ends too early",
            "copy or record the file again; `gzip -t` checks it",
        ),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            format("damaged", "the compressed data is damaged", "copy or record the file again; `gzip -t` checks it")
        }
        io::ErrorKind::FileTooLarge => format(
            "too-large",
            "the compressed data expands to more than any trace",
            "decompress it to a file and open that",
        ),
        _ => Error::Io { path: path.to_path_buf(), source },
    }
}

/// Counts what is read through it.
struct Counted {
    input: Box<dyn Read + Send>,
    consumed: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.consumed.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}

/// Fails after a number of bytes.
struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}
