//! Vector clocks, as rows of one table, and epochs.
//!
//! A clock says how much of each thread's life is past: all that the thread did before its time there. Clocks are dense, since ids of
//! threads are, and lie side by side in one allocation, so that taking one and giving it back costs nothing. Where there are many threads
//! they become trees that share what they have in common ([`tree`]).

pub(crate) mod tree;

use lockscope_trace::ThreadId;

use self::tree::{Tree, Trees};

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
    #[inline]
    pub fn is_past(self, clock: Past<'_>) -> bool {
        self.time() <= clock.time(self.thread())
    }
}

/// What a clock says.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// By thread, as far as they are dense.
    times: &'a [u32],
    /// Where there are many threads, all of it.
    tree: Option<(&'a Trees, Tree)>,
}

impl<'a> Past<'a> {
    /// Nothing is past.
    pub const NOTHING: Past<'static> = Past { times: &[], tree: None };

    /// The times of the first threads.
    #[cfg(test)]
    pub fn of(times: &'a [u32]) -> Self {
        Past { times, tree: None }
    }

    /// How much of the thread's life is past. 0 for threads that came after the clock was made.
    #[inline]
    pub fn time(self, thread: ThreadId) -> u32 {
        match self.times.get(thread.0 as usize) {
            Some(&time) => time,
            None => self.time_in_tree(thread),
        }
    }

    #[inline(never)]
    fn time_in_tree(self, thread: ThreadId) -> u32 {
        self.tree.map_or(0, |(trees, tree)| trees.get(tree, thread.0))
    }

    /// The times of the first threads, where they are side by side.
    #[inline]
    pub fn times(self) -> &'a [u32] {
        self.times
    }

    /// Whether all that is past is so for the other one, too.
    #[inline]
    pub fn is_within(self, other: Past<'_>) -> bool {
        if let Some((trees, tree)) = self.tree {
            return trees.all(tree, |thread, time| time <= other.time(ThreadId(thread)));
        }
        let n_known = self.times.len().min(other.times.len());
        self.times.iter().zip(other.times).fold(true, |all, (time, other)| all & (time <= other))
            && (n_known..self.times.len()).all(|thread| self.times[thread] <= other.time(ThreadId(thread as u32)))
    }
}

/// A clock in a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row(u32);

/// Clocks of as many threads as there are.
#[derive(Clone, Debug)]
pub struct Clocks {
    /// Entries of a row: a power of two, at least the number of threads; 0 once there are too many.
    stride: usize,
    times: Vec<u32>,
    /// Clocks of many threads.
    wide: Option<Box<Wide>>,
    free: Vec<Row>,
}

/// Clocks as trees.
#[derive(Clone, Debug, Default)]
struct Wide {
    trees: Trees,
    rows: Vec<Tree>,
}

/// Threads that there is room for from the beginning.
const FIRST_STRIDE: usize = 8;
/// Most threads whose times lie side by side. Of more, copying them costs more than following trees.
pub const MOST_DENSE: usize = 128;

impl Default for Clocks {
    fn default() -> Self {
        Clocks { stride: FIRST_STRIDE, times: Vec::new(), wide: None, free: Vec::new() }
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
        let count = self.wide.as_ref().map_or_else(|| self.times.len() / self.stride.max(1), |wide| wide.rows.len());
        match u32::try_from(count) {
            Ok(number) => {
                match &mut self.wide {
                    Some(wide) => wide.rows.push(Tree::ZERO),
                    None => self.times.resize(self.times.len() + self.stride, 0),
                }
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
        if let Some(wide) = &mut self.wide {
            wide.rows[row.0 as usize] = Tree::ZERO;
        }
        self.free.push(row);
    }

    /// Makes room for a thread.
    #[inline]
    pub fn widen(&mut self, thread: ThreadId) {
        let needed = thread.0 as usize + 1;
        if needed > self.stride && self.wide.is_none() {
            self.widen_to(needed);
        }
    }

    #[cold]
    fn widen_to(&mut self, needed: usize) {
        let rows = self.times.chunks_exact(self.stride);
        if needed > MOST_DENSE {
            let mut wide = Wide::default();
            for row in rows {
                let set = (0..).zip(row).filter(|(_, time)| **time != 0);
                let tree = set.fold(Tree::ZERO, |tree, (thread, &time)| wide.trees.set(tree, thread, time));
                wide.rows.push(tree);
            }
            wide.sweep_if_due();
            (self.stride, self.times, self.wide) = (0, Vec::new(), Some(Box::new(wide)));
            return;
        }
        let stride = needed.next_power_of_two();
        let mut times = vec![0; rows.len() * stride];
        for (wide, narrow) in times.chunks_exact_mut(stride).zip(rows) {
            wide[..self.stride].copy_from_slice(narrow);
        }
        (self.stride, self.times) = (stride, times);
    }

    /// What a clock says.
    #[inline]
    pub fn get(&self, row: Row) -> Past<'_> {
        match &self.wide {
            None => Past { times: &self.times[row.0 as usize * self.stride..][..self.stride], tree: None },
            Some(wide) => Past { times: &[], tree: Some((&wide.trees, wide.rows[row.0 as usize])) },
        }
    }

    /// Sets one time of a clock, of a thread that there is room for.
    #[inline]
    pub fn set(&mut self, row: Row, thread: ThreadId, time: u32) {
        match &mut self.wide {
            None => self.times[row.0 as usize * self.stride + thread.0 as usize] = time,
            Some(wide) => wide.change(row, |trees, tree| trees.set(tree, thread.0, time)),
        }
    }

    /// Everything that is past for `of` is past for `row` as well.
    #[inline]
    pub fn join(&mut self, row: Row, of: Row) {
        if row == of {
            return;
        }
        if let Some(wide) = &mut self.wide {
            let of = wide.rows[of.0 as usize];
            return wide.change(row, |trees, tree| trees.join(tree, of));
        }
        let (into, from) = self.pair(row, of);
        for (time, other) in into.iter_mut().zip(from) {
            *time = (*time).max(*other);
        }
    }

    /// `row` becomes equal to `of`.
    #[inline]
    pub fn copy(&mut self, row: Row, of: Row) {
        if let Some(wide) = &mut self.wide {
            wide.rows[row.0 as usize] = wide.rows[of.0 as usize];
            return;
        }
        let start = of.0 as usize * self.stride;
        self.times.copy_within(start..start + self.stride, row.0 as usize * self.stride);
    }

    /// Nothing is past any more.
    pub fn clear(&mut self, row: Row) {
        if let Some(wide) = &mut self.wide {
            wide.rows[row.0 as usize] = Tree::ZERO;
            return;
        }
        let start = row.0 as usize * self.stride;
        self.times[start..start + self.stride].fill(0);
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> u64 {
        let wide =
            self.wide.as_ref().map_or(0, |wide| wide.trees.bytes() + (wide.rows.capacity() * size_of::<Tree>()) as u64);
        wide + (self.times.capacity() * size_of::<u32>() + self.free.capacity() * size_of::<Row>()) as u64
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

impl Wide {
    #[inline(never)]
    fn change(&mut self, row: Row, change: impl FnOnce(&mut Trees, Tree) -> Tree) {
        let row = &mut self.rows[row.0 as usize];
        *row = change(&mut self.trees, *row);
        self.sweep_if_due();
    }

    fn sweep_if_due(&mut self) {
        if self.trees.is_sweep_due() {
            self.trees.sweep(self.rows.iter().copied());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(clocks: &Clocks, row: Row, threads: [u32; 4]) -> [u32; 4] {
        threads.map(|thread| clocks.get(row).time(ThreadId(thread)))
    }

    /// Checks that clocks go on as they were when there is a thread more.
    fn check_widened(to: u32) {
        let mut clocks = Clocks::default();
        let (a, b) = (clocks.make(), clocks.make());
        clocks.set(a, ThreadId(0), 3);
        clocks.set(b, ThreadId(7), 5);
        assert!(!clocks.get(a).is_within(clocks.get(b)));
        clocks.widen(ThreadId(to));
        clocks.set(b, ThreadId(to), 9);
        assert!(!clocks.get(a).is_within(clocks.get(b)));
        clocks.join(a, b);
        assert_eq!(times(&clocks, a, [0, 7, to, 1]), [3, 5, 9, 0]);
        assert_eq!(times(&clocks, b, [0, 7, to, 1]), [0, 5, 9, 0]);
        assert!(clocks.get(b).is_within(clocks.get(a)) && !clocks.get(a).is_within(clocks.get(b)));
        let copy = clocks.make_copy(b);
        clocks.clear(b);
        assert_eq!(times(&clocks, copy, [0, 7, to, 1]), [0, 5, 9, 0]);
        clocks.free(a);
        let again = clocks.make();
        assert!(again == a && clocks.get(again).is_within(Past::NOTHING));
        assert_eq!(clocks.make(), Row(3));
    }

    #[test]
    fn clocks_keep_their_times_when_they_widen() {
        [8, 100, 127, 128, 5000, 100_000].into_iter().for_each(check_widened);
    }

    #[test]
    fn clocks_of_many_threads_take_what_they_differ_in() {
        let mut clocks = Clocks::default();
        clocks.widen(ThreadId(50_000));
        let mut last = clocks.make();
        for thread in 0..20_000 {
            // Each thread knows of all before it, and goes on for a while.
            last = clocks.make_copy(last);
            (1..5).for_each(|time| clocks.set(last, ThreadId(thread), time));
        }
        assert!(clocks.bytes() < 50 << 20, "{} bytes", clocks.bytes());
        assert_eq!(times(&clocks, last, [0, 12_345, 19_999, 20_000]), [4, 4, 4, 0]);
    }

    #[test]
    fn epochs_are_past_up_to_their_time() {
        let epoch = Epoch::new(ThreadId(2), 4);
        assert_eq!((epoch.thread(), epoch.time()), (ThreadId(2), 4));
        let is_past = |times: &[u32]| epoch.is_past(Past::of(times));
        assert!(is_past(&[0, 0, 4]) && is_past(&[0, 0, 5]));
        assert!(!is_past(&[9, 9, 3, 9]) && !is_past(&[9]));
        assert!(Epoch::NEVER.is_past(Past::NOTHING));
    }
}
