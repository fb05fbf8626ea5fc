//! What each thread holds, without anything else of the [state](crate::state): the little that engines need.

use lockscope_trace::{Definitions, Event, How, LockId, LockKind, Mode, Nanos, Op, SiteId, StackId, ThreadId};
use rustc_hash::FxHashMap;

use crate::finding::Held;

/// Locks held by each thread. A semaphore of one permit counts as a lock.
#[derive(Debug, Default)]
pub struct Holds {
    threads: Vec<Vec<Hold>>,
    chains: Chains,
}

/// A lock that is held.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// Which.
    pub lock: LockId,
    /// How.
    pub mode: Mode,
    chain: Chain,
    /// Where it was taken.
    pub site: Option<SiteId>,
    /// The stack then.
    pub stack: Option<StackId>,
    /// Since when.
    pub since: Nanos,
    /// Position of the acquisition.
    pub event: u64,
}

impl Hold {
    /// Which lock, and how it is held.
    #[inline]
    pub fn what(&self) -> (LockId, Mode) {
        (self.lock, self.mode)
    }
}

/// What an event did to what is held, in two words, which go from function to function in registers: a processor that has to load at once
/// what was just stored in parts waits for it, and this is asked of every event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// From the lowest bits: which [`Did`], the mode, the mode before, the lock.
    what: u64,
    owner: u64,
}

/// What a [`Change`] says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Did {
    /// Nothing.
    Nothing,
    /// The event's thread holds the lock in the mode; before, it held it in the other one, if any.
    Take(LockId, Mode, Option<Mode>),
    /// The lock is no longer held in the mode, by its owner.
    Give(LockId, Mode, ThreadId),
}

impl Change {
    /// Nothing.
    pub const NONE: Change = Change { what: 0, owner: 0 };

    #[inline]
    fn taken(lock: LockId, mode: Mode, before: Option<Mode>) -> Change {
        let before = before.map_or(0, |mode| bits(mode) + 1);
        Change { what: u64::from(lock.0) << 8 | before << 4 | bits(mode) << 2 | 1, owner: 0 }
    }

    #[inline]
    fn given(lock: LockId, mode: Mode, owner: ThreadId) -> Change {
        Change { what: u64::from(lock.0) << 8 | bits(mode) << 2 | 2, owner: owner.0.into() }
    }

    /// What it says.
    #[inline]
    pub fn did(self) -> Did {
        let (lock, mode) = (LockId((self.what >> 8) as u32), mode(self.what >> 2 & 3));
        match self.what & 3 {
            0 => Did::Nothing,
            1 => Did::Take(lock, mode, (self.what >> 4 & 3).checked_sub(1).map(self::mode)),
            _ => Did::Give(lock, mode, ThreadId(self.owner as u32)),
        }
    }
}

#[inline]
fn bits(mode: Mode) -> u64 {
    match mode {
        Mode::Exclusive => 0,
        Mode::Shared => 1,
        Mode::Upgradable => 2,
    }
}

#[inline]
fn mode(bits: u64) -> Mode {
    match bits {
        0 => Mode::Exclusive,
        1 => Mode::Shared,
        _ => Mode::Upgradable,
    }
}

/// A row of locks with the places where they were taken, outermost first; see [`Holds::chain`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Chain(u16);

impl Holds {
    /// Takes in the event of that position.
    #[inline]
    pub fn event(&mut self, position: u64, event: &Event, definitions: &Definitions) -> Change {
        match event.op {
            Op::Acquired { lock, mode, how, .. } => self.acquired(position, event, lock, mode, how),
            Op::Released { lock, owner, mode, .. } => self.released(lock, owner, mode),
            Op::PermitsAcquired { semaphore, permits: 1, .. } if is_binary(definitions, semaphore) => {
                self.acquired(position, event, semaphore, Mode::Exclusive, How::Lock);
                Change::NONE
            }
            Op::PermitsReleased { semaphore, permits: 1, owner, .. } if is_binary(definitions, semaphore) => {
                self.released(semaphore, owner, None);
                Change::NONE
            }
            _ => Change::NONE,
        }
    }

    /// What the thread holds, outermost first.
    #[inline]
    pub fn of(&self, thread: ThreadId) -> &[Hold] {
        self.threads.get(thread.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The same for a finding.
    pub fn held(&self, thread: ThreadId) -> Vec<Held> {
        let held =
            |&Hold { lock, mode, site, stack, since, event, .. }: &Hold| Held { lock, mode, site, stack, since, event };
        self.of(thread).iter().map(held).collect()
    }

    /// What the thread holds, in few bits, to be kept with what it does.
    #[inline]
    pub fn chain(&self, thread: ThreadId) -> Chain {
        self.of(thread).last().map_or(Chain::EMPTY, |hold| hold.chain)
    }

    /// What was held, by its chain, without times and events (which are 0); `None` when there were too many to keep them.
    pub fn held_then(&self, chain: Chain) -> Option<Vec<Held>> {
        self.chains.locks(chain)
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> u64 {
        self.chains.bytes() + (self.threads.capacity() * (size_of::<Vec<Hold>>() + 4 * size_of::<Hold>())) as u64
    }

    fn thread(&mut self, thread: ThreadId) -> &mut Vec<Hold> {
        let index = thread.0 as usize;
        if index >= self.threads.len() {
            self.threads.resize_with(index + 1, Vec::new);
        }
        &mut self.threads[index]
    }

    fn acquired(&mut self, position: u64, event: &Event, lock: LockId, mode: Mode, how: How) -> Change {
        let held = self.thread(event.thread);
        let mut before = None;
        if matches!(how, How::Upgrade | How::Downgrade)
            && let Some(index) = held.iter().rposition(|hold| hold.lock == lock && hold.mode != mode)
        {
            before = Some(held[index].mode);
            held[index].mode = mode;
            self.chain_from(event.thread, index);
        } else {
            let outer = self.chain(event.thread);
            let chain = self.chains.longer(outer, lock, mode, event.site);
            let Event { site, stack, time, .. } = *event;
            self.threads[event.thread.0 as usize].push(Hold {
                lock,
                mode,
                chain,
                site,
                stack,
                since: time,
                event: position,
            });
        }
        Change::taken(lock, mode, before)
    }

    fn released(&mut self, lock: LockId, owner: ThreadId, mode: Option<Mode>) -> Change {
        let held = self.thread(owner);
        // As the event says: without a mode, exclusive ends before shared and shared before upgradable.
        let found = match (held.last(), mode) {
            (Some(last), None) if last.lock == lock && last.mode == Mode::Exclusive => Some(held.len() - 1),
            (_, Some(mode)) => held.iter().rposition(|hold| hold.lock == lock && hold.mode == mode),
            (_, None) => [Mode::Exclusive, Mode::Shared, Mode::Upgradable]
                .into_iter()
                .find_map(|mode| held.iter().rposition(|hold| hold.lock == lock && hold.mode == mode)),
        };
        let Some(index) = found else { return Change::given(lock, mode.unwrap_or(Mode::Exclusive), owner) };
        let hold = held.remove(index);
        if index < held.len() {
            self.chain_from(owner, index);
        }
        Change::given(lock, hold.mode, owner)
    }

    /// Finds the chains anew of the holds from an index on.
    fn chain_from(&mut self, thread: ThreadId, index: usize) {
        let held = &mut self.threads[thread.0 as usize];
        let mut outer = index.checked_sub(1).map_or(Chain::EMPTY, |before| held[before].chain);
        for hold in &mut held[index..] {
            hold.chain = self.chains.longer(outer, hold.lock, hold.mode, hold.site);
            outer = hold.chain;
        }
    }
}

/// Every chain so far, as a tree.
#[derive(Debug, Default)]
struct Chains {
    /// By number, from 1: the chain without its last lock, and that lock.
    links: Vec<Link>,
    number_of: FxHashMap<Link, Chain>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Link {
    outer: Chain,
    lock: LockId,
    mode: Mode,
    site: Option<SiteId>,
}

/// Most chains that are kept: few enough to be found without waiting for memory.
const MOST_CHAINS: usize = 1 << 14;

impl Chain {
    /// Nothing is held.
    const EMPTY: Chain = Chain(0);
    /// Too many chains were there to keep this one.
    const LOST: Chain = Chain(u16::MAX);
}

impl Chains {
    fn longer(&mut self, outer: Chain, lock: LockId, mode: Mode, site: Option<SiteId>) -> Chain {
        if outer == Chain::LOST {
            return Chain::LOST;
        }
        let link = Link { outer, lock, mode, site };
        if let Some(&chain) = self.number_of.get(&link) {
            return chain;
        }
        // Programs have few; what is random has no end of them.
        if self.links.len() == MOST_CHAINS {
            return Chain::LOST;
        }
        self.links.push(link);
        let chain = Chain(self.links.len() as u16);
        self.number_of.insert(link, chain);
        chain
    }

    fn locks(&self, chain: Chain) -> Option<Vec<Held>> {
        let mut locks = Vec::new();
        let mut next = chain;
        while next != Chain::EMPTY {
            let &Link { outer, lock, mode, site } = self.links.get(usize::from(next.0).checked_sub(1)?)?;
            locks.push(Held { lock, mode, site, stack: None, since: Nanos(0), event: 0 });
            next = outer;
        }
        locks.reverse();
        Some(locks)
    }

    fn bytes(&self) -> u64 {
        (self.links.capacity() * size_of::<Link>() + self.number_of.capacity() * size_of::<(Link, Chain, u8)>()) as u64
    }
}

impl Chain {
    /// As bits, to be packed with others.
    pub fn to_bits(self) -> u16 {
        self.0
    }

    /// From [`to_bits`](Self::to_bits).
    pub fn from_bits(bits: u16) -> Chain {
        Chain(bits)
    }
}

fn is_binary(definitions: &Definitions, semaphore: LockId) -> bool {
    definitions.lock(semaphore).is_some_and(|def| def.kind == LockKind::Semaphore && def.capacity == Some(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::parse;

    fn check(trace: &str, expected: &str) {
        let (events, definitions) = parse(trace);
        let mut holds = Holds::default();
        for (position, event) in (1..).zip(&events) {
            holds.event(position, event, &definitions);
        }
        let held = |held: &[Held]| {
            let names = held.iter().map(|held| format!("{}/{}", definitions.lock_name(held.lock), held.mode.word()));
            names.collect::<Vec<_>>().join(" ")
        };
        let thread = ThreadId(0);
        assert_eq!(held(&holds.held(thread)), expected, "{trace}");
        let then = holds.held_then(holds.chain(thread)).expect("there are few");
        assert_eq!(held(&then), expected, "{trace}");
    }

    #[test]
    fn changes_say_what_was_put_in() {
        let (lock, owner) = (LockId(u32::MAX), ThreadId(u32::MAX));
        let modes = [Mode::Exclusive, Mode::Shared, Mode::Upgradable];
        for mode in modes {
            assert_eq!(Change::given(lock, mode, owner).did(), Did::Give(lock, mode, owner));
            for before in modes.into_iter().map(Some).chain([None]) {
                assert_eq!(Change::taken(lock, mode, before).did(), Did::Take(lock, mode, before));
            }
        }
        assert_eq!(Change::NONE.did(), Did::Nothing);
    }

    #[test]
    fn what_is_held() {
        check("A: lock a, lock b, unlock a", "b/exclusive");
        check("A: lock a, lock b, unlock b", "a/exclusive");
        check("A: upread a, lock b, upgrade a", "a/exclusive b/exclusive");
        check("A: lock a, downgrade a, read b", "a/shared b/shared");
        check("A: read a, lock a, unlock a", "a/shared");
        check("A: lock a; B: unlock a wrote A", "");
        check("A: permit one[1], permit two[2], lock a", "one/exclusive a/exclusive");
        check("A: permit one[1], permitback one", "");
    }
}
