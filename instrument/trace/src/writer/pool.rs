//! Which chunks are free, and for what.

use super::TraceWriter;

/// What the pool's lock protects.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) file: std::fs::File,
    /// Chunks that have been handed out or made ready at least once.
    pub(super) used: u32,
    /// Chunks whose disk space is reserved.
    pub(super) reserved: u32,
    /// Those that hold definitions, for good.
    pub(super) definitions: u32,
    /// Chunks that fit below the limit.
    pub(super) limit: u32,
    /// Partly filled chunks of threads that ended, to be continued by others.
    pub(super) open: List,
    /// Full chunks with events, oldest first.
    pub(super) sealed: List,
    /// Chunks for events whose pages are in memory and that nobody needs any more; see `ahead`.
    pub(super) ready: List,
    /// How many of those there should be.
    pub(super) stock: u32,
}

impl Pool {
    pub(super) fn new(file: std::fs::File, limit: u32) -> Self {
        let [open, sealed, ready] = [const { List::new() }; 3];
        Self { file, used: 0, reserved: 1, definitions: 0, limit, open, sealed, ready, stock: 2 }
    }

    /// How many chunks to reserve next. Steps grow with the file, so that short runs stay small and long ones rarely call the system.
    pub(super) fn step(&self) -> u32 {
        (self.reserved / 2).clamp(3, 64).min(self.limit - self.reserved)
    }
}

/// Chunks in a row, linked through their headers: taking and giving back a chunk allocates nothing, since it may happen
/// while the program holds its allocator's lock.
#[derive(Debug)]
pub(super) struct List {
    first: Option<u32>,
    last: Option<u32>,
    len: u32,
}

impl List {
    const fn new() -> Self {
        Self { first: None, last: None, len: 0 }
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }

    pub(super) fn first(&self) -> Option<u32> {
        self.first
    }

    pub(super) fn push(&mut self, writer: &TraceWriter, index: u32) {
        writer.chunk(index).set_next(None);
        match self.last.replace(index) {
            Some(last) => writer.chunk(last).set_next(Some(index)),
            None => self.first = Some(index),
        }
        self.len += 1;
    }

    pub(super) fn pop(&mut self, writer: &TraceWriter, pool_used: u32) -> Option<u32> {
        let first = self.first.take()?;
        // Bounded, should anybody else have written to the file.
        self.first = writer.chunk(first).next().filter(|&next| next < pool_used);
        self.len = self.len.saturating_sub(1);
        if self.first.is_none() {
            (self.last, self.len) = (None, 0);
        }
        Some(first)
    }
}
