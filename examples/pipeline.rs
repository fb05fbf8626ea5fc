//! A pipeline with feedback, whose channels are full.
//!
//! A crawler: the frontier hands out pages to fetchers, and they hand back the links that they find, both through channels with
//! little room. Each page has many links. So the frontier soon waits for room to hand out a page, and every fetcher for room to
//! hand back links: nobody takes anything out any more.
//!
//!     cargo run -p lockscope-crossbeam-channel --example pipeline
//!
//! Finding: `deadlock` over room in `pages` and in `links`, of all threads of the process, which ends for that reason with status
//! 66. With `LOCKSCOPE=deadlock=report` it stays, to be looked at.
//!
//! Fix, with `--fixed`: the frontier keeps a list of its own of what it cannot hand out yet, and takes links back meanwhile.
//! More room would only put it off until there are more links.

use std::{collections::VecDeque, process::exit};

use lockscope::{
    Policy,
    thread::{self, Builder},
};
use lockscope_crossbeam_channel::{Receiver, Sender, named, select};

/// A page, by its distance from the first one.
type Page = u32;

const FARTHEST: Page = 3;
const LINKS: usize = 6;

fn fetcher(pages: Receiver<Page>, links: Sender<Vec<Page>>) {
    for page in pages {
        let found = if page < FARTHEST { vec![page + 1; LINKS] } else { Vec::new() };
        links.send(found).expect("the frontier waits for the links of each page");
    }
}

/// Returns how many pages were fetched.
fn frontier(pages: Sender<Page>, links: Receiver<Vec<Page>>) -> usize {
    pages.send(0).expect("the fetchers wait for pages");
    let (mut fetched, mut being_fetched) = (0, 1);
    while being_fetched > 0 {
        let found = links.recv().expect("there are pages at the fetchers");
        fetched += 1;
        being_fetched -= 1;
        for page in found {
            pages.send(page).expect("the fetchers wait for pages");
            being_fetched += 1;
        }
    }
    fetched
}

fn frontier_with_list(pages: Sender<Page>, links: Receiver<Vec<Page>>) -> usize {
    let (mut fetched, mut being_fetched) = (0, 0);
    let mut list = VecDeque::from([0]);
    while being_fetched > 0 || !list.is_empty() {
        let found = match list.front() {
            None => links.recv(),
            Some(&page) => select! {
                recv(links) -> found => found,
                send(pages, page) -> sent => {
                    sent.expect("the fetchers wait for pages");
                    list.pop_front();
                    being_fetched += 1;
                    continue;
                }
            },
        };
        list.extend(found.expect("there are pages at the fetchers"));
        fetched += 1;
        being_fetched -= 1;
    }
    fetched
}

fn crawl(frontier: fn(Sender<Page>, Receiver<Vec<Page>>) -> usize) {
    let (to_fetch, pages) = named("pages").bounded(1);
    let (found, links) = named("links").bounded(1);
    thread::scope(|scope| {
        let spawned = "the system has room for three threads";
        for name in ["fetcher 1", "fetcher 2"] {
            let (pages, found) = (pages.clone(), found.clone());
            Builder::new().name(name.into()).spawn_scoped(scope, || fetcher(pages, found)).expect(spawned);
        }
        // Each side is to notice when the other one has gone.
        drop((pages, found));
        let frontier = Builder::new().name("frontier".into()).spawn_scoped(scope, move || frontier(to_fetch, links));
        let fetched = frontier.expect(spawned).join().expect("the frontier does not panic");
        println!("{fetched} pages were fetched");
    });
}

fn main() {
    // What is stuck here stays so.
    lockscope::builder().deadlock(Policy::Exit).install();
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => crawl(frontier),
        ["--fixed"] => crawl(frontier_with_list),
        _ => {
            eprintln!("usage: pipeline [--fixed]");
            exit(2);
        }
    }
}
