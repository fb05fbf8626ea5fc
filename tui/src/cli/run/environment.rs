//! What the program is told: the value of `LOCKSCOPE`, and where it records.

use std::{
    hash::{BuildHasher as _, RandomState},
    io::Read,
    path::{Path, PathBuf},
};

use clap::ValueEnum;

use crate::cli::{
    Failure,
    run::{OnDeadlock, RunArgs},
};

/// The environment variable that configures a program's recorder.
pub const VARIABLE: &str = "LOCKSCOPE";
/// The environment variable that tells recorders which run they belong to.
pub const RUN_VARIABLE: &str = "LOCKSCOPE_RUN";
/// First bytes of a trace file.
const MAGIC: &[u8] = b"LOCKSCOP";

/// Where and how the program is to record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recording {
    /// Path of traces, absolute, perhaps with `%p` for the process id.
    pub path: PathBuf,
    /// The user turned recording off.
    pub is_off: bool,
    /// Value for the environment variable.
    pub variable: String,
    /// Number of this run, by which its traces are told from those of others that are made in the same folder at the same time. Not 0.
    pub run: u64,
}

impl Recording {
    /// Merges what the arguments, the environment and the defaults say, in this order of precedence. `target` is cargo's target folder
    /// where that is known.
    pub fn new(args: &RunArgs, target: Option<&Path>) -> Result<Recording, Failure> {
        let from_env = match std::env::var(VARIABLE) {
            Ok(value) => value,
            Err(std::env::VarError::NotPresent) => String::new(),
            Err(error) => {
                return Err(Failure::usage(format!("the environment variable {VARIABLE} is no text: {error}"), ""));
            }
        };
        let working_dir = std::env::current_dir()
            .map_err(|error| Failure::input(format!("there is no working directory: {error}"), ""))?;
        let default = default_path(&working_dir, target);
        let recording = merge(&from_env, args, &working_dir, &default)?;
        if !recording.is_off {
            prepare(&recording.path, args.output.is_some())?;
        }
        Ok(recording)
    }
}

fn merge(from_env: &str, args: &RunArgs, working_dir: &Path, default: &Path) -> Result<Recording, Failure> {
    // A word without a value, as `off`, is kept as it is; what it means is the recorder's business.
    let mut pairs: Vec<(&str, Option<String>)> = from_env
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').map_or((part, None), |(key, value)| (key.trim(), Some(value.to_owned()))))
        .collect();
    let value_of = |pairs: &[(&str, Option<String>)], key: &str| {
        pairs.iter().rev().find(|(name, _)| *name == key).and_then(|(_, value)| value.clone())
    };
    let is_all_off = pairs.iter().any(|(key, value)| *key == "off" && value.is_none());

    // `auto` leaves the choice to whoever records, and here that is this command, which must know where to look.
    let from_user = value_of(&pairs, "record").filter(|value| value != "auto");
    let is_turned_off = from_user.as_deref() == Some("off") || (is_all_off && from_user.is_none());
    let is_off = args.output.is_none() && is_turned_off;
    let path = match (&args.output, from_user) {
        (Some(path), _) => path.clone(),
        (None, Some(path)) => PathBuf::from(path),
        (None, None) => default.to_owned(),
    };
    let path = working_dir.join(path);
    let text = path
        .to_str()
        .ok_or_else(|| Failure::usage(format!("{} is no text", path.display()), "choose another name with -o"))?;
    if text.contains(',') {
        let help = "LOCKSCOPE is a comma-separated list, so a path in it cannot have one; choose another with -o";
        return Err(Failure::usage(format!("cannot record to {text}: its path has a comma"), help));
    }
    let mut set = |key: &'static str, value: String| {
        pairs.retain(|(name, _)| *name != key);
        pairs.push((key, Some(value)));
    };
    if !is_off {
        set("record", text.to_owned());
    }
    if let Some(size) = &args.size {
        set("size", size.clone());
    }
    if let Some(clock) = args.clock {
        set("clock", word(clock));
    }
    if let Some(action) = args.on_deadlock {
        set("deadlock", word(action));
    } else if value_of(&pairs, "deadlock").is_none() && !is_all_off {
        // A deadlocked program would never end, and neither would `run`; in the dashboard one wants to look at it.
        let action = if args.top { OnDeadlock::Report } else { OnDeadlock::Exit };
        pairs.push(("deadlock", Some(word(action))));
    }
    let item = |(key, value): &(&str, Option<String>)| {
        value.as_ref().map_or_else(|| (*key).to_owned(), |value| format!("{key}={value}"))
    };
    let variable = pairs.iter().map(item).collect::<Vec<_>>().join(",");
    // Keys of hashers are random.
    let run = RandomState::new().hash_one(std::process::id()).max(1);
    Ok(Recording { path, is_off, variable, run })
}

fn word(action: impl ValueEnum) -> String {
    action.to_possible_value().expect("no value is skipped").get_name().to_owned()
}

/// The recorder puts the program's name for `%e` and its process id for `%p`: under `cargo test` every test binary
/// has a trace of its own, named for it.
fn default_path(working_dir: &Path, target: Option<&Path>) -> PathBuf {
    let target = target.map_or_else(|| working_dir.join("target"), Path::to_owned);
    let dir = if target.is_dir() { target.join("lockscope") } else { working_dir.to_owned() };
    dir.join("%e-%p.lks")
}

/// Makes the directory, and room where the user named a file: the recorder never overwrites one.
fn prepare(path: &Path, is_named: bool) -> Result<(), Failure> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(|error| Failure::write(dir, &error))?;
    }
    if !is_named || !path.is_file() {
        return Ok(());
    }
    let mut first = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut first));
    let is_trace = read.is_ok() && (first.is_empty() || first == MAGIC);
    if !is_trace {
        return Err(Failure::usage(
            format!("{} exists and is no trace", path.display()),
            "remove it, or choose another name with -o",
        ));
    }
    std::fs::remove_file(path).map_err(|error| Failure::write(path, &error))
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches};

    use super::*;

    fn check(from_env: &str, arguments: &[&str], expected: &str) {
        let command = RunArgs::augment_args(Command::new("run"));
        let matches = command.get_matches_from(["run"].iter().chain(arguments).chain(&["--", "bank"]));
        let args = RunArgs::from_arg_matches(&matches).expect("valid arguments");
        let recording = merge(from_env, &args, Path::new("/w"), Path::new("/w/%e-%p.lks")).expect("valid settings");
        assert_eq!(recording.variable, expected, "{from_env:?} {arguments:?}");
    }

    #[test]
    fn settings_are_merged() {
        check("", &[], "record=/w/%e-%p.lks,deadlock=exit");
        check("", &["--top"], "record=/w/%e-%p.lks,deadlock=report");
        check("deadlock=abort,order=panic", &[], "deadlock=abort,order=panic,record=/w/%e-%p.lks");
        check("deadlock=abort", &["--on-deadlock", "report"], "record=/w/%e-%p.lks,deadlock=report");
        check("record=/tmp/x.lks", &[], "record=/tmp/x.lks,deadlock=exit");
        check("record=sub/x.lks", &[], "record=/w/sub/x.lks,deadlock=exit");
        check("record=/tmp/x.lks", &["-o", "y.lks"], "record=/w/y.lks,deadlock=exit");
        check("record=auto", &[], "record=/w/%e-%p.lks,deadlock=exit");
        check("record=off", &[], "record=off,deadlock=exit");
        check("off", &[], "off");
        check("off", &["-o", "y.lks"], "off,record=/w/y.lks");
        check("off,record=x.lks", &[], "off,record=/w/x.lks");
        check("", &["--clock", "coarse"], "record=/w/%e-%p.lks,clock=coarse,deadlock=exit");
        check("clock=coarse", &["--clock", "exact"], "record=/w/%e-%p.lks,clock=exact,deadlock=exit");
        check(" size=1M , ", &["--size", "2M"], "record=/w/%e-%p.lks,size=2M,deadlock=exit");
    }

    #[test]
    fn files_that_are_no_traces_are_kept() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        for (content, is_removed) in [(&b"LOCKSCOP..."[..], true), (b"", true), (b"fn main() {}", false)] {
            let path = dir.path().join("file");
            std::fs::write(&path, content).expect("a file");
            assert_eq!(prepare(&path, true).is_ok(), is_removed, "{content:?}");
            assert_eq!(path.exists(), !is_removed, "{content:?}");
        }
    }
}
