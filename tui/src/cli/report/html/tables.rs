//! What locks cost: by lock class, and by the place where they were waited for.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use lockscope_analyzer::stats::Stats;
use lockscope_trace::{Definitions, Nanos, SiteId};

use crate::{cli::report::grouped, graph::picture::escape, source::short_site};

/// Rows beyond these are counted.
const MAX_ROWS: usize = 25;

/// Rows of both tables, ready to be written.
#[derive(Default)]
pub(super) struct Costs {
    locks: Vec<[String; 7]>,
    sites: Vec<[String; 5]>,
    n_locks: usize,
    n_sites: usize,
}

impl Costs {
    /// The costs of a trace; without times there are counts only.
    pub(super) fn new(stats: &Stats, defs: &Definitions, has_times: bool) -> Costs {
        let time = |nanos: Nanos| if has_times { nanos.to_string() } else { "-".to_owned() };
        let mut classes = stats.classes(defs);
        classes.sort_by_key(|(class, stats)| {
            (std::cmp::Reverse((stats.wait.total, stats.contended, stats.acquisitions)), *class)
        });
        let name = |class: u32| defs.classes.get(class as usize).map_or(String::new(), |&lock| defs.class_name(lock));
        let locks = classes.iter().take(MAX_ROWS).map(|(class, stats)| {
            [
                name(class.0),
                grouped(stats.acquisitions),
                grouped(stats.contended),
                time(stats.wait.total),
                time(stats.wait.percentile(99)),
                time(stats.wait.max),
                time(stats.hold.max),
            ]
        });
        // By place, over all locks that are taken there.
        let mut sites: BTreeMap<Option<SiteId>, (u64, u64, Nanos, Nanos)> = BTreeMap::new();
        for (site, of) in stats.locks.iter().flat_map(|lock| &lock.sites) {
            let sum = sites.entry(*site).or_default();
            sum.0 += of.acquisitions;
            sum.1 += of.contended;
            sum.2 = Nanos(sum.2.0.saturating_add(of.waited.0));
            sum.3 = Nanos(sum.3.0.saturating_add(of.held.0));
        }
        let mut places: Vec<_> = sites.into_iter().filter(|(_, sum)| sum.1 > 0).collect();
        places.sort_by_key(|(site, sum)| (std::cmp::Reverse((sum.2, sum.1)), *site));
        let place = |site: Option<SiteId>| site.and_then(|site| defs.site(site)).map_or("-".to_owned(), short_site);
        let rows = places
            .iter()
            .take(MAX_ROWS)
            .map(|(site, sum)| [place(*site), grouped(sum.0), grouped(sum.1), time(sum.2), time(sum.3)]);
        Costs { locks: locks.collect(), sites: rows.collect(), n_locks: classes.len(), n_sites: places.len() }
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let titles = ["lock", "taken", "had to wait", "waited", "p99", "longest wait", "longest hold"];
        table("locks", &titles, &self.locks, self.n_locks, out)?;
        if self.sites.is_empty() {
            return writeln!(out, "<p>No thread had to wait for a lock before it got it.</p>");
        }
        table(
            "sites",
            &["waited for at", "taken", "had to wait", "waited", "held from here"],
            &self.sites,
            self.n_sites,
            out,
        )
    }
}

fn table<const N: usize>(
    class: &str,
    titles: &[&str; N],
    rows: &[[String; N]],
    n_all: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    // The first column is a text, all others are numbers.
    let class_of = |idx: usize| if idx == 0 { "" } else { " class=\"n\"" };
    write!(out, "<div class=\"wide\"><table class=\"{class}\"><thead><tr>")?;
    for (idx, title) in titles.iter().enumerate() {
        write!(out, "<th{}>{title}</th>", class_of(idx))?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for row in rows {
        write!(out, "<tr>")?;
        for (idx, cell) in row.iter().enumerate() {
            write!(out, "<td{}>{}</td>", class_of(idx), escape(cell))?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div>")?;
    if n_all > rows.len() {
        writeln!(out, "<p>and {} more</p>", n_all - rows.len())?;
    }
    Ok(())
}
