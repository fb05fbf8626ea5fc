//! What lockscope keeps of semaphores when it is off: nothing.

use super::Site;

#[derive(Debug)]
pub(super) struct Meta;

impl Meta {
    #[inline]
    pub(super) const fn new(_permits: usize) -> Self {
        Self
    }

    #[inline]
    pub(super) fn acquired(&self, _permits: u32, _stays: bool, _site: Site) -> Held {
        Held
    }

    #[inline]
    pub(super) fn wait(&self, _permits: u32, _limited: bool, _site: Site, wait: impl FnOnce() -> bool) -> bool {
        wait()
    }

    #[inline]
    pub(super) fn released(&self, _permits: u32, _held: &Held) {}

    #[inline]
    pub(super) fn forgotten(&self, _permits: u32, _held: &Held, _site: Site) {}

    #[inline]
    pub(super) fn split(&self, _held: &mut Held, _left: u32, _right: u32, _stays: bool, _site: Site) -> Held {
        Held
    }

    #[inline]
    pub(super) fn merge(&self, _held: (&mut Held, u32), _other: (&mut Held, u32), _site: Site) {}

    #[inline]
    pub(super) fn added(&self, _permits: u32, _site: Site) {}
}

#[derive(Debug)]
pub(super) struct Held;

impl Held {
    #[inline]
    pub(super) fn nothing() -> Self {
        Self
    }
}
