//! Serialisation as the data, as lock_api does it.

use serde_core::{Deserialize, Deserializer, Serialize, Serializer};

use super::{mutex::Mutex, rwlock::RwLock};
use crate::raw::{RawMutex, RawRwLock};

impl<R: RawMutex, T: Serialize + ?Sized> Serialize for Mutex<R, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lock().serialize(serializer)
    }
}

impl<'de, R: RawMutex, T: Deserialize<'de>> Deserialize<'de> for Mutex<R, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self::new(value))
    }
}

impl<R: RawRwLock, T: Serialize + ?Sized> Serialize for RwLock<R, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.read().serialize(serializer)
    }
}

impl<'de, R: RawRwLock, T: Deserialize<'de>> Deserialize<'de> for RwLock<R, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self::new(value))
    }
}

#[cfg(feature = "atomic_usize")]
mod reentrant {
    use super::*;
    use crate::{raw::GetThreadId, types::ReentrantMutex};

    impl<R: RawMutex, G: GetThreadId, T: Serialize + ?Sized> Serialize for ReentrantMutex<R, G, T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.lock().serialize(serializer)
        }
    }

    impl<'de, R: RawMutex, G: GetThreadId, T: Deserialize<'de>> Deserialize<'de> for ReentrantMutex<R, G, T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            T::deserialize(deserializer).map(|value| Self::new(value))
        }
    }
}
