//! Readers queue behind waiting writers, but for those of a recursive lock.

use super::subject::{RwLock, RwLockUpgradableReadGuard as Upgradable};

#[test]
fn upgrade_waits_for_readers() {
    let lock = RwLock::new(1);
    let (reads, reader_is_in) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let lock = &lock;
        scope.spawn(move || {
            let reader = lock.read();
            reads.send(()).unwrap();
            // A waiting upgrade keeps new readers out.
            while lock.try_read().is_some() {
                std::thread::yield_now();
            }
            assert_eq!(*reader, 1);
        });
        reader_is_in.recv().unwrap();
        *Upgradable::upgrade(lock.upgradable_read()) = 2;
    });
    assert_eq!(lock.into_inner(), 2);
}
