//! Which locks were wanted while which were held, as pairs, each once; and which of them can be in circles.

use lockscope_trace::LockId;
use petgraph::{algo::kosaraju_scc, graph::DiGraph};
use rustc_hash::{FxHashMap, FxHashSet};

/// Pairs of locks: held, wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct LockPairs {
    /// For each of the first locks that were held, which of the first locks were wanted: a bit for each.
    rows: Vec<Option<Box<Row>>>,
    /// All others.
    further: FxHashSet<(u32, u32)>,
    count: usize,
}

/// Locks whose pairs are bits. Few programs have more, and all rows together take two megabytes at most.
const FIRST: usize = 4096;
type Row = [u64; FIRST / 64];

/// The number of the circle's component, of each lock that is in one.
pub(crate) type Components = FxHashMap<LockId, u32>;

impl LockPairs {
    /// Takes a pair in.
    #[inline]
    pub(crate) fn insert(&mut self, held: LockId, wanted: LockId) {
        let (from, to) = (held.0 as usize, wanted.0 as usize);
        if from >= FIRST || to >= FIRST {
            self.count += usize::from(self.further.insert((held.0, wanted.0)));
            return;
        }
        if from >= self.rows.len() {
            self.rows.resize(from + 1, None);
        }
        let row = self.rows[from].get_or_insert_with(|| Box::new([0; FIRST / 64]));
        let (word, bit) = (&mut row[to / 64], 1 << (to % 64));
        self.count += usize::from(*word & bit == 0);
        *word |= bit;
    }

    /// Every pair, in no order that means anything.
    fn each(&self, mut each: impl FnMut(u32, u32)) {
        for (from, row) in (0..).zip(&self.rows) {
            for (word, &bits) in (0..).zip(row.iter().flat_map(|row| row.iter())) {
                let mut bits = bits;
                while bits != 0 {
                    each(from, word * 64 + bits.trailing_zeros());
                    bits &= bits - 1;
                }
            }
        }
        self.further.iter().for_each(|&(from, to)| each(from, to));
    }

    /// The strongly connected components of more than one lock, and locks that lead to themselves.
    ///
    /// Linear in the pairs. Where locks have one order, as in most programs, that is found by looking at each pair twice.
    pub(crate) fn components(&self) -> Components {
        let mut highest = 0;
        self.each(|from, to| highest = highest.max(from).max(to));
        let n_locks = if self.count == 0 { 0 } else { highest as usize + 1 };
        // Nobody wants the first one of an order while holding another one, nor the next one once that is taken away, and so on.
        let mut n_before = vec![0_u32; n_locks];
        self.each(|_, to| n_before[to as usize] += 1);
        let mut further = FxHashMap::<u32, Vec<u32>>::default();
        self.further.iter().for_each(|&(from, to)| further.entry(from).or_default().push(to));
        let mut open: Vec<u32> = (0..n_locks as u32).filter(|&lock| n_before[lock as usize] == 0).collect();
        let mut is_left = vec![true; n_locks];
        while let Some(lock) = open.pop() {
            is_left[lock as usize] = false;
            let mut after = |to: u32| {
                n_before[to as usize] -= 1;
                if n_before[to as usize] == 0 {
                    open.push(to);
                }
            };
            let row = self.rows.get(lock as usize).and_then(Option::as_ref);
            for (word, &bits) in (0..).zip(row.iter().flat_map(|row| row.iter())) {
                let mut bits = bits;
                while bits != 0 {
                    after(word * 64 + bits.trailing_zeros());
                    bits &= bits - 1;
                }
            }
            further.get(&lock).into_iter().flatten().for_each(|&to| after(to));
        }
        let mut edges = Vec::new();
        self.each(|from, to| {
            if is_left[from as usize] && is_left[to as usize] {
                edges.push((from, to));
            }
        });
        edges.sort_unstable();
        let to_itself: Vec<u32> = edges.iter().filter(|(held, lock)| held == lock).map(|&(lock, _)| lock).collect();
        let graph = DiGraph::<(), (), u32>::from_edges(edges);
        let mut components = Components::default();
        for (number, locks) in (0..).zip(kosaraju_scc(&graph)) {
            // A lock that was upgraded leads to itself.
            if locks.len() > 1 || to_itself.binary_search(&(locks[0].index() as u32)).is_ok() {
                components.extend(locks.into_iter().map(|lock| (LockId(lock.index() as u32), number)));
            }
        }
        components
    }

    /// Bytes that are held.
    pub(crate) fn bytes(&self) -> u64 {
        let rows = self.rows.iter().flatten().count() * size_of::<Row>();
        let rows = rows + self.rows.capacity() * size_of::<Option<Box<Row>>>();
        (rows + self.further.capacity() * (size_of::<(u32, u32)>() + 1)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks which locks share a component, each group ascending.
    #[track_caller]
    fn check(pairs: &[(u32, u32)], expected: &[&[u32]]) {
        let mut all = LockPairs::default();
        for &(held, wanted) in pairs.iter().chain(pairs) {
            all.insert(LockId(held), LockId(wanted));
        }
        assert_eq!(all.count, pairs.len(), "each once");
        let mut groups = FxHashMap::<u32, Vec<u32>>::default();
        for (lock, number) in all.components() {
            groups.entry(number).or_default().push(lock.0);
        }
        let mut groups: Vec<Vec<u32>> = groups.into_values().collect();
        groups.iter_mut().for_each(|group| group.sort_unstable());
        groups.sort_unstable();
        assert_eq!(groups, expected, "{pairs:?}");
    }

    #[test]
    fn circles() {
        check(&[], &[]);
        check(&[(0, 1), (1, 2), (0, 2)], &[]);
        check(&[(0, 1), (1, 0)], &[&[0, 1]]);
        check(&[(5, 5)], &[&[5]]);
        // What leads to a circle and what it leads to is not in it.
        check(&[(9, 1), (1, 2), (2, 3), (3, 1), (3, 4), (4, 5), (6, 7), (7, 6)], &[&[1, 2, 3], &[6, 7]]);
        // Locks past the bits.
        check(&[(1, 70_000), (70_000, 63), (63, 64), (64, 1), (70_000, 70_001)], &[&[1, 63, 64, 70_000]]);
        check(&[(4095, 4096), (4096, 4095), (0, 4095)], &[&[4095, 4096]]);
    }
}
