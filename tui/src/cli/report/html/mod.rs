//! Findings as one HTML page that needs nothing else: no script, no font, no picture from elsewhere, which the page's own policy forbids.
//!
//! For each trace: findings with their sources, who waited for whom at the end and the order of locks as pictures, what locks cost, and a
//! timeline. It can be attached to a job of CI or to an issue. Everything from a trace is escaped.

mod style;
mod tables;
mod timeline;

use std::io::{self, Write};

use lockscope_analyzer::{Analysis, finding::Finding, order_graph::Grouping};
use lockscope_trace::{Definitions, Event, EventSource};

use self::{tables::Costs, timeline::Lanes};
use crate::{
    cli::{
        load::Checked,
        report::{Counts, phrase, places, places::Place, plural},
    },
    export::{Exporter, spans::Spans},
    graph::{
        Graph, build,
        picture::{self, escape},
    },
    source::{Sources, frames::Symbols, short_path, short_site},
};

/// Lines of source shown around each place.
const AROUND: u32 = 2;
/// Frames of a stack beyond these are counted.
const MAX_FRAMES: usize = 30;

/// What the page shows of a trace beside its findings, collected while it is read.
pub struct Collector {
    spans: Spans<Lanes>,
    waits: Graph,
    order: Graph,
    costs: Costs,
}

impl Default for Collector {
    fn default() -> Collector {
        // Traces without times have the numbers of events in their place, which the axis says.
        let spans = Spans::new(Lanes::default(), true);
        Collector { spans, waits: Graph::default(), order: Graph::default(), costs: Costs::default() }
    }
}

impl Collector {
    /// Takes events; the first has this number.
    pub fn events(&mut self, first: u64, events: &[Event], defs: &Definitions) {
        for (position, event) in (first..).zip(events) {
            self.spans.event(position, event, defs).expect("lanes are in memory");
        }
    }

    /// Takes what is known at the end.
    pub fn end(&mut self, analysis: &mut Analysis, source: &dyn EventSource) {
        let (defs, info) = (source.definitions(), source.info());
        self.spans.finish(defs).expect("lanes are in memory");
        let state = analysis.state();
        self.waits = build::wait_for(state, defs, info.has_times.then_some(state.time));
        let order = analysis.order_graph(defs, Grouping::Classes);
        self.costs = Costs::new(analysis.stats(), defs, info.has_times);
        self.order = build::order(&order, &analysis.findings(defs), defs);
    }
}

/// Writes the page.
pub fn write(traces: &[(&Checked, Sources, &Collector)], out: &mut dyn Write) -> io::Result<()> {
    let counts = Counts::new(traces.iter().flat_map(|(checked, ..)| &checked.findings));
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"generator\" content=\"lockscope {}\">\n<title>lockscope: {counts}</title>\n<style>{}{}</style>\n</head>\n<body>",
        env!("CARGO_PKG_VERSION"),
        style::STYLE,
        picture::STYLE
    )?;
    writeln!(out, "<header><h1>lockscope: {counts}</h1>")?;
    if traces.len() > 1 {
        writeln!(out, "<ul>")?;
        for (nth, (checked, ..)) in traces.iter().enumerate() {
            let path = escape(&short_path(&checked.info.path.to_string_lossy()));
            writeln!(out, "<li><a href=\"#t{}\">{path}</a>: {}</li>", nth + 1, Counts::new(&checked.findings))?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</header>")?;
    for (nth, (checked, sources, collector)) in traces.iter().enumerate() {
        let page = Page { checked, sources, symbols: Symbols::new(&checked.info), id: format!("t{}", nth + 1) };
        page.trace(collector, out)?;
    }
    writeln!(
        out,
        "<footer>written by lockscope {}; <code>lockscope explain CODE</code> tells more of a finding</footer>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION")
    )
}

struct Page<'a> {
    checked: &'a Checked,
    sources: &'a Sources,
    symbols: Symbols,
    id: String,
}

impl Page<'_> {
    fn trace(&self, collector: &Collector, out: &mut dyn Write) -> io::Result<()> {
        let (checked, id) = (self.checked, &self.id);
        let path = escape(&short_path(&checked.info.path.to_string_lossy()));
        writeln!(out, "<section class=\"trace\" id=\"{id}\">\n<h2>{path}</h2>\n<p>{}</p>", self.facts())?;
        let notes = checked.completeness.notes.iter().chain(&checked.limits);
        for note in notes {
            writeln!(out, "<p class=\"note\">{}</p>", escape(note))?;
        }
        for (nth, finding) in checked.findings.iter().enumerate() {
            self.finding(nth + 1, finding, out)?;
        }
        if checked.findings.is_empty() {
            writeln!(out, "<p>No findings.</p>")?;
        }
        for (name, title, graph, empty) in [
            ("waits", "Who waited for whom at the end", &collector.waits, "Nobody waited when the trace ended."),
            ("order", "Order of locks", &collector.order, "No lock was taken while another one was held."),
        ] {
            writeln!(out, "<h3 id=\"{id}-{name}\">{title}</h3>")?;
            if graph.nodes.is_empty() {
                writeln!(out, "<p>{empty}</p>")?;
            } else {
                writeln!(out, "<div class=\"wide\">{}</div>", picture::write(graph, &format!("{id}-{name}"), false))?;
            }
        }
        writeln!(out, "<h3 id=\"{id}-cost\">What locks cost</h3>")?;
        collector.costs.write(out)?;
        writeln!(out, "<h3 id=\"{id}-timeline\">Timeline</h3>")?;
        collector.spans.sink().write(checked.info.has_times, out)?;
        writeln!(out, "</section>")
    }

    fn facts(&self) -> String {
        let checked = self.checked;
        let mut facts = vec![
            Counts::new(&checked.findings).to_string(),
            plural(checked.defs.program_threads() as u64, "thread"),
            plural(checked.defs.locks.len() as u64, "lock"),
            plural(checked.events, "event"),
        ];
        if checked.info.has_times {
            facts.push(checked.duration.to_string());
        }
        if !checked.info.command.is_empty() {
            facts.push(format!("<code>{}</code>", escape(&checked.info.command.join(" "))));
        }
        facts.join(" · ")
    }

    fn finding(&self, nth: usize, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let (severity, code) = (finding.severity.as_str(), finding.code.as_str());
        writeln!(
            out,
            "<article class=\"finding {severity}\" id=\"{}-f{nth}\">\n<h3><span class=\"badge\">{severity}</span> <code>{code}</code> \
             {}</h3>\n<p class=\"facts\">F{nth} · {} · seen {} · fingerprint <code>{}</code></p>",
            self.id,
            escape(&finding.title),
            finding.confidence.as_str(),
            plural(finding.count, "time"),
            escape(&finding.fingerprint)
        )?;
        let places = places::all(&self.checked.defs, finding);
        let mut threads: Vec<_> = places.iter().map(|place| place.thread).collect();
        threads.dedup();
        writeln!(out, "<div class=\"sides\">")?;
        for thread in threads {
            let name = escape(&phrase::thread_label(&self.checked.defs, thread));
            writeln!(out, "<div class=\"side\"><h4>{name}</h4>")?;
            for place in places.iter().filter(|place| place.thread == thread) {
                self.place(place, out)?;
            }
            writeln!(out, "</div>")?;
        }
        writeln!(out, "</div>")?;
        for (class, texts) in [("note", &finding.notes), ("help", &finding.help)] {
            for text in texts {
                writeln!(out, "<p class=\"{class}\">{}</p>", escape(text))?;
            }
        }
        writeln!(out, "</article>")
    }

    /// What a thread did at a place, with the source around it and the stack behind a fold.
    fn place(&self, place: &Place, out: &mut dyn Write) -> io::Result<()> {
        let time = if self.checked.info.has_times { format!(", at {}", place.time) } else { String::new() };
        let label = escape(places::plain(&place.label));
        writeln!(out, "<figure>\n<figcaption>{label}{time}")?;
        if let Some(site) = &place.site {
            writeln!(out, "<br><code>{}</code>", escape(&short_site(site)))?;
        }
        writeln!(out, "</figcaption>")?;
        let source = place.site.as_ref().and_then(|site| Some((site, self.sources.file(&site.file)?)));
        if let Some((site, file)) = source.filter(|(site, file)| file.line_start(site.line).is_some()) {
            write!(out, "<pre>")?;
            for number in site.line.saturating_sub(AROUND).max(1)..=site.line.saturating_add(AROUND) {
                let Some(line) = file.line(number) else { continue };
                let text = format!("{number:>5}  {}", escape(line));
                let is_here = number == site.line;
                writeln!(out, "{}", if is_here { format!("<mark>{text}</mark>") } else { text })?;
            }
            writeln!(out, "</pre>")?;
            if file.is_newer {
                writeln!(
                    out,
                    "<p class=\"note\">The file was changed after the recording, so lines may not match.</p>"
                )?;
            }
        }
        let frames = place.stack.map(|stack| self.symbols.folded_stack(&self.checked.defs, stack, place.site_id));
        if let Some(frames) = frames.filter(|frames| frames.len() > 1) {
            writeln!(out, "<details><summary>stack</summary><ol>")?;
            for frame in frames.iter().take(MAX_FRAMES) {
                let site = frame.site.as_ref().map_or(String::new(), |site| format!(" at {}", short_site(site)));
                writeln!(out, "<li><code>{}</code>{}</li>", escape(&frame.function), escape(&site))?;
            }
            writeln!(out, "</ol></details>")?;
        }
        writeln!(out, "</figure>")
    }
}
