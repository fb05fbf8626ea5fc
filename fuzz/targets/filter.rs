//! Filters of lists: the first line is the filter, the others are rows.
#![no_main]

#[path = "../../tui/src/filter/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the program uses more of it")]
mod filter;
#[path = "../../tui/src/cli/time.rs"]
#[allow(dead_code, reason = "the program uses more of it")]
mod time;

/// Where the filter looks for it.
mod cli {
    pub(crate) use crate::time;
}

use filter::{Filter, KEYS, Row};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let Ok(filter) = lines.next().unwrap_or_default().parse::<Filter>() else { return };
    for (index, line) in lines.enumerate() {
        let mut row = Row::default();
        row.add(KEYS[index % KEYS.len()].name, line);
        filter.keeps(&row);
        assert!(!filter.is_empty() || filter.keeps(&row), "the empty filter keeps everything");
    }
});
