//! Finds the trace that a running process writes.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::cli::Failure;

/// First bytes of a trace file.
const MAGIC: &[u8] = b"LOCKSCOP";

/// The trace that a process writes: the mapped or open file that begins as one.
pub fn trace_of(pid: u32) -> Result<PathBuf, Failure> {
    trace_below(Path::new("/proc"), pid)
}

fn trace_below(proc: &Path, pid: u32) -> Result<PathBuf, Failure> {
    let dir = proc.join(pid.to_string());
    if !dir.is_dir() {
        return Err(Failure::usage(
            format!("there is no process {pid}"),
            "give the id of a running process, or the path of a trace",
        ));
    }
    let maps = fs::read_to_string(dir.join("maps"));
    let files = fs::read_dir(dir.join("fd"));
    let (maps, files) = match (maps, files) {
        (Err(error), Err(_)) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(Failure::usage(
                format!("may not look at process {pid}: {error}"),
                "run as the user of that process, or give the path of its trace",
            ));
        }
        (maps, files) => (maps.unwrap_or_default(), files),
    };
    let mapped = maps.lines().filter_map(mapped_file);
    let open = files.into_iter().flatten().flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    let candidates: BTreeSet<PathBuf> = mapped.chain(open).filter(|path| path.is_absolute()).collect();
    // Several are possible after a fork; the one made last is the process's own.
    let traces = candidates.into_iter().filter(|path| is_trace(path));
    let newest = traces.max_by_key(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok());
    newest.ok_or_else(|| {
        Failure::input(
            format!("process {pid} records nothing"),
            "start it with `lockscope run -- PROGRAM`, or with LOCKSCOPE=record=auto in its environment; \
             without debug assertions it needs the feature `force`",
        )
    })
}

/// The file of a line of `/proc/PID/maps`: the sixth field, which may contain spaces.
fn mapped_file(line: &str) -> Option<PathBuf> {
    let at = line.find('/')?;
    let path = &line[at..];
    (!path.ends_with(" (deleted)")).then(|| PathBuf::from(path))
}

fn is_trace(path: &Path) -> bool {
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut first = [0; MAGIC.len()];
    // Devices and pipes among the open files would block or change when read.
    is_file && File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok() && first == MAGIC
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit;

    /// A process directory as the kernel shows it, with one mapped file.
    fn proc(mapped: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let file = dir.path().join("a trace.lks");
        fs::write(&file, mapped).expect("a file");
        fs::create_dir_all(dir.path().join("7/fd")).expect("a directory");
        let maps = format!("7f00-7f01 r-xp 00000000 00:00 0 \n7f01-7f02 rw-s 00000000 08:01 42  {}\n", file.display());
        fs::write(dir.path().join("7/maps"), maps).expect("a file");
        (dir, file)
    }

    #[test]
    fn the_mapped_trace_is_found() {
        let (dir, file) = proc(b"LOCKSCOP and more");
        assert_eq!(trace_below(dir.path(), 7).expect("it is there"), file);
    }

    #[test]
    fn processes_without_a_trace_are_told_apart() {
        let (dir, _) = proc(b"something else");
        let none = trace_below(dir.path(), 7).expect_err("no trace is mapped");
        assert_eq!((none.exit_code(), none.to_string().contains("records nothing")), (exit::INPUT, true));
        let gone = trace_below(dir.path(), 8).expect_err("no such process");
        assert_eq!((gone.exit_code(), gone.to_string().contains("there is no process 8")), (exit::USAGE, true));
    }
}
