//! Lets the screen's thread sleep until there is something to do: a key, a new size of the terminal, or news of the trace.
//!
//! Without this it would have to look at both again and again, and wake up a machine that nobody looks at.

use std::{
    io::{self, Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    sync::Arc,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use signal_hook::{
    SigId,
    consts::SIGWINCH,
    low_level::{pipe, unregister},
};

/// Wakes up who sleeps on the other end, when it is rung and when it is dropped. One without another end rings for nobody.
#[derive(Clone, Debug, Default)]
pub struct Bell(Option<Arc<UnixStream>>);

impl Bell {
    /// Rings. Several rings before the sleeper has heard the first are one.
    pub fn ring(&self) {
        // A full pipe has not been heard yet, and one without another end is nobody's.
        let _ = self.0.as_deref().map(|mut pipe| pipe.write(&[0]));
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.ring();
    }
}

/// Where bells are heard.
#[derive(Debug)]
pub struct Sleeper {
    heard: UnixStream,
    resize: Option<SigId>,
}

/// A bell, and where it is heard.
pub fn pair() -> io::Result<(Bell, Sleeper)> {
    let (heard, bell) = UnixStream::pair()?;
    heard.set_nonblocking(true)?;
    bell.set_nonblocking(true)?;
    Ok((Bell(Some(Arc::new(bell))), Sleeper { heard, resize: None }))
}

impl Sleeper {
    /// New sizes of the terminal are heard as well.
    ///
    /// To be called when whoever tells the size listens to the signal already: actions of a signal run in the order in which
    /// they were registered, so that there is something to be told when this one wakes up.
    pub fn hear_resizes(&mut self, bell: &Bell) -> io::Result<()> {
        if let (Some(pipe), None) = (&bell.0, self.resize) {
            self.resize = Some(pipe::register(SIGWINCH, pipe.try_clone()?)?);
        }
        Ok(())
    }

    /// Sleeps until there is input, a bell rings, or the time is over. Whether there is input.
    ///
    /// # Errors
    ///
    /// The terminal is gone.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        let stdin = io::stdin();
        let input = stdin.as_fd();
        let mut polled = [PollFd::new(&input, PollFlags::IN), PollFd::new(&self.heard, PollFlags::IN)];
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) => {}
            // A signal: whoever waits looks again.
            Err(Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let [input, rung] = polled.map(|polled| polled.revents());
        if rung.contains(PollFlags::IN) {
            let mut rings = [0; 256];
            while self.heard.read(&mut rings).is_ok_and(|n| n == rings.len()) {}
        }
        let has_input = input.contains(PollFlags::IN);
        if !has_input && input.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is gone"));
        }
        Ok(has_input)
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.resize.map(unregister);
    }
}
