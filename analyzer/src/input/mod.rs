//! Opens a trace of any known format, recognised by its content.

use std::path::Path;

use lockscope_trace::{Error, EventSource, reader::Reader};

/// Opens a trace: a `.lks` file, finished or growing, RAPID STD text, plain or gzipped; `-` is standard input.
///
/// # Errors
///
/// [`Error::Io`] when it cannot be read; [`Error::Format`] of kind `empty`, `foreign`, `truncated`, `newer-version`, ...
pub fn open(path: &Path) -> Result<Box<dyn EventSource>, Error> {
    Ok(Box::new(Reader::open(path)?))
}
