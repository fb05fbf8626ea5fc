//! Numbers with units, compared exactly: no floating point, since that does not hold the nanoseconds of a long run.

use std::{cmp::Ordering, fmt};

use lockscope_trace::Nanos;

use super::key::Kind;
use crate::cli::time::Point;

/// A number in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// A duration, or a time since the start.
    Time(Nanos),
    /// How many.
    Count(u64),
    /// How many of how many.
    Share(u64, u64),
}

/// A number in a filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// A duration, or a time since the start.
    Time(Nanos),
    /// How many.
    Count(u64),
    /// Millionths of a percent.
    Percent(u64),
}

/// Millionths of a percent in a percent.
const PERCENT: u64 = 1_000_000;

impl Bound {
    /// Reads the bound of a key; `None` for what is not one of its kind.
    pub fn parse(text: &str, kind: Kind) -> Option<Bound> {
        match kind {
            // A number without a unit could be any.
            Kind::Time if text.ends_with(|c: char| c.is_ascii_digit() || c == '.') => None,
            Kind::Time => match text.parse() {
                Ok(Point::Time(time)) => Some(Bound::Time(time)),
                _ => None,
            },
            Kind::Share => match text.strip_suffix('%') {
                Some(percent) => decimal(percent.trim_end(), PERCENT).map(Bound::Percent),
                None => Bound::parse(text, Kind::Count),
            },
            Kind::Count => {
                let (digits, scale) = match text.as_bytes().last()? {
                    b'k' | b'K' => (&text[..text.len() - 1], 1_000),
                    b'M' => (&text[..text.len() - 1], 1_000_000),
                    _ => (text, 1),
                };
                decimal(digits, scale).map(Bound::Count)
            }
            Kind::Text | Kind::Levels(_) | Kind::Place => None,
        }
    }

    /// How a row's number compares with it; `None` for numbers of different kinds.
    pub fn compare(self, quantity: Quantity) -> Option<Ordering> {
        Some(match (quantity, self) {
            (Quantity::Time(time), Bound::Time(bound)) => time.cmp(&bound),
            (Quantity::Count(count) | Quantity::Share(count, _), Bound::Count(bound)) => count.cmp(&bound),
            (Quantity::Share(part, whole), Bound::Percent(bound)) => {
                let scaled = u128::from(part) * 100 * u128::from(PERCENT);
                scaled.cmp(&(u128::from(whole) * u128::from(bound)))
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Time(Nanos(0)) => write!(f, "0ns"),
            Bound::Time(Nanos(nanos)) => {
                let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")];
                let (size, unit) = units.into_iter().find(|(size, _)| nanos % size == 0).expect("one divides all");
                write!(f, "{}{unit}", nanos / size)
            }
            Bound::Count(count) => write!(f, "{count}"),
            Bound::Percent(millionths) => {
                let fraction = format!("{:06}", millionths % PERCENT);
                let fraction = fraction.trim_end_matches('0');
                let point = if fraction.is_empty() { "" } else { "." };
                write!(f, "{}{point}{fraction}%", millionths / PERCENT)
            }
        }
    }
}

/// A decimal number times a power of ten; digits beyond it must be zeros.
fn decimal(text: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || fraction.contains('.') {
        return None;
    }
    let mut value = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let mut place = scale;
    for digit in fraction.bytes().map(|byte| u64::from(byte - b'0')) {
        place /= 10;
        if place == 0 && digit != 0 {
            return None;
        }
        value = value.checked_add(digit * place)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_and_written() {
        for (text, kind, expected) in [
            ("5ms", Kind::Time, Some("5ms")),
            ("1.5s", Kind::Time, Some("1500ms")),
            ("0s", Kind::Time, Some("0ns")),
            ("5", Kind::Time, None),
            ("5%", Kind::Time, None),
            ("3", Kind::Count, Some("3")),
            ("1.5k", Kind::Count, Some("1500")),
            ("1.5", Kind::Count, None),
            ("3ms", Kind::Count, None),
            ("-1", Kind::Count, None),
            ("10%", Kind::Share, Some("10%")),
            ("0.25%", Kind::Share, Some("0.25%")),
            ("7", Kind::Share, Some("7")),
            ("18446744073709551616", Kind::Count, None),
            ("", Kind::Count, None),
            ("%", Kind::Share, None),
        ] {
            assert_eq!(Bound::parse(text, kind).map(|bound| bound.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn shares_are_compared_exactly() {
        let tenth = Bound::Percent(10 * PERCENT);
        for (part, whole, expected) in [
            (1, 10, Ordering::Equal),
            (11, 100, Ordering::Greater),
            (0, 7, Ordering::Less),
            (u64::MAX / 10, u64::MAX, Ordering::Less),
        ] {
            assert_eq!(tenth.compare(Quantity::Share(part, whole)), Some(expected), "{part} of {whole}");
        }
        assert_eq!(Bound::Count(3).compare(Quantity::Share(3, 9)), Some(Ordering::Equal));
        assert_eq!(Bound::Count(3).compare(Quantity::Time(Nanos(3))), None);
    }
}
