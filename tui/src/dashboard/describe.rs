//! What is shown, in words: for the clipboard, and for whoever asks which settings are in effect.

use lockscope_analyzer::finding::{Finding, Target};

use crate::{
    cli::report::phrase,
    dashboard::{
        keys::TABLE,
        state::{State, View},
        tables::Row,
    },
    source::short_site,
};

/// What is selected: a finding as Markdown for a bug report, a row as its texts, an event in words.
pub fn selected(state: &State) -> Option<String> {
    match (state.view, state.selected_row()) {
        (View::Findings | View::Overview, _) => state.finding().map(|finding| finding_text(state, finding)),
        (View::Events, _) => {
            let event = state.model.timeline.event(state.position)?;
            let defs = &state.model.defs;
            let place = event.site.and_then(|site| defs.site(site)).map(short_site).unwrap_or_default();
            let what = crate::cli::show::events::what(defs, &event);
            let thread = phrase::thread_label(defs, event.thread);
            Some(format!("#{} {} {thread} {} {what} {place}", state.position, event.time, event.op.name()))
        }
        (_, Some(row @ Row::Group(_))) => {
            let Row::Group(idx) = row else { return None };
            state.rows.groups.get(idx).map(|(title, _)| title.clone())
        }
        (_, Some(row)) => {
            let list = state.shown_list()?;
            let shape = state.list(list).shape(list, state.size.0);
            let texts = shape.into_iter().map(|column| list.cell(state, row, column).text);
            Some(texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("  "))
        }
        _ => None,
    }
}

/// A finding as Markdown, with what is needed to understand it elsewhere.
pub fn finding_text(state: &State, finding: &Finding) -> String {
    let defs = &state.model.defs;
    let code = finding.code.as_str();
    let mut out = format!("### {code} ({}): {}\n\n", finding.confidence.as_str(), finding.title);
    let place = |site: Option<lockscope_trace::SiteId>| {
        site.and_then(|site| defs.site(site)).map_or(String::new(), |site| format!(" at `{}`", short_site(site)))
    };
    for part in &finding.participants {
        out.push_str(&format!("- **{}**\n", phrase::thread_label(defs, part.thread)));
        for held in &part.held {
            let lock = phrase::target_label(defs, Target::Lock(held.lock, held.mode));
            out.push_str(&format!("  - took {lock}{}\n", place(held.site)));
        }
        if let Some(wanted) = &part.wanted {
            let verb = phrase::wants_verb(finding, part);
            out.push_str(&format!("  - {verb} {}{}\n", phrase::target_label(defs, wanted.target), place(wanted.site)));
        }
    }
    for (title, texts) in [("Note", &finding.notes), ("Help", &finding.help)] {
        texts.iter().for_each(|text| out.push_str(&format!("\n{title}: {text}\n")));
    }
    let info = &state.model.info;
    out.push_str(&format!(
        "\nSeen {} times, fingerprint `{}`, lockscope {}, command `{}`\n",
        finding.count.max(1),
        finding.fingerprint,
        env!("CARGO_PKG_VERSION"),
        info.command.join(" ").replace('`', "'"),
    ));
    out
}

/// Settings in effect: theme, keys, and what the configuration said.
pub fn settings(state: &State) -> Vec<String> {
    let glyphs = if state.theme.ascii { "ASCII" } else { "Unicode" };
    let mut lines = vec![format!("theme       {}, {glyphs}", state.theme.palette.name())];
    lines.extend(state.settings.iter().cloned());
    lines.push(String::new());
    lines.push("keys, `*` where they were configured:".to_owned());
    for (binding, keys) in state.keys.all() {
        let is_own = TABLE.iter().any(|other| other.name == binding.name && other.keys == keys);
        let mark = if is_own { ' ' } else { '*' };
        lines.push(format!("{mark} {:<20} {}", binding.name, keys.join(" ")));
    }
    lines
}
