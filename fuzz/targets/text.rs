//! Text traces, and how the kind of a trace is recognised. The first byte says whether contradictions are passed over.
#![no_main]

mod drive;

use std::{io::Cursor, path::Path};

use lockscope_analyzer::input::{Options, open_read};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&first, text)) = data.split_first() else { return };
    let options = Options { lenient: first & 1 != 0 };
    if let Ok(source) = open_read(Path::new("fuzzed.std"), Box::new(Cursor::new(text.to_vec())), &options) {
        // Compressed ones expand by up to a thousand times.
        let bytes = if text.starts_with(&[0x1f, 0x8b]) { text.len() * 1100 } else { text.len() };
        drive::drive(source, bytes);
    }
});
