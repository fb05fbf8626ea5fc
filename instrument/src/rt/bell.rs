//! How threads call the watch: rarely a system call, and never in vain.
//!
//! | state | the watch |
//! | --- | --- |
//! | `AWAKE` | looks, or is about to lie down |
//! | `ASLEEP` | is parked, perhaps for a limited time: who rings has to unpark it |
//! | `RUNG` | is to look, and has been unparked if it was parked |
//!
//! Who rings has published its wait before. If the watch does not see that wait, it looked before the ring, so it
//! cannot lie down but looks again. Explored by loom in `tests/loom`, which includes this file.

use super::model::{AtomicU32, Ordering, fence};

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
const RUNG: u32 = 2;

/// The watch's bell. Made `AWAKE`, for a watch that does not exist yet: its first look comes when it is started.
#[derive(Debug, Default)]
pub(super) struct Bell {
    pub(super) state: AtomicU32,
}

impl Bell {
    /// Any thread, after what is to be seen was published: whether somebody has rung already and the watch has not looked since.
    pub(super) fn is_rung(&self) -> bool {
        // Against the fence in `answer`: the watch sees what was published before, or this sees what it stored.
        fence(Ordering::SeqCst);
        self.state.load(Ordering::Relaxed) == RUNG
    }

    /// Any thread, after what is to be seen was published: true when the watch has to be unparked.
    pub(super) fn ring(&self) -> bool {
        // A load is enough where somebody has rung.
        !self.is_rung() && self.state.swap(RUNG, Ordering::AcqRel) == ASLEEP
    }

    /// Watch only: it is about to look. Returns whether somebody has rung since it looked last.
    pub(super) fn answer(&self) -> bool {
        let rung = self.state.swap(AWAKE, Ordering::AcqRel) == RUNG;
        fence(Ordering::SeqCst);
        rung
    }

    /// Watch only: lies down, unless somebody has rung since it looked. Then it must not park.
    pub(super) fn lie_down(&self) -> bool {
        self.state.compare_exchange(AWAKE, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
