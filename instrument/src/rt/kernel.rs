//! What the kernel says of this process' threads: who sleeps, in what, and whether it slept all the time.
//!
//! A thread that was woken is runnable at once, whether it has run or not: waking it is what made it so. So a thread that
//! sleeps was not woken. That holds for the moment of looking; that a thread slept *between* two looks is known from
//! how often it was given a processor (`schedstat`), or where that is not counted from how often it was taken off one.
//!
//! A thread in a futex wait without a time limit is woken by a thread of this process, or not at all: by `FUTEX_WAKE` on an
//! address that only this process has (the private flag), or by the end of the thread that it joins, which glibc waits for on that
//! thread's number. The one exception are handlers of signals, see [`has_signal_handlers`].
//!
//! All of this is read from `/proc/self`, which a process may do for its own threads whatever `ptrace_scope` says. Where it is not
//! there, nothing is known.

use std::{fs::File, io::Read};

/// Where a thread is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rest {
    /// It runs, could run, sleeps for a while, or waits for something from outside, such as input.
    None,
    /// In a futex wait with a time limit.
    Limited,
    /// In a futex wait that only a thread of this process can end.
    Endless,
    /// It waits for the end of the thread with this number.
    Joins(u32),
}

/// A look at a thread. Two that are equal mean that it has not run in between, unless it rests in `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Look {
    pub rest: Rest,
    /// How often it was given a processor.
    runs: u64,
    /// How often it was taken off one.
    stops: u64,
    /// Address and value of the futex.
    futex: (u64, u64),
}

/// Numbers of all threads of this process. `None` when they cannot be read.
pub(super) fn tasks() -> Option<Vec<u32>> {
    let entries = std::fs::read_dir("/proc/self/task").ok()?;
    entries.map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// Looks at a thread. `None` when it has ended, or nothing can be read.
pub(super) fn look(task: u32) -> Option<Look> {
    let mut buffer = [0; 4096];
    let status = read(task, "status", &mut buffer)?;
    let field = |name| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let count = |name| field(name).and_then(|value| value.trim().parse::<u64>().ok());
    let sleeps = match field("State")?.trim().chars().next()? {
        'Z' | 'X' => return None,
        state => state == 'S',
    };
    let stops = count("voluntary_ctxt_switches")? + count("nonvoluntary_ctxt_switches")?;
    let runs = read(task, "schedstat", &mut buffer)
        .and_then(|text| text.split_ascii_whitespace().nth(2)?.parse().ok())
        .unwrap_or_default();
    let (rest, futex) = match read(task, "syscall", &mut buffer).and_then(parse_syscall) {
        Some((rest, futex)) if sleeps => (rest, futex),
        _ => (Rest::None, (0, 0)),
    };
    Some(Look { rest, runs, stops, futex })
}

/// How long a thread was on a processor, in ns. `None` when that is not counted.
pub(super) fn processor_time(task: u32) -> Option<u64> {
    let mut buffer = [0; 128];
    read(task, "schedstat", &mut buffer)?.split_ascii_whitespace().next()?.parse().ok()
}

fn read<'a>(task: u32, file: &str, buffer: &'a mut [u8]) -> Option<&'a str> {
    let mut file = File::open(format!("/proc/self/task/{task}/{file}")).ok()?;
    let mut len = 0;
    while len < buffer.len() {
        match file.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    std::str::from_utf8(&buffer[..len]).ok()
}

/// A thread's system call: `NUMBER ARGUMENT...`, the arguments in hexadecimal, or `running`.
fn parse_syscall(text: &str) -> Option<(Rest, (u64, u64))> {
    let mut words = text.split_ascii_whitespace();
    if words.next()?.parse::<libc::c_long>().ok()? != libc::SYS_futex {
        return None;
    }
    let mut argument = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    let (address, operation, value, limit) = (argument()?, argument()? as i32, argument()?, argument()?);
    let is_private = operation & libc::FUTEX_PRIVATE_FLAG != 0;
    let waits =
        matches!(operation & libc::FUTEX_CMD_MASK, libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET | libc::FUTEX_LOCK_PI);
    let rest = match (waits, limit, is_private) {
        (false, ..) => return None,
        (true, 0, true) => Rest::Endless,
        // The kernel clears the number of a thread that has ended and wakes whoever waits there: `pthread_join`.
        (true, 0, false) => Rest::Joins(value as u32),
        (true, _, _) => Rest::Limited,
    };
    Some((rest, (address, value)))
}

/// Whether the process handles signals that others may send. A handler could wake a thread that no thread would.
///
/// Not counted are the handlers of faults, which std installs to notice that a stack overflows, and glibc's own.
pub(super) fn has_signal_handlers() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return true };
    let caught = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigCgt:")?.trim(), 16).ok());
    // glibc uses 32 to cancel threads and 33 to change their user ids.
    let harmless = [libc::SIGSEGV, libc::SIGBUS, 32, 33].iter().fold(0u64, |set, signal| set | 1 << (signal - 1));
    caught.is_none_or(|caught| caught & !harmless != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn system_calls_are_told_apart() {
        let check = |text, rest| assert_eq!(parse_syscall(text).map(|(rest, _)| rest), rest, "{text}");
        check("202 0x7f2dd0 0x89 0xffffffff 0x0 0x0 0xffffffff 0x7f2cca 0x7f5338", Some(Rest::Endless));
        check("202 0x7f2dd0 0x80 0x2 0x0 0x0 0x0 0x7f2cca 0x7f5338", Some(Rest::Endless));
        check("202 0x7f2d64 0x89 0x0 0x7f2d00 0x0 0xffffffff 0x7f2ce8 0x7f5338", Some(Rest::Limited));
        check("202 0x7f2990 0x109 0x5d0e 0x0 0x0 0xffffffff 0x7f2b60 0x7f7f16", Some(Rest::Joins(0x5d0e)));
        // Wakes, sleeps, reads, runs, is stopped outside of any call.
        check("202 0x7f2990 0x81 0x1 0x0 0x0 0x0 0x7f2b60 0x7f7f16", None);
        check("230 0x1 0x0 0x7f2d38 0x7f2d38 0x0 0x0 0x7f2d00 0x7f1545", None);
        check("0 0x4 0x7f27b0 0x20 0xfff 0x0 0x10 0x7f2780 0x7fa2ec", None);
        check("running", None);
        check("-1 0x7f2780 0x7fa2ec", None);
        check("", None);
    }

    #[test]
    fn a_thread_that_sleeps_is_seen_to() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let (to_end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            // SAFETY: takes nothing, touches nothing.
            sender.send(unsafe { libc::gettid() } as u32).unwrap();
            ended.recv().unwrap_err();
        });
        let task = receiver.recv().unwrap();
        assert!(tasks().unwrap().contains(&task));
        let asleep = loop {
            match look(task).unwrap() {
                look if look.rest == Rest::Endless => break look,
                _ => std::thread::yield_now(),
            }
        };
        assert_eq!(look(task), Some(asleep));
        // This thread is awake.
        // SAFETY: as above.
        assert_eq!(look(unsafe { libc::gettid() } as u32).unwrap().rest, Rest::None);
        drop(to_end);
        thread.join().unwrap();
        while look(task).is_some() {
            std::thread::yield_now();
        }
    }
}
