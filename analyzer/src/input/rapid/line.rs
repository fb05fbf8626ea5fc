//! The grammar of one line of RAPID STD: `thread|op(operand)|loc`.

use super::super::bytes;

/// One line, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub thread: &'a [u8],
    pub verb: Verb,
    /// Empty for verbs that have none.
    pub operand: &'a [u8],
    pub location: i32,
}

/// What the line says was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Acquire,
    Release,
    Read,
    Write,
    Fork,
    Join,
    Begin,
    End,
    Dummy,
    /// Asks for a lock; the acquisition is a line of its own. Not in RAPID.
    Request,
    ReadRequest,
    ReadAcquire,
    ReadRelease,
    Wait,
    Notify,
    NotifyAll,
}

const VERBS: [(&[u8], Verb); 14] = [
    (b"r", Verb::Read),
    (b"w", Verb::Write),
    (b"acq", Verb::Acquire),
    (b"rel", Verb::Release),
    (b"req", Verb::Request),
    (b"fork", Verb::Fork),
    (b"join", Verb::Join),
    (b"dummy", Verb::Dummy),
    (b"racq", Verb::ReadAcquire),
    (b"rrel", Verb::ReadRelease),
    (b"rreq", Verb::ReadRequest),
    (b"wait", Verb::Wait),
    (b"notify", Verb::Notify),
    (b"notifyAll", Verb::NotifyAll),
];

/// Takes a line (without its end) apart.
#[inline]
pub(super) fn parse(line: &[u8]) -> Result<Line<'_>, String> {
    match parse_usual(line) {
        Some(line) => Ok(line),
        None => parse_any(line),
    }
}

/// Lines as recorders write them: no signs, no spaces, none of the rarer operations. Everything else is left to [`parse_any`].
#[inline]
fn parse_usual(line: &[u8]) -> Option<Line<'_>> {
    let bar = bytes::find(line, b'|').filter(|&bar| bar > 0)?;
    let (thread, rest) = (&line[..bar], &line[bar + 1..]);
    let (verb, open) = match *rest {
        [b'r', b'(', ..] => (Verb::Read, 1),
        [b'w', b'(', ..] => (Verb::Write, 1),
        [b'a', b'c', b'q', b'(', ..] => (Verb::Acquire, 3),
        [b'r', b'e', b'l', b'(', ..] => (Verb::Release, 3),
        _ => return None,
    };
    let rest = &rest[open + 1..];
    // One pass: the operand ends at a bracket before a bar, and has neither spaces nor another bar.
    let close = rest.iter().position(|byte| matches!(byte, b'|' | b' ' | b'\t' | 0x0b | 0x0c | b'\r'))?;
    let operand = rest[..close].strip_suffix(b")").filter(|operand| !operand.is_empty() && rest[close] == b'|')?;
    let digits = &rest[close + 1..];
    if !(1..=9).contains(&digits.len()) {
        return None;
    }
    let mut location = 0;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        location = location * 10 + i32::from(digit);
    }
    Some(Line { thread, verb, operand, location })
}

fn parse_any(line: &[u8]) -> Result<Line<'_>, String> {
    let mut fields = line.split(|&byte| byte == b'|');
    let (Some(thread), Some(op), Some(location), None) = (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        let found = line.split(|&byte| byte == b'|').count();
        return Err(if line.is_empty() {
            "the line is empty".to_owned()
        } else {
            format!("expected 3 fields separated by `|`, found {found}")
        });
    };
    if thread.is_empty() {
        return Err("the thread is missing".to_owned());
    }
    let (verb, operand) = operation(op)?;
    let location = number(location).ok_or_else(|| {
        format!(
            "the location `{}` is not a whole number of 32 bits",
            String::from_utf8_lossy(&location[..location.len().min(40)])
        )
    })?;
    Ok(Line { thread, verb, operand, location })
}

fn operation(op: &[u8]) -> Result<(Verb, &[u8]), String> {
    // As RAPID does, whatever follows these two words is not looked at.
    if op.starts_with(b"begin") {
        return Ok((Verb::Begin, &[]));
    }
    if op.starts_with(b"end") {
        return Ok((Verb::End, &[]));
    }
    let shown = || String::from_utf8_lossy(&op[..op.len().min(40)]).into_owned();
    let Some((word, operand)) = op
        .iter()
        .position(|&byte| byte == b'(')
        .and_then(|open| Some((&op[..open], op[open + 1..].strip_suffix(b")")?)))
    else {
        return Err(format!("`{}` is not of the form `operation(operand)`", shown()));
    };
    let Some(&(_, verb)) = VERBS.iter().find(|&&(name, _)| name == word) else {
        return Err(format!("unknown operation `{}`", String::from_utf8_lossy(&word[..word.len().min(40)])));
    };
    if operand.is_empty() {
        return Err(format!("the operand of `{}` is missing", shown()));
    }
    if operand.iter().any(|byte| matches!(byte, b' ' | b'\t' | 0x0b | 0x0c | b'\r')) {
        return Err(format!("the operand of `{}` contains a space", shown()));
    }
    Ok((verb, operand))
}

/// What Java's `Integer.parseInt` takes: digits after an optional sign, within 32 bits.
fn number(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_grammar() {
        #[track_caller]
        fn check(line: &str, thread: &str, verb: Verb, operand: &str, location: i32) {
            let expected = Line { thread: thread.as_bytes(), verb, operand: operand.as_bytes(), location };
            assert_eq!(parse(line.as_bytes()), Ok(expected), "{line}");
        }
        check("T0|acq(L1)|17", "T0", Verb::Acquire, "L1", 17);
        check("main thread|w(V[3].x)|-4", "main thread", Verb::Write, "V[3].x", -4);
        check("T0|r(f(x))|+1", "T0", Verb::Read, "f(x)", 1);
        check("T0|begin|0", "T0", Verb::Begin, "", 0);
        check("T0|end(anything at all)|0", "T0", Verb::End, "", 0);
        check("T0|rreq(L)|2147483647", "T0", Verb::ReadRequest, "L", i32::MAX);
    }

    #[test]
    fn the_usual_lines_are_lines_like_any_other() {
        for line in [
            "T0|r(V1)|17",
            "a b|w(V[3].x)|0",
            "T0|acq(f(x))|999999999",
            "T0|rel(L)|007",
            "T0|r()|1",
            "T0|r(x) |1",
            "T0|r(x|1",
            "T0|r(x)|",
            "T0|r(x)|2147483648",
            "T0|r(x)|1x",
            "T0|r(x)|1|",
            "|r(x)|1",
        ] {
            let any = parse_any(line.as_bytes());
            match parse_usual(line.as_bytes()) {
                Some(usual) => assert_eq!(Ok(usual), any, "{line}"),
                None => assert_eq!(parse(line.as_bytes()), any, "{line}"),
            }
        }
        assert!(parse_usual(b"T0|r(V1)|17").is_some(), "that is what it is for");
    }

    #[test]
    fn lines_that_are_not() {
        for line in [
            "",
            "T0",
            "T0|w(x)",
            "T0|w(x)|1|",
            "T0|w(V|x)|1",
            "|w(x)|1",
            "T0|cas(x)|1",
            "T0|w|1",
            "T0|w(x|1",
            "T0|w()|1",
            "T0|w(x y)|1",
            "T0|w(x)|",
            "T0|w(x)|one",
            "T0|w(x)| 1",
            "T0|w(x)|2147483648",
            "T0|(x)|1",
            "T0|w(x) |1",
        ] {
            assert!(parse(line.as_bytes()).is_err(), "{line:?}");
        }
    }
}
