//! JSON that does a terminal no harm, whatever names are in it.
//!
//! JSON itself escapes control characters below U+0020 only. Those above, and what turns text round, are written as `\u009b` too, which is
//! the same text to whoever reads it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// Writes a value on one line, without the line end.
///
/// # Errors
///
/// Those of the writer.
pub fn write(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Harmless(CompactFormatter)))?;
    Ok(())
}

/// Writes a value indented, without the last line end.
///
/// # Errors
///
/// Those of the writer.
pub fn write_pretty(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Harmless(PrettyFormatter::new())))?;
    Ok(())
}

/// The value indented, as text.
pub fn to_string_pretty(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    write_pretty(&mut text, value).expect("texts can be written as JSON, and into memory");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// As the formatter inside, but for characters that are not to get out.
struct Harmless<F>(F);

/// Whether a character that JSON lets through is none for a terminal.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Methods that only pass on.
macro_rules! pass_on {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, out: &mut W $(, $argument: $type)*) -> io::Result<()> {
            self.0.$name(out $(, $argument)*)
        })*
    };
}

impl<F: Formatter> Formatter for Harmless<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|&(_, c)| is_harmful(c)) {
            // All of them are in the basic plane.
            write!(out, "{}\\u{:04x}", &rest[..at], u32::from(c))?;
            rest = &rest[at + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(out, escape)
    }

    pass_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_reads_the_same() {
        let value =
            serde_json::json!({ "a\u{9b}2J": ["\u{202e}é\u{7f}\u{1b}\"\\", "plain", 1.5, null], "b": {}, "c": [] });
        let mut compact = Vec::new();
        write(&mut compact, &value).expect("memory");
        let compact = String::from_utf8(compact).expect("UTF-8");
        for text in [compact.clone(), to_string_pretty(&value)] {
            assert!(!text.contains(|c| c != '\n' && is_harmful(c)), "{text:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("it is JSON"), value);
        }
        assert_eq!(compact.lines().count(), 1);
        assert!(compact.contains("\\u202eé\\u007f\\u001b\\\"\\\\"), "{compact}");
        let plain = serde_json::json!({ "a": [1, { "b": [] }], "c": "d" });
        assert_eq!(to_string_pretty(&plain), serde_json::to_string_pretty(&plain).expect("JSON"));
    }
}
