//! Vector clocks, as rows of one table, and epochs.
//!
//! A clock says how much of each thread's life is past: all that the thread did before its time there. Clocks are dense, since ids of
//! threads are, and lie side by side in one allocation, so that taking one and giving it back costs nothing.

use lockscope_trace::ThreadId;

/// A thread and a time of its own, in a word. Times begin at 1; 0 is before everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Epoch(u64);

impl Epoch {
    /// Before everything.
    pub const NEVER: Epoch = Epoch(0);

    /// Not a time: a mark. No thread has this id.
    pub const SEVERAL: Epoch = Epoch(u64::MAX);

    /// A time of a thread.
    pub fn new(thread: ThreadId, time: u32) -> Self {
        Epoch(u64::from(thread.0) << 32 | u64::from(time))
    }

    /// Whose time it is.
    pub fn thread(self) -> ThreadId {
        ThreadId((self.0 >> 32) as u32)
    }

    /// The time.
    pub fn time(self) -> u32 {
        self.0 as u32
    }

    /// Whether it is past according to a clock.
    pub fn is_past(self, clock: &[u32]) -> bool {
        // Threads that came after the clock was made are not in it.
        self.time() <= clock.get(self.thread().0 as usize).copied().unwrap_or(0)
    }
}

/// A clock in a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row(u32);

/// Clocks of equal length.
#[derive(Clone, Debug)]
pub struct Clocks {
    /// Entries of a row: a power of two, at least the number of threads.
    stride: usize,
    times: Vec<u32>,
    free: Vec<Row>,
}

/// Threads that there is room for from the beginning.
const FIRST_STRIDE: usize = 8;

impl Default for Clocks {
    fn default() -> Self {
        Clocks { stride: FIRST_STRIDE, times: Vec::new(), free: Vec::new() }
    }
}

impl Clocks {
    /// A row of zeros. Of a table with so many rows that their numbers are used up, the last one is shared: then more seems ordered
    /// than is.
    pub fn make(&mut self) -> Row {
        if let Some(row) = self.free.pop() {
            self.clear(row);
            return row;
        }
        let count = self.times.len() / self.stride;
        match u32::try_from(count) {
            Ok(number) => {
                self.times.resize(self.times.len() + self.stride, 0);
                Row(number)
            }
            Err(_) => Row(u32::MAX),
        }
    }

    /// A row that equals another one.
    pub fn make_copy(&mut self, of: Row) -> Row {
        let row = self.make();
        self.copy(row, of);
        row
    }

    /// Gives a row back.
    pub fn free(&mut self, row: Row) {
        self.free.push(row);
    }

    /// Makes room for a thread.
    pub fn widen(&mut self, thread: ThreadId) {
        let needed = thread.0 as usize + 1;
        if needed <= self.stride {
            return;
        }
        let stride = needed.next_power_of_two();
        let count = self.times.len() / self.stride;
        let mut times = vec![0; count * stride];
        for (wide, narrow) in times.chunks_exact_mut(stride).zip(self.times.chunks_exact(self.stride)) {
            wide[..self.stride].copy_from_slice(narrow);
        }
        (self.stride, self.times) = (stride, times);
    }

    /// The times of a clock.
    #[inline]
    pub fn get(&self, row: Row) -> &[u32] {
        &self.times[row.0 as usize * self.stride..][..self.stride]
    }

    /// Sets one time of a clock.
    #[inline]
    pub fn set(&mut self, row: Row, thread: ThreadId, time: u32) {
        self.times[row.0 as usize * self.stride + thread.0 as usize] = time;
    }

    /// Everything that is past for `of` is past for `row` as well.
    #[inline]
    pub fn join(&mut self, row: Row, of: Row) {
        if row == of {
            return;
        }
        let (into, from) = self.pair(row, of);
        for (time, other) in into.iter_mut().zip(from) {
            *time = (*time).max(*other);
        }
    }

    /// `row` becomes equal to `of`.
    #[inline]
    pub fn copy(&mut self, row: Row, of: Row) {
        let start = of.0 as usize * self.stride;
        self.times.copy_within(start..start + self.stride, row.0 as usize * self.stride);
    }

    /// Nothing is past any more.
    pub fn clear(&mut self, row: Row) {
        let start = row.0 as usize * self.stride;
        self.times[start..start + self.stride].fill(0);
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> u64 {
        (self.times.capacity() * size_of::<u32>() + self.free.capacity() * size_of::<Row>()) as u64
    }

    fn pair(&mut self, row: Row, of: Row) -> (&mut [u32], &[u32]) {
        let (into, from) = (row.0 as usize * self.stride, of.0 as usize * self.stride);
        if into < from {
            let (head, tail) = self.times.split_at_mut(from);
            (&mut head[into..into + self.stride], &tail[..self.stride])
        } else {
            let (head, tail) = self.times.split_at_mut(into);
            (&mut tail[..self.stride], &head[from..from + self.stride])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_keep_their_times_when_they_widen() {
        let mut clocks = Clocks::default();
        let (a, b) = (clocks.make(), clocks.make());
        clocks.set(a, ThreadId(0), 3);
        clocks.set(b, ThreadId(7), 5);
        clocks.widen(ThreadId(100));
        clocks.set(b, ThreadId(100), 9);
        clocks.join(a, b);
        assert_eq!([0, 7, 100, 1].map(|thread| clocks.get(a)[thread]), [3, 5, 9, 0]);
        assert_eq!(clocks.get(b)[0], 0);
        clocks.free(a);
        let again = clocks.make();
        assert!(again == a && clocks.get(again).iter().all(|&time| time == 0));
    }

    #[test]
    fn epochs_are_past_up_to_their_time() {
        let epoch = Epoch::new(ThreadId(2), 4);
        assert_eq!((epoch.thread(), epoch.time()), (ThreadId(2), 4));
        assert!(epoch.is_past(&[0, 0, 4]) && epoch.is_past(&[0, 0, 5]));
        assert!(!epoch.is_past(&[9, 9, 3, 9]) && !epoch.is_past(&[9]));
        assert!(Epoch::NEVER.is_past(&[]));
    }
}
