//! Serialisation as the data, as parking_lot does it.

use lock_api::GetThreadId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    mutex::Mutex,
    reentrant::ReentrantMutex,
    rwlock::RwLock,
    way::{MutexRaw, RwLockRaw},
};

/// Writes a lock as the data that `$lock` gives access to.
macro_rules! as_data {
    ([$($generics:tt)*] $type:ty, $lock:ident) => {
        impl<$($generics)*, T: Serialize + ?Sized> Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.$lock().serialize(serializer)
            }
        }
    };
}

as_data!([R: MutexRaw] Mutex<R, T>, lock);
as_data!([R: MutexRaw, G: GetThreadId] ReentrantMutex<R, G, T>, lock);
as_data!([R: RwLockRaw] RwLock<R, T>, read);

impl<'de, R: MutexRaw, T: Deserialize<'de>> Deserialize<'de> for Mutex<R, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self::from(value))
    }
}

impl<'de, R: MutexRaw, G: GetThreadId, T: Deserialize<'de>> Deserialize<'de> for ReentrantMutex<R, G, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self::from(value))
    }
}

impl<'de, R: RwLockRaw, T: Deserialize<'de>> Deserialize<'de> for RwLock<R, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self::from(value))
    }
}
