//! Time waited, by thread, stack and lock, as folded stacks: a line `thread;outer;inner;lock NANOSECONDS` for each, which `inferno`,
//! `flamegraph.pl` and Speedscope draw.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use lockscope_analyzer::{
    finding::Target,
    state::{State, ThreadState, Wait},
};
use lockscope_trace::{Definitions, Event, Nanos, ThreadId, TraceInfo};

use super::Exporter;
use crate::{
    cli::report::phrase,
    source::{frames::Symbols, short_site},
};

/// Adds up waits.
pub struct Folded<W> {
    out: W,
    symbols: Symbols,
    state: State,
    waited: BTreeMap<String, u64>,
    has_times: bool,
}

impl<W: Write> Folded<W> {
    /// For a trace.
    pub fn new(out: W, info: &TraceInfo) -> Folded<W> {
        let (symbols, has_times) = (Symbols::new(info), info.has_times);
        Folded { out, symbols, state: State::default(), waited: BTreeMap::new(), has_times }
    }

    fn add(&mut self, thread: ThreadId, wait: &Wait, end: Nanos, defs: &Definitions) {
        let mut frames = vec![phrase::thread_label(defs, thread)];
        let stack = wait.stack.map(|stack| self.symbols.folded_stack(defs, stack, wait.site)).unwrap_or_default();
        frames.extend(stack.into_iter().rev().map(|frame| frame.function));
        if frames.len() == 1 {
            frames.extend(wait.site.and_then(|site| defs.site(site)).map(short_site));
        }
        frames.push(match wait.target {
            Target::Lock(lock, _) | Target::Object(lock, _) => defs.class_name(lock),
            target => phrase::target_label(defs, target),
        });
        // Semicolons part frames, and the last space the number.
        let line = frames.iter().map(|frame| frame.replace([';', '\n'], ",")).collect::<Vec<_>>().join(";");
        let nanos = if self.has_times { end.since(wait.since).0 } else { 1 };
        let total = self.waited.entry(line).or_default();
        *total = total.saturating_add(nanos);
    }

    fn wait_of(&self, thread: ThreadId) -> Option<Wait> {
        self.state.thread(thread).and_then(ThreadState::wait).copied()
    }
}

impl<W: Write> Exporter for Folded<W> {
    fn event(&mut self, _position: u64, event: &Event, defs: &Definitions) -> io::Result<()> {
        let before = self.wait_of(event.thread);
        self.state.apply(event);
        let after = self.wait_of(event.thread);
        if let Some(wait) = before.filter(|wait| after.is_none_or(|now| now.event != wait.event)) {
            self.add(event.thread, &wait, event.time, defs);
        }
        Ok(())
    }

    fn finish(&mut self, defs: &Definitions) -> io::Result<Vec<String>> {
        let end = self.state.time;
        for idx in 0..self.state.threads.len() {
            let thread = ThreadId(idx as u32);
            if let Some(wait) = self.wait_of(thread) {
                self.add(thread, &wait, end, defs);
            }
        }
        for (line, nanos) in &self.waited {
            writeln!(self.out, "{line} {nanos}")?;
        }
        let remark = "the trace has no times: waits are counted, not timed".to_owned();
        Ok(if self.has_times { Vec::new() } else { vec![remark] })
    }
}
