//! Random programs: a main thread that forks and joins, and threads that take locks.

use lockscope_trace::{Definitions, LockKind, Mode, ThreadDef};

/// One step of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Acquire(usize, Mode),
    /// An upgradable hold becomes exclusive.
    Upgrade(usize),
    Release(usize),
    Fork(usize),
    Join(usize),
}

/// Steps of each thread; the first one is the main thread.
#[derive(Clone, Debug)]
pub struct Program {
    pub threads: Vec<Vec<Step>>,
}

/// What programs may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Anything but taking a lock twice.
    Free,
    /// Locks in ascending order only.
    Ordered,
    /// Everything within one gate lock.
    Gated,
    /// Each thread is joined before the next one is forked.
    OneAfterTheOther,
}

pub const LOCKS: usize = 4;

impl Program {
    pub fn random(random: &mut Random, style: Style) -> Self {
        let n_workers = 2 + random.below(2);
        let mut main = Vec::new();
        let mut open = Vec::new();
        for worker in 1..=n_workers {
            main.push(Step::Fork(worker));
            open.push(worker);
            while !open.is_empty() && (style == Style::OneAfterTheOther || random.below(6) == 0) {
                main.push(Step::Join(open.swap_remove(random.below(open.len()))));
            }
        }
        // Sometimes the main thread works, too, before some of the joins.
        if random.below(3) == 0 {
            main.extend(work(random, style));
        }
        main.extend(open.into_iter().map(Step::Join));
        let workers = (0..n_workers).map(|_| work(random, style));
        Program { threads: std::iter::once(main).chain(workers).collect() }
    }

    pub fn definitions(&self) -> Definitions {
        let mut definitions = Definitions::default();
        for lock in 0..LOCKS {
            let name = Some(format!("l{lock}").into());
            definitions.add_lock(LockKind::RwLock, name, "u8".into(), None, None);
        }
        definitions.threads = vec![ThreadDef::default(); self.threads.len()];
        definitions
    }
}

/// Takes and releases locks; holds none at the end.
fn work(random: &mut Random, style: Style) -> Vec<Step> {
    const GATE: usize = LOCKS - 1;
    let mut steps = Vec::new();
    let mut held: Vec<(usize, Mode)> = Vec::new();
    if style == Style::Gated {
        steps.push(Step::Acquire(GATE, Mode::Exclusive));
    }
    for _ in 0..3 + random.below(5) {
        let upgradable = held.iter().position(|&(_, mode)| mode == Mode::Upgradable);
        if let Some(index) = upgradable
            && style != Style::Ordered
            && random.below(3) == 0
        {
            held[index].1 = Mode::Exclusive;
            steps.push(Step::Upgrade(held[index].0));
        } else if !held.is_empty() && random.below(5) < 2 {
            let (lock, _) = held.swap_remove(random.below(held.len()));
            steps.push(Step::Release(lock));
        } else {
            let lock = random.below(GATE);
            let mode = match random.below(6) {
                0 | 1 => Mode::Shared,
                2 => Mode::Upgradable,
                _ => Mode::Exclusive,
            };
            let in_order = style != Style::Ordered || held.iter().all(|&(other, _)| other < lock);
            if in_order && held.iter().all(|&(other, _)| other != lock) {
                held.push((lock, mode));
                steps.push(Step::Acquire(lock, mode));
            }
        }
    }
    steps.extend(held.into_iter().map(|(lock, _)| Step::Release(lock)));
    if style == Style::Gated {
        steps.push(Step::Release(GATE));
    }
    steps
}

/// A generator of pseudo-random numbers (splitmix64): the same ones everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}
