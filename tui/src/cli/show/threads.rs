//! `show threads`: a thread dump as jstack prints it, with locks.

use std::io::Write;

use lockscope_analyzer::{
    finding::Target,
    state::{Activity, State, ThreadState, Wait},
};
use lockscope_trace::{Definitions, EventSource, LockId, Nanos, ThreadId};

use crate::{
    cli::{
        Failure,
        report::{phrase, plural},
        show::{heading, site},
        style::{self, Look},
    },
    filter::{Filter, Quantity, Row},
};

/// Writes all threads that the filter keeps.
pub fn write(
    source: &dyn EventSource,
    state: &State,
    filter: &Filter,
    look: &Look,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    heading(source, state, look, out)?;
    let dump = Dump { defs: source.definitions(), has_times: source.info().has_times, state, look };
    for (idx, thread) in state.threads.iter().enumerate() {
        let id = ThreadId(idx as u32);
        if !dump.defs.is_own(id) && filter.keeps(&row(dump.defs, id, thread, dump.now())) {
            dump.thread(id, thread, out)?;
        }
    }
    dump.deadlocks(out)
}

/// Keys of the list of threads.
pub const KEYS: &[&str] = &["thread", "state", "holds", "wants", "mode", "site", "wait", "held"];

/// What a filter sees of a thread. `now` is until when waits have lasted; without it they have no duration.
pub fn row(defs: &Definitions, id: ThreadId, thread: &ThreadState, now: Option<Nanos>) -> Row {
    let mut row = Row::default();
    row.add("thread", &phrase::thread_label(defs, id));
    row.add("state", state_word(&thread.activity));
    for held in &thread.held {
        row.add("holds", &phrase::lock_label(defs, held.lock));
        row.add("site", &site(defs, held.site));
        row.add("mode", held.mode.word());
    }
    row.set("held", Quantity::Count(thread.held.len() as u64));
    if let Some(wait) = thread.wait() {
        if let Some(now) = now {
            row.set("wait", Quantity::Time(now.since(wait.since)));
        }
        if let Target::Lock(_, mode) = wait.target {
            row.add("mode", mode.word());
        }
        row.add("wants", &phrase::waited_for(defs, thread));
        row.add("site", &site(defs, wait.site));
    }
    for permits in &thread.permits {
        row.add("holds", &phrase::lock_label(defs, permits.semaphore));
        row.add("site", &site(defs, permits.site));
    }
    row
}

/// The word for what a thread does.
pub fn state_word(activity: &Activity) -> &'static str {
    match activity {
        Activity::NotStarted => "not started",
        Activity::Running => "running",
        Activity::Blocked(_) => "blocked",
        Activity::Sleeping { .. } => "sleeping",
        Activity::Finished => "finished",
    }
}

struct Dump<'a> {
    defs: &'a Definitions,
    has_times: bool,
    state: &'a State,
    look: &'a Look,
}

impl Dump<'_> {
    fn now(&self) -> Option<Nanos> {
        self.has_times.then_some(self.state.time)
    }

    fn thread(&self, id: ThreadId, thread: &ThreadState, out: &mut dyn Write) -> Result<(), Failure> {
        let word = state_word(&thread.activity);
        let doing = match &thread.activity {
            Activity::Blocked(Wait { since, .. }) | Activity::Sleeping { since, .. } if self.has_times => {
                format!("{word} for {}", self.state.time.since(*since))
            }
            _ => word.to_owned(),
        };
        let style = if thread.wait().is_some() { style::WARNING } else { style::DIM };
        let os_id = self.defs.thread(id).map(|def| def.os_id).filter(|&os_id| os_id != 0);
        let os_id = os_id.map_or(String::new(), |os_id| format!("  tid {os_id}"));
        let name = self.look.paint(style::HEADER, &phrase::thread_label(self.defs, id));
        writeln!(out, "{name}{os_id}  {}", self.look.paint(style, &doing))?;
        if let Activity::Sleeping { site: place, .. } = thread.activity {
            writeln!(out, "    sleeps at {}", site(self.defs, place))?;
        }
        if let Some(wait) = thread.wait() {
            writeln!(
                out,
                "    wants  {}  at {}{}",
                self.look.paint(style::LOCK, &phrase::waited_for(self.defs, thread)),
                site(self.defs, wait.site),
                if wait.limited { ", with a time limit" } else { "" }
            )?;
            if let Target::Lock(lock, _) = wait.target {
                self.holders(lock, out)?;
            }
            self.helpers(id, thread, out)?;
        }
        for held in thread.held.iter().rev() {
            let label = phrase::target_label(self.defs, Target::Lock(held.lock, held.mode));
            let since = if self.has_times { format!(" since {}", held.since) } else { String::new() };
            writeln!(
                out,
                "    holds  {}  taken at {}{since}",
                self.look.paint(style::LOCK, &label),
                site(self.defs, held.site)
            )?;
        }
        for permits in thread.permits.iter().rev() {
            let label = phrase::lock_label(self.defs, permits.semaphore);
            let since = if self.has_times { format!(" since {}", permits.since) } else { String::new() };
            writeln!(
                out,
                "    holds  {} of {}  taken at {}{since}",
                plural(permits.permits, "permit"),
                self.look.paint(style::LOCK, &label),
                site(self.defs, permits.site)
            )?;
        }
        writeln!(out)?;
        Ok(())
    }

    /// Who could end a wait that is not for a lock, and what there is of what is waited for.
    fn helpers(&self, id: ThreadId, thread: &ThreadState, out: &mut dyn Write) -> Result<(), Failure> {
        for target in thread.targets() {
            if let Target::Object(object, _) = target
                && let Some(state) = phrase::object_state(self.defs, self.state, object)
            {
                writeln!(out, "           {}: {state}", phrase::lock_short(self.defs, object))?;
            }
        }
        let names: Vec<String> = phrase::helpers(self.defs, self.state, id)
            .into_iter()
            .map(|thread| phrase::thread_label(self.defs, thread))
            .collect();
        if !names.is_empty() {
            writeln!(out, "           could be ended by {}", names.join(", "))?;
        }
        Ok(())
    }

    fn holders(&self, lock: LockId, out: &mut dyn Write) -> Result<(), Failure> {
        for (holder, mode, since) in self.state.lock(lock).map(|lock| lock.holders.as_slice()).unwrap_or_default() {
            let since = if self.has_times { format!(" since {since}") } else { String::new() };
            let mode = phrase::in_mode(self.defs, lock, *mode);
            writeln!(out, "           held by {}{mode}{since}", phrase::thread_label(self.defs, *holder))?;
        }
        Ok(())
    }

    fn deadlocks(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let graph = crate::graph::build::wait_for(self.state, self.defs, self.has_times.then_some(self.state.time));
        for cycle in &graph.cycles {
            let labels: Vec<&str> =
                cycle.iter().chain(cycle.first()).map(|&node| graph.nodes[node].label.as_str()).collect();
            writeln!(out, "{} {}", self.look.paint(style::ERROR, "deadlock:"), labels.join(" -> "))?;
        }
        for threads in &graph.hopeless {
            let labels: Vec<&str> = threads.iter().map(|&node| graph.nodes[node].label.as_str()).collect();
            writeln!(
                out,
                "{} {}: nobody is left who could help",
                self.look.paint(style::ERROR, "stuck:"),
                labels.join(", ")
            )?;
        }
        Ok(())
    }
}
