//! Regions that the program marks as atomic: whether what threads did is like some order in which each region comes as a whole.
//!
//! Conflict serialisability, checked with vector clocks and in one pass: AeroDrome (Mathur and Viswanathan, ASPLOS 2020, section 4). Two
//! things that threads do are in conflict when they touch the same data and one of them writes; the later one then comes after the
//! earlier one, and with it after that one's whole region. A region that comes after itself in this way is not atomic.
//!
//! Data is a location, or what a lock protects: a section that only reads is no conflict with one that only reads, whatever the lock.
//! Where it is not known what a section did (foreign traces, raw locks), the lock itself is the data. Spawns, joins, messages and the
//! like order as well, but a region that waits for an answer is not reported for that: it asked for it.
//!
//! Nothing is done and nothing kept while no region is open: a circle consists of what happens after a region's begin.
//! Memory: clocks of the data that is touched in regions, by reader, and what of that each open region has reached.

use lockscope_trace::{Definitions, Event, SiteId, StringId, ThreadId};
use rustc_hash::FxHashSet;

use super::{
    deed::{Done, Target, Targets},
    report::Broken,
};
use crate::{
    engine::{
        clock::Row,
        holds::Change,
        order::{Edges, Order},
    },
    finding::Touch,
};

/// Open regions, and the order of what is done while there are any.
#[derive(Debug)]
pub(super) struct Regions {
    order: Order,
    /// By thread.
    regions: Vec<Option<Region>>,
    /// Threads in a region.
    open: Vec<ThreadId>,
    data: Targets<Data>,
    rows: u64,
}

#[derive(Debug)]
struct Region {
    name: Option<StringId>,
    site: Option<SiteId>,
    /// The thread's own time when it began.
    begun: u32,
    /// Regions within this one.
    depth: u32,
    /// It was reported.
    is_broken: bool,
    /// Threads that came after its begin through data, each with how it did.
    seen: Vec<Seen>,
    /// Data whose clocks are after its begin.
    touched: FxHashSet<Target>,
}

/// A conflict through which a thread came after a region's begin.
#[derive(Clone, Copy, Debug)]
struct Seen {
    from: Done,
    to: Done,
}

#[derive(Debug, Default)]
struct Data {
    write: Option<Touched>,
    /// The latest one of each thread since the write.
    reads: Vec<Touched>,
}

#[derive(Clone, Copy, Debug)]
struct Touched {
    done: Done,
    clock: Row,
}

impl Default for Regions {
    fn default() -> Self {
        Regions {
            order: Order::new(Edges { locks: false, reads_from: false }),
            regions: Vec::new(),
            open: Vec::new(),
            data: Targets::default(),
            rows: 0,
        }
    }
}

impl Regions {
    /// Whether any region is open.
    #[inline]
    pub fn is_active(&self) -> bool {
        !self.open.is_empty()
    }

    pub fn begin(&mut self, thread: ThreadId, name: Option<StringId>, site: Option<SiteId>) {
        let begun = self.order.now(thread).time();
        let index = thread.0 as usize;
        if index >= self.regions.len() {
            self.regions.resize_with(index + 1, || None);
        }
        match &mut self.regions[index] {
            Some(region) => region.depth += 1,
            none => {
                let (seen, touched) = Default::default();
                *none = Some(Region { name, site, begun, depth: 0, is_broken: false, seen, touched });
                self.open.push(thread);
            }
        }
    }

    /// The region that the thread began last ends. What came after its begin comes after all of it, and so may now come after itself.
    pub fn end(&mut self, thread: ThreadId, mut broken: impl FnMut(Broken)) {
        let Some(Some(region)) = self.regions.get_mut(thread.0 as usize) else { return };
        if let Some(depth) = region.depth.checked_sub(1) {
            region.depth = depth;
            return;
        }
        let ended = self.regions[thread.0 as usize].take().expect("it was just there");
        self.open.retain(|&open| open != thread);
        let later: Vec<ThreadId> = ended.seen.iter().map(|seen| seen.to.thread).collect();
        for &other in &later {
            let Some(Some(region)) = self.regions.get_mut(other.0 as usize) else {
                self.order.receive_from(other, thread);
                continue;
            };
            let is_after = self.order.past(thread).time(other) >= region.begun;
            if is_after
                && !region.is_broken
                && let Some(mut deeds) = region.way_to(thread)
                && let Some(back) = ended.seen.iter().find(|seen| seen.to.thread == other)
            {
                region.is_broken = true;
                extend(&mut deeds, back.from);
                extend(&mut deeds, back.to);
                broken(Broken { thread: other, name: region.name, site: region.site, deeds });
            }
            self.order.receive_from(other, thread);
        }
        for &target in &ended.touched {
            let data = self.data.of(target);
            for touched in data.write.iter().chain(&data.reads) {
                if self.order.published(touched.clock).time(thread) >= ended.begun {
                    self.order.extend(touched.clock, thread);
                }
            }
        }
    }

    /// Takes in an event that touches no data.
    pub fn event(&mut self, event: &Event, change: Change, definitions: &Definitions) {
        self.order.event(event, change, definitions);
    }

    /// A section begins, of which it is not yet known what it does with the data. What was written before is past for it, and for all that
    /// the thread does meanwhile.
    pub fn enter(&mut self, done: Done) {
        self.order.now(done.thread);
        let written = self.data.of(done.target).write.filter(|touched| touched.done.thread != done.thread);
        if let Some(touched) = written {
            self.receive(touched, done);
        }
    }

    /// A section ended that did nothing with the data.
    pub fn leave(&mut self, done: Done) {
        for &open in &self.open {
            let region = self.regions[open.0 as usize].as_mut().expect("it is open");
            region.seen.retain(|seen| (seen.to.thread, seen.to.event) != (done.thread, done.event));
        }
    }

    /// A thread touches data; a section that did so ends.
    pub fn touch(&mut self, done: Done, mut broken: impl FnMut(Broken)) {
        let me = done.thread;
        self.order.now(me);
        if done.end != done.event {
            for &open in &self.open {
                let region = self.regions[open.0 as usize].as_mut().expect("it is open");
                let its = region.seen.iter_mut().filter(|seen| (seen.to.thread, seen.to.event) == (me, done.event));
                its.for_each(|seen| seen.to = done);
            }
        }
        let data = self.data.of(done.target);
        let readers: &[Touched] = if done.touch == Touch::Write { &data.reads } else { &[] };
        let earlier: Vec<Touched> =
            data.write.iter().chain(readers).filter(|touched| touched.done.thread != me).copied().collect();
        for Touched { done: from, clock } in earlier {
            if let Some(Some(region)) = self.regions.get_mut(me.0 as usize) {
                let is_after = self.order.published(clock).time(me) >= region.begun;
                if is_after
                    && !region.is_broken
                    && let Some(mut deeds) = region.way_to(from.thread)
                {
                    region.is_broken = true;
                    extend(&mut deeds, from);
                    extend(&mut deeds, done);
                    broken(Broken { thread: me, name: region.name, site: region.site, deeds });
                }
            }
            self.receive(Touched { done: from, clock }, done);
        }
        for index in 0..self.open.len() {
            let open = self.open[index];
            if self.is_after(me, open) {
                self.region(open).touched.insert(done.target);
            }
        }
        self.publish(done);
    }

    /// What was done earlier is past for the thread, and what it does now comes after the regions that it comes from.
    fn receive(&mut self, earlier: Touched, done: Done) {
        let me = done.thread;
        let before: Vec<bool> = self.open.iter().map(|&open| self.is_after(me, open)).collect();
        self.order.receive(me, earlier.clock);
        for (index, was_after) in before.into_iter().enumerate() {
            let open = self.open[index];
            if open != me && !was_after && self.is_after(me, open) {
                self.region(open).seen.push(Seen { from: earlier.done, to: done });
            }
        }
    }

    fn publish(&mut self, done: Done) {
        let me = done.thread;
        let data = self.data.of(done.target);
        let before = match done.touch {
            Touch::Write => {
                for read in data.reads.drain(..) {
                    self.order.free(read.clock);
                    self.rows -= 1;
                }
                data.write.take()
            }
            Touch::Read => {
                let mine = data.reads.iter().position(|read| read.done.thread == me);
                mine.map(|index| data.reads.swap_remove(index))
            }
        };
        let mut row = before.map(|before| before.clock);
        self.rows += u64::from(row.is_none());
        self.order.publish(me, &mut row);
        let touched = row.map(|clock| Touched { done, clock });
        match done.touch {
            Touch::Write => data.write = touched,
            Touch::Read => data.reads.extend(touched),
        }
    }

    /// Whether the thread comes after the begin of the other one's open region, or is that thread.
    fn is_after(&self, thread: ThreadId, open: ThreadId) -> bool {
        let begun = self.regions[open.0 as usize].as_ref().map_or(u32::MAX, |region| region.begun);
        thread == open || self.order.past(thread).time(open) >= begun
    }

    fn region(&mut self, open: ThreadId) -> &mut Region {
        self.regions[open.0 as usize].as_mut().expect("it is open")
    }

    pub fn bytes(&self) -> u64 {
        self.order.bytes() + self.data.bytes() + self.rows * size_of::<Touched>() as u64
    }
}

impl Region {
    /// The conflicts through which a thread came after the begin, from the region's own deed on; `None` if it came so in other ways.
    fn way_to(&self, thread: ThreadId) -> Option<Vec<Done>> {
        let mut way = Vec::new();
        let mut at = thread;
        // Each step goes to an earlier one, so there are no more than there are steps.
        for _ in 0..self.seen.len() {
            let Some(seen) = self.seen.iter().find(|seen| seen.to.thread == at) else { break };
            way.push(*seen);
            at = seen.from.thread;
        }
        let own = way.last()?.from.thread;
        if self.seen.iter().any(|seen| seen.to.thread == own) {
            return None;
        }
        let mut deeds = Vec::new();
        for seen in way.into_iter().rev() {
            extend(&mut deeds, seen.from);
            extend(&mut deeds, seen.to);
        }
        Some(deeds)
    }
}

/// Appends a deed, unless it is the last one.
fn extend(deeds: &mut Vec<Done>, done: Done) {
    if deeds.last().is_none_or(|last| (last.end, last.target) != (done.end, done.target)) {
        deeds.push(done);
    }
}
