//! Turns events into slices.

use std::{collections::HashMap, io};

use lockscope_analyzer::{
    finding::{Held, Target},
    state::{State, ThreadState, Wait},
};
use lockscope_trace::{Definitions, Event, LockId, Nanos, Op, SiteId, ThreadId};

use super::{Arrow, Exporter, Sink, Slice, Track};
use crate::{cli::report::phrase, source::short_site};

/// Feeds a [`Sink`] with the slices of events.
pub struct Spans<S> {
    sink: S,
    state: State,
    has_times: bool,
    holds: Slots<ThreadId>,
    holders: Slots<LockId>,
    known: std::collections::HashSet<Track>,
    /// The last release of each lock, from which the next holder gets it.
    released: HashMap<LockId, Arrow>,
}

/// Which rows are taken, and by which acquisition, which its event identifies.
struct Slots<K>(HashMap<K, Vec<Option<u64>>>);

impl<K: std::hash::Hash + Eq> Slots<K> {
    fn take(&mut self, key: K, event: u64) -> u32 {
        let rows = self.0.entry(key).or_default();
        let free = rows.iter().position(Option::is_none).unwrap_or_else(|| {
            rows.push(None);
            rows.len() - 1
        });
        rows[free] = Some(event);
        free as u32
    }

    fn free(&mut self, key: K, event: u64) -> Option<u32> {
        let rows = self.0.get_mut(&key)?;
        let row = rows.iter().position(|row| *row == Some(event))?;
        rows[row] = None;
        Some(row as u32)
    }
}

impl<S: Sink> Spans<S> {
    /// Slices for a sink. Without times, the n-th event happens at n microseconds.
    pub fn new(sink: S, has_times: bool) -> Spans<S> {
        Spans {
            sink,
            state: State::default(),
            has_times,
            holds: Slots(HashMap::new()),
            holders: Slots(HashMap::new()),
            known: std::collections::HashSet::new(),
            released: HashMap::new(),
        }
    }

    /// The sink.
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// Names a track when it is first used.
    fn name(&mut self, track: Track, defs: &Definitions) -> io::Result<()> {
        if !self.known.insert(track) {
            return Ok(());
        }
        let name = match track {
            Track::Thread(thread) => phrase::thread_label(defs, thread),
            Track::Holds(thread, 0) => format!("{} holds", phrase::thread_label(defs, thread)),
            Track::Holds(thread, row) => format!("{} holds {}", phrase::thread_label(defs, thread), row + 1),
            Track::Lock(lock, 0) => phrase::lock_label(defs, lock),
            Track::Lock(lock, row) => format!("{} {}", phrase::lock_label(defs, lock), row + 1),
        };
        self.sink.track(track, &name)
    }

    /// The end of a hold: on the track of its thread and on that of the lock.
    fn hold(
        &mut self,
        thread: ThreadId,
        held: &Held,
        end: Nanos,
        by: Option<u64>,
        defs: &Definitions,
    ) -> io::Result<()> {
        let start = held.since.min(end);
        let mut facts = place(defs, held.site);
        facts.push(("mode", held.mode.word().to_owned()));
        facts.push(("event", held.event.to_string()));
        if by.is_none() {
            facts.push(("to", "the end of the trace".to_owned()));
        }
        if let Some(row) = self.holders.free(held.lock, held.event) {
            let track = Track::Lock(held.lock, row);
            self.name(track, defs)?;
            let (name, facts) = (phrase::thread_label(defs, thread), facts.clone());
            self.sink.slice(&Slice { track, category: "hold", name, start, end, facts, arrow_from: None }, None)?;
        }
        if let Some(row) = self.holds.free(thread, held.event) {
            let track = Track::Holds(thread, row);
            self.name(track, defs)?;
            let name = phrase::target_label(defs, Target::Lock(held.lock, held.mode));
            self.sink.slice(&Slice { track, category: "hold", name, start, end, facts, arrow_from: by }, None)?;
            if let Some(id) = by {
                self.released.insert(held.lock, Arrow { id, from: track, start: end });
            }
        }
        Ok(())
    }

    /// The end of a wait, with an arrow from who let it go on.
    fn wait(
        &mut self,
        thread: ThreadId,
        wait: &Wait,
        end: Nanos,
        arrow: Option<Arrow>,
        defs: &Definitions,
    ) -> io::Result<()> {
        let track = Track::Thread(thread);
        self.name(track, defs)?;
        let mut facts = place(defs, wait.site);
        facts.push(("event", wait.event.to_string()));
        let name = format!("waits for {}", phrase::target_label(defs, wait.target));
        let start = wait.since.min(end);
        self.sink.slice(&Slice { track, category: "wait", name, start, end, facts, arrow_from: None }, arrow)
    }

    fn snapshot(&self, thread: ThreadId) -> (Vec<Held>, Option<Wait>) {
        let state = self.state.thread(thread);
        (state.map(|state| state.held.clone()).unwrap_or_default(), state.and_then(ThreadState::wait).copied())
    }
}

impl<S: Sink> Exporter for Spans<S> {
    fn event(&mut self, position: u64, event: &Event, defs: &Definitions) -> io::Result<()> {
        let mut event = *event;
        if !self.has_times {
            event.time = Nanos(position.saturating_mul(1_000));
        }
        let me = event.thread;
        let owner = match event.op {
            Op::Released { owner, .. } => owner,
            _ => me,
        };
        if let Op::Start = event.op {
            self.name(Track::Thread(me), defs)?;
        }
        let (held, wait) = self.snapshot(me);
        let others = if owner == me { Vec::new() } else { self.snapshot(owner).0 };
        self.state.apply(&event);
        let (held_now, wait_now) = self.snapshot(me);
        let others_now = if owner == me { Vec::new() } else { self.snapshot(owner).0 };

        if let Some(wait) = wait.filter(|wait| wait_now.is_none_or(|now| now.event != wait.event)) {
            let arrow = match (event.op, wait.target) {
                (Op::Acquired { lock, .. }, Target::Lock(wanted, _)) if lock == wanted => {
                    // What was released before the wait began did not end it.
                    self.released.get(&lock).filter(|arrow| arrow.id > wait.event).copied()
                }
                _ => None,
            };
            self.wait(me, &wait, event.time, arrow, defs)?;
        }
        for (thread, before, after) in [(me, &held, &held_now), (owner, &others, &others_now)] {
            for ended in before.iter().filter(|held| !after.iter().any(|now| now.event == held.event)) {
                self.hold(thread, ended, event.time, Some(position), defs)?;
            }
            for begun in after.iter().filter(|held| !before.iter().any(|was| was.event == held.event)) {
                self.holds.take(thread, begun.event);
                self.holders.take(begun.lock, begun.event);
            }
        }
        let text = |id| defs.string(id).and_then(|text| text.lines().next()).unwrap_or_default().to_owned();
        let instant = match event.op {
            Op::Finding { code, .. } => Some(format!("finding: {}", text(code))),
            Op::Mark { text: id } => Some(text(id)),
            Op::Poisoned { lock } => Some(format!("{} is poisoned", phrase::lock_label(defs, lock))),
            Op::Dropped { .. } => Some("events are missing".to_owned()),
            _ => None,
        };
        if let Some(name) = instant {
            self.name(Track::Thread(me), defs)?;
            self.sink.instant(Track::Thread(me), &name, event.time)?;
        }
        Ok(())
    }

    fn finish(&mut self, defs: &Definitions) -> io::Result<Vec<String>> {
        let end = self.state.time;
        for idx in 0..self.state.threads.len() {
            let thread = ThreadId(idx as u32);
            let (held, wait) = self.snapshot(thread);
            for held in held {
                self.hold(thread, &held, end, None, defs)?;
            }
            if let Some(wait) = wait {
                self.wait(thread, &wait, end, None, defs)?;
            }
        }
        self.sink.finish()?;
        let remark = "the trace has no times: event n is shown at n microseconds".to_owned();
        Ok(if self.has_times { Vec::new() } else { vec![remark] })
    }
}

fn place(defs: &Definitions, site: Option<SiteId>) -> Vec<(&'static str, String)> {
    site.and_then(|site| defs.site(site)).map(|site| ("at", short_site(site))).into_iter().collect()
}
