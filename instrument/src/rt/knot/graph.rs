//! Who waits for whom, of all threads, at one time: the records turned into relations.
//!
//! Nothing stands still meanwhile. Whoever concludes anything has to check afterwards that the waits in question are
//! still the same (see `knot`).

use std::collections::HashMap;

use lockscope_trace::{LockKind, Mode, Need};

use super::solve::{Demand, Help};
use crate::rt::{
    held::{Fate, HeldLock, MAX_PERMITS},
    helpers::{self, Known},
    object::Helper,
    report::LockFacts,
    thread::{self, ThreadInfo},
    waiting::{Target, Waiting},
};

/// A thread and what it waits for.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub who: Who,
    /// What lockscope knows that it waits for, without a limit.
    pub waiting: Option<Waiting>,
    /// All of these must act.
    pub all: Vec<Relation>,
    /// And some of these.
    pub some: Option<Helpers>,
}

/// A participant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    /// A thread with a record.
    Thread(&'static ThreadInfo),
    /// What a thread left behind that has ended: locks whose guards cannot be anywhere else.
    Ended(&'static ThreadInfo),
    /// A thread that lockscope has never seen, by its number.
    Task(u32),
}

/// Who can end a wait that several can end.
#[derive(Clone, Debug)]
pub(super) struct Helpers {
    pub from: Vec<(Relation, u64)>,
    pub need: u64,
    /// Somebody of whom nothing is known may be able to.
    pub anyone: bool,
    /// `from` is everybody who can, not only everybody who is known to.
    pub is_complete: bool,
    /// There would be enough, had not permits been forgotten.
    pub is_leak: bool,
}

/// How a thread is in the way of another, or could help it.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub to: usize,
    pub why: Why,
}

/// The reason of a relation.
#[derive(Clone, Debug)]
pub(super) enum Why {
    /// It holds the lock, or permits.
    Holds(HeldLock),
    /// It holds the mutex that has to be taken at the end of a wait on a condition variable.
    HoldsMutex(HeldLock),
    /// It waits for the lock exclusively, and no reader may pass.
    WritesFirst,
    /// It has to end.
    Lives,
    /// It is known to be able to help.
    Able(Need),
    /// It has unparked the thread before.
    Unparks,
}

impl Why {
    /// Whether the thread has what the other one waits for, rather than perhaps coming to make it.
    pub(super) fn is_held(&self) -> bool {
        match self {
            Why::Holds(_) | Why::HoldsMutex(_) | Why::WritesFirst => true,
            Why::Able(need) => matches!(need, Need::Message | Need::Room),
            Why::Lives | Why::Unparks => false,
        }
    }
}

/// All threads and their relations.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    by_index: HashMap<u32, usize>,
    by_id: HashMap<u32, usize>,
    ended: HashMap<u32, usize>,
    holds: HashMap<u32, Vec<(&'static ThreadInfo, HeldLock)>>,
    writers: HashMap<u32, Vec<usize>>,
    known: HashMap<u32, Known>,
}

impl Graph {
    /// Reads all records.
    pub(super) fn read() -> Self {
        let mut graph = Self::default();
        for info in thread::all() {
            if !info.ended.load(std::sync::atomic::Ordering::Acquire) {
                graph.add_thread(info);
            }
            for held in info.held.iter() {
                graph.holds.entry(held.lock).or_default().push((info, held));
            }
        }
        for index in 0..graph.nodes.len() {
            if let Some(waiting) = graph.nodes[index].waiting.clone() {
                graph.relate(index, &waiting);
            }
        }
        graph
    }

    fn add_thread(&mut self, info: &'static ThreadInfo) {
        let index = self.nodes.len();
        let waiting = info.wait.endless();
        if let Some(Target::Lock { lock, mode: Mode::Exclusive, .. }) = waiting.as_ref().map(|waiting| &waiting.target)
        {
            self.writers.entry(*lock).or_default().push(index);
        }
        self.nodes.push(Node { who: Who::Thread(info), waiting, all: Vec::new(), some: None });
        self.by_index.insert(info.index, index);
        self.by_id.insert(info.id.load(std::sync::atomic::Ordering::Relaxed), index);
    }

    /// The node of a thread that lockscope has never seen; makes one when there is none.
    pub(super) fn task(&mut self, task: u32) -> usize {
        let is = |node: &Node| matches!(node.who, Who::Task(known) if known == task);
        if let Some(index) = self.nodes.iter().position(is) {
            return index;
        }
        self.nodes.push(Node { who: Who::Task(task), waiting: None, all: Vec::new(), some: None });
        self.nodes.len() - 1
    }

    /// Nodes of threads with a record, by their numbers in the system.
    pub(super) fn by_task(&self) -> HashMap<u32, usize> {
        let task = |(index, node): (usize, &Node)| match node.who {
            Who::Thread(info) => Some((info.os_id.load(std::sync::atomic::Ordering::Relaxed), index)),
            Who::Ended(_) | Who::Task(_) => None,
        };
        self.nodes.iter().enumerate().filter_map(task).collect()
    }

    fn relate(&mut self, index: usize, waiting: &Waiting) {
        match &waiting.target {
            Target::Lock { .. } => self.relate_to_lock(index, waiting),
            Target::Threads(threads) => {
                let lives = |id| self.by_id.get(id).map(|&to| Relation { to, why: Why::Lives });
                self.nodes[index].all = threads.iter().filter_map(lives).collect();
            }
            Target::Objects { objects, mutex } => {
                self.nodes[index].all = match mutex {
                    Some(mutex) => self.holders_of_mutex(index, mutex.lock.lock),
                    None => self.initialisers(objects),
                };
                self.nodes[index].some = Some(self.helpers(index, objects));
            }
            Target::Unpark => {
                let Some(info) = self.nodes[index].info() else { return };
                let known = helpers::known(helpers::thread_object(info.id.load(std::sync::atomic::Ordering::Relaxed)));
                let mut helpers = Helpers { anyone: false, ..Helpers::unknown() };
                known.unparkers().for_each(|helper| helpers.add(self.able(helper, Why::Unparks)));
                self.nodes[index].some = Some(helpers);
            }
        }
    }

    fn relate_to_lock(&mut self, index: usize, waiting: &Waiting) {
        let Target::Lock { lock, mode, upgrade, recursive, .. } = waiting.target else { return };
        let holds = self.holds.get(&lock).cloned().unwrap_or_default();
        let own_upgradable = |info: &ThreadInfo, held: &HeldLock| {
            upgrade && self.by_index.get(&info.index) == Some(&index) && held.mode == Mode::Upgradable
        };
        let conflicting: Vec<_> = holds
            .into_iter()
            .filter(|(info, held)| !own_upgradable(info, held) && !held.mode.compatible(mode))
            .collect();
        let mut all = Vec::new();
        for (info, held) in conflicting {
            match self.holder(info, &held) {
                Some(to) => all.push(Relation { to, why: Why::Holds(held) }),
                // Somebody unknown has the guard, so whether this wait can end is unknown.
                None => self.nodes[index].some = Some(Helpers::unknown()),
            }
        }
        if all.is_empty() && self.nodes[index].some.is_none() && mode != Mode::Exclusive && !recursive {
            let writers = self.writers.get(&lock).into_iter().flatten().filter(|&&writer| writer != index);
            all = writers.map(|&to| Relation { to, why: Why::WritesFirst }).collect();
        }
        self.nodes[index].all = all;
    }

    /// The node that has a hold: its thread, or what remains of it. `None` when it may have gone elsewhere.
    fn holder(&mut self, info: &'static ThreadInfo, held: &HeldLock) -> Option<usize> {
        if let Some(&index) = self.by_index.get(&info.index) {
            return Some(index);
        }
        if held.fate == Fate::Moves {
            return None;
        }
        let nodes = &mut self.nodes;
        Some(*self.ended.entry(info.index).or_insert_with(|| {
            nodes.push(Node { who: Who::Ended(info), waiting: None, all: Vec::new(), some: None });
            nodes.len() - 1
        }))
    }

    fn holders_of_mutex(&mut self, waiter: usize, mutex: u32) -> Vec<Relation> {
        let holds = self.holds.get(&mutex).cloned().unwrap_or_default();
        let relation = |(info, held): (&'static ThreadInfo, HeldLock)| {
            let to = self.holder(info, &held)?;
            (to != waiter).then_some(Relation { to, why: Why::HoldsMutex(held) })
        };
        holds.into_iter().filter_map(relation).collect()
    }

    /// Who initialises what is waited for.
    fn initialisers(&mut self, objects: &[(LockFacts, Need)]) -> Vec<Relation> {
        let objects = objects.iter().filter(|(_, need)| *need == Need::Init);
        let holds: Vec<_> = objects.filter_map(|(object, _)| self.holds.get(&object.lock).cloned()).flatten().collect();
        let initialises = |(info, held): (&'static ThreadInfo, HeldLock)| {
            (held.mode == Mode::Exclusive).then_some(())?;
            Some(Relation { to: self.holder(info, &held)?, why: Why::Holds(held) })
        };
        holds.into_iter().filter_map(initialises).collect()
    }

    fn helpers(&mut self, index: usize, objects: &[(LockFacts, Need)]) -> Helpers {
        if let [(semaphore, Need::Permits(permits))] = objects {
            return self.holders_of_permits(semaphore, *permits);
        }
        let mut helpers = Helpers { anyone: false, ..Helpers::unknown() };
        for &(object, need) in objects {
            let known = self.known.entry(object.lock).or_insert_with(|| helpers::known(object.lock));
            let able: Vec<_> = known.helpers(need).collect();
            for helper in able {
                let able = self.able(helper, Why::Able(need));
                // Nobody waits for ever for what only he himself could send: he has given the handle away.
                let is_own = able.as_ref().is_some_and(|able| able.to == index);
                helpers.anyone |= is_own && matches!(need, Need::Message | Need::Room);
                helpers.add(able);
            }
        }
        // Who has the mutex of a condition variable is probably about to notify.
        let has_mutex = self.nodes[index].all.iter().map(|relation| (relation.clone(), 1));
        helpers.from.extend(has_mutex);
        helpers
    }

    /// How a helper could help; `None` when that is anyone, or has ended, so that what it had may be anyone's.
    fn able(&self, helper: Helper, why: Why) -> Option<Relation> {
        let Helper::Thread(id) = helper else { return None };
        Some(Relation { to: *self.by_id.get(&id)?, why })
    }

    /// Who could give permits back. When all of them are known to be with the threads that took them, this is everybody who can.
    fn holders_of_permits(&mut self, semaphore: &LockFacts, permits: u32) -> Helpers {
        let known = helpers::known(semaphore.lock);
        let holds = self.holds.get(&semaphore.lock).cloned().unwrap_or_default();
        let mut helpers = Helpers { anyone: false, ..Helpers::unknown() };
        let mut taken = 0;
        for (info, held) in holds.into_iter().filter(|(_, held)| held.kind == LockKind::Semaphore) {
            taken += u64::from(held.permits);
            // Permits that may be elsewhere can be given back by anyone.
            helpers.anyone |= held.fate == Fate::Moves;
            let help = if held.permits == MAX_PERMITS { u64::from(permits) } else { u64::from(held.permits) };
            if let Some(to) = self.holder(info, &held) {
                helpers.from.push((Relation { to, why: Why::Holds(held) }, help));
            }
        }
        for helper in known.helpers(Need::Permits(1)) {
            match helper {
                Helper::Thread(id) if self.by_id.contains_key(&id) => {
                    let why = Why::Able(Need::Permits(permits));
                    helpers.from.push((Relation { to: self.by_id[&id], why }, u64::from(permits)));
                }
                _ => helpers.anyone = true,
            }
        }
        let Some(capacity) = known.capacity else { return helpers };
        let (there_were, wanted) = (capacity + known.added, u64::from(permits));
        let there_are = there_were.saturating_sub(known.forgotten);
        // What is not known to be taken may be had; records of holds are within the holds, so this is not too little.
        helpers.need = wanted.saturating_sub(there_are.saturating_sub(taken));
        // Where there are not enough, they wait for some to be added, which anyone may do who has not yet.
        helpers.is_leak = known.added == 0 && there_are < wanted && wanted <= there_were;
        helpers.anyone |= there_are < wanted && !helpers.is_leak;
        // Who has added permits may do so again.
        helpers.is_complete = !helpers.anyone && !helpers.is_leak && known.added == 0;
        helpers
    }

    /// What each thread waits for, for the search. With `proof`, whoever is only known to be able to help is not all who can.
    pub(super) fn demands(&self, proof: bool) -> Vec<Option<Demand>> {
        self.nodes.iter().enumerate().map(|(index, node)| node.demand(index, proof)).collect()
    }
}

impl Helpers {
    fn add(&mut self, able: Option<Relation>) {
        match able {
            Some(relation) => self.from.push((relation, 1)),
            None => self.anyone = true,
        }
    }

    /// Of a wait of which it is not known who could end it.
    pub(super) fn unknown() -> Self {
        Self { from: Vec::new(), need: 1, anyone: true, is_complete: false, is_leak: false }
    }
}

impl Node {
    fn demand(&self, index: usize, proof: bool) -> Option<Demand> {
        if let Who::Ended(_) = self.who {
            // It will never do anything, as one that waits for itself.
            return Some(Demand { all: vec![index], some: None });
        }
        if self.all.is_empty() && self.some.is_none() {
            return None;
        }
        let help = |helpers: &Helpers| Help {
            from: helpers.from.iter().map(|(relation, n)| (relation.to, *n)).collect(),
            need: helpers.need,
            anyone: helpers.anyone || (proof && !helpers.is_complete),
        };
        Some(Demand { all: self.all.iter().map(|relation| relation.to).collect(), some: self.some.as_ref().map(help) })
    }

    /// All relations.
    pub(super) fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.all.iter().chain(self.some.iter().flat_map(|some| some.from.iter().map(|(relation, _)| relation)))
    }

    /// The thread's record, when it has one.
    pub(super) fn info(&self) -> Option<&'static ThreadInfo> {
        match self.who {
            Who::Thread(info) => Some(info),
            Who::Ended(_) | Who::Task(_) => None,
        }
    }

    /// Its number in the system, while it lives.
    pub(super) fn task(&self) -> Option<u32> {
        match self.who {
            Who::Thread(info) => Some(info.os_id.load(std::sync::atomic::Ordering::Relaxed)),
            Who::Ended(_) => None,
            Who::Task(task) => Some(task),
        }
    }
}
