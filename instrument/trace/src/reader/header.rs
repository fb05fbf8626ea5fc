//! The file header: what wrote the trace, when, by which clock.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    time::Duration,
};

use super::input::Input;
use crate::{
    Definitions, Error, Nanos, TraceInfo, clock,
    format::{CHUNK_SIZE, CLOCK_TSC, HEADER_SIZE, MAGIC, VERSION_MAJOR, VERSION_MINOR, header},
    host,
    source::Place,
};

/// How ticks become nanoseconds since the trace began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: u64,
    /// Nanoseconds per tick, times 2^32.
    scale: u64,
    /// The scale up to a tick whose time was given out before the present scale was known.
    before: Option<(u64, u64)>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { start: 0, scale: 1 << 32, before: None }
    }
}

impl Clock {
    pub(super) fn nanos(self, ticks: u64) -> Nanos {
        match self.before {
            Some((until, scale)) if ticks <= until => scaled(self.start, ticks, scale),
            Some((until, scale)) => {
                Nanos(scaled(self.start, until, scale).0.saturating_add(scaled(until, ticks, self.scale).0))
            }
            None => scaled(self.start, ticks, self.scale),
        }
    }

    /// How long so many ticks are, by the rate that is known last.
    #[inline]
    pub(super) fn duration(self, ticks: u64) -> Nanos {
        // What more than 2^64 ns would be is the same as damaged.
        Nanos(((u128::from(ticks) * u128::from(self.scale)) >> 32) as u64)
    }

    /// This clock, from a tick on at the rate of a better one. Times that were given out stay, and none runs backwards.
    pub(super) fn continued_by(self, better: Clock, from: u64) -> Clock {
        // A rate is corrected once, so there is one bend at most.
        Clock { before: Some((from, self.scale)), ..better }
    }

    /// Whether both give every tick the same time, bends apart.
    pub(super) fn has_rate_of(self, other: Clock) -> bool {
        (self.start, self.scale) == (other.start, other.scale)
    }
}

fn scaled(from: u64, ticks: u64, scale: u64) -> Nanos {
    let elapsed = u128::from(ticks.saturating_sub(from));
    Nanos(u64::try_from((elapsed * u128::from(scale)) >> 32).unwrap_or(u64::MAX))
}

/// Number of the `lockscope run` that made a trace, 0 for none: what tells traces of runs at the same time apart. Reads the first
/// bytes of the file only; `None` when it was created but not begun.
///
/// # Errors
///
/// When the file cannot be read; `InvalidData` when it is no trace.
pub fn run_of(path: &Path) -> io::Result<Option<u64>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(header::RUN as u64 + 8).read_to_end(&mut bytes)?;
    match bytes.first_chunk() {
        Some(&MAGIC) => {}
        None | Some([0, 0, 0, 0, 0, 0, 0, 0]) => return Ok(None),
        Some(_) => return Err(io::ErrorKind::InvalidData.into()),
    }
    let run = bytes.get(header::RUN..).and_then(<[u8]>::first_chunk).ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(Some(u64::from_le_bytes(*run)))
}

#[derive(Debug)]
pub(super) struct Header {
    version: (u16, u16),
    pid: u32,
    clock_kind: u32,
    coarse: u32,
    start: (u64, u64),
    start_unix: u64,
    ticks_per_second: u64,
    process_start: u64,
    boot_id: [u8; 16],
    executable: String,
    command: Vec<String>,
    /// Calibration stopped: the pair it was made from is far enough from the start.
    settled: bool,
}

impl Header {
    pub(super) fn read(input: &Input, path: &Path) -> Result<Self, Error> {
        let fail = |at: usize, kind, message: String, help: &str| Error::Format {
            path: path.to_path_buf(),
            place: Place::Byte(at as u64),
            kind,
            message,
            help: help.to_owned(),
        };
        let mut bytes = vec![0; HEADER_SIZE];
        let read = input.read_at(&mut bytes, 0).map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
        if read == 0 {
            return Err(fail(0, "empty", "the file is empty".to_owned(), "record again; see `lockscope run --help`"));
        }
        if bytes[..MAGIC.len()] == [0; 8] && read >= MAGIC.len() && bytes[..read].iter().all(|&byte| byte == 0) {
            let help = "the recording process ended before it wrote the header; record again";
            return Err(fail(0, "unfinished", "the trace was created but never begun".to_owned(), help));
        }
        if bytes[..MAGIC.len().min(read)] != MAGIC[..MAGIC.len().min(read)] {
            let help = "lockscope reads its own .lks files and RAPID STD text (`T1|acq(L1)|17`), plain or gzipped";
            return Err(fail(0, "foreign", "this is not a lockscope trace".to_owned(), help));
        }
        if read < HEADER_SIZE {
            let message = format!("the file ends within its header, after {read} of {HEADER_SIZE} bytes");
            return Err(fail(read, "truncated", message, "the file was cut off; copy it again or record again"));
        }
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let version = (u16_at(header::VERSION), u16_at(header::VERSION + 2));
        if version.0 != VERSION_MAJOR {
            let message = format!(
                "the trace has format version {}.{}, this lockscope reads {VERSION_MAJOR}.x (up to {VERSION_MAJOR}.{VERSION_MINOR})",
                version.0, version.1
            );
            let kind = if version.0 > VERSION_MAJOR { "newer-version" } else { "older-version" };
            let help = "use the `lockscope` program of the version that recorded it: `cargo install lockscope-cli`";
            return Err(fail(header::VERSION, kind, message, help));
        }
        let sizes = (u32_at(header::HEADER_BYTES) as usize, u32_at(header::CHUNK_BYTES) as usize);
        if sizes != (HEADER_SIZE, CHUNK_SIZE) {
            let message =
                format!("the header is damaged: it says header and chunk sizes of {} and {} bytes", sizes.0, sizes.1);
            return Err(fail(header::HEADER_BYTES, "damaged", message, "copy the file again or record again"));
        }
        let (executable, command) = strings(&bytes[header::STRINGS..]);
        Ok(Self {
            version,
            pid: u32_at(header::PID),
            clock_kind: u32_at(header::CLOCK),
            coarse: u32_at(header::COARSE),
            start: (u64_at(header::START_TICKS), u64_at(header::START_MONOTONIC)),
            start_unix: u64_at(header::START_UNIX),
            ticks_per_second: u64_at(header::TICKS_PER_SECOND).max(1),
            process_start: u64_at(header::PROCESS_START),
            boot_id: bytes[header::BOOT_ID..header::BOOT_ID + 16].try_into().expect("16 bytes"),
            executable,
            command,
            settled: false,
        })
    }

    pub(super) fn info(&self, path: &Path, bytes: u64) -> TraceInfo {
        TraceInfo {
            path: path.to_path_buf(),
            format: format!("lockscope trace {}.{}", self.version.0, self.version.1),
            pid: self.pid,
            executable: self.executable.clone(),
            command: self.command.clone(),
            started: Duration::from_nanos(self.start_unix),
            clock: if self.clock_kind == CLOCK_TSC { "tsc" } else { "monotonic" },
            coarse: (self.coarse != 0).then(|| Nanos(self.coarse.into())),
            bytes,
            has_times: true,
            has_waits: true,
        }
    }

    /// Whether the process that writes the trace still runs, on this machine since this boot.
    pub(super) fn writer_is_alive(&self) -> bool {
        self.boot_id == host::boot_id() && host::process_start(self.pid) == Some(self.process_start)
    }

    pub(super) fn clock(&self) -> Clock {
        // 2^32 * 1e9 fits 62 bits.
        Clock {
            start: self.start.0,
            scale: ((1_000_000_000u128 << 32) / u128::from(self.ticks_per_second)) as u64,
            before: None,
        }
    }

    /// So much time in ticks; with a coarse clock also what its times may be too early by, several times, since its thread does not always get
    /// its turn.
    pub(super) fn ticks(&self, time: Nanos) -> u64 {
        let nanos = u128::from(time.0) + 4 * u128::from(self.coarse);
        (nanos * u128::from(self.ticks_per_second) / 1_000_000_000) as u64
    }

    /// Corrects the first estimate by a later pair: from the file, or while the writer runs (so the clocks are the same)
    /// from this process.
    pub(super) fn improve_clock(&mut self, from_file: Option<(u64, u64)>, alive: bool) {
        const FAR_ENOUGH: u64 = 20_000_000;
        if self.settled || self.clock_kind != CLOCK_TSC {
            return;
        }
        let own = (alive && clock::kind() == CLOCK_TSC).then(clock::pair);
        for pair in [from_file, own].into_iter().flatten() {
            if pair.1.saturating_sub(self.start.1) >= FAR_ENOUGH
                && let Some(rate) = clock::rate(self.start, pair)
                // A pair that disagrees with the first estimate by more than a tenth is damaged.
                && rate.abs_diff(self.ticks_per_second) < self.ticks_per_second / 10
            {
                self.ticks_per_second = rate;
                self.settled = true;
                return;
            }
        }
    }
}

fn strings(bytes: &[u8]) -> (String, Vec<String>) {
    let mut rest = bytes;
    let executable = text(&mut rest).unwrap_or_default();
    let count = number(&mut rest).unwrap_or(0);
    let command = (0..count).map_while(|_| text(&mut rest)).collect();
    (executable, command)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(u32::from_le_bytes(*head))
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let len = number(rest)?;
    let (text, tail) = rest.split_at_checked(len as usize)?;
    *rest = tail;
    Some(Definitions::clean(&String::from_utf8_lossy(text)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrected_clock_does_not_run_backwards() {
        let per_tick = |nanos: u64| Clock { start: 100, scale: nanos << 32, before: None };
        let bent = per_tick(3).continued_by(per_tick(2), 200);
        for (ticks, nanos) in [(0, 0), (100, 0), (200, 300), (201, 302), (300, 500)] {
            assert_eq!(bent.nanos(ticks), Nanos(nanos), "{ticks}");
        }
        assert_eq!(per_tick(2).nanos(201), Nanos(202), "what it would have been without");
    }
}
