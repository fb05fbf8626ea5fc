//! What locks order.

use lockscope_trace::{LockId, Mode, ThreadId};

use super::{
    super::clock::{Clocks, Epoch, Row},
    threads::Threads,
};

/// What was released, by lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Locks(Vec<Released>);

/// The past of those who released a lock.
#[derive(Clone, Copy, Debug, Default)]
struct Released {
    /// Of the last one who held it exclusively, and when that was.
    exclusive: Option<Row>,
    when: Epoch,
    /// When it was taken last, which tells whether whoever releases it has heard of its owner since.
    taken: Epoch,
    /// Of all since then who held it upgradably, or shared.
    weaker: [Option<Row>; 2],
}

const UPGRADABLE: usize = 0;
const SHARED: usize = 1;

impl Locks {
    fn of(&mut self, lock: LockId) -> &mut Released {
        let index = lock.0 as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, Released::default());
        }
        &mut self.0[index]
    }

    #[inline]
    pub fn taken(
        &mut self,
        clocks: &mut Clocks,
        threads: &mut Threads,
        me: ThreadId,
        (lock, mode, before): (LockId, Mode, Option<Mode>),
    ) {
        let row = threads.row(me);
        let released = *self.of(lock);
        match (before, mode) {
            // A stronger hold became a weaker one: others can have what it gave up.
            (Some(before @ Mode::Exclusive), _) | (Some(before @ Mode::Upgradable), Mode::Shared) => {
                self.give(clocks, threads, me, lock, before);
                return;
            }
            _ => {}
        }
        // Whoever knows of the release knows all that it published, since a new time began after it.
        if let Some(exclusive) = released.exclusive
            && !released.when.is_past(clocks.get(row))
        {
            clocks.join(row, exclusive);
        }
        let further = match mode {
            Mode::Exclusive => &released.weaker[..],
            Mode::Upgradable => &released.weaker[UPGRADABLE..=UPGRADABLE],
            Mode::Shared => &[],
        };
        for &weaker in further.iter().flatten() {
            clocks.join(row, weaker);
        }
        self.of(lock).taken = threads.now(me);
    }

    #[inline]
    pub fn given(
        &mut self,
        clocks: &mut Clocks,
        threads: &mut Threads,
        me: ThreadId,
        (lock, mode): (LockId, Mode),
        owner: ThreadId,
    ) {
        if owner != me {
            // A guard that came from another thread. How it came was recorded, or not; it came after it was taken, so whatever was
            // released before that is past here, too.
            threads.enter(clocks, owner);
            let released = *self.of(lock);
            let rows = released.exclusive.into_iter().chain(released.weaker.into_iter().flatten());
            let row = threads.row(me);
            rows.for_each(|of| clocks.join(row, of));
            if released.taken.thread() == owner && !released.taken.is_past(clocks.get(row)) {
                let of = threads.row(owner);
                clocks.join(row, of);
                threads.tick(clocks, owner);
            }
        }
        self.give(clocks, threads, me, lock, mode);
    }

    fn give(&mut self, clocks: &mut Clocks, threads: &mut Threads, me: ThreadId, lock: LockId, mode: Mode) {
        let row = threads.row(me);
        let released = self.of(lock);
        match mode {
            Mode::Exclusive => {
                match released.exclusive {
                    Some(exclusive) => clocks.copy(exclusive, row),
                    None => released.exclusive = Some(clocks.make_copy(row)),
                }
                released.when = threads.now(me);
                // They are in what was published.
                for weaker in &mut released.weaker {
                    if let Some(row) = weaker.take() {
                        clocks.free(row);
                    }
                }
            }
            Mode::Upgradable | Mode::Shared => {
                let weaker = &mut released.weaker[if mode == Mode::Shared { SHARED } else { UPGRADABLE }];
                match *weaker {
                    Some(weaker) => clocks.join(weaker, row),
                    None => *weaker = Some(clocks.make_copy(row)),
                }
            }
        }
        threads.tick(clocks, me);
    }

    /// The thread found initialised what a holder of the lock had initialised.
    pub fn observed(&mut self, clocks: &mut Clocks, threads: &Threads, me: ThreadId, lock: LockId) {
        if let Some(exclusive) = self.of(lock).exclusive {
            clocks.join(threads.row(me), exclusive);
        }
    }

    /// Nobody will take the lock any more.
    pub fn destroyed(&mut self, clocks: &mut Clocks, lock: LockId) {
        if let Some(released) = self.0.get_mut(lock.0 as usize) {
            let Released { exclusive, weaker, .. } = std::mem::take(released);
            exclusive.into_iter().chain(weaker.into_iter().flatten()).for_each(|row| clocks.free(row));
        }
    }

    pub fn bytes(&self) -> u64 {
        (self.0.capacity() * size_of::<Released>()) as u64
    }
}
