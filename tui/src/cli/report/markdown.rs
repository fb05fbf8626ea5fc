//! Findings as Markdown, for summaries of CI jobs, merge requests and issues.

use std::io::{self, Write};

use crate::{
    cli::{
        load::Checked,
        report::{Counts, human, plural},
        style::Look,
    },
    source::{Sources, short_path},
};

/// Writes all traces, one section each.
pub fn write(traces: &[(&Checked, Sources)], out: &mut dyn Write) -> io::Result<()> {
    let counts = Counts::new(traces.iter().flat_map(|(checked, _)| &checked.findings));
    writeln!(out, "# lockscope: {counts}")?;
    for (checked, sources) in traces {
        let path = short_path(&checked.info.path.to_string_lossy());
        let facts = [
            plural(checked.defs.program_threads() as u64, "thread"),
            plural(checked.defs.locks.len() as u64, "lock"),
            plural(checked.events, "event"),
        ];
        writeln!(out, "\n## {}\n\n{}; {}", escape(&path), Counts::new(&checked.findings), facts.join(", "))?;
        if !checked.completeness.is_complete() {
            writeln!(out, "\n> The trace is incomplete.")?;
            for note in &checked.completeness.notes {
                writeln!(out, "> {}", escape(note))?;
            }
        }
        if !checked.findings.is_empty() {
            writeln!(
                out,
                "\n| | severity | code | confidence | what | seen |\n| --- | --- | --- | --- | --- | ---: |"
            )?;
        }
        for (idx, finding) in checked.findings.iter().enumerate() {
            let (severity, code) = (finding.severity.as_str(), finding.code.as_str());
            let (confidence, title) = (finding.confidence.as_str(), escape(&finding.title));
            writeln!(out, "| F{} | {severity} | `{code}` | {confidence} | {title} | {} |", idx + 1, finding.count)?;
        }
        for (idx, finding) in checked.findings.iter().enumerate() {
            let look = Look { color: false, ascii: false, width: Some(110) };
            let text = human::one(checked, finding, sources, &look);
            let fence = fence(&text);
            writeln!(out, "\n<details{}>", if idx == 0 { " open" } else { "" })?;
            writeln!(out, "<summary>F{}: {}</summary>\n", idx + 1, escape(&finding.title))?;
            writeln!(out, "{fence}text\n{text}\n{fence}\n\n</details>")?;
        }
    }
    Ok(())
}

/// A fence that the text cannot close.
fn fence(text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(3.max(longest + 1))
}

/// Text on one line in which nothing is markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '#' | '~' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn findings_are_a_table_and_details() {
        let mut out = Vec::new();
        write(&[(&fixture::checked(), fixture::sources())], &mut out).expect("a vector takes everything");
        insta::assert_snapshot!(String::from_utf8(out).expect("texts"));
    }

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escape("Mutex<u32> | *a*\n`b`"), "Mutex&lt;u32&gt; \\| \\*a\\* \\`b\\`");
        assert_eq!(fence("a ```` b"), "`````");
    }
}
