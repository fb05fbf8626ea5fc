//! Packs a real trace for the corpus: `seed TRACE.lks [WORDS PER CHUNK] >fuzz/corpus/reader/NAME`.

mod packed;

use std::io::Write;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("a trace");
    let words = arguments.next().map_or(400, |text| text.parse().expect("a number of words"));
    let file = std::fs::read(path).expect("it is readable");
    std::io::stdout().write_all(&packed::pack(&file, words)).expect("standard output is there");
}
