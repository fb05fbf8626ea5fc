//! Options of `check` that choose engines and bound them.

use std::{fs, path::Path, thread};

use clap::{Args, builder::PossibleValuesParser};
use lockscope_analyzer::{EngineId, Options};

/// Which engines run, what they list, what they may hold.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Engines")]
pub struct EngineArgs {
    /// Run this engine of prediction and nothing else; may be given several times
    #[arg(long = "engine", value_name = "NAME", value_parser = names())]
    engines: Vec<String>,
    /// List every occurrence instead of each bug once
    ///
    /// Each has the positions of its events: the two accesses of a race, the requests of a deadlock.
    #[arg(long)]
    pub all: bool,
    /// End an engine that holds so much memory that all together hold more than SIZE: bytes, or with K, M, G
    ///
    /// What it had found by then is reported, and that it was ended. Without it: half of the memory that is free, at most 4G.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory_limit: Option<u64>,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(EngineId::ALL.map(EngineId::as_str))
}

impl EngineArgs {
    /// Puts the choice into the options of an analysis.
    pub fn apply(&self, options: Options) -> Options {
        Options {
            engines: self.engines.iter().filter_map(|name| EngineId::parse(name)).collect(),
            all: self.all,
            memory_limit: Some(self.memory_limit.unwrap_or_else(default_limit)),
            second_thread: thread::available_parallelism().is_ok_and(|threads| threads.get() > 1),
            ..options
        }
    }
}

/// Half of the memory that is free, where the system tells; what it is otherwise is enough for all but spd and syncp on any trace.
fn default_limit() -> u64 {
    [free_memory(), group_limit()].into_iter().flatten().map(|free| free / 2).fold(MOST, u64::min)
}

/// Most that engines hold unless somebody asks for more: half of what a small machine has. Access histories of two hundred million
/// events take that.
const MOST: u64 = 4 << 30;

fn free_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.saturating_mul(1024))
}

/// What the control group may have, which in a container is less than what the machine has.
fn group_limit() -> Option<u64> {
    let limit = |path: &Path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let root = Path::new("/sys/fs/cgroup");
    let of = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = root.join(of.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default());
    let groups = group.ancestors().take_while(|path| path.starts_with(root)).map(|path| path.join("memory.max"));
    // A container's own group is the root that it sees, of either version.
    groups.chain([root.join("memory/memory.limit_in_bytes")]).filter_map(|path| limit(&path)).min()
}

fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 10),
        Some((at, 'M' | 'm')) => (&text[..at], 20),
        Some((at, 'G' | 'g')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let size = digits.parse::<u64>().ok().and_then(|size| size.checked_mul(1 << shift));
    size.filter(|&size| size > 0).ok_or_else(|| "expected bytes, or a number with K, M or G, as in 512M".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, size) in [("1", Some(1)), ("2k", Some(2048)), ("512M", Some(512 << 20)), ("3G", Some(3 << 30))] {
            assert_eq!(parse_size(text).ok(), size, "{text}");
        }
        for text in ["", "0", "M", "-1", "1.5G", "20000000000G", "1T", "ü"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
