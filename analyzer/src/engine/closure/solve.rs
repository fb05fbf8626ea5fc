//! Closures: the least reordering that contains given events.

use lockscope_trace::ThreadId;

use super::history::{History, Point, STRIDE};

/// How far each thread came, by its id; 0 for one that has not started.
///
/// Grows only. Closures of growing sets are computed from one another at the cost of what is new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    pub upto: Vec<u32>,
    /// Threads with events of which the dependencies were not followed yet, with how far they were.
    open: Vec<(u32, u32)>,
}

impl Cut {
    /// Nothing at all of so many threads.
    pub(crate) fn new(n_threads: usize) -> Self {
        Cut { upto: vec![0; n_threads], open: Vec::new() }
    }

    /// Starts again from nothing.
    pub(crate) fn reset(&mut self, n_threads: usize) {
        self.upto.clear();
        self.upto.resize(n_threads, 0);
        self.open.clear();
    }

    /// Takes in the first events of a thread.
    pub(crate) fn raise(&mut self, point: Point) {
        let upto = &mut self.upto[point.thread as usize];
        if *upto < point.at {
            self.open.push((point.thread, *upto));
            *upto = point.at;
        }
    }

    /// Room for so many threads.
    pub(crate) fn grow(&mut self, n_threads: usize) {
        if self.upto.len() < n_threads {
            self.upto.resize(n_threads, 0);
        }
    }

    /// Becomes a copy.
    pub(crate) fn copy(&mut self, other: &Cut) {
        self.upto.clone_from(&other.upto);
        self.open.clone_from(&other.open);
    }

    /// Takes in events of a thread that is part of it which add no dependencies.
    pub(crate) fn lengthen(&mut self, point: Point) {
        let upto = &mut self.upto[point.thread as usize];
        *upto = (*upto).max(point.at);
    }

    /// How far the thread came.
    pub(crate) fn upto(&self, thread: u32) -> u32 {
        self.upto.get(thread as usize).copied().unwrap_or(0)
    }

    /// How many real events of each thread it has.
    pub(crate) fn prefixes(&self) -> Vec<(ThreadId, u64)> {
        let started = (0..).zip(&self.upto).filter(|(_, upto)| **upto > 0);
        started.map(|(thread, &upto)| (ThreadId(thread), u64::from(upto) - 1)).collect()
    }

    /// Whether the event at this point is part of it.
    pub(crate) fn contains(&self, point: Point) -> bool {
        self.upto[point.thread as usize] >= point.at
    }
}

impl History {
    /// The least sync-preserving reordering that contains the cut. False when there is none: a lock that would have to be
    /// released never was, or something was done that cannot be repeated for sure.
    ///
    /// [`index`](super::sections::Sections::index) has to be up to date.
    pub(crate) fn close(&self, cut: &mut Cut) -> bool {
        self.close_dependencies(cut);
        loop {
            let mut is_closed = true;
            for thread in 0..cut.upto.len() {
                let upto = cut.upto[thread];
                if upto == 0 {
                    continue;
                }
                if self.threads[thread].doubtful_from.is_some_and(|from| upto >= from) {
                    return false;
                }
                let mut is_possible = true;
                self.sections.held_at(&self.threads[thread], upto, |section| {
                    let Some(end) = self.has_to_end(cut, section) else { return true };
                    let Some(end) = end else {
                        is_possible = false;
                        return false;
                    };
                    cut.raise(end);
                    is_closed = false;
                    true
                });
                if !is_possible {
                    return false;
                }
                if !cut.open.is_empty() {
                    self.close_dependencies(cut);
                }
            }
            for &section in self.sections.moved() {
                let begun = self.sections.begin(section);
                if cut.contains(begun)
                    && let Some(end) = self.has_to_end(cut, section)
                {
                    // It was released, or it would not have moved.
                    let Some(end) = end else { return false };
                    cut.raise(end);
                    is_closed = false;
                }
            }
            self.close_dependencies(cut);
            if is_closed {
                return true;
            }
        }
    }

    /// Adds all that the events of the cut depend on, but for the order of critical sections.
    pub(super) fn close_dependencies(&self, cut: &mut Cut) {
        while let Some((thread, before)) = cut.open.pop() {
            let upto = cut.upto[thread as usize];
            let thread = &self.threads[thread as usize];
            let mut first = thread.edges.partition_point(|edge| edge.at <= before);
            let last = thread.edges.partition_point(|edge| edge.at <= upto);
            if last - first > STRIDE {
                // What is known at a snapshot is closed itself.
                let snapshot = last / STRIDE;
                self.trees.raise(&mut cut.upto, thread.snapshots[snapshot - 1]);
                first = snapshot * STRIDE;
            }
            for edge in &thread.edges[first..last] {
                cut.raise(Point { thread: edge.source, at: edge.source_at });
            }
        }
    }

    /// All that a point depends on, but for its own thread.
    pub(super) fn dependencies(&self, point: Point) -> Vec<u32> {
        let mut cut = Cut::new(self.threads.len());
        cut.raise(point);
        self.close_dependencies(&mut cut);
        cut.upto[point.thread as usize] = 0;
        cut.upto
    }

    /// Where the section has to end, when it has to: it has not ended in the cut, and a later one that it excludes has begun.
    /// `Some(None)` when it never ends.
    fn has_to_end(&self, cut: &Cut, index: u32) -> Option<Option<Point>> {
        let end = self.sections.end_of(index);
        if end.is_some_and(|end| cut.contains(end)) {
            return None;
        }
        let section = self.sections.get(index);
        let is_later = |&later: &u32| {
            let later = self.sections.get(later);
            later.at <= cut.upto[later.thread as usize]
        };
        let is_entered = self.sections.lines(section.lock).any(|line| {
            line.thread != section.thread
                && !line.mode.compatible(section.mode)
                && line.sections.last().is_some_and(|&last| last > index)
                && cut.upto[line.thread as usize] > 0
                // The first one after this one decides.
                && line.sections.get(line.sections.partition_point(|&other| other < index)).is_some_and(is_later)
        });
        is_entered.then_some(end)
    }
}
