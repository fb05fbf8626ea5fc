//! Which thread's next event is the earliest: a tournament (Knuth, The Art of Computer Programming, volume 3, 5.4.1).
//!
//! The leaves are the threads, and each inner node is the earlier of the two below it, so the root is the earliest of all. A change is
//! carried up along one path, without a branch that depends on the times, which a heap has at each level and which no processor foresees.

/// Later than every event.
const NEVER: u64 = u64::MAX;

/// The threads that have an event, by its ticks; of equal ones the lower number is first.
#[derive(Debug, Default)]
pub(super) struct Winners {
    /// Ticks and thread of each node; the root is 1, the children of n are 2n and 2n + 1.
    nodes: Vec<(u64, u32)>,
    /// How many leaves there are, a power of two, or 0.
    leaves: usize,
}

impl Winners {
    /// Makes room for so many threads.
    pub(super) fn grow(&mut self, n: usize) {
        if n <= self.leaves {
            return;
        }
        let leaves = n.next_power_of_two();
        let mut nodes = vec![(NEVER, 0); 2 * leaves];
        for (index, leaf) in nodes[leaves..].iter_mut().enumerate() {
            let ticks = if index < self.leaves { self.nodes[self.leaves + index].0 } else { NEVER };
            *leaf = (ticks, index as u32);
        }
        for node in (1..leaves).rev() {
            nodes[node] = earlier(nodes[2 * node], nodes[2 * node + 1]);
        }
        (self.nodes, self.leaves) = (nodes, leaves);
    }

    /// Says when the next event of a thread is; `None` when it has none.
    #[inline]
    pub(super) fn set(&mut self, thread: u32, ticks: Option<u64>) {
        let mut node = self.leaves + thread as usize;
        let mut winner = (ticks.map_or(NEVER, |ticks| ticks.min(NEVER - 1)), thread);
        while node > 1 {
            self.nodes[node] = winner;
            let other = self.nodes[node ^ 1];
            winner = if node & 1 == 0 { earlier(winner, other) } else { earlier(other, winner) };
            node /= 2;
        }
        if let Some(root) = self.nodes.get_mut(node) {
            *root = winner;
        }
    }

    /// The earliest event, and whose it is.
    #[inline]
    pub(super) fn first(&self) -> Option<(u64, u32)> {
        self.nodes.get(1).copied().filter(|(ticks, _)| *ticks != NEVER)
    }

    /// When the earliest event of the other threads is, at least; [`u64::MAX`] when they have none.
    #[inline]
    pub(super) fn rival(&self, thread: u32) -> u64 {
        let mut node = self.leaves + thread as usize;
        let mut earliest = NEVER;
        while node > 1 {
            earliest = earliest.min(self.nodes[node ^ 1].0);
            node /= 2;
        }
        earliest
    }
}

/// The earlier of two, the left one if they are equal.
#[inline]
fn earlier(left: (u64, u32), right: (u64, u32)) -> (u64, u32) {
    let is_left = left.0 <= right.0;
    (if is_left { left.0 } else { right.0 }, if is_left { left.1 } else { right.1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_is_first_and_of_equals_the_lowest() {
        let mut winners = Winners::default();
        assert_eq!(winners.first(), None);
        for n in [1, 2, 3, 7] {
            winners.grow(n);
            let mut ticks = vec![None; n];
            let mut state = 1u64;
            for _ in 0..500 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let thread = (state >> 33) as usize % n;
                ticks[thread] = (state >> 40 & 3 != 0).then_some(state >> 60);
                winners.set(thread as u32, ticks[thread]);
                let expected = (0..n).filter_map(|thread| Some((ticks[thread]?, thread as u32))).min();
                assert_eq!(winners.first(), expected);
                let others = (0..n as u32).filter(|&other| other != thread as u32);
                let rival = others.filter_map(|other| ticks[other as usize]).min();
                assert_eq!(winners.rival(thread as u32), rival.unwrap_or(NEVER));
            }
            // What is there stays there when more come; begin the next round with nothing.
            (0..n).for_each(|thread| winners.set(thread as u32, None));
        }
    }

    #[test]
    fn threads_that_come_later_find_the_others_where_they_were() {
        let mut winners = Winners::default();
        winners.grow(2);
        winners.set(1, Some(u64::MAX));
        winners.grow(5);
        assert_eq!(winners.first(), Some((u64::MAX - 1, 1)));
        winners.set(4, Some(7));
        assert_eq!(winners.first(), Some((7, 4)));
    }
}
