//! An access to memory, in few bytes.

use lockscope_trace::{Definitions, Event, Nanos, SiteId, StackId, ThreadId, VarId, defs::short_paths};

use super::{clock::Epoch, holds::Chain};
use crate::{
    detect::text,
    finding::{Accessed, Code, Touch, What},
};

/// An access, with what a report of it needs. Half a cache line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub epoch: Epoch,
    /// Position and what was held: 48 and 16 bits.
    place: u64,
    pub time: Nanos,
    pub site: Option<SiteId>,
    pub stack: Option<StackId>,
}

impl Access {
    /// No access: before everything.
    pub const NONE: Access = Access { epoch: Epoch::NEVER, place: 0, time: Nanos(0), site: None, stack: None };

    #[inline]
    pub fn new(epoch: Epoch, position: u64, event: &Event, chain: Chain) -> Self {
        let Event { time, site, stack, .. } = *event;
        Access { epoch, place: position << 16 | u64::from(chain.to_bits()), time, site, stack }
    }

    /// Stands for several accesses.
    pub fn several(index: u32) -> Self {
        Access { epoch: Epoch::SEVERAL, place: u64::from(index), ..Access::NONE }
    }

    /// Where they are, if it stands for several.
    #[inline]
    pub fn index(&self) -> Option<usize> {
        (self.epoch == Epoch::SEVERAL).then_some(self.place as usize)
    }

    pub fn thread(&self) -> ThreadId {
        self.epoch.thread()
    }

    /// Its position, from 1.
    pub fn position(&self) -> u64 {
        self.place >> 16
    }

    pub fn chain(&self) -> Chain {
        Chain::from_bits(self.place as u16)
    }

    /// For a finding.
    pub fn accessed(&self, var: VarId, touch: Touch) -> Accessed {
        let Access { time, site, stack, .. } = *self;
        Accessed { thread: self.thread(), what: What::Var(var), touch, site, stack, time, event: self.position() }
    }
}

/// By what survives recompilation: what kind of location it is, how it is accessed and in which files.
pub(super) fn fingerprint(definitions: &Definitions, code: Code, accesses: &[Accessed; 2]) -> String {
    let file = |site: Option<SiteId>| site.and_then(|site| definitions.site(site)).map(|site| short_paths(&site.file));
    let mut lines: Vec<String> = accesses
        .iter()
        .map(|accessed| format!("{} {}", accessed.touch.as_str(), file(accessed.site).unwrap_or_default()))
        .collect();
    lines.sort_unstable();
    let what = accesses[0].what;
    lines.push(format!("{} {}", what.type_name(definitions), file(what.created(definitions)).unwrap_or_default()));
    text::fingerprint_of_text(code, &lines.join("\n"))
}
