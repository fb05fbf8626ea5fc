//! Labelled locks while lockscope is off: the label is dropped.

use crate::{Condvar, Label, Mutex, RwLock};

pub(crate) const fn mutex<T>(_: Label, value: T) -> Mutex<T> {
    Mutex::new(value)
}

pub(crate) const fn rwlock<T>(_: Label, value: T) -> RwLock<T> {
    RwLock::new(value)
}

pub(crate) const fn condvar(_: Label) -> Condvar {
    Condvar::new()
}
