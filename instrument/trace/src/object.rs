//! What is done to objects that are not locks: what a wait needs to end, the two sides of a channel, memory orderings.

/// What has to happen for a wait to end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Need {
    /// A notification of a condition variable.
    Notify,
    /// A message in a channel, or the end of its last sender.
    Message,
    /// Room in a bounded channel, a receiver at a rendezvous channel, or the end of its last receiver.
    Room,
    /// So many permits of a semaphore.
    Permits(u32),
    /// More threads at a barrier.
    Party,
    /// That somebody initialises a [`Once`](std::sync::Once) or the like.
    Init,
}

impl Need {
    /// Short stable word for lists, filters and machine output.
    pub fn word(self) -> &'static str {
        match self {
            Need::Notify => "notification",
            Need::Message => "message",
            Need::Room => "room",
            Need::Permits(_) => "permits",
            Need::Party => "party",
            Need::Init => "initialisation",
        }
    }
}

/// A side of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Where messages are sent.
    Sender,
    /// Where they are received.
    Receiver,
}

impl Side {
    /// Lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Side::Sender => "sender",
            Side::Receiver => "receiver",
        }
    }
}

/// Ordering of an atomic operation, as in [`std::sync::atomic::Ordering`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MemoryOrder {
    /// No order with other memory.
    Relaxed,
    /// Of a load: what came before the store that it reads from is visible.
    Acquire,
    /// Of a store: publishes what came before it.
    Release,
    /// Both.
    AcqRel,
    /// Both, in one order with all other sequentially consistent operations.
    SeqCst,
}

impl MemoryOrder {
    /// As it is spelled in a program.
    pub fn word(self) -> &'static str {
        match self {
            MemoryOrder::Relaxed => "Relaxed",
            MemoryOrder::Acquire => "Acquire",
            MemoryOrder::Release => "Release",
            MemoryOrder::AcqRel => "AcqRel",
            MemoryOrder::SeqCst => "SeqCst",
        }
    }

    /// Whether it takes over what the store that is read from published.
    pub fn acquires(self) -> bool {
        matches!(self, MemoryOrder::Acquire | MemoryOrder::AcqRel | MemoryOrder::SeqCst)
    }

    /// Whether it publishes what came before.
    pub fn releases(self) -> bool {
        matches!(self, MemoryOrder::Release | MemoryOrder::AcqRel | MemoryOrder::SeqCst)
    }
}
