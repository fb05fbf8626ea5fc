//! Which circles were reported.
//!
//! Circles over the same places are the same to a reader, whichever instances of the locks were involved; where wrappers took them, when the
//! same functions called. That a place is a wrapper's may show only after the first report, so each is kept with the stacks that it had; where one
//! is missing, nothing tells the callers apart.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    ptr,
    sync::Mutex,
};

use super::graph::Occurrence;
use crate::rt::{
    Site, reentry, session,
    stack::{self, Stack},
    wrapper,
};

/// How one of the threads took its two locks.
#[derive(Clone, Copy, Debug)]
struct Way {
    held: (Site, Option<Stack>),
    wanted: (Site, Option<Stack>),
}

impl Way {
    fn of(occurrence: &Occurrence) -> Self {
        let told = occurrence.told.as_deref();
        Self {
            held: (occurrence.held_site, told.and_then(|told| told.held_stack)),
            wanted: (occurrence.wanted_site, told.and_then(|told| told.stack)),
        }
    }

    fn places(&self) -> String {
        format!("{} {}", self.held.0, self.wanted.0)
    }

    fn is_alike(&self, other: &Way) -> bool {
        self.places() == other.places()
            && called_alike(self.held, other.held)
            && called_alike(self.wanted, other.wanted)
    }
}

/// Whether two acquisitions at one place are the same to a reader.
fn called_alike((site, one): (Site, Option<Stack>), (_, other): (Site, Option<Stack>)) -> bool {
    match one.zip(other) {
        Some((one, other)) if wrapper::is_wrapper(site) => {
            ptr::eq(one, other) || stack::caller(one, site) == stack::caller(other, site)
        }
        _ => true,
    }
}

/// Whether this is the first circle of its kind in this thread's session; later ones are not reported again, nor are those of which that is not
/// known.
pub(super) fn is_first<'a>(circle: impl Iterator<Item = &'a Occurrence>) -> bool {
    static REPORTED: Mutex<Option<HashMap<u64, Vec<Vec<Way>>>>> = Mutex::new(None);
    let ways: Vec<Way> = circle.map(Way::of).collect();
    let mut places: Vec<String> = ways.iter().map(Way::places).collect();
    places.sort_unstable();
    let mut key = DefaultHasher::new();
    (session::current(), places).hash(&mut key);
    let Some(mut reported) = reentry::lock(&REPORTED) else { return false };
    let reported = reported.get_or_insert_default().entry(key.finish()).or_default();
    if reported.iter().any(|known| are_alike(known, &ways)) {
        return false;
    }
    reported.push(ways);
    true
}

/// Whether each way of one circle has its like in the other.
fn are_alike(known: &[Way], ways: &[Way]) -> bool {
    let mut left = known.to_vec();
    let mut take = |way: &Way| left.iter().position(|known| known.is_alike(way)).map(|index| left.swap_remove(index));
    ways.iter().all(|way| take(way).is_some())
}
