//! Findings as JUnit XML: a suite for each trace, a case for each finding, and one that passes where there is none.
//!
//! Findings that do not count as failure are cases that pass, with their text as output, so that nothing is lost.

use std::io::{self, Write};

use crate::{
    cli::{
        load::Checked,
        report::{human, places},
        rules::FailOn,
        style::Look,
    },
    source::{Sources, short_path, short_site},
};

/// Writes all traces as one document.
pub fn write(traces: &[(&Checked, Sources)], fail_on: FailOn, out: &mut dyn Write) -> io::Result<()> {
    let n_failures = |checked: &Checked| checked.findings.iter().filter(|finding| fail_on.applies(finding)).count();
    let total: usize = traces.iter().map(|(checked, _)| checked.findings.len().max(1)).sum();
    let failures: usize = traces.iter().map(|(checked, _)| n_failures(checked)).sum();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"lockscope\" tests=\"{total}\" failures=\"{failures}\" errors=\"0\">")?;
    for (checked, sources) in traces {
        let name = escape(&short_path(&checked.info.path.to_string_lossy()));
        let seconds = if checked.info.has_times { checked.duration.0 as f64 / 1e9 } else { 0.0 };
        writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" time=\"{seconds:.3}\">",
            checked.findings.len().max(1),
            n_failures(checked)
        )?;
        if checked.findings.is_empty() {
            writeln!(out, "    <testcase classname=\"lockscope\" name=\"no findings\" time=\"0\"/>")?;
        }
        for (idx, finding) in checked.findings.iter().enumerate() {
            let places = places::all(&checked.defs, finding);
            let site = places::primary(&places).and_then(|place| place.site.as_ref());
            // Cases have no attribute for a place, says the schema of Jenkins' xUnit plugin, which refuses what it does not know.
            let place = site.map_or(String::new(), |site| escape(&format!("{}: ", short_site(site))));
            let (code, title) = (finding.code.as_str(), escape(&finding.title));
            // Two findings may have one title; names of cases are to be unique.
            let name = format!("F{}: {title}", idx + 1);
            writeln!(out, "    <testcase classname=\"lockscope.{code}\" name=\"{name}\" time=\"0\">")?;
            let look = Look { color: false, ascii: false, width: Some(120) };
            let text = escape(&human::one(checked, finding, sources, &look));
            if fail_on.applies(finding) {
                writeln!(out, "      <failure type=\"{code}\" message=\"{place}{title}\">{text}</failure>")?;
            } else {
                writeln!(out, "      <system-out>{text}</system-out>")?;
            }
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

/// Text as XML 1.0 takes it: characters that it cannot have at all are replaced.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
