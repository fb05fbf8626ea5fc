//! The raw read-write locks behind `lock_api` 0.5's traits; see `raw_mutex`.

use std::time::{Duration, Instant};

use super::{RawRwLock, Token};
use crate::instrumented::{
    bare,
    changes::Limit,
    way::{Read, Upgradable, Write},
};

// SAFETY: the wrapped lock keeps apart what must be, and each acquisition is released once.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLock for RawRwLock<RECURSIVE> {
    const INIT: Self = Self::UNLOCKED;

    type SharedGuard = Token;
    type ExclusiveGuard = Token;

    #[track_caller]
    #[inline]
    fn lock_shared(&self) -> Token {
        bare::lock::<Read<Self>>(self);
        Token::new()
    }

    #[track_caller]
    #[inline]
    fn try_lock_shared(&self) -> Option<Token> {
        bare::try_lock::<Read<Self>>(self).then(Token::new)
    }

    #[track_caller]
    #[inline]
    unsafe fn unlock_shared(&self, _guard: Token) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock::<Read<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    fn lock_exclusive(&self) -> Token {
        bare::lock::<Write<Self>>(self);
        Token::new()
    }

    #[track_caller]
    #[inline]
    fn try_lock_exclusive(&self) -> Option<Token> {
        bare::try_lock::<Write<Self>>(self).then(Token::new)
    }

    #[track_caller]
    #[inline]
    unsafe fn unlock_exclusive(&self, _guard: Token) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock::<Write<Self>>(self) };
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.plain.is_locked()
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.plain.is_locked_exclusive()
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockFair for RawRwLock<RECURSIVE> {
    #[track_caller]
    #[inline]
    unsafe fn unlock_shared_fair(&self, _guard: Token) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock_fair::<Read<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn bump_shared(&self, _guard: &mut Token) {
        // SAFETY: this function's contract.
        unsafe { bare::bump::<Read<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn unlock_exclusive_fair(&self, _guard: Token) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock_fair::<Write<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn bump_exclusive(&self, _guard: &mut Token) {
        // SAFETY: this function's contract.
        unsafe { bare::bump::<Write<Self>>(self) };
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockTimed for RawRwLock<RECURSIVE> {
    type Duration = Duration;
    type Instant = Instant;

    #[track_caller]
    #[inline]
    fn try_lock_shared_for(&self, timeout: Duration) -> Option<Token> {
        bare::try_lock_for::<Read<Self>>(self, timeout).then(Token::new)
    }

    #[track_caller]
    #[inline]
    fn try_lock_shared_until(&self, timeout: Instant) -> Option<Token> {
        bare::try_lock_until::<Read<Self>>(self, timeout).then(Token::new)
    }

    #[track_caller]
    #[inline]
    fn try_lock_exclusive_for(&self, timeout: Duration) -> Option<Token> {
        bare::try_lock_for::<Write<Self>>(self, timeout).then(Token::new)
    }

    #[track_caller]
    #[inline]
    fn try_lock_exclusive_until(&self, timeout: Instant) -> Option<Token> {
        bare::try_lock_until::<Write<Self>>(self, timeout).then(Token::new)
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockDowngrade for RawRwLock<RECURSIVE> {
    #[track_caller]
    #[inline]
    unsafe fn downgrade(&self, _guard: Token) -> Token {
        // SAFETY: this function's contract.
        unsafe { bare::downgrade(self) };
        Token::new()
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockUpgrade for RawRwLock<RECURSIVE> {
    type UpgradableGuard = Token;

    #[track_caller]
    #[inline]
    fn lock_upgradable(&self) -> Token {
        bare::lock::<Upgradable<Self>>(self);
        Token::new()
    }

    #[track_caller]
    #[inline]
    fn try_lock_upgradable(&self) -> Option<Token> {
        bare::try_lock::<Upgradable<Self>>(self).then(Token::new)
    }

    #[track_caller]
    #[inline]
    unsafe fn unlock_upgradable(&self, _guard: Token) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock::<Upgradable<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn upgrade(&self, _guard: Token) -> Token {
        // SAFETY: this function's contract.
        unsafe { bare::upgrade(self) };
        Token::new()
    }

    #[track_caller]
    #[inline]
    unsafe fn try_upgrade(&self, _guard: Token) -> Result<Token, Token> {
        // SAFETY: this function's contract.
        upgraded(unsafe { bare::try_upgrade(self, Limit::Now) })
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockUpgradeFair for RawRwLock<RECURSIVE> {
    #[track_caller]
    #[inline]
    unsafe fn unlock_upgradable_fair(&self, _guard: Token) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock_fair::<Upgradable<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn bump_upgradable(&self, _guard: &mut Token) {
        // SAFETY: this function's contract.
        unsafe { bare::bump::<Upgradable<Self>>(self) };
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockUpgradeDowngrade for RawRwLock<RECURSIVE> {
    #[track_caller]
    #[inline]
    unsafe fn downgrade_upgradable(&self, _guard: Token) -> Token {
        // SAFETY: this function's contract.
        unsafe { bare::downgrade_upgradable(self) };
        Token::new()
    }

    #[track_caller]
    #[inline]
    unsafe fn downgrade_to_upgradable(&self, _guard: Token) -> Token {
        // SAFETY: this function's contract.
        unsafe { bare::downgrade_to_upgradable(self) };
        Token::new()
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockUpgradeTimed for RawRwLock<RECURSIVE> {
    #[track_caller]
    #[inline]
    fn try_lock_upgradable_for(&self, timeout: Duration) -> Option<Token> {
        bare::try_lock_for::<Upgradable<Self>>(self, timeout).then(Token::new)
    }

    #[track_caller]
    #[inline]
    fn try_lock_upgradable_until(&self, timeout: Instant) -> Option<Token> {
        bare::try_lock_until::<Upgradable<Self>>(self, timeout).then(Token::new)
    }

    #[track_caller]
    #[inline]
    unsafe fn try_upgrade_for(&self, _guard: Token, timeout: Duration) -> Result<Token, Token> {
        // SAFETY: this function's contract.
        upgraded(unsafe { bare::try_upgrade(self, Limit::after(timeout)) })
    }

    #[track_caller]
    #[inline]
    unsafe fn try_upgrade_until(&self, _guard: Token, timeout: Instant) -> Result<Token, Token> {
        // SAFETY: this function's contract.
        upgraded(unsafe { bare::try_upgrade(self, Limit::Until(timeout)) })
    }
}

fn upgraded(success: bool) -> Result<Token, Token> {
    if success { Ok(Token::new()) } else { Err(Token::new()) }
}
