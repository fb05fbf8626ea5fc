//! What a thread did to data: to a memory location, or to what a lock protects.

use lockscope_trace::{Definitions, Event, LockId, LockKind, Nanos, SiteId, StackId, ThreadId, VarId};

use crate::finding::{Accessed, Touch, What};

/// Data by number, so that what is known of it lies in rows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(super) struct Target(u64);

impl Target {
    pub fn var(var: VarId) -> Self {
        Target(u64::from(var.0) << 1)
    }

    pub fn data(lock: LockId) -> Self {
        Target(u64::from(lock.0) << 1 | 1)
    }

    /// Its place in rows, vars and locks in turn.
    fn index(self) -> usize {
        self.0 as usize
    }

    pub fn what(self) -> What {
        let id = (self.0 >> 1) as u32;
        if self.0 & 1 == 0 { What::Var(VarId(id)) } else { What::Data(LockId(id)) }
    }
}

/// Something for each target that was touched.
#[derive(Debug)]
pub(super) struct Targets<T>(Vec<T>);

impl<T> Default for Targets<T> {
    fn default() -> Self {
        Targets(Vec::new())
    }
}

impl<T: Default> Targets<T> {
    pub fn of(&mut self, target: Target) -> &mut T {
        let index = target.index();
        if index >= self.0.len() {
            self.0.resize_with(index + 1, T::default);
        }
        &mut self.0[index]
    }

    #[inline]
    pub fn get(&self, target: Target) -> Option<&T> {
        self.0.get(target.index())
    }

    pub fn bytes(&self) -> u64 {
        (self.0.capacity() * size_of::<T>()) as u64
    }
}

/// An [`Accessed`], and when it was over: for what a section did, the section's end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub thread: ThreadId,
    pub target: Target,
    pub touch: Touch,
    pub site: Option<SiteId>,
    pub stack: Option<StackId>,
    pub time: Nanos,
    /// Position of the access, or of the acquisition with which the section began.
    pub event: u64,
    /// Position of the access, or of the section's end.
    pub end: u64,
}

impl Done {
    /// An access to memory.
    pub fn access(position: u64, event: &Event, var: VarId, touch: Touch) -> Self {
        let Event { thread, time, site, stack, .. } = *event;
        Done { thread, target: Target::var(var), touch, site, stack, time, event: position, end: position }
    }

    pub fn accessed(&self) -> Accessed {
        let Done { thread, target, touch, site, stack, time, event, .. } = *self;
        Accessed { thread, what: target.what(), touch, site, stack, time, event }
    }
}

/// Which locks protect data that is known, so that their sections tell what was done to it; filled as asked.
#[derive(Debug, Default)]
pub(super) struct Protected(Vec<Option<bool>>);

impl Protected {
    /// Whether the data that a lock protects is not known, so that the lock itself stands for it.
    #[inline]
    pub fn is_opaque(&mut self, definitions: &Definitions, lock: LockId) -> bool {
        match self.0.get(lock.0 as usize) {
            Some(&Some(is_opaque)) => is_opaque,
            _ => self.look(definitions, lock),
        }
    }

    #[cold]
    fn look(&mut self, definitions: &Definitions, lock: LockId) -> bool {
        let Some(def) = definitions.lock(lock) else { return true };
        let has_guard = matches!(def.kind, LockKind::Mutex | LockKind::RwLock | LockKind::FairMutex);
        let is_opaque = !has_guard || matches!(&*def.type_name, "" | "()");
        let index = lock.0 as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, None);
        }
        self.0[index] = Some(is_opaque);
        is_opaque
    }
}
