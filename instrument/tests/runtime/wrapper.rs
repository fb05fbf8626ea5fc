//! A lock as programs wrap it: every acquisition is made at one place.

use lockscope::sync::{Mutex, MutexGuard};

pub struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("nobody panics")
    }
}
