//! Numbers for threads as trees that share what they have in common.
//!
//! Where thousands of threads come and go, a clock with an entry for each of them takes as many bytes as there ever were threads, and so does
//! every copy that is kept with a message or a lock: memory and time grow with their square. Most of these clocks differ in few entries. Here
//! a clock is a tree of small nodes that never change, so that a copy costs nothing, and a change what is on the way to it.
//!
//! Nobody counts who uses a node. The owner of the trees says from time to time which ones are in use, and the nodes of the others are
//! taken again ([`Trees::sweep`]).

/// A number for each thread, 0 where nothing was set. Valid in its [`Trees`] for as long as it is among the roots of every sweep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tree(u32);

/// The nodes of trees. The entries of a node are numbers, or trees of a lower level.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    nodes: Vec<Node>,
    free: Vec<u32>,
    /// Nodes taken since the last sweep.
    taken: usize,
    /// What the last sweep cost, in nodes: those in use, and a part of the roots.
    used: usize,
}

type Node = [u32; ENTRIES];

/// Entries of a node: two cache lines, so that most programs' clocks are one node.
const ENTRIES: usize = 32;
const ENTRY_BITS: u32 = ENTRIES.trailing_zeros();
/// Of a tree the bits that say which node is its root; those above say how many levels are below it.
const NODE_BITS: u32 = 29;
/// Most nodes: 64 GiB. What is new after that is not kept.
const MOST_NODES: usize = 1 << NODE_BITS;
/// Nodes taken before it can be worth looking for ones that are not in use any more.
const SWEEP_AFTER: usize = 1 << 12;

impl Tree {
    /// Nothing is set.
    pub(crate) const ZERO: Tree = Tree(0);

    #[inline]
    fn level(self) -> u32 {
        self.0 >> NODE_BITS
    }

    #[inline]
    fn node(self) -> usize {
        self.0 as usize & (MOST_NODES - 1)
    }
}

impl Default for Trees {
    fn default() -> Self {
        // The first one is that of `ZERO`.
        Trees { nodes: vec![[0; ENTRIES]], free: Vec::new(), taken: 0, used: 0 }
    }
}

impl Trees {
    /// The number of a thread.
    #[inline]
    pub(crate) fn get(&self, tree: Tree, thread: u32) -> u32 {
        let (mut at, mut index) = (tree, thread);
        loop {
            let shift = at.level() * ENTRY_BITS;
            if u64::from(index) >> (shift + ENTRY_BITS) != 0 {
                return 0;
            }
            let entry = self.nodes[at.node()][(index >> shift) as usize];
            if at.level() == 0 {
                return entry;
            }
            (at, index) = (Tree(entry), index & ((1 << shift) - 1));
        }
    }

    /// The tree with another number for a thread.
    pub(crate) fn set(&mut self, tree: Tree, thread: u32, number: u32) -> Tree {
        let needed = (thread | 1).ilog2() / ENTRY_BITS;
        let (level, mut node) = if needed > tree.level() {
            let mut node = [0; ENTRIES];
            node[0] = tree.0;
            (needed, node)
        } else {
            (tree.level(), self.nodes[tree.node()])
        };
        let shift = level * ENTRY_BITS;
        let index = (thread >> shift) as usize;
        let entry = match level {
            0 => number,
            _ => self.set(Tree(node[index]), thread & ((1 << shift) - 1), number).0,
        };
        if node[index] == entry {
            return tree;
        }
        node[index] = entry;
        self.take(level, node)
    }

    /// The larger number of each thread. Costs nothing for the parts that they share.
    pub(crate) fn join(&mut self, a: Tree, b: Tree) -> Tree {
        if a == b || b == Tree::ZERO {
            return a;
        }
        if a == Tree::ZERO {
            return b;
        }
        let (high, low) = if a.level() >= b.level() { (a, b) } else { (b, a) };
        let mut node = self.nodes[high.node()];
        if high.level() > low.level() {
            let first = self.join(Tree(node[0]), low).0;
            if first == node[0] {
                return high;
            }
            node[0] = first;
            return self.take(high.level(), node);
        }
        let other = self.nodes[low.node()];
        let mut joined = [0; ENTRIES];
        for (index, entry) in joined.iter_mut().enumerate() {
            let (mine, theirs) = (node[index], other[index]);
            *entry = if high.level() == 0 { mine.max(theirs) } else { self.join(Tree(mine), Tree(theirs)).0 };
        }
        if joined == node {
            high
        } else if joined == other {
            low
        } else {
            self.take(high.level(), joined)
        }
    }

    /// Whether this is so for each thread with a number.
    pub(crate) fn all(&self, tree: Tree, mut is_so: impl FnMut(u32, u32) -> bool) -> bool {
        self.all_from(tree, 0, &mut is_so)
    }

    fn all_from(&self, tree: Tree, first: u32, is_so: &mut impl FnMut(u32, u32) -> bool) -> bool {
        let shift = tree.level() * ENTRY_BITS;
        let entries = (0..).zip(&self.nodes[tree.node()]).filter(|(_, entry)| **entry != 0);
        let mut entries = entries.map(|(index, &entry)| (first | index << shift, entry));
        match tree.level() {
            0 => entries.all(|(thread, number)| is_so(thread, number)),
            _ => entries.all(|(first, part)| self.all_from(Tree(part), first, is_so)),
        }
    }

    /// Raises the numbers of as many threads as there are, in order, to those of a tree.
    pub(crate) fn raise(&self, numbers: &mut [u32], tree: Tree) {
        let node = &self.nodes[tree.node()];
        if tree.level() == 0 {
            for (mine, theirs) in numbers.iter_mut().zip(node) {
                *mine = (*mine).max(*theirs);
            }
            return;
        }
        let parts = numbers.chunks_mut(1 << (tree.level() * ENTRY_BITS)).zip(node);
        parts.filter(|(_, part)| **part != 0).for_each(|(numbers, &part)| self.raise(numbers, Tree(part)));
    }

    /// A tree of the numbers of the first threads.
    pub(crate) fn of(&mut self, numbers: &[u32]) -> Tree {
        let highest = numbers.iter().rposition(|&number| number != 0).unwrap_or(0);
        let level = (highest as u32 | 1).ilog2() / ENTRY_BITS;
        let mut node = [0; ENTRIES];
        match level {
            0 => node.iter_mut().zip(numbers).for_each(|(entry, &number)| *entry = number),
            _ => {
                let parts = numbers[..=highest].chunks(1 << (level * ENTRY_BITS));
                node.iter_mut().zip(parts).for_each(|(entry, part)| *entry = self.of(part).0);
            }
        }
        if node == [0; ENTRIES] { Tree::ZERO } else { self.take(level, node) }
    }

    fn take(&mut self, level: u32, node: Node) -> Tree {
        self.taken += 1;
        let index = match self.free.pop() {
            Some(index) => {
                self.nodes[index as usize] = node;
                index as usize
            }
            None if self.nodes.len() == MOST_NODES => return Tree::ZERO,
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        Tree(level << NODE_BITS | index as u32)
    }

    /// Whether so many nodes were taken since the last sweep that another one costs little for each of them.
    #[inline]
    pub(crate) fn is_sweep_due(&self) -> bool {
        self.taken > SWEEP_AFTER.max(self.used)
    }

    /// Takes back the nodes of all trees but these.
    pub(crate) fn sweep(&mut self, roots: impl Iterator<Item = Tree>) {
        let mut is_used = vec![false; self.nodes.len()];
        is_used[0] = true;
        let (mut n_roots, mut n_used) = (0, 0);
        let mut open = Vec::new();
        for root in roots {
            n_roots += 1;
            open.push(root);
            while let Some(tree) = open.pop() {
                if std::mem::replace(&mut is_used[tree.node()], true) {
                    continue;
                }
                n_used += 1;
                if tree.level() > 0 {
                    open.extend(self.nodes[tree.node()].iter().filter(|&&part| part != 0).map(|&part| Tree(part)));
                }
            }
        }
        self.free.clear();
        // The first ones are taken first.
        self.free.extend((0..self.nodes.len() as u32).rev().filter(|&node| !is_used[node as usize]));
        (self.taken, self.used) = (0, n_used + n_roots / 4);
    }

    /// Bytes that are held.
    pub(crate) fn bytes(&self) -> u64 {
        (self.nodes.capacity() * size_of::<Node>() + self.free.capacity() * size_of::<u32>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Numbers = BTreeMap<u32, u32>;

    fn numbers(trees: &Trees, tree: Tree) -> Numbers {
        let mut numbers = Numbers::new();
        trees.all(tree, |thread, number| numbers.insert(thread, number).is_none());
        numbers
    }

    #[test]
    fn trees_are_maps_of_numbers() {
        let mut random = 1_u64;
        let mut below = |n: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % n
        };
        let mut trees = Trees::default();
        let mut known: Vec<(Tree, Numbers)> = vec![(Tree::ZERO, Numbers::new()); 8];
        for _ in 0..20_000 {
            let [of, with] = [below(8), below(8)].map(|index| index as usize);
            // Near each other mostly, as threads that know each other are.
            let bits = 1 + below(16);
            let thread = if below(50) == 0 { u32::MAX - below(3) as u32 } else { below(1 << bits) as u32 };
            let number = 1 + below(100) as u32;
            if below(3) == 0 {
                let theirs = known[with].1.clone();
                known[of].0 = trees.join(known[of].0, known[with].0);
                for (thread, number) in theirs {
                    let mine = known[of].1.entry(thread).or_default();
                    *mine = number.max(*mine);
                }
            } else if below(20) == 0 {
                known[of] = (Tree::ZERO, Numbers::new());
            } else {
                known[of].0 = trees.set(known[of].0, thread, number);
                known[of].1.insert(thread, number);
            }
            let (tree, expected) = &known[of];
            assert_eq!(trees.get(*tree, thread), expected.get(&thread).copied().unwrap_or(0));
            if trees.is_sweep_due() {
                trees.sweep(known.iter().map(|(tree, _)| *tree));
                for (tree, expected) in &known {
                    assert_eq!(numbers(&trees, *tree), *expected);
                    let first: Vec<u32> = (0..5000).map(|thread| trees.get(*tree, thread)).collect();
                    let again = trees.of(&first);
                    let first: Numbers = expected.range(..5000).map(|(&thread, &number)| (thread, number)).collect();
                    assert_eq!(numbers(&trees, again), first);
                    let mut raised = vec![5; 1000];
                    trees.raise(&mut raised, *tree);
                    let number = |thread| expected.get(&thread).copied().unwrap_or(0).max(5);
                    assert!((0..).zip(&raised).all(|(thread, &raised)| raised == number(thread)));
                }
            }
        }
    }

    #[test]
    fn what_nobody_uses_is_taken_again() {
        let mut trees = Trees::default();
        let mut tree = Tree::ZERO;
        for number in 1..100_000 {
            tree = trees.set(tree, number % 5000, number);
            if trees.is_sweep_due() {
                trees.sweep(std::iter::once(tree));
            }
        }
        assert!(trees.bytes() < 4 << 20, "{}", trees.bytes());
    }

    #[test]
    fn what_is_shared_costs_nothing() {
        let mut trees = Trees::default();
        let tree = (0..10_000).fold(Tree::ZERO, |tree, thread| trees.set(tree, thread, 1));
        let (later, other) = (trees.set(tree, 77, 2), trees.set(tree, 9000, 2));
        let before = trees.taken;
        assert_eq!(trees.join(later, tree), later);
        assert_eq!(trees.join(tree, later), later);
        assert_eq!(trees.taken, before);
        let joined = trees.join(later, other);
        assert_eq!([77, 9000, 5].map(|thread| trees.get(joined, thread)), [2, 2, 1]);
        assert!(trees.taken - before < 8);
    }
}
