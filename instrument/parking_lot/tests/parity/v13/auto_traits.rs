//! The types that 0.12 does not have.

use crate::{
    auto_traits::{Neither, SendOnly, SyncOnly, auto_traits, check, check_plain, implements},
    facade_crate as facade, original_crate as original,
};

#[test]
fn same_auto_traits() {
    check!(RecursiveRwLock);
    check!(RecursiveRwLockReadGuard<'static>, RecursiveRwLockWriteGuard<'static>);
    check!(RecursiveRwLockUpgradableReadGuard<'static>);
    check!(MappedRecursiveRwLockReadGuard<'static>, MappedRecursiveRwLockWriteGuard<'static>);
    check_plain!(RawCondvar, RawRwLockRecursive);
}
