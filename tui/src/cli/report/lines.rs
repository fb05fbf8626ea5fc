//! Findings as one line each: for editors and `grep`, and as annotations on GitHub.

use std::io::{self, Write};

use lockscope_analyzer::finding::Severity;
use lockscope_trace::Definitions;

use crate::{
    cli::{load::Checked, report::places},
    source::{short_path, short_site},
};

/// `src/bank.rs:13:36: error[deadlock]: 2 threads are deadlocked over accounts and audit`, as compilers write it.
///
/// Findings without a place begin with the trace's name.
pub fn short(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    for finding in &checked.findings {
        let places = places::all(&checked.defs, finding);
        let place = match places::primary(&places).and_then(|place| place.site.as_ref()) {
            Some(site) => short_site(site),
            None => short_path(&checked.info.path.to_string_lossy()),
        };
        let (severity, code) = (finding.severity.as_str(), finding.code.as_str());
        writeln!(out, "{place}: {severity}[{code}]: {}", Definitions::clean(&finding.title))?;
    }
    Ok(())
}

/// Workflow commands of GitHub Actions: an annotation on the primary place of each finding, with all others in its text.
///
/// GitHub shows paths relative to the repository's root, so it should be the working directory.
pub fn github(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    for finding in &checked.findings {
        let places = places::all(&checked.defs, finding);
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = Vec::new();
        if let Some(site) = places::primary(&places).and_then(|place| place.site.as_ref()) {
            properties.push(format!("file={}", property(&short_path(&site.file))));
            let numbers = [("line", site.line), ("col", site.column)];
            properties.extend(numbers.iter().filter(|(_, n)| *n > 0).map(|(key, n)| format!("{key}={n}")));
        }
        properties.push(format!("title={}", property(&format!("lockscope: {}", finding.code.as_str()))));
        let mut text = format!("{} ({})", finding.title, finding.confidence.as_str());
        for place in &places {
            let site = place.site.as_ref().map_or(String::new(), |site| format!(" at {}", short_site(site)));
            text.push_str(&format!("\n- {}{site}", places::plain(&place.label)));
        }
        for help in &finding.help {
            text.push_str(&format!("\nhelp: {help}"));
        }
        writeln!(out, "::{command} {}::{}", properties.join(","), escape(&text))?;
    }
    Ok(())
}

/// A value of a property: GitHub splits at these characters.
fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text: a line end would end the command, and what follows could be one of its own.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn one_line_a_finding() {
        let (mut lines, mut commands) = (Vec::new(), Vec::new());
        short(&fixture::checked(), &mut lines).expect("a vector takes everything");
        github(&fixture::checked(), &mut commands).expect("a vector takes everything");
        let text = [lines, commands].concat();
        insta::assert_snapshot!(String::from_utf8(text).expect("texts"));
    }

    #[test]
    fn nothing_ends_a_command_early() {
        let mut checked = fixture::checked();
        checked.findings.truncate(1);
        checked.findings[0].title = "a\n::error::b%".to_owned();
        checked.defs.sites[1].file = "a,b:c\n.rs".into();
        let mut out = Vec::new();
        github(&checked, &mut out).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("texts");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.starts_with(
                "::error file=a%2Cb%3Ac\u{fffd}.rs,line=13,col=36,title=lockscope%3A deadlock::a%0A::error::b%25"
            ),
            "{text}"
        );
    }
}
