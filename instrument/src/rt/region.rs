//! Records what the program says of itself.

use super::{
    Site,
    global::{flag, flags, patient_registry, trace},
    record, thread,
};

/// Records the begin of a region meant to be atomic; false when nothing is recorded, and then its end is not to be told.
#[inline]
pub fn begin(name: &'static str, site: Site) -> bool {
    flags() & flag::RECORD != 0 && begin_recorded(name, site)
}

#[inline(never)]
fn begin_recorded(name: &'static str, site: Site) -> bool {
    let Some(entered) = thread::enter() else { return false };
    record::note_stopped();
    let name = record::name_id(&entered, name);
    record::region(&entered, Some(name), Some(site));
    true
}

/// Records the end of the region that was begun last.
#[inline(never)]
pub fn end() {
    if flags() & flag::RECORD != 0
        && let Some(entered) = thread::enter()
    {
        record::region(&entered, None, None);
    }
}

/// Records a mark.
#[inline]
pub fn mark(text: &str, site: Site) {
    if flags() & flag::RECORD != 0 {
        mark_recorded(text, site);
    }
}

#[inline(never)]
fn mark_recorded(text: &str, site: Site) {
    if let Some(entered) = thread::enter()
        && let Some(writer) = trace()
    {
        let text = patient_registry().map_or(0, |mut registry| registry.string(writer, text));
        record::mark(&entered, text, site);
    }
}
