//! The program that is recorded: started, waited for, its end turned into an exit code.

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};

use crate::cli::{
    Failure, exit,
    run::environment::{RUN_VARIABLE, Recording, VARIABLE},
};

/// Runs the program to its end.
pub fn run(command: &[OsString], recording: &Recording) -> Result<ExitStatus, Failure> {
    // Before the program starts, so that no signal comes in between.
    let signals = watch()?;
    let child = start(command, recording, &mut Command::new(&command[0]))?;
    wait(child, signals)
}

/// Waits for a program that was started before.
pub fn finish(child: Child) -> Result<ExitStatus, Failure> {
    let signals = watch()?;
    wait(child, signals)
}

/// Watches for the signals that ask to end, which do not end this program from now on.
pub fn watch() -> Result<Signals, Failure> {
    let signals = Signals::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP]);
    signals.map_err(|error| Failure::input(format!("cannot watch for signals: {error}"), ""))
}

/// Starts the program as `prepared` says, with its arguments and its configuration.
pub fn start(command: &[OsString], recording: &Recording, prepared: &mut Command) -> Result<Child, Failure> {
    prepared.args(&command[1..]).env(VARIABLE, &recording.variable).env(RUN_VARIABLE, recording.run.to_string());
    prepared.spawn().map_err(|error| {
        let name = command[0].to_string_lossy();
        let (exit, help) = match error.kind() {
            io::ErrorKind::NotFound if name.contains('/') => (exit::NOT_FOUND, "build it first, or check the path"),
            io::ErrorKind::NotFound => (exit::NOT_FOUND, "it is not in PATH; for a file here write ./NAME"),
            _ => (exit::NOT_EXECUTABLE, ""),
        };
        Failure::Message { exit, message: format!("cannot start {name}: {error}"), help: help.to_owned() }
    })
}

/// Waits for the program. Ctrl-C reaches it by itself, since it is in the same process group; what is sent to this
/// process alone is passed on. Either way there is a report afterwards.
fn wait(mut child: Child, mut signals: Signals) -> Result<ExitStatus, Failure> {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    let handle = signals.handle();
    let forwarder = std::thread::spawn(move || {
        for signal in signals.forever() {
            let passed_on = match signal {
                SIGTERM => rustix::process::Signal::TERM,
                SIGHUP => rustix::process::Signal::HUP,
                _ => continue,
            };
            if let Some(pid) = pid {
                // It may have ended at this moment, and then there is nobody to tell.
                let _ = rustix::process::kill_process(pid, passed_on);
            }
        }
    });
    let status = child.wait();
    handle.close();
    let _ = forwarder.join();
    status.map_err(|error| Failure::input(format!("cannot wait for the program: {error}"), ""))
}

/// The exit code of the program, as shells say it.
pub fn exit_code(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(u8::MAX),
        (None, Some(signal)) => exit::signal(signal),
        (None, None) => u8::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_become_exit_codes() {
        for (raw, expected) in [(0, 0), (1 << 8, 1), (66 << 8, 66), (9, 137), (2, 130)] {
            assert_eq!(exit_code(ExitStatus::from_raw(raw)), expected);
        }
    }
}
