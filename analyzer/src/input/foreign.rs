//! Tells what a file is that is not a trace.

use std::{ffi::OsStr, path::Path};

use lockscope_trace::{Error, source::Place};

/// First bytes of things that are easily given by mistake, and what they are.
const KNOWN: [(&[u8], &str); 12] = [
    (b"\x7fELF", "a program or core dump"),
    (b"PERFILE2", "a recording of perf"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"\xfd7zXZ", "compressed by xz"),
    (b"BZh", "compressed by bzip2"),
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "an image"),
    (b"SQLite format 3", "a database"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
    (b"#!", "a script"),
];

const HELP: &str = "a trace is a .lks file written by `lockscope run`, or RAPID STD text (`thread|op(operand)|location` \
                    on every line), plain or gzipped";

/// An error unless `head`, the first bytes of the (decompressed) content, look like RAPID STD text.
///
/// Doubt is decided for STD, whose reader can name the line and what is wrong with it.
pub(super) fn check(path: &Path, head: &[u8]) -> Result<(), Error> {
    let error = |kind, message: String| {
        let place = Place::Byte(0);
        Err(Error::Format { path: path.to_path_buf(), place, kind, message, help: HELP.to_owned() })
    };
    let named_std = is_named_std(path);
    if head.is_empty() {
        // Recorders of STD write nothing for a program that did nothing.
        return if named_std { Ok(()) } else { error("empty", "the file is empty".to_owned()) };
    }
    if let Some((_, what)) = KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return error("foreign", format!("not a trace: the content is {what}"));
    }
    let first = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if first.iter().any(|&byte| byte < b' ' && !matches!(byte, b'\t' | b'\r')) {
        return error("foreign", "not a trace: the content is binary and of no known format".to_owned());
    }
    if named_std || first.contains(&b'|') {
        return Ok(());
    }
    let what = match head.trim_ascii_start().first() {
        Some(b'{' | b'[') => "looks like JSON",
        Some(b'<') => "looks like XML or HTML",
        _ => "is some other text",
    };
    error("foreign", format!("not a trace: the content {what}"))
}

/// `x.std`, `x.std.gz`.
fn is_named_std(path: &Path) -> bool {
    let path = if path.extension() == Some(OsStr::new("gz")) { path.with_extension("") } else { path.to_path_buf() };
    path.extension() == Some(OsStr::new("std"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_for_a_trace() {
        #[track_caller]
        fn check_one(name: &str, head: &[u8], expected: Option<&str>) {
            let kind = match check(Path::new(name), head) {
                Ok(()) => None,
                Err(Error::Format { kind, .. }) => Some(kind),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(kind, expected, "{name}");
        }
        check_one("a", b"T0|w(x)|1\n", None);
        check_one("a", b"T0|w(x)\n", None);
        check_one("empty.std", b"", None);
        check_one("empty.std.gz", b"", None);
        check_one("empty.txt", b"", Some("empty"));
        check_one("-", b"", Some("empty"));
        check_one("a.std", b"nothing of the kind", None);
        check_one("a.txt", b"nothing of the kind", Some("foreign"));
        check_one("a.std", b"\x7fELF\x02\x01\x01\0", Some("foreign"));
        check_one("a", b"\x01\x02|\xff\n", Some("foreign"));
        check_one("a.json", b"{\"a\": 1}", Some("foreign"));
    }
}
