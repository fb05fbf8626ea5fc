//! Reads records about objects that are not locks, and about memory.

use super::stream::{Unread, known_lock, known_thread};
use crate::{
    Definitions, Op, VarId,
    format::{act, code, halves, memory},
};

/// The operation of an `OBJECT` record.
pub(super) fn object(operand: u8, words: [u64; 4], defs: &Definitions) -> Result<Op, Unread> {
    let detail = (words[0] >> 16) as u16;
    let flag = detail & 1 != 0;
    let id = halves(words[1]).0;
    let (count, a) = halves(words[2]);
    let count = u64::from(count);
    let known = || known_lock(id, defs);
    let owner = || known_thread(words[3] as u32, defs);
    let side = code::parse_side(detail);
    Ok(match operand {
        act::BLOCK => {
            let need = code::parse_need(detail as u8, a).ok_or(Unread::Newer)?;
            Op::Block { object: known()?, need, limited: detail & 0x100 != 0 }
        }
        act::UNBLOCK => Op::Unblock { object: known()?, timed_out: flag },
        act::PERMITS_ACQUIRED => Op::PermitsAcquired { semaphore: known()?, permits: a, stays: flag, count },
        act::PERMITS_RELEASED => Op::PermitsReleased { semaphore: known()?, permits: a, owner: owner()?, count },
        act::PERMITS_ADDED => Op::PermitsAdded { semaphore: known()?, permits: a, count },
        act::PERMITS_FORGOTTEN => Op::PermitsForgotten { semaphore: known()?, permits: a, owner: owner()?, count },
        act::BARRIER_ARRIVED => Op::BarrierArrived { barrier: known()?, count },
        act::BARRIER_LEFT => Op::BarrierLeft { barrier: known()?, leader: flag, count },
        act::OBSERVED => Op::Observed { object: known()?, initialised: u64::from(a) },
        act::SENT => Op::Sent { channel: known()?, count },
        act::RECEIVED => Op::Received { channel: known()?, message: u64::from(a), count },
        act::HANDLE_ADDED => Op::HandleAdded { channel: known()?, side, count },
        act::HANDLE_DROPPED => Op::HandleDropped { channel: known()?, side, owner: owner()?, count },
        act::DISCONNECTED => Op::Disconnected { channel: known()?, count },
        act::SEND_FAILED => Op::SendFailed { channel: known()?, message: u64::from(a) },
        act::NOTIFY => Op::Notify { condvar: known()?, all: flag, woken: (detail & 2 != 0).then_some(a), count },
        act::PARK => Op::Park { limited: flag },
        act::UNPARKED => Op::Unparked,
        act::UNPARK => Op::Unpark { thread: known_thread(id, defs)? },
        act::SLEEP => Op::Sleep,
        act::AWAKE => Op::Awake,
        _ => return Err(Unread::Newer),
    })
}

/// The operation of a `MEMORY` record.
pub(super) fn memory(operand: u8, words: [u64; 4], defs: &Definitions) -> Result<Op, Unread> {
    let order = code::parse_order((words[0] >> 16) as u16);
    let id = halves(words[1]).0;
    let count = u64::from(halves(words[2]).0);
    let modification = words[3];
    let var = || known_var(id, defs);
    Ok(match operand {
        memory::READ => Op::Read { var: var()? },
        memory::WRITE => Op::Write { var: var()? },
        memory::LOAD => Op::AtomicLoad { var: var()?, order, read: modification, count },
        memory::STORE => Op::AtomicStore { var: var()?, order, number: modification, count },
        memory::UPDATE => Op::AtomicUpdate { var: var()?, order, number: modification, count },
        memory::FENCE => Op::Fence { order },
        _ => return Err(Unread::Newer),
    })
}

pub(super) fn known_var(id: u32, defs: &Definitions) -> Result<VarId, Unread> {
    ((id as usize) < defs.vars.len()).then_some(VarId(id)).ok_or(Unread::Undefined)
}
