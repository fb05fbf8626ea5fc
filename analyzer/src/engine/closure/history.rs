//! Takes events in: how far threads are, what they know of each other, what they hold.

use lockscope_trace::{Definitions, Event, How, LockId, Mode, Op, ThreadId};

pub(crate) use super::sections::Hold;
use super::{
    super::clock::tree::{Tree, Trees},
    objects::Objects,
    sections::{Section, Sections},
};

/// The first `at` events of a thread. Its start counts as an event, so the first real one has the number 2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Point {
    pub thread: u32,
    pub at: u32,
}

/// A point that others may come to depend on, with all that it depends on itself: how far each thread is known to have come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub point: Point,
    pub clock: Tree,
}

/// From position `at` on, a thread depends on another one's first `source_at` events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub at: u32,
    pub source: u32,
    pub source_at: u32,
}

/// Edges between two snapshots of a thread's clock.
pub(super) const STRIDE: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Thread {
    /// Events so far, its start included; 0 for a thread that has not started.
    pub len: u32,
    /// What it depends on; its own entry is not kept.
    pub clock: Tree,
    /// Ascending by position. Edges that are implied by earlier ones are left out.
    pub edges: Vec<Edge>,
    /// The clock after each [`STRIDE`] edges.
    pub snapshots: Vec<Tree>,
    /// Its critical sections, ascending by position.
    pub sections: Vec<u32>,
    pub held: Vec<Hold>,
    /// Changes with everything that a closure depends on: edges, acquisitions, releases.
    pub turn: u32,
    /// Nothing from this position on is known to be repeatable.
    pub doubtful_from: Option<u32>,
    /// A message on its way for which there may have been no room: the channel and which receipt makes it.
    pub sending: Option<(LockId, u64)>,
    /// A wait for a notification that has not ended: the condition variable and how many notifications there were.
    pub waiting: Option<(LockId, u64)>,
    /// Releases by other threads that its next event depends on.
    pub released_for: Vec<Point>,
}

/// Everything that closures need to know of the events so far.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(super) threads: Vec<Thread>,
    /// Those of all clocks.
    pub(super) trees: Trees,
    pub(super) sections: Sections,
    objects: Objects,
    /// Of each plain memory location: the last write.
    writes: Vec<Option<Source>>,
    /// Some events are missing, so that nothing can be concluded.
    incomplete: bool,
}

impl History {
    /// Looks at what is needed for the events soon, to have it near; the result means nothing.
    pub(crate) fn touch(&self, events: &[Event]) -> usize {
        let of = |event: &Event| match event.op {
            Op::Read { var } | Op::Write { var } => {
                self.writes.get(var.0 as usize)?.map(|write| write.point.at as usize)
            }
            _ => None,
        };
        events.iter().filter_map(of).fold(0, |all, one| all ^ one)
    }

    /// Takes in the next event and returns where in its thread it is.
    ///
    /// O(1) but for edges that say something new, which cost O(threads).
    pub(crate) fn feed(&mut self, event: &Event, definitions: &Definitions) -> Point {
        let me = event.thread.0;
        let thread = self.thread(event.thread);
        // Positions of more than 2^32 - 1 events of one thread are not told apart; what depends on them is doubtful.
        thread.len = thread.len.max(1).saturating_add(1);
        let at = thread.len;
        if at == u32::MAX {
            thread.doubtful_from.get_or_insert(at);
        }
        if !thread.released_for.is_empty() {
            for release in std::mem::take(&mut thread.released_for) {
                let source = self.source_at(release);
                self.edge(me, &source);
            }
        }
        let thread = &self.threads[me as usize];
        if thread.sending.is_some() && !matches!(event.op, Op::Block { .. } | Op::SendFailed { .. }) {
            self.sent(me);
        }
        match event.op {
            Op::Read { var } => {
                // Only what another thread wrote is news.
                if let Some(&Some(write)) = self.writes.get(var.0 as usize)
                    && write.point.thread != me
                {
                    self.edge(me, &write);
                }
            }
            Op::Write { var } => {
                let index = var.0 as usize;
                if index >= self.writes.len() {
                    self.writes.resize_with(index + 1, || None);
                }
                let clock = self.threads[me as usize].clock;
                self.writes[index] = Some(Source { point: Point { thread: me, at }, clock });
            }
            Op::Acquired { lock, mode, how, .. } => self.acquired(me, lock, mode, how, definitions),
            Op::Released { lock, owner, mode, .. } => self.released(me, lock, owner.0, mode, definitions),
            Op::Spawn { child } if child != event.thread => {
                let source = self.here(me);
                let thread = self.thread(child);
                // A thread that acted before it was forked is a sign of missing events: believe what it did.
                if thread.len == 0 {
                    thread.len = 1;
                    self.edge(child.0, &source);
                }
            }
            Op::Joined { child } if child != event.thread => {
                self.thread(child);
                let source = self.here(child.0);
                self.edge(me, &source);
            }
            Op::Dropped { .. } => self.incomplete = true,
            _ => self.object(event, definitions),
        }
        if self.trees.is_sweep_due() {
            self.sweep();
        }
        Point { thread: me, at }
    }

    /// Some events are missing, so that no reordering can be trusted.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// What the thread holds, in the order in which it was acquired.
    pub(crate) fn held(&self, thread: ThreadId) -> &[Hold] {
        self.threads.get(thread.0 as usize).map_or(&[], |thread| &thread.held)
    }

    /// The same, to number the sets.
    pub(crate) fn held_mut(&mut self, thread: ThreadId) -> &mut [Hold] {
        &mut self.thread(thread).held
    }

    /// The section that the next acquisition begins.
    pub(crate) fn next_section(&self) -> u32 {
        self.sections.len() as u32
    }

    pub(crate) fn section(&self, section: u32) -> &Section {
        self.sections.get(section)
    }

    /// Where the section begins.
    pub(crate) fn begin(&self, section: u32) -> Point {
        self.sections.begin(section)
    }

    /// Calls `each` with the sections of the same thread that were held when this one began.
    pub(crate) fn held_around(&self, section: u32, mut each: impl FnMut(u32)) {
        let Point { thread, at } = self.begin(section);
        self.sections.held_at(&self.threads[thread as usize], at, |held| {
            if held != section {
                each(held);
            }
            true
        });
    }

    /// Makes closures possible of all that was taken in so far.
    pub(crate) fn index(&mut self) {
        self.sections.index();
    }

    /// Whether the wait that this re-acquisition ends was seen to be notified.
    pub(crate) fn is_notified(&self, thread: ThreadId) -> bool {
        let waiting = self.threads.get(thread.0 as usize).and_then(|thread| thread.waiting);
        waiting.is_none_or(|(condvar, before)| self.objects.notifications(condvar) > before)
    }

    /// A number that changes with everything in the thread that a closure depends on.
    pub(crate) fn turn(&self, thread: ThreadId) -> u32 {
        self.threads.get(thread.0 as usize).map_or(0, |thread| thread.turn)
    }

    /// Where the thread's next event will be.
    pub(crate) fn next_point(&self, thread: ThreadId) -> Point {
        let len = self.threads.get(thread.0 as usize).map_or(0, |thread| thread.len);
        Point { thread: thread.0, at: len.max(1).saturating_add(1) }
    }

    /// How many events of `other`, its start included, come before the next event of `thread` in every correct reordering.
    pub(crate) fn known(&self, thread: ThreadId, other: u32) -> u32 {
        self.threads.get(thread.0 as usize).map_or(0, |thread| self.trees.get(thread.clock, other))
    }

    /// Number of threads.
    pub(crate) fn n_threads(&self) -> usize {
        self.threads.len()
    }

    /// Bytes in use, roughly: what grows with the trace.
    pub(crate) fn bytes(&self) -> usize {
        let of = |thread: &Thread| {
            thread.edges.capacity() * size_of::<Edge>()
                + thread.snapshots.capacity() * size_of::<Tree>()
                + thread.sections.capacity() * size_of::<u32>()
                + thread.held.capacity() * size_of::<Hold>()
        };
        self.threads.capacity() * size_of::<Thread>()
            + self.threads.iter().map(of).sum::<usize>()
            + self.trees.bytes() as usize
            + self.sections.bytes()
            + self.objects.bytes()
            + self.writes.capacity() * size_of::<Option<Source>>()
    }

    pub(super) fn thread(&mut self, thread: ThreadId) -> &mut Thread {
        let index = thread.0 as usize;
        if index >= self.threads.len() {
            self.threads.resize_with(index + 1, Thread::default);
        }
        &mut self.threads[index]
    }

    /// Where a thread is now.
    pub(super) fn here(&self, thread: u32) -> Source {
        let state = &self.threads[thread as usize];
        Source { point: Point { thread, at: state.len }, clock: state.clock }
    }

    /// A point of which the clock was not kept.
    pub(super) fn source_at(&mut self, point: Point) -> Source {
        let clock = self.dependencies(point);
        Source { point, clock: self.trees.of(&clock) }
    }

    /// From its current event on, `me` depends on `source`.
    pub(super) fn edge(&mut self, me: u32, source: &Source) {
        let thread = &mut self.threads[me as usize];
        let Point { thread: other, at: source_at } = source.point;
        if other == me || source_at == 0 || self.trees.get(thread.clock, other) >= source_at {
            return;
        }
        thread.turn = thread.turn.wrapping_add(1);
        thread.edges.push(Edge { at: thread.len, source: other, source_at });
        // What it depends on knows less of its own thread than that it came there.
        let clock = self.trees.join(thread.clock, source.clock);
        thread.clock = self.trees.set(clock, other, source_at);
        if thread.edges.len().is_multiple_of(STRIDE) {
            thread.snapshots.push(thread.clock);
        }
    }

    /// Gives back what no clock needs any more.
    #[cold]
    fn sweep(&mut self) {
        let threads = self.threads.iter().flat_map(|thread| thread.snapshots.iter().copied().chain([thread.clock]));
        let writes = self.writes.iter().flatten().map(|write| write.clock);
        self.trees.sweep(threads.chain(writes).chain(self.objects.clocks()));
    }

    fn acquired(&mut self, me: u32, lock: LockId, mode: Mode, how: How, definitions: &Definitions) {
        if how == How::CondvarReacquire {
            self.woken(me);
        }
        if mode == Mode::Shared && self.objects.is_once(lock, definitions) {
            // Only what is initialised is shared.
            self.observed(me, lock);
            return;
        }
        if let Some(given_away) = self.sections.given_away(me, lock) {
            let source = self.source_at(given_away);
            self.edge(me, &source);
        }
        let thread = &mut self.threads[me as usize];
        thread.turn = thread.turn.wrapping_add(1);
        let at = thread.len;
        self.sections.acquired(&mut self.threads[me as usize], Point { thread: me, at }, lock, mode, how);
    }

    fn released(&mut self, me: u32, lock: LockId, owner: u32, mode: Option<Mode>, definitions: &Definitions) {
        if owner != me {
            // The guard came from its owner.
            let held = self.held(ThreadId(owner));
            let taken = held.iter().rev().find(|hold| hold.lock == lock).map(|hold| self.sections.begin(hold.section));
            if let Some(taken) = taken {
                let source = self.source_at(taken);
                self.edge(me, &source);
            }
        }
        let thread = &mut self.threads[me as usize];
        thread.turn = thread.turn.wrapping_add(1);
        let at = thread.len;
        self.thread(ThreadId(owner));
        self.sections.released(&mut self.threads[owner as usize], Point { thread: me, at }, lock, owner, mode);
        if self.objects.is_once(lock, definitions) {
            let source = self.here(me);
            self.objects.initialised(lock, source);
        }
    }

    pub(super) fn objects(&mut self) -> &mut Objects {
        &mut self.objects
    }
}
