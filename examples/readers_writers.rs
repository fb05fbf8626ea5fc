//! A reader that reads again while a writer waits.
//!
//! Read locks can be shared, so reading twice looks harmless. But readers wait behind a waiting writer, who waits for
//! the first read to end: once the writer came in between, neither goes on.
//!
//!     cargo run -p lockscope-parking_lot --example readers_writers
//!
//! Finding: `deadlock` between `reader` and `writer` over `settings`, a real one. The program gives up on them after
//! a second and a half.
//!
//! Fix, with `--fixed`: who has read already passes on what it read.

use std::{
    process::exit,
    sync::mpsc::{self, Sender},
    time::Duration,
};

use lockscope::thread;
use lockscope_parking_lot::{RwLock, named};

struct Settings {
    title: &'static str,
    width: usize,
}

static SETTINGS: RwLock<Settings> = named("settings").rwlock(Settings { title: "lockscope", width: 20 });

fn draw(writer: &Sender<()>) -> String {
    let settings = SETTINGS.read();
    let_it_wait(writer);
    format!("{}{}", settings.title, padding())
}

/// Reads the settings, although its caller has.
fn padding() -> String {
    let settings = SETTINGS.read();
    ".".repeat(settings.width - settings.title.len())
}

fn draw_fixed(writer: &Sender<()>) -> String {
    let settings = SETTINGS.read();
    let_it_wait(writer);
    format!("{}{}", settings.title, padding_of(&settings))
}

fn padding_of(settings: &Settings) -> String {
    ".".repeat(settings.width - settings.title.len())
}

/// Lets the writer begin, and returns when it waits: from then on no reader gets in, as `try_read` tells.
fn let_it_wait(writer: &Sender<()>) {
    writer.send(()).expect("the writer listens");
    while SETTINGS.try_read().is_some() {
        std::thread::yield_now();
    }
}

fn run(draw: fn(&Sender<()>) -> String) {
    let (writer, begin) = mpsc::channel();
    let (done, all_done) = mpsc::channel();
    let writer_done = done.clone();
    spawn("reader", move || {
        println!("{}", draw(&writer));
        done.send(()).expect("main waits");
    });
    spawn("writer", move || {
        begin.recv().expect("the reader says when");
        SETTINGS.write().width = 30;
        writer_done.send(()).expect("main waits");
    });
    for _ in 0..2 {
        if all_done.recv_timeout(Duration::from_millis(1500)).is_err() {
            println!("reader and writer wait for each other; giving up");
            exit(0);
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().name(name.into()).spawn(work).expect("the system has room for two threads");
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(draw),
        ["--fixed"] => run(draw_fixed),
        _ => {
            eprintln!("usage: readers_writers [--fixed]");
            exit(2);
        }
    }
}
