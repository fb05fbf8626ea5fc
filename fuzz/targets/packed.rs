//! Traces in few bytes, so that a fuzzer's changes hit what matters and not the padding of chunks.
//!
//! | bytes | meaning |
//! | --- | --- |
//! | first is 0 | the rest is the file itself |
//! | else | changes of a good header: number of them, then `offset / 4: u8`, `u32` each; then chunks |
//! | a chunk | kind, sealed, claim (one byte each), length in words (`u16`), the words |

use lockscope_trace::format::{
    CHUNK_HEADER_SIZE, CHUNK_SIZE, HEADER_SIZE, MAGIC, VERSION_MAJOR, VERSION_MINOR, chunk, header,
};

/// Chunks at most: 1 MiB.
const MOST_CHUNKS: usize = 15;
const WORDS: usize = (CHUNK_SIZE - CHUNK_HEADER_SIZE) / 8;

/// The file that some bytes stand for.
pub fn unpack(mut packed: &[u8]) -> Vec<u8> {
    let take = |packed: &mut &[u8], n: usize| {
        let (head, rest) = packed.split_at(n.min(packed.len()));
        *packed = rest;
        head.to_vec()
    };
    if packed.first().is_none_or(|&first| first == 0) {
        return packed.get(1..).unwrap_or_default().to_vec();
    }
    let mut file = good_header();
    let changes = take(&mut packed, 1)[0] - 1;
    for _ in 0..changes {
        if let [at, value @ ..] = &take(&mut packed, 5)[..] {
            let at = usize::from(*at) * 4;
            file[at..at + value.len()].copy_from_slice(value);
        }
    }
    let mut chunks = 0u32;
    while !packed.is_empty() && (chunks as usize) < MOST_CHUNKS {
        let mut head = [0; 5];
        let given = take(&mut packed, 5);
        head[..given.len()].copy_from_slice(&given);
        let words = usize::from(u16::from_le_bytes([head[3], head[4]])).min(WORDS);
        let bytes = take(&mut packed, words * 8);
        let start = file.len();
        file.resize(start + CHUNK_SIZE, 0);
        let mut put = |at: usize, value: &[u8]| file[start + at..][..value.len()].copy_from_slice(value);
        put(chunk::KIND, &[head[0]]);
        put(chunk::SEALED, &[head[1]]);
        put(chunk::CLAIM, &[head[2]]);
        put(chunk::TICKS, &100u64.to_le_bytes());
        put(chunk::COMMITTED, &(words as u32 * 8).to_le_bytes());
        put(CHUNK_HEADER_SIZE, &bytes);
        chunks += 1;
    }
    // Unless a change has said otherwise.
    for at in [header::CHUNKS, header::CLAIMS] {
        if file[at..at + 4] == [0; 4] {
            file[at..at + 4].copy_from_slice(&chunks.to_le_bytes());
        }
    }
    file
}

fn good_header() -> Vec<u8> {
    let mut file = vec![0; HEADER_SIZE];
    let mut put = |at: usize, value: &[u8]| file[at..at + value.len()].copy_from_slice(value);
    put(0, &MAGIC);
    put(header::VERSION, &VERSION_MAJOR.to_le_bytes());
    put(header::VERSION + 2, &VERSION_MINOR.to_le_bytes());
    put(header::HEADER_BYTES, &(HEADER_SIZE as u32).to_le_bytes());
    put(header::CHUNK_BYTES, &(CHUNK_SIZE as u32).to_le_bytes());
    // No process has this id, so the trace has ended.
    put(header::PID, &u32::MAX.to_le_bytes());
    put(header::TICKS_PER_SECOND, &1_000_000_000u64.to_le_bytes());
    file
}

/// The packed form of a real trace, with at most so many words of each chunk: for the corpus.
#[allow(dead_code, reason = "for who makes the corpus")]
pub fn pack(file: &[u8], most_words: usize) -> Vec<u8> {
    let mut packed = vec![1];
    for chunk in file[HEADER_SIZE..].chunks_exact(CHUNK_SIZE).take(MOST_CHUNKS) {
        let committed = u32::from_le_bytes(chunk[chunk::COMMITTED..][..4].try_into().expect("four bytes"));
        let mut words = 0;
        // Whole records.
        while words < committed as usize / 8 {
            let first = &chunk[CHUNK_HEADER_SIZE + words * 8..][..8];
            let len = lockscope_trace::format::record_words(u64::from_le_bytes(first.try_into().expect("eight bytes")));
            if len == 0 || words + len > most_words {
                break;
            }
            words += len;
        }
        packed.extend([chunk[chunk::KIND], chunk[chunk::SEALED], chunk[chunk::CLAIM]]);
        packed.extend((words as u16).to_le_bytes());
        packed.extend(&chunk[CHUNK_HEADER_SIZE..][..words * 8]);
    }
    packed
}
