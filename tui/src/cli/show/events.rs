//! `show events`: the events in their merged order, one per line.

use std::{
    io::{self, Write},
    ops::ControlFlow,
};

use lockscope_analyzer::finding::Target;
use lockscope_trace::{Access, Definitions, Event, EventSource, How, Op};

use crate::{
    cli::{
        Failure, Global, load,
        report::phrase,
        show::site,
        style::{self, Look},
        time::Point,
    },
    filter::{Fields, Filter, Quantity},
};

/// Writes all events up to a point that the filter keeps.
///
/// Streams: traces have millions of events, so columns have fixed widths.
pub fn write(
    source: &mut dyn EventSource,
    at: Point,
    filter: &Filter,
    global: &Global,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let look = global.stdout();
    let has_times = source.info().has_times;
    let mut written: io::Result<()> = Ok(());
    let time = if has_times { format!("{:>12}  ", "time") } else { String::new() };
    let heading = format!("{:>9}  {time}{:<16}  {:<12}  what", "event", "thread", "op");
    writeln!(out, "{}", look.paint(style::HEADER, &heading))?;
    load::for_each_until(source, at, global, |position, event, defs| {
        if filter.keeps(&EventRow { defs, position, event, has_times }) {
            written = line(position, event, defs, has_times, &look, out);
        }
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    Ok(())
}

fn line(
    position: u64,
    event: &Event,
    defs: &Definitions,
    has_times: bool,
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let time = if has_times { format!("{:>12}  ", event.time.to_string()) } else { String::new() };
    let thread = phrase::thread_label(defs, event.thread);
    writeln!(
        out,
        "{position:>9}  {time}{}  {:<12}  {}  {}",
        look.paint(style::NOTE, &format!("{thread:<16}")),
        event.op.name(),
        what(defs, event),
        look.paint(style::DIM, &site(defs, event.site)),
    )
}

/// Keys of the list of events.
pub const KEYS: &[&str] = &["thread", "op", "lock", "site", "time", "event", "after", "before"];

/// What a filter sees of an event. Nothing is put in words before it is asked for: there are millions.
#[derive(Clone, Copy, Debug)]
pub struct EventRow<'a> {
    /// What ids mean.
    pub defs: &'a Definitions,
    /// Number of the event, from 1.
    pub position: u64,
    /// The event.
    pub event: &'a Event,
    /// Its time is one.
    pub has_times: bool,
}

impl Fields for EventRow<'_> {
    fn any_text(&self, key: Option<&str>, visit: &mut dyn FnMut(&str) -> bool) -> bool {
        let is_asked = |name| key.is_none_or(|key| key == name);
        let (defs, event) = (self.defs, self.event);
        (is_asked("op") && visit(event.op.name()))
            || (is_asked("thread") && visit(&phrase::thread_label(defs, event.thread)))
            || (is_asked("lock") && visit(&what(defs, event)))
            || (is_asked("site") && visit(&site(defs, event.site)))
    }

    fn quantity(&self, key: &str) -> Option<Quantity> {
        match key {
            "event" => Some(Quantity::Count(self.position)),
            "time" => self.has_times.then_some(Quantity::Time(self.event.time)),
            _ => None,
        }
    }
}

/// What an event is about, in words.
pub fn what(defs: &Definitions, event: &Event) -> String {
    let lock = |id| phrase::lock_short(defs, id);
    let thread = |id| phrase::thread_label(defs, id);
    let text = |id| defs.string(id).map_or_else(String::new, |text| text.lines().next().unwrap_or("").to_owned());
    match event.op {
        Op::Wait { lock: id, mode, .. } | Op::TryFailed { lock: id, mode } | Op::TimedOut { lock: id, mode } => {
            let mode = phrase::mode_word(defs, id, mode).map_or(String::new(), |_| format!(" {}", mode.word()));
            format!("{}{mode}", lock(id))
        }
        Op::Acquired { lock: id, mode, how, count: _ } => {
            let mode = phrase::mode_word(defs, id, mode).map_or(String::new(), |_| format!(" {}", mode.word()));
            let how = match how {
                How::Lock => "",
                How::Try => " by try",
                How::Timed => " within its time limit",
                How::Upgrade => " by upgrade",
                How::Downgrade => " by downgrade",
                How::CondvarReacquire => " again after waiting",
                How::Recursive => " recursively",
                How::RecursiveTimed => " recursively within its time limit",
            };
            format!("{}{mode}{how}", lock(id))
        }
        Op::Released { lock: id, owner, access, .. } => {
            let by = if owner == event.thread { String::new() } else { format!(", taken by {}", thread(owner)) };
            let access = match access {
                Access::Unknown => String::new(),
                Access::Nothing => " untouched".to_owned(),
                Access::Read => " after reading".to_owned(),
                Access::Wrote => " after writing".to_owned(),
                Access::ReadThenWrote => " after reading and writing".to_owned(),
            };
            format!("{}{access}{by}", lock(id))
        }
        Op::Poisoned { lock: id } | Op::Destroyed { lock: id } => lock(id),
        Op::CondWait { condvar, mutex, .. } => format!("{} releasing {}", lock(condvar), lock(mutex)),
        Op::CondWake { condvar, mutex, timed_out, .. } => {
            format!("{} holding {}{}", lock(condvar), lock(mutex), if timed_out { ", timed out" } else { "" })
        }
        Op::Notify { condvar, all, woken, .. } => {
            let whom = if all { "all" } else { "one" };
            let woken = woken.map_or(String::new(), |woken| format!(", {woken} waiting"));
            format!("{} {whom}{woken}", lock(condvar))
        }
        Op::Spawn { child } | Op::JoinWait { child } | Op::Joined { child } => thread(child),
        Op::Block { object, need, limited } => {
            let limit = if limited { ", with a time limit" } else { "" };
            format!("{}{limit}", phrase::target(defs, Target::Object(object, need)))
        }
        Op::Unblock { object, timed_out } => format!("{}{}", lock(object), if timed_out { ", timed out" } else { "" }),
        Op::PermitsAcquired { semaphore, permits, .. } | Op::PermitsAdded { semaphore, permits, .. } => {
            format!("{permits} of {}", lock(semaphore))
        }
        Op::PermitsReleased { semaphore, permits, owner, .. }
        | Op::PermitsForgotten { semaphore, permits, owner, .. } => {
            let by = if owner == event.thread { String::new() } else { format!(", taken by {}", thread(owner)) };
            format!("{permits} of {}{by}", lock(semaphore))
        }
        Op::BarrierArrived { barrier, .. } => lock(barrier),
        Op::BarrierLeft { barrier, leader, .. } => {
            format!("{}{}", lock(barrier), if leader { " as leader" } else { "" })
        }
        Op::Observed { object, .. } => lock(object),
        Op::Sent { channel, count } => format!("message {count} to {}", lock(channel)),
        Op::Received { channel, message: 0, .. } => format!("a message from {}", lock(channel)),
        Op::Received { channel, message, .. } => format!("message {message} from {}", lock(channel)),
        Op::HandleAdded { channel, side, .. } => format!("{} of {}", side.word(), lock(channel)),
        Op::HandleDropped { channel, side, owner, .. } => {
            let by = if owner == event.thread { String::new() } else { format!(", which {} had", thread(owner)) };
            format!("{} of {}{by}", side.word(), lock(channel))
        }
        Op::Disconnected { channel, .. } => lock(channel),
        Op::SendFailed { channel, message } => format!("message {message} to {}", lock(channel)),
        Op::Unpark { thread: id } => thread(id),
        Op::Park { limited: true } => "with a time limit".to_owned(),
        Op::Park { limited: false } | Op::Unparked | Op::Sleep | Op::Awake => String::new(),
        Op::Read { var } | Op::Write { var } => defs.var(var),
        Op::AtomicLoad { var, order, read, .. } => {
            format!("{} of {}, {}", modification(read), defs.var(var), order.word())
        }
        Op::AtomicStore { var, order, number, .. } | Op::AtomicUpdate { var, order, number, .. } => {
            format!("{} of {}, {}", modification(number), defs.var(var), order.word())
        }
        Op::Fence { order } => order.word().to_owned(),
        Op::Finding { code, text: _ } => text(code),
        Op::Mark { text: id } => text(id),
        Op::Dropped { count: 0 } => "an unknown number of events".to_owned(),
        Op::Dropped { count } => format!("{count} events"),
        Op::RegionBegin { name: Some(name) } => text(name),
        Op::Start | Op::Exit | Op::RegionBegin { name: None } | Op::RegionEnd => String::new(),
    }
}

/// A modification of a memory location by its number.
fn modification(number: u64) -> String {
    if number == 0 { "the initial value".to_owned() } else { format!("value {number}") }
}
