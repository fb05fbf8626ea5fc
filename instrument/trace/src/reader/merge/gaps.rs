//! What had to happen and is not in the file.

use crate::{Gap, Op, ThreadId, VarId};

/// Gaps that are described; more are only counted.
const MAX_GAPS: usize = 100;

/// All gaps.
#[derive(Debug, Default)]
pub(in crate::reader) struct Gaps {
    pub(in crate::reader) first: Vec<Gap>,
    pub(in crate::reader) count: u64,
}

impl Gaps {
    /// Before this event of the thread something is missing.
    pub(super) fn note(&mut self, event: u64, thread: ThreadId, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < MAX_GAPS {
            self.first.push(Gap { event, thread, what: what() });
        }
    }
}

/// What is missing before an event of a thread whose place expected this count.
pub(super) fn what_is_missing(thread: u32, op: &Op, expected: u32) -> String {
    match *op {
        Op::Acquired { lock, count, .. } => {
            format!("acquisition {count} of {lock} without what came before (expected {expected})")
        }
        Op::Released { lock, owner, .. } => {
            format!("release of {lock} that {owner} had acquired, without the acquisition")
        }
        Op::Start => format!("start of {} without its spawn", ThreadId(thread)),
        Op::Joined { child } => format!("join of {child} without its end"),
        op => {
            let whose = match (op.lock(), op.var()) {
                (Some(lock), _) => lock.to_string(),
                (None, Some(VarId(var))) => format!("memory location {var}"),
                (None, None) => return "an event out of order".to_owned(),
            };
            let count = op.count().unwrap_or(0);
            format!("event {count} of {whose} ({}) without what came before (expected {expected})", op.name())
        }
    }
}
