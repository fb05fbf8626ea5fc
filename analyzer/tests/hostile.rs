//! The fuzzers' corpus and random changes of it: nothing panics, hangs, or lets control characters through.
//!
//! `fuzz/run.sh` goes on from here with coverage; `LOCKSCOPE_HOSTILE_ROUNDS=100000` with more of the same.

#[path = "../../fuzz/targets/drive.rs"]
mod drive;
#[path = "../../fuzz/targets/packed.rs"]
mod packed;

use std::{
    io::Cursor,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use lockscope_analyzer::input::{Options, open_read};
use lockscope_trace::reader::Reader;

/// Changes of each file in the corpus.
const ROUNDS: u64 = 60;

fn rounds() -> u64 {
    std::env::var("LOCKSCOPE_HOSTILE_ROUNDS").map_or(ROUNDS, |text| text.parse().expect("a number of rounds"))
}

/// Pseudo-random numbers (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }

    /// Changes, removes, repeats or inserts something.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        let (from, len) = (self.below(bytes.len()), 1 + self.below(40));
        let to = (from + len).min(bytes.len());
        match self.below(6) {
            _ if bytes.is_empty() => bytes.push(self.below(256) as u8),
            0 => drop(bytes.drain(from..to)),
            1 => {
                let part = bytes[from..to].to_vec();
                let at = self.below(bytes.len());
                bytes.splice(at..at, part);
            }
            2 => bytes[from] ^= 1 << self.below(8),
            3 => bytes.insert(from, self.below(256) as u8),
            // Numbers at the edges.
            4 => bytes[from..to].fill([0, 1, 0x7f, 0x80, 0xff][len % 5]),
            _ => bytes[from] = self.below(256) as u8,
        }
    }
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(dir).expect("it is in the repository");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it is readable").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("it is readable"))).collect()
}

/// Feeds every file and its changes; `feed` panics when something is wrong.
fn check(target: &str, feed: fn(&[u8])) {
    for (path, bytes) in corpus(target) {
        for seed in 0..=rounds() {
            let mut changed = bytes.clone();
            let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            // The first time as it is.
            for _ in 0..seed.min(1) * (1 + random.below(8) as u64) {
                random.change(&mut changed);
            }
            if catch_unwind(|| feed(&changed)).is_err() {
                panic!("{} with the changes of seed {seed} fails: {changed:02x?}", path.display());
            }
        }
    }
}

#[test]
fn traces_of_our_own() {
    check("reader", |bytes| {
        let file = packed::unpack(bytes);
        let len = file.len();
        if let Ok(reader) = Reader::from_bytes(file, Path::new("hostile.lks")) {
            drive::drive(Box::new(reader), len);
        }
    });
}

#[test]
fn text_traces() {
    check("text", |bytes| {
        let Some((&first, text)) = bytes.split_first() else { return };
        let options = Options { lenient: first & 1 != 0 };
        let expands = if text.starts_with(&[0x1f, 0x8b]) { 1100 } else { 1 };
        if let Ok(source) = open_read(Path::new("hostile.std"), Box::new(Cursor::new(text.to_vec())), &options) {
            drive::drive(source, text.len() * expands);
        }
    });
}
