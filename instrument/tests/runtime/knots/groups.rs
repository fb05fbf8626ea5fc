//! Threads that idle, meet, or hand something around: at most times all but one of them wait.

use std::time::Duration;

use lockscope::{
    named,
    sync::{Barrier, Condvar, Mutex, mpsc},
};

use super::Signal;
use crate::scenarios::plain;

/// Workers that wait for jobs, while `main` is busy elsewhere.
pub fn idle_pool() {
    let jobs: &(Mutex<Vec<Option<u8>>>, Condvar) = Box::leak(Box::default());
    let worker = |name| {
        plain(name, || {
            let mut queue = jobs.0.lock().unwrap();
            loop {
                match queue.pop() {
                    Some(None) => return,
                    Some(Some(_)) => {}
                    None => queue = jobs.1.wait(queue).unwrap(),
                }
            }
        })
    };
    let workers = ["one", "two", "three"].map(worker);
    let push = |job| {
        jobs.0.lock().unwrap().push(job);
        jobs.1.notify_one();
    };
    (0..3).for_each(|job| push(Some(job)));
    std::thread::sleep(Duration::from_secs(7));
    workers.iter().for_each(|_| push(None));
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

/// The same, but `main` joins without saying so.
pub fn idle_pool_joined() {
    let jobs: &(Mutex<Vec<u8>>, Condvar) = Box::leak(Box::new((Mutex::default(), named("jobs").condvar())));
    let worker = |name| {
        plain(name, || {
            let mut queue = jobs.0.lock().unwrap();
            loop {
                while queue.pop().is_some() {}
                queue = jobs.1.wait(queue).unwrap();
            }
        })
    };
    let workers = ["one", "two", "three"].map(worker);
    jobs.0.lock().unwrap().push(1);
    jobs.1.notify_one();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

/// The same while other threads are there, which know nothing of the pool.
pub fn idle_pool_joined_among_sleepers() {
    let (sender, receiver) = std::sync::mpsc::channel::<u8>();
    plain("sleeps", move || while receiver.recv_timeout(Duration::from_millis(300)).is_err() {});
    idle_pool_joined();
    drop(sender);
}

/// The same, but one of the others waits for input, which may be a job.
pub fn idle_pool_joined_among_listeners() {
    let mut ends = [0; 2];
    // SAFETY: there is room for two.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    // SAFETY: there is room for a byte.
    plain("listens", move || while unsafe { libc::read(ends[0], (&raw mut ends).cast(), 1) } == 1 {});
    plain("ends", || {
        // Longer than anything that is merely suspicious lasts.
        std::thread::sleep(Duration::from_millis(7500));
        std::process::exit(0);
    });
    idle_pool_joined();
}

/// A pool whose receiver is behind a mutex: one worker waits for a message, the others for it.
pub fn idle_pool_behind_a_mutex() {
    let (sender, receiver) = mpsc::channel::<u8>();
    let receiver: &'static Mutex<mpsc::Receiver<u8>> = Box::leak(Box::new(named("jobs").mutex(receiver)));
    let worker = |name| plain(name, || while receiver.lock().unwrap().recv().is_ok() {});
    let workers = ["one", "two", "three"].map(worker);
    sender.send(1).unwrap();
    std::thread::sleep(Duration::from_secs(7));
    drop(sender);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

/// Two threads that have senders of one another, and wait for messages.
pub fn idle_actors() {
    let (to_one, one) = mpsc::channel::<bool>();
    let (to_two, two) = mpsc::channel::<bool>();
    let actor = |name, inbox: mpsc::Receiver<bool>, other: mpsc::Sender<bool>| {
        plain(name, move || {
            while inbox.recv() == Ok(true) {
                let _ = other.send(true);
            }
            let _ = other.send(false);
        })
    };
    let first = to_one.clone();
    let threads = [actor("one", one, to_two.clone()), actor("two", two, to_one)];
    drop(to_two);
    std::thread::sleep(Duration::from_secs(3));
    first.send(false).unwrap();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Waits for a notification that comes late and for the first time.
pub fn slow_first_notifier() {
    let (ready, go) = (Signal::leaked("ready"), Signal::leaked("go"));
    let waits = lockscope::thread::spawn(|| {
        go.wait();
        ready.wait();
    });
    let joins = lockscope::thread::spawn(|| waits.join().unwrap());
    go.set();
    std::thread::sleep(Duration::from_secs(3));
    ready.set();
    joins.join().unwrap();
}

/// A barrier for one thread more than there are.
pub fn barrier_lacks_a_party() {
    let barrier: &Barrier = Box::leak(Box::new(named("meeting").barrier(3)));
    let threads = ["one", "two"].map(|name| {
        plain(name, || {
            barrier.wait();
        })
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub fn barrier_is_complete() {
    let barrier: &Barrier = Box::leak(Box::new(named("meeting").barrier(3)));
    let threads = ["one", "two"].map(|name| {
        plain(name, || {
            barrier.wait();
        })
    });
    std::thread::sleep(Duration::from_millis(500));
    barrier.wait();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Threads that hand a token around: at most times all but one wait.
pub fn token_is_handed_around() {
    const ROUNDS: u32 = 100_000;
    const N: u32 = 3;
    let turn: &(Mutex<u32>, [Condvar; N as usize]) = Box::leak(Box::default());
    let run = |me: u32| {
        plain("player", move || {
            let mut now = turn.0.lock().unwrap();
            loop {
                while *now < ROUNDS && *now % N != me {
                    now = turn.1[me as usize].wait(now).unwrap();
                }
                *now += 1;
                turn.1[(me as usize + 1) % N as usize].notify_one();
                if *now > ROUNDS {
                    return;
                }
            }
        })
    };
    let players: Vec<_> = (0..N).map(run).collect();
    players.into_iter().for_each(|player| player.join().unwrap());
}

/// The same by channels of one place, and threads that lockscope joins.
pub fn token_is_sent_around() {
    const ROUNDS: u32 = 100_000;
    const N: usize = 3;
    let channels: Vec<_> = (0..N).map(|_| mpsc::sync_channel::<u32>(0)).collect();
    let (senders, receivers): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
    let first = senders[0].clone();
    let mut senders: Vec<_> = senders.into_iter().map(Some).collect();
    let players: Vec<_> = receivers
        .into_iter()
        .enumerate()
        .map(|(me, inbox)| {
            let next = senders[(me + 1) % N].take().unwrap();
            lockscope::thread::spawn(move || {
                while let Ok(n) = inbox.recv() {
                    if n > ROUNDS || next.send(n + 1).is_err() {
                        break;
                    }
                }
            })
        })
        .collect();
    first.send(0).unwrap();
    drop(first);
    players.into_iter().for_each(|player| player.join().unwrap());
}
