//! Labelled locks while lockscope is on.

use lockscope::rt::LockMeta;

use crate::{Condvar, Label, Mutex, RwLock};

#[track_caller]
pub(crate) const fn mutex<T>(label: Label, value: T) -> Mutex<T> {
    let mut mutex = Mutex::new(value);
    set(&mut mutex.meta, label);
    mutex
}

#[track_caller]
pub(crate) const fn rwlock<T>(label: Label, value: T) -> RwLock<T> {
    let mut rwlock = RwLock::new(value);
    set(&mut rwlock.meta, label);
    rwlock
}

#[track_caller]
pub(crate) const fn condvar(label: Label) -> Condvar {
    let mut condvar = Condvar::new();
    set(&mut condvar.meta, label);
    condvar
}

const fn set(meta: &mut LockMeta, label: Label) {
    if let Some(name) = label.name {
        meta.set_name(name);
    }
    if let Some(rank) = label.rank {
        meta.set_rank(rank);
    }
}
