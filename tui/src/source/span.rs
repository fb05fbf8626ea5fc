//! Where the expression at a recorded place ends.
//!
//! `Location::caller()` knows where a call begins and not where it ends. The scanner here finds the end by the call's
//! shape: a path, perhaps with type arguments, then arguments in brackets. It need not understand Rust: when
//! in doubt it underlines less.

use std::ops::Range;

/// Byte range, within its line, of the call at `column` (in characters, from 1; 0 means the whole line).
///
/// `None` when the line is too short for the column: then the file is not the one that was compiled.
pub fn expression(line: &str, column: u32) -> Option<Range<usize>> {
    let trimmed = line.len() - line.trim_start().len()..line.trim_end().len();
    if column == 0 {
        return (!trimmed.is_empty()).then_some(trimmed);
    }
    let start = line.char_indices().nth(column as usize - 1).map(|(idx, _)| idx).filter(|&idx| idx < trimmed.end)?;
    let mut depth = 0_u32;
    let mut seen_arguments = false;
    for (idx, c) in line[start..trimmed.end].char_indices() {
        match c {
            '(' => (depth, seen_arguments) = (depth + 1, true),
            '[' | '<' if depth > 0 || c == '<' => depth += 1,
            ')' | ']' | '>' if depth > 0 => {
                depth -= 1;
                if depth == 0 && seen_arguments {
                    return Some(start..start + idx + c.len_utf8());
                }
            }
            _ if depth > 0 || c.is_alphanumeric() || matches!(c, '_' | ':' | '!') => {}
            // The first character belongs to the expression, whatever it is.
            _ if idx == 0 => {}
            _ => return Some(start..start + idx),
        }
    }
    Some(start..trimmed.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, column: u32, expected: Option<&str>) {
        assert_eq!(expression(line, column).map(|range| &line[range]), expected, "{line:?} at {column}");
    }

    #[test]
    fn calls_are_found() {
        check("    let a = self.accounts.lock();", 27, Some("lock()"));
        check("    let a = Mutex::new(vec![1, 2]);", 13, Some("Mutex::new(vec![1, 2])"));
        check("    x.try_lock_for(Duration::from_secs(1)).unwrap()", 7, Some("try_lock_for(Duration::from_secs(1))"));
        check("    x.get::<Vec<u8>>(0);", 7, Some("get::<Vec<u8>>(0)"));
        check("    spawn(move || {", 5, Some("spawn(move || {"));
        check("    m.lock", 7, Some("lock"));
        check("    größe.lock();", 11, Some("lock()"));
        check("    &a;", 5, Some("&a"));
    }

    #[test]
    fn places_outside_the_line_are_refused() {
        check("short", 99, None);
        check("ab   ", 4, None);
        check("", 1, None);
        check("   ", 0, None);
        check("  whole line  ", 0, Some("whole line"));
    }
}
