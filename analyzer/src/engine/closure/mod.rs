//! Reorderings of a trace that keep what was read and the order of conflicting critical sections.
//!
//! A *sync-preserving* correct reordering (Mathur, Pavlogiannis, Viswanathan, POPL 2021) is a choice of how far each thread
//! came, so that
//!
//! - whatever is read there was written there, by the same write: reads-from;
//! - whoever runs was started, and what was waited for has happened: forks, joins, messages, notifications and the like;
//! - of two critical sections of one lock that exclude each other and have both begun, the earlier one is over.
//!
//! Its events in the order of the trace are then a run that the program can have. The least choice that contains given
//! events is their *closure*; predictions ask whether an event is outside of it.
//!
//! - `history` takes the events in and keeps what closures need: edges between threads and critical sections.
//! - `objects` says which edges there are besides forks, joins and plain memory.
//! - `sections` keeps the critical sections.
//! - `sets` numbers sets of held locks.
//! - `solve` computes closures.
//!
//! # Memory
//!
//! Not bounded: 12 bytes for each edge that says something new and 36 for each critical section. Accesses to
//! memory that tell a thread nothing, which is most of them, leave nothing. Clocks that are kept share what they have in common.

pub(crate) mod history;
mod objects;
mod sections;
pub(crate) mod sets;
pub(crate) mod solve;

pub(crate) use self::{history::History, solve::Cut};
