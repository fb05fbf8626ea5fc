//! Traces of lockscope's own.
#![no_main]

mod drive;
mod packed;

use std::path::Path;

use lockscope_trace::reader::Reader;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let file = packed::unpack(data);
    let bytes = file.len();
    if let Ok(reader) = Reader::from_bytes(file, Path::new("fuzzed.lks")) {
        drive::drive(Box::new(reader), bytes);
    }
});
