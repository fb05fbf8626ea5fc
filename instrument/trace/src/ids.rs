//! Ids and units: one type each, so that a signature says what it takes.

use std::{fmt, num::NonZeroU32};

/// A thread of the recorded program; index into [`Definitions::threads`](crate::Definitions::threads).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ThreadId(pub u32);

/// A lock or another synchronisation object; index into [`Definitions::locks`](crate::Definitions::locks).
///
/// Ids are never reused within a trace, also when memory is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LockId(pub u32);

/// All locks made at one creation site with one type and one name; see [`Definitions::classes`](crate::Definitions::classes).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClassId(pub u32);

/// A memory location whose accesses are recorded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VarId(pub u32);

/// An interned text; see [`Definitions::string`](crate::Definitions::string).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StringId(pub u32);

macro_rules! non_zero_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The id of the element at `index`; `None` past `u32::MAX - 1`.
            pub fn from_index(index: usize) -> Option<Self> {
                u32::try_from(index).ok()?.checked_add(1).and_then(NonZeroU32::new).map(Self)
            }

            /// Index into its table in [`Definitions`](crate::Definitions).
            pub fn index(self) -> usize {
                self.0.get() as usize - 1
            }

            /// The id as stored in a file: one more than the index, so that 0 is "none".
            pub fn to_raw(self) -> u32 {
                self.0.get()
            }

            /// The id stored as `raw`; `None` for 0.
            pub fn from_raw(raw: u32) -> Option<Self> {
                NonZeroU32::new(raw).map(Self)
            }
        }
    };
}

non_zero_id! {
    /// A place in the source: file, line, column.
    SiteId
}
non_zero_id! {
    /// A captured call stack.
    StackId
}

/// Nanoseconds since the trace began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Time from `earlier` to `self`; 0 when the clock says it ran backwards.
    pub fn since(self, earlier: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Three significant digits with a unit: `1.23 ms`.
impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scale, unit) = match self.0 {
            0..1_000 => return f.pad(&format!("{} ns", self.0)),
            1_000..1_000_000 => (1e3, "µs"),
            1_000_000..1_000_000_000 => (1e6, "ms"),
            _ => (1e9, "s"),
        };
        let value = self.0 as f64 / scale;
        let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
        f.pad(&format!("{value:.decimals$} {unit}"))
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("T{}", self.0))
    }
}

impl fmt::Display for LockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("L{}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanos_have_three_significant_digits() {
        for (nanos, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_234, "1.23 µs"),
            (45_600, "45.6 µs"),
            (456_000, "456 µs"),
            (18_600_000_000, "18.6 s"),
            (3_600_000_000_000, "3600 s"),
        ] {
            assert_eq!(Nanos(nanos).to_string(), text);
        }
    }
}
