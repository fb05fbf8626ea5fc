//! Lines of a text of any size, in bounded memory.

use std::io::{self, Read};

use super::bytes;

/// Longest line that is accepted. No recorder comes near it, and what has no line ends at all is not a trace.
const LONGEST: usize = 64 << 10;

/// Splits what a reader yields at line feeds.
pub(super) struct Lines {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    /// The line handed out last, from 1.
    number: u64,
}

/// The next line, or why there is none.
pub(super) enum Next {
    /// Bytes `start..end` of the buffer are a line; see [`Lines::line`].
    Line(usize, usize),
    TooLong,
    End,
}

impl Lines {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Lines { input, buffer: vec![0; 4 * LONGEST], start: 0, end: 0, ended: false, number: 0 }
    }

    /// Number of the line handed out last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The first bytes, as many as one read of the buffer's size yields, without taking them.
    pub(super) fn head(&mut self) -> io::Result<&[u8]> {
        while !self.ended && self.end - self.start < LONGEST {
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Everything that is left.
    pub(super) fn into_read(mut self) -> impl Read + Send {
        self.buffer.truncate(self.end);
        let mut taken = io::Cursor::new(self.buffer);
        taken.set_position(self.start as u64);
        taken.chain(self.input)
    }

    /// Everything that is left, at most `limit` bytes; `None` when there is more.
    pub(super) fn rest(self, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        self.into_read().take(limit + 1).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= limit).then_some(bytes))
    }

    /// Takes `count` bytes away from the beginning.
    pub(super) fn skip(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Finds the next line. The last one counts without its line feed, too.
    #[inline]
    pub(super) fn next(&mut self) -> io::Result<Next> {
        let mut searched = self.start;
        loop {
            if let Some(length) = bytes::find(&self.buffer[searched..self.end], b'\n') {
                let (start, end) = (self.start, searched + length);
                self.start = end + 1;
                self.number += 1;
                return Ok(Next::Line(start, end));
            }
            if self.end - self.start > LONGEST {
                self.number += 1;
                return Ok(Next::TooLong);
            }
            if self.ended {
                if self.start == self.end {
                    return Ok(Next::End);
                }
                let (start, end) = (self.start, self.end);
                self.start = self.end;
                self.number += 1;
                return Ok(Next::Line(start, end));
            }
            let pending = self.end - self.start;
            self.fill()?;
            searched = self.start + pending;
        }
    }

    /// The bytes of a line that [`next`](Self::next) found, valid until it is called again.
    pub(super) fn line(&self, start: usize, end: usize) -> &[u8] {
        let line = &self.buffer[start..end];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let read = loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.end += read;
        self.ended = read == 0;
        Ok(())
    }
}
