//! Who used which memory location: counts and the latest accesses, of atomics and of cells whose accesses are recorded.

use lockscope_trace::{Event, Op, SiteId, ThreadId, VarId};

/// A thread's access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Who.
    pub thread: ThreadId,
    /// Where.
    pub site: Option<SiteId>,
    /// Number of the event.
    pub event: u64,
    /// It changed the value.
    pub writes: bool,
}

/// What was done to a location.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    /// Accesses that only read.
    pub reads: u64,
    /// Accesses that changed it.
    pub writes: u64,
    /// The latest accesses of different threads or kinds, the last one first; few.
    pub latest: Vec<Access>,
}

/// Latest accesses that are kept of a location.
const KEPT: usize = 4;

/// Takes the event number `number`.
pub fn note(uses: &mut Vec<Uses>, event: &Event, number: u64) {
    let (VarId(var), writes) = match event.op {
        Op::Read { var } | Op::AtomicLoad { var, .. } => (var, false),
        Op::Write { var } | Op::AtomicStore { var, .. } | Op::AtomicUpdate { var, .. } => (var, true),
        _ => return,
    };
    let index = var as usize;
    if index >= uses.len() {
        uses.resize_with(index + 1, Uses::default);
    }
    let of = &mut uses[index];
    if writes {
        of.writes += 1
    } else {
        of.reads += 1
    }
    of.latest.retain(|known| (known.thread, known.writes) != (event.thread, writes));
    of.latest.insert(0, Access { thread: event.thread, site: event.site, event: number, writes });
    of.latest.truncate(KEPT);
}

/// The last two accesses of different threads of which one at least changed the value.
pub fn conflict(uses: &Uses) -> Option<(Access, Access)> {
    uses.latest.iter().enumerate().find_map(|(idx, &last)| {
        let other =
            uses.latest[idx + 1..].iter().find(|other| other.thread != last.thread && (other.writes || last.writes))?;
        Some((last, *other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockscope_trace::Nanos;

    #[test]
    fn the_last_conflict_is_found() {
        let mut uses = Vec::new();
        let (read, write) = (Op::Read { var: VarId(1) }, Op::Write { var: VarId(1) });
        for (number, (thread, op)) in (1..).zip([(0, read), (1, read), (1, write), (1, read), (0, Op::Start)]) {
            let event = Event { thread: ThreadId(thread), time: Nanos(0), site: None, stack: None, op };
            note(&mut uses, &event, number);
        }
        assert_eq!((uses[1].reads, uses[1].writes), (3, 1));
        let (last, other) = conflict(&uses[1]).expect("one wrote what the other had read");
        assert_eq!((last.event, last.writes, other.event, other.thread), (3, true, 1, ThreadId(0)));
        assert_eq!(conflict(&uses[0]), None);
    }
}
