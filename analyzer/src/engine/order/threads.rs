//! The clock of each thread, and what spawns and joins do.

use lockscope_trace::ThreadId;

use super::super::clock::{Clocks, Epoch, Row};

/// Threads so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Threads(Vec<Thread>);

/// A thread that acted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Thread {
    /// Its clock; `None` before its first event, and after it was joined.
    row: Option<Row>,
    /// Its own time; 0 before its first event.
    pub time: u32,
    /// It said that it sends, and may wait for room since.
    pub is_sending: bool,
}

impl Threads {
    /// The thread does something.
    #[inline]
    pub fn enter(&mut self, clocks: &mut Clocks, thread: ThreadId) -> Thread {
        match self.0.get(thread.0 as usize) {
            Some(&known) if known.row.is_some() => known,
            _ => self.begin(clocks, thread),
        }
    }

    #[cold]
    fn begin(&mut self, clocks: &mut Clocks, thread: ThreadId) -> Thread {
        clocks.widen(thread);
        let index = thread.0 as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, Thread::default());
        }
        let begun = &mut self.0[index];
        if begun.row.is_none() {
            let row = clocks.make();
            // A thread that acts after it was joined goes on with its own life, whatever else it knew.
            begun.time = begun.time.saturating_add(1);
            begun.row = Some(row);
            clocks.set(row, thread, begun.time);
        }
        *begun
    }

    /// Its clock, of a thread that acted.
    #[inline]
    pub fn row(&self, thread: ThreadId) -> Row {
        self.0[thread.0 as usize].row.expect("the thread acted")
    }

    /// Its time, of a thread that acted.
    #[inline]
    pub fn now(&self, thread: ThreadId) -> Epoch {
        Epoch::new(thread, self.0[thread.0 as usize].time)
    }

    /// A new time of the thread begins: it gave something away, and what it does now is not part of that.
    #[inline]
    pub fn tick(&mut self, clocks: &mut Clocks, thread: ThreadId) {
        let this = &mut self.0[thread.0 as usize];
        // After four thousand million times they stop, and more seems ordered than is.
        this.time = this.time.saturating_add(1);
        clocks.set(this.row.expect("the thread acted"), thread, this.time);
    }

    pub fn set_sending(&mut self, thread: ThreadId, is_sending: bool) {
        self.0[thread.0 as usize].is_sending = is_sending;
    }

    pub fn spawn(&mut self, clocks: &mut Clocks, me: ThreadId, child: ThreadId) {
        if child != me {
            self.enter(clocks, child);
            clocks.join(self.row(child), self.row(me));
            self.tick(clocks, me);
        }
    }

    pub fn join(&mut self, clocks: &mut Clocks, me: ThreadId, child: ThreadId) {
        if child == me {
            return;
        }
        self.enter(clocks, child);
        let row = self.row(child);
        clocks.join(self.row(me), row);
        // It does nothing more.
        clocks.free(row);
        self.0[child.0 as usize].row = None;
    }

    pub fn bytes(&self) -> u64 {
        (self.0.capacity() * size_of::<Thread>()) as u64
    }
}
