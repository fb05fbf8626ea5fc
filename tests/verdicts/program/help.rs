//! Threads that meet without lockscope seeing it.

use std::{
    sync::{Arc, Barrier},
    thread::{self, JoinHandle},
};

use lockscope::sync::{Mutex, MutexGuard};

/// Runs threads one after the other; each has ended before the next begins.
pub fn one_after_the_other<const N: usize>(threads: [fn(); N]) {
    for (index, f) in threads.into_iter().enumerate() {
        let name = format!("thread {}", index + 1);
        thread::Builder::new().name(name).spawn(f).expect("a thread").join().expect("it does not panic");
    }
}

/// Runs threads at the same time and waits for them. They can meet at the barrier.
pub fn together<const N: usize>(threads: [fn(&Barrier); N]) {
    let barrier = Arc::new(Barrier::new(N));
    let spawn = |(index, f): (usize, fn(&Barrier))| {
        let (name, barrier) = (format!("thread {}", index + 1), barrier.clone());
        thread::Builder::new().name(name).spawn(move || f(&barrier)).expect("a thread")
    };
    let threads = threads.into_iter().enumerate().map(spawn).collect::<Vec<_>>();
    threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
}

/// Starts a thread.
pub fn run(name: &str, f: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::Builder::new().name(name.to_owned()).spawn(f).expect("a thread")
}

/// Waits for the end of threads.
pub fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
}

/// Locks a mutex that no panic poisons.
#[track_caller]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics")
}
