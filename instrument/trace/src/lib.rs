//! Event model and trace file format of lockscope.
//!
//! Reading order: [`ids`], [`event`], [`object`], [`defs`] are the model that every part of lockscope shares;
//! [`mod@format`] is the byte layout of a `.lks` file; [`writer`] appends to one from many threads without
//! locks or system calls per event; [`reader`] merges the threads of one, finished or still growing,
//! into a single order; [`source`] is the interface that readers of other formats implement too.
//!
//! This crate knows nothing of how locks are wrapped or what is concluded from the events.

pub mod clock;
pub mod defs;
pub mod event;
pub mod format;
mod histogram;
pub mod host;
pub mod ids;
pub mod object;
pub mod reader;
pub mod source;
pub mod stopped;
pub mod writer;

pub use crate::{
    defs::{Definitions, Frame, LockDef, LockKind, Site, ThreadDef, VarDef},
    event::{Access, Event, How, Mode, Op},
    histogram::Histogram,
    ids::{ClassId, LockId, Nanos, SiteId, StackId, StringId, ThreadId, VarId},
    object::{MemoryOrder, Need, Side},
    source::{Completeness, Error, EventSource, Gap, Progress, TraceInfo},
};
