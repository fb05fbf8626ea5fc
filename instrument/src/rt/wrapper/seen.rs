//! Stacks that a thread has seen before.
//!
//! Unwinding takes a microsecond and more, so each thread remembers the stacks that it has captured, together with where on the stack the
//! return addresses lie. When all of these are there again, it is the same stack: a return address tells the function and the place in it,
//! hence the size of its frame, hence where the next one lies. Reading goes from frame to frame and stops where something else is found, so it
//! never leaves the frames that there are. Then a stack costs some tens of loads.

use crate::rt::{
    Site,
    stack::{self, Return, Stack},
    thread::Entered,
};

/// Stacks that a thread has seen, as far as this cache remembers.
#[derive(Debug, Default)]
pub(in crate::rt) struct Seen {
    /// In the order of their keys.
    known: Vec<Known>,
    /// How many stacks were captured.
    captured: u32,
}

#[derive(Debug)]
struct Known {
    /// From where it lay and the place.
    key: usize,
    site: Site,
    /// Where a variable of the comparing function lay: where it does again, its return address is in the same place too.
    here: usize,
    /// From the innermost frame that is compared.
    returns: Vec<Return>,
    stack: Stack,
}

/// Stacks that are remembered; one takes up to 850 bytes.
const ROOM: usize = 256;
/// Stacks that one thread captures: programs that wait at ever other depths of their stacks pay for each.
const MOST: u32 = 10_000;
/// With fewer frames that can be compared, stacks are not told apart by what is around them.
const FEWEST: usize = 4;

impl Seen {
    /// For the next thread, whose stack may lie in the same place.
    pub(in crate::rt) fn clear(&mut self) {
        self.known.clear();
        self.captured = 0;
    }

    /// In place of any other one when there is no room.
    fn remember(&mut self, new: Known) {
        if self.known.len() == ROOM {
            self.known.remove(self.captured as usize % ROOM);
        }
        let index = self.known.partition_point(|known| known.key < new.key);
        self.known.insert(index, new);
    }
}

/// The stack of an operation at a place; `None` when stacks are off, and where they are too many that differ.
#[inline(never)]
pub(in crate::rt) fn stack_of(entered: &Entered, site: Site) -> Option<Stack> {
    let here = 0u8;
    let here = std::hint::black_box(std::ptr::from_ref(&here)) as usize;
    let key = (std::ptr::from_ref(site).addr() ^ here).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let is_same = |known: &Known| {
        std::ptr::eq(known.site, site)
            && known.here == here
            && known.returns.iter().all(|known| stack::word_at(known.place) == known.address)
    };
    let seen = &mut entered.local().seen;
    let first = seen.known.partition_point(|known| known.key < key);
    let mut alike = seen.known[first..].iter().take_while(|known| known.key == key);
    if let Some(known) = alike.find(|known| is_same(known)) {
        return Some(known.stack);
    }
    if seen.captured == MOST {
        return None;
    }
    seen.captured += 1;
    let (stack, returns) = stack::capture_with_returns(here)?;
    if returns.len() >= FEWEST {
        entered.local().seen.remember(Known { key, site, here, returns, stack });
    }
    Some(stack)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::thread;

    #[inline(never)]
    fn ask(entered: &Entered, site: Site) -> Stack {
        stack_of(entered, site).expect("stacks are on")
    }

    /// Two callers at the same depth of the stack.
    fn ask_twice(entered: &Entered, site: Site) -> [Stack; 2] {
        [ask(entered, site), ask(entered, site)]
    }

    #[inline(never)]
    fn deeper(entered: &Entered, site: Site) -> [Stack; 2] {
        ask_twice(entered, site)
    }

    #[inline(never)]
    fn ask_everywhere(entered: &Entered, site: Site) -> Vec<Stack> {
        [ask_twice(entered, site), deeper(entered, site)].concat()
    }

    #[test]
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    fn stacks_are_captured_once_and_told_apart() {
        let entered = thread::enter().expect("this thread is not in the runtime");
        let site = std::panic::Location::caller();
        let rounds: Vec<_> = (0..100).map(|_| ask_everywhere(&entered, site)).collect();
        let first = &rounds[0];
        for (index, one) in first.iter().enumerate() {
            assert!(first[..index].iter().all(|other| !std::ptr::eq(*one, *other)), "{index}");
        }
        for round in &rounds {
            assert!(round.iter().zip(first).all(|(now, then)| std::ptr::eq(*now, *then)));
        }
        assert_eq!(entered.local().seen.captured, 4);
    }
}
