//! What the program says of itself: regions meant to be atomic, and marks.

use std::marker::PhantomData;

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
use crate::rt::region;

/// Says that from here on until the value is dropped, this thread's work is meant to be atomic: that no other thread's work
/// between its steps should make a difference.
///
/// A recording then shows the analysis whether it is: `lockscope check` reports an `atomicity-violation` where what threads did is like
/// no order in which the regions come one after the other (conflict serialisability; Farzan and Madhusudan, CAV 2008; AeroDrome, ASPLOS 2020).
/// Nothing is locked and nobody waits. Regions may be nested; the outermost counts.
///
/// Costs one load while nothing is recorded, and nothing when lockscope is off.
///
/// ```
/// use lockscope::{atomic_region, sync::Mutex};
///
/// fn transfer(from: &Mutex<u64>, to: &Mutex<u64>, amount: u64) {
///     let _region = atomic_region("transfer");
///     *from.lock().unwrap() -= amount;
///     // Here others can see that the money is nowhere.
///     *to.lock().unwrap() += amount;
/// }
/// # transfer(&Mutex::new(2), &Mutex::new(0), 1);
/// ```
#[track_caller]
#[inline]
pub fn atomic_region(name: &'static str) -> Region {
    #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
    return Region { begun: region::begin(name, std::panic::Location::caller()), thread: PhantomData };
    #[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
    {
        let _ = name;
        Region { thread: PhantomData }
    }
}

/// A region meant to be atomic, until it is dropped; see [`atomic_region`]. Stays with its thread.
#[derive(Debug)]
#[must_use = "the region ends when this is dropped"]
pub struct Region {
    #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
    begun: bool,
    thread: PhantomData<*const ()>,
}

impl Drop for Region {
    #[inline]
    fn drop(&mut self) {
        #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
        if self.begun {
            region::end();
        }
    }
}

/// Puts a mark into the recording, with a text and the place of this call: to be found again in `lockscope show events` and in the
/// dashboard. Texts are kept once each, for as long as the recording lasts, so a mark should not number what it marks.
///
/// Costs one load while nothing is recorded, and nothing when lockscope is off.
///
/// ```
/// lockscope::mark("the cache is warm");
/// ```
#[track_caller]
#[inline]
pub fn mark(text: &str) {
    #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
    region::mark(text, std::panic::Location::caller());
    #[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
    let _ = text;
}
