//! Points of a trace as users write them: `12.4s`, `350ms`, `#1234`, `end`.

use std::str::FromStr;

use lockscope_trace::Nanos;

/// A point of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// The last event up to a time.
    Time(Nanos),
    /// After the event with this number, from 1; 0 is the beginning.
    Event(u64),
    /// After the last event.
    End,
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Point, String> {
        let text = text.trim();
        let wrong =
            || format!("expected a time as 12.4s, 350ms, 80us or 7ns, an event as #1234, or `end`, not `{text}`");
        if text.eq_ignore_ascii_case("end") {
            return Ok(Point::End);
        }
        if let Some(number) = text.strip_prefix('#') {
            return number.parse().map(Point::Event).map_err(|_| wrong());
        }
        let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let digits: u32 = match unit.trim() {
            "s" | "" => 9,
            "ms" => 6,
            "us" | "µs" | "μs" => 3,
            "ns" => 0,
            _ => return Err(wrong()),
        };
        nanos(number, digits).map(Point::Time).ok_or_else(wrong)
    }
}

/// A decimal number times a power of ten, exactly: 64-bit floats do not hold nanoseconds of a long run.
fn nanos(number: &str, digits: u32) -> Option<Nanos> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let scale = 10_u64.pow(digits);
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let mut rest = 0;
    for (idx, c) in fraction.chars().enumerate() {
        let digit = u64::from(c.to_digit(10)?);
        rest += digit * (scale / 10_u64.checked_pow(idx as u32 + 1).unwrap_or(u64::MAX));
    }
    whole.checked_mul(scale)?.checked_add(rest).map(Nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read() {
        for (text, expected) in [
            ("12.4s", Some(Point::Time(Nanos(12_400_000_000)))),
            ("12.4", Some(Point::Time(Nanos(12_400_000_000)))),
            ("350ms", Some(Point::Time(Nanos(350_000_000)))),
            (" 1.5 us ", Some(Point::Time(Nanos(1_500)))),
            ("7ns", Some(Point::Time(Nanos(7)))),
            ("0.000000001s", Some(Point::Time(Nanos(1)))),
            ("18446744073709551615ns", Some(Point::Time(Nanos(u64::MAX)))),
            ("18446744073709551616ns", None),
            ("#1234", Some(Point::Event(1234))),
            ("end", Some(Point::End)),
            ("", None),
            ("s", None),
            (".", None),
            ("1.2.3s", None),
            ("-1s", None),
            ("12h", None),
            ("#x", None),
        ] {
            assert_eq!(text.parse::<Point>().ok(), expected, "{text:?}");
        }
    }
}
