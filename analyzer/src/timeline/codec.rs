//! Events as few bytes: about eight each, where the event itself has 56.
//!
//! A byte says which kind it is and whether a site and a stack follow; numbers are as long as they have to be, times are
//! differences to the event before. Only this program reads what it writes, in memory, so there is no version and no check.

use lockscope_trace::{
    Event, LockId, Nanos, Op, SiteId, StackId, StringId, ThreadId, VarId,
    format::code::{
        access, mode_how, need, order, parse_access, parse_mode_how, parse_need, parse_order, parse_side, side,
    },
};

const HAS_SITE: u8 = 1 << 6;
const HAS_STACK: u8 = 1 << 7;

/// Appends an event; `before` is the time of the event before it.
pub(super) fn encode(event: &Event, before: Nanos, out: &mut Vec<u8>) {
    let at = out.len();
    out.push(0);
    number(event.thread.0, out);
    let difference = event.time.0.wrapping_sub(before.0) as i64;
    long((difference << 1 ^ difference >> 63) as u64, out);
    let mut first = 0;
    if let Some(site) = event.site {
        first |= HAS_SITE;
        number(site.to_raw(), out);
    }
    if let Some(stack) = event.stack {
        first |= HAS_STACK;
        number(stack.to_raw(), out);
    }
    out[at] = first | op(&event.op, out);
}

/// Appends what the kind of event has, and returns its number.
fn op(op: &Op, out: &mut Vec<u8>) -> u8 {
    let mut put = |kind: u8, numbers: &[u64]| {
        numbers.iter().for_each(|&value| long(value, out));
        kind
    };
    let id = |LockId(id): LockId| u64::from(id);
    let who = |ThreadId(id): ThreadId| u64::from(id);
    match *op {
        Op::Wait { lock, mode, how } => put(0, &[id(lock), mode_how(mode, how).into()]),
        Op::Acquired { lock, mode, how, count } => put(1, &[id(lock), mode_how(mode, how).into(), count]),
        Op::Released { lock, owner, mode, access: what } => {
            let mode = mode.map_or(0, |mode| 1 + mode_how(mode, lockscope_trace::How::Lock));
            put(2, &[id(lock), who(owner), u64::from(mode) << 3 | u64::from(access(what))])
        }
        Op::TryFailed { lock, mode } => put(3, &[id(lock), mode_how(mode, lockscope_trace::How::Lock).into()]),
        Op::TimedOut { lock, mode } => put(4, &[id(lock), mode_how(mode, lockscope_trace::How::Lock).into()]),
        Op::Poisoned { lock } => put(5, &[id(lock)]),
        Op::Destroyed { lock } => put(6, &[id(lock)]),
        Op::CondWait { condvar, mutex, limited, count } => put(7, &[id(condvar), id(mutex), limited.into(), count]),
        Op::CondWake { condvar, mutex, timed_out, count } => put(8, &[id(condvar), id(mutex), timed_out.into(), count]),
        Op::Notify { condvar, all, woken, count } => {
            put(9, &[id(condvar), all.into(), woken.map_or(0, |woken| u64::from(woken) + 1), count])
        }
        Op::Block { object, need: what, limited } => {
            let permits = if let lockscope_trace::Need::Permits(permits) = what { permits } else { 0 };
            put(10, &[id(object), need(what).into(), permits.into(), limited.into()])
        }
        Op::Unblock { object, timed_out } => put(11, &[id(object), timed_out.into()]),
        Op::PermitsAcquired { semaphore, permits, stays, count } => {
            put(12, &[id(semaphore), permits.into(), stays.into(), count])
        }
        Op::PermitsReleased { semaphore, permits, owner, count } => {
            put(13, &[id(semaphore), permits.into(), who(owner), count])
        }
        Op::PermitsAdded { semaphore, permits, count } => put(14, &[id(semaphore), permits.into(), count]),
        Op::PermitsForgotten { semaphore, permits, owner, count } => {
            put(15, &[id(semaphore), permits.into(), who(owner), count])
        }
        Op::BarrierArrived { barrier, count } => put(16, &[id(barrier), count]),
        Op::BarrierLeft { barrier, leader, count } => put(17, &[id(barrier), leader.into(), count]),
        Op::Observed { object, initialised } => put(18, &[id(object), initialised]),
        Op::Sent { channel, count } => put(19, &[id(channel), count]),
        Op::Received { channel, message, count } => put(20, &[id(channel), message, count]),
        Op::HandleAdded { channel, side: which, count } => put(21, &[id(channel), side(which).into(), count]),
        Op::HandleDropped { channel, side: which, owner, count } => {
            put(22, &[id(channel), side(which).into(), who(owner), count])
        }
        Op::SendFailed { channel, message } => put(23, &[id(channel), message]),
        Op::Disconnected { channel, count } => put(24, &[id(channel), count]),
        Op::Park { limited } => put(25, &[limited.into()]),
        Op::Unparked => put(26, &[]),
        Op::Unpark { thread } => put(27, &[who(thread)]),
        Op::Sleep => put(28, &[]),
        Op::Awake => put(29, &[]),
        Op::Spawn { child } => put(30, &[who(child)]),
        Op::Start => put(31, &[]),
        Op::Exit => put(32, &[]),
        Op::JoinWait { child } => put(33, &[who(child)]),
        Op::Joined { child } => put(34, &[who(child)]),
        Op::Read { var } => put(35, &[var.0.into()]),
        Op::Write { var } => put(36, &[var.0.into()]),
        Op::AtomicLoad { var, order: by, read, count } => put(37, &[var.0.into(), order(by).into(), read, count]),
        Op::AtomicStore { var, order: by, number, count } => put(38, &[var.0.into(), order(by).into(), number, count]),
        Op::AtomicUpdate { var, order: by, number, count } => put(39, &[var.0.into(), order(by).into(), number, count]),
        Op::Fence { order: by } => put(40, &[order(by).into()]),
        Op::RegionBegin { name } => put(41, &[name.map_or(0, |name| u64::from(name.0) + 1)]),
        Op::RegionEnd => put(42, &[]),
        Op::Finding { code, text } => put(43, &[code.0.into(), text.0.into()]),
        Op::Mark { text } => put(44, &[text.0.into()]),
        Op::Dropped { count } => put(45, &[count]),
    }
}

fn number(value: u32, out: &mut Vec<u8>) {
    long(value.into(), out);
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn long(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads what [`encode`] wrote.
pub(super) struct Decoder<'a> {
    bytes: &'a [u8],
    before: Nanos,
}

impl<'a> Decoder<'a> {
    /// `before` is what the first event was encoded with.
    pub(super) fn new(bytes: &'a [u8], before: Nanos) -> Decoder<'a> {
        Decoder { bytes, before }
    }

    fn byte(&mut self) -> u8 {
        let (&byte, rest) = self.bytes.split_first().expect("an event that was begun was written to its end");
        self.bytes = rest;
        byte
    }

    fn long(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
            shift += 7;
        }
    }

    fn number(&mut self) -> u32 {
        self.long() as u32
    }

    fn flag(&mut self) -> bool {
        self.byte() != 0
    }

    fn lock(&mut self) -> LockId {
        LockId(self.number())
    }

    fn thread(&mut self) -> ThreadId {
        ThreadId(self.number())
    }

    fn var(&mut self) -> VarId {
        VarId(self.number())
    }

    fn string(&mut self) -> StringId {
        StringId(self.number())
    }

    fn order(&mut self) -> lockscope_trace::MemoryOrder {
        parse_order(self.number() as u16)
    }

    fn op(&mut self, kind: u8) -> Op {
        match kind {
            0..=1 | 3..=4 => {
                let (lock, (mode, how)) = (self.lock(), parse_mode_how(self.byte()));
                match kind {
                    0 => Op::Wait { lock, mode, how },
                    1 => Op::Acquired { lock, mode, how, count: self.long() },
                    3 => Op::TryFailed { lock, mode },
                    _ => Op::TimedOut { lock, mode },
                }
            }
            2 => {
                let (lock, owner, bits) = (self.lock(), self.thread(), self.byte());
                let mode = (bits >> 3).checked_sub(1).map(|mode| parse_mode_how(mode).0);
                Op::Released { lock, owner, mode, access: parse_access(bits & 7) }
            }
            5 => Op::Poisoned { lock: self.lock() },
            6 => Op::Destroyed { lock: self.lock() },
            7 => Op::CondWait { condvar: self.lock(), mutex: self.lock(), limited: self.flag(), count: self.long() },
            8 => Op::CondWake { condvar: self.lock(), mutex: self.lock(), timed_out: self.flag(), count: self.long() },
            9 => Op::Notify {
                condvar: self.lock(),
                all: self.flag(),
                woken: self.long().checked_sub(1).map(|woken| woken as u32),
                count: self.long(),
            },
            10 => {
                let (object, kind, permits) = (self.lock(), self.byte(), self.number());
                let need = parse_need(kind, permits).expect("only needs that there are were written");
                Op::Block { object, need, limited: self.flag() }
            }
            11 => Op::Unblock { object: self.lock(), timed_out: self.flag() },
            12 => Op::PermitsAcquired {
                semaphore: self.lock(),
                permits: self.number(),
                stays: self.flag(),
                count: self.long(),
            },
            13 => Op::PermitsReleased {
                semaphore: self.lock(),
                permits: self.number(),
                owner: self.thread(),
                count: self.long(),
            },
            14 => Op::PermitsAdded { semaphore: self.lock(), permits: self.number(), count: self.long() },
            15 => Op::PermitsForgotten {
                semaphore: self.lock(),
                permits: self.number(),
                owner: self.thread(),
                count: self.long(),
            },
            16 => Op::BarrierArrived { barrier: self.lock(), count: self.long() },
            17 => Op::BarrierLeft { barrier: self.lock(), leader: self.flag(), count: self.long() },
            18 => Op::Observed { object: self.lock(), initialised: self.long() },
            19 => Op::Sent { channel: self.lock(), count: self.long() },
            20 => Op::Received { channel: self.lock(), message: self.long(), count: self.long() },
            21 => Op::HandleAdded { channel: self.lock(), side: parse_side(self.number() as u16), count: self.long() },
            22 => Op::HandleDropped {
                channel: self.lock(),
                side: parse_side(self.number() as u16),
                owner: self.thread(),
                count: self.long(),
            },
            23 => Op::SendFailed { channel: self.lock(), message: self.long() },
            24 => Op::Disconnected { channel: self.lock(), count: self.long() },
            25 => Op::Park { limited: self.flag() },
            26 => Op::Unparked,
            27 => Op::Unpark { thread: self.thread() },
            28 => Op::Sleep,
            29 => Op::Awake,
            30 => Op::Spawn { child: self.thread() },
            31 => Op::Start,
            32 => Op::Exit,
            33 => Op::JoinWait { child: self.thread() },
            34 => Op::Joined { child: self.thread() },
            35 => Op::Read { var: self.var() },
            36 => Op::Write { var: self.var() },
            37 => Op::AtomicLoad { var: self.var(), order: self.order(), read: self.long(), count: self.long() },
            38 => Op::AtomicStore { var: self.var(), order: self.order(), number: self.long(), count: self.long() },
            39 => Op::AtomicUpdate { var: self.var(), order: self.order(), number: self.long(), count: self.long() },
            40 => Op::Fence { order: self.order() },
            41 => Op::RegionBegin { name: self.long().checked_sub(1).map(|name| StringId(name as u32)) },
            42 => Op::RegionEnd,
            43 => Op::Finding { code: self.string(), text: self.string() },
            44 => Op::Mark { text: self.string() },
            _ => Op::Dropped { count: self.long() },
        }
    }
}

impl Iterator for Decoder<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.bytes.is_empty() {
            return None;
        }
        let first = self.byte();
        let thread = self.thread();
        let difference = self.long();
        let time = Nanos(self.before.0.wrapping_add((difference >> 1) ^ (difference & 1).wrapping_neg()));
        self.before = time;
        let site = if first & HAS_SITE == 0 { None } else { SiteId::from_raw(self.number()) };
        let stack = if first & HAS_STACK == 0 { None } else { StackId::from_raw(self.number()) };
        let op = self.op(first & (HAS_SITE - 1));
        Some(Event { thread, time, site, stack, op })
    }
}

#[cfg(test)]
mod tests {
    use lockscope_trace::{Access, How, MemoryOrder, Mode, Need, Side};

    use super::*;

    #[test]
    fn every_kind_of_event_comes_back() {
        use Mode::{Exclusive, Shared, Upgradable};
        let (lock, thread, var, many) = (LockId(300), ThreadId(u32::MAX), VarId(7), u64::MAX);
        let (text, code) = (StringId(1_000_000), StringId(0));
        let order = MemoryOrder::AcqRel;
        let released = |mode, access| Op::Released { lock, owner: thread, mode, access };
        let ops = [
            Op::Wait { lock, mode: Shared, how: How::RecursiveTimed },
            Op::Acquired { lock, mode: Upgradable, how: How::Upgrade, count: many },
            released(None, Access::Wrote),
            released(Some(Exclusive), Access::ReadThenWrote),
            released(Some(Exclusive), Access::Unknown),
            released(Some(Upgradable), Access::Read),
            Op::TryFailed { lock, mode: Shared },
            Op::TimedOut { lock, mode: Exclusive },
            Op::Poisoned { lock },
            Op::Destroyed { lock },
            Op::CondWait { condvar: lock, mutex: LockId(0), limited: true, count: 3 },
            Op::CondWake { condvar: lock, mutex: LockId(0), timed_out: false, count: 0 },
            Op::Notify { condvar: lock, all: true, woken: None, count: 1 },
            Op::Notify { condvar: lock, all: false, woken: Some(u32::MAX), count: 1 },
            Op::Block { object: lock, need: Need::Permits(77), limited: true },
            Op::Block { object: lock, need: Need::Init, limited: false },
            Op::Unblock { object: lock, timed_out: true },
            Op::PermitsAcquired { semaphore: lock, permits: 9, stays: true, count: 2 },
            Op::PermitsReleased { semaphore: lock, permits: 9, owner: thread, count: 2 },
            Op::PermitsAdded { semaphore: lock, permits: 9, count: 2 },
            Op::PermitsForgotten { semaphore: lock, permits: 9, owner: thread, count: 2 },
            Op::BarrierArrived { barrier: lock, count: 4 },
            Op::BarrierLeft { barrier: lock, leader: true, count: 4 },
            Op::Observed { object: lock, initialised: many },
            Op::Sent { channel: lock, count: 5 },
            Op::Received { channel: lock, message: many, count: 5 },
            Op::HandleAdded { channel: lock, side: Side::Receiver, count: 5 },
            Op::HandleDropped { channel: lock, side: Side::Sender, owner: thread, count: 5 },
            Op::SendFailed { channel: lock, message: 5 },
            Op::Disconnected { channel: lock, count: 5 },
            Op::Park { limited: true },
            Op::Unparked,
            Op::Unpark { thread },
            Op::Sleep,
            Op::Awake,
            Op::Spawn { child: thread },
            Op::Start,
            Op::Exit,
            Op::JoinWait { child: thread },
            Op::Joined { child: thread },
            Op::Read { var },
            Op::Write { var },
            Op::AtomicLoad { var, order, read: many, count: 1 },
            Op::AtomicStore { var, order, number: 6, count: 1 },
            Op::AtomicUpdate { var, order, number: 6, count: 1 },
            Op::Fence { order },
            Op::RegionBegin { name: None },
            Op::RegionBegin { name: Some(StringId(7)) },
            Op::RegionEnd,
            Op::Finding { code, text },
            Op::Mark { text },
            Op::Dropped { count: 0 },
        ];
        // Times that go on, stand still, run backwards and are as far apart as they can be.
        let times = [5, 5, 3, u64::MAX, 0, 1 << 63, 1];
        let mut events = Vec::new();
        for (idx, op) in ops.into_iter().enumerate() {
            let site = if idx % 2 == 0 { None } else { SiteId::from_index(idx * 1000) };
            let stack = if idx % 3 == 0 { None } else { StackId::from_index(idx) };
            events.push(Event { thread: ThreadId(idx as u32), time: Nanos(times[idx % times.len()]), site, stack, op });
        }
        let mut bytes = Vec::new();
        let mut before = Nanos(40);
        for event in &events {
            encode(event, before, &mut bytes);
            before = event.time;
        }
        assert_eq!(Decoder::new(&bytes, Nanos(40)).collect::<Vec<_>>(), events);
    }
}
