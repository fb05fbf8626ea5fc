//! Deadlocks through what is not a lock, and near twins that go on.
//!
//! The threads of most are spawned and joined by std, as in a program that has only replaced its locks. Where a thread must have
//! begun to wait before another one goes on, that is read from the kernel, as lockscope does.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use lockscope::{
    named,
    sync::{Barrier, Condvar, Mutex, Semaphore, mpsc},
};

use crate::scenarios::plain;

/// A condition that threads wait for.
struct Signal {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    fn leaked(name: &'static str) -> &'static Self {
        Box::leak(Box::new(Self { is_set: Mutex::new(false), changed: named(name).condvar() }))
    }

    #[track_caller]
    fn wait(&self) {
        let mut is_set = self.is_set.lock().unwrap();
        while !*is_set {
            is_set = self.changed.wait(is_set).unwrap();
        }
        *is_set = false;
    }

    #[track_caller]
    fn set(&self) {
        *self.is_set.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

fn lock(name: &'static str) -> &'static Mutex<u8> {
    Box::leak(Box::new(named(name).mutex(0)))
}

fn semaphore(name: &'static str, permits: usize) -> &'static Semaphore {
    Box::leak(Box::new(named(name).semaphore(permits)))
}

/// A place to tell the number of a thread, and to wait until that thread sleeps.
#[derive(Default)]
struct Sleeper(AtomicU32);

impl Sleeper {
    fn leaked() -> &'static Self {
        Box::leak(Box::default())
    }

    /// This thread is about to wait.
    fn me(&self) {
        // SAFETY: takes nothing, touches nothing.
        self.0.store(unsafe { libc::gettid() } as u32, Ordering::SeqCst);
    }

    /// Waits until the thread that has told its number sleeps in a futex.
    fn await_sleep(&self) {
        loop {
            let task = self.0.load(Ordering::SeqCst);
            let call = std::fs::read_to_string(format!("/proc/self/task/{task}/syscall")).unwrap_or_default();
            if call.starts_with(&format!("{} ", libc::SYS_futex)) {
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// Holds the outer lock while it waits for a notification; who would notify needs that lock.
fn monitor(hold_while_waiting: bool) {
    let (outer, ready, waiter) = (lock("outer"), Signal::leaked("ready"), Sleeper::leaked());
    let waits = plain("waits", move || {
        let guard = outer.lock().unwrap();
        let guard = hold_while_waiting.then_some(guard);
        waiter.me();
        ready.wait();
        drop(guard);
    });
    let notifies = plain("notifies", move || {
        waiter.await_sleep();
        let guard = outer.lock().unwrap();
        ready.set();
        drop(guard);
    });
    waits.join().unwrap();
    notifies.join().unwrap();
}

pub fn nested_monitor() {
    monitor(true);
}

pub fn nested_monitor_recorded() {
    monitor(true);
}

pub fn nested_monitor_panic() {
    monitor(true);
}

pub fn monitor_not_nested() {
    monitor(false);
}

/// The same while another thread runs, so that it is not certain; that one helps in the end, for the first time.
pub fn nested_monitor_helped_late() {
    helped_late(Duration::from_secs(8));
}

pub fn nested_monitor_helped_soon() {
    helped_late(Duration::from_secs(3));
}

fn helped_late(pause: Duration) {
    let (outer, ready, waiter) = (lock("outer"), Signal::leaked("ready"), Sleeper::leaked());
    let waits = plain("waits", move || {
        let guard = outer.lock().unwrap();
        waiter.me();
        ready.wait();
        drop(guard);
    });
    let wants = plain("wants", move || {
        waiter.await_sleep();
        drop(outer.lock().unwrap());
    });
    // Time is the subject here.
    std::thread::sleep(pause);
    ready.set();
    waits.join().unwrap();
    wants.join().unwrap();
}

/// Two threads wait for one another's notification.
pub fn nobody_left_to_notify() {
    let (one, two) = (Signal::leaked("one"), Signal::leaked("two"));
    let first = plain("first", || {
        one.wait();
        two.set();
    });
    let second = plain("second", || {
        two.wait();
        one.set();
    });
    first.join().unwrap();
    second.join().unwrap();
}

pub fn somebody_left_to_notify() {
    let (one, two) = (Signal::leaked("one"), Signal::leaked("two"));
    let first = plain("first", || {
        one.wait();
        two.set();
    });
    let second = plain("second", || {
        two.wait();
        one.set();
    });
    std::thread::sleep(Duration::from_millis(700));
    one.set();
    first.join().unwrap();
    second.join().unwrap();
}

/// The last thread that could have notified ends while all others wait.
pub fn last_notifier_ends() {
    let (ready, waiter, me) = (Signal::leaked("ready"), Sleeper::leaked(), Sleeper::leaked());
    let waits = plain("waits", move || {
        waiter.me();
        ready.wait();
    });
    plain("leaves", move || {
        // It has notified, so it could have done so again.
        ready.changed.notify_one();
        waiter.await_sleep();
        me.await_sleep();
    });
    me.me();
    waits.join().unwrap();
}

/// The same with threads that lockscope spawns and joins.
pub fn last_notifier_ends_seen() {
    let (ready, waiter, me) = (Signal::leaked("ready"), Sleeper::leaked(), Sleeper::leaked());
    let waits = lockscope::thread::spawn(move || {
        waiter.me();
        ready.wait();
    });
    lockscope::thread::spawn(move || {
        waiter.await_sleep();
        me.await_sleep();
    });
    me.me();
    waits.join().unwrap();
}

pub fn last_notifier_notifies() {
    let (ready, waiter, me) = (Signal::leaked("ready"), Sleeper::leaked(), Sleeper::leaked());
    let waits = plain("waits", move || {
        waiter.me();
        ready.wait();
    });
    plain("leaves", move || {
        waiter.await_sleep();
        me.await_sleep();
        ready.set();
    });
    me.me();
    waits.join().unwrap();
}

/// Joined by std, which only the kernel tells.
pub fn std_join_while_holding() {
    let wanted = lock("wanted");
    let guard = wanted.lock().unwrap();
    let child = plain("child", || drop(wanted.lock().unwrap()));
    child.join().unwrap();
    drop(guard);
}

/// The same while another thread runs: certain all the same.
pub fn std_join_while_holding_among_others() {
    let busy = plain("busy", || {
        loop {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    std_join_while_holding();
    busy.join().unwrap();
}

pub fn std_join_after_release() {
    let wanted = lock("wanted");
    let guard = wanted.lock().unwrap();
    let child = plain("child", || drop(wanted.lock().unwrap()));
    std::thread::sleep(Duration::from_millis(300));
    drop(guard);
    child.join().unwrap();
}

/// Holds the mutex of a condition variable and joins the thread that waits there: it cannot go on even if it is notified.
pub fn join_while_holding_the_mutex() {
    let (ready, waiter) = (Signal::leaked("ready"), Sleeper::leaked());
    let waits = lockscope::thread::Builder::new().name("waits".to_owned());
    let waits = waits
        .spawn(move || {
            waiter.me();
            ready.wait();
        })
        .unwrap();
    waiter.await_sleep();
    let mut is_set = ready.is_set.lock().unwrap();
    *is_set = true;
    ready.changed.notify_all();
    waits.join().unwrap();
    drop(is_set);
}

pub fn join_after_notifying() {
    let (ready, waiter) = (Signal::leaked("ready"), Sleeper::leaked());
    let waits = lockscope::thread::spawn(move || {
        waiter.me();
        ready.wait();
    });
    waiter.await_sleep();
    ready.set();
    waits.join().unwrap();
}

/// Holds what every sender needs while it receives.
fn receive(hold_while_waiting: bool) {
    let (state, receiver_sleeps) = (lock("state"), Sleeper::leaked());
    let (sender, receiver) = mpsc::channel::<u8>();
    let senders: Vec<_> = ["first sender", "second sender"]
        .map(|name| {
            let sender = sender.clone();
            plain(name, move || {
                sender.send(0).unwrap();
                receiver_sleeps.await_sleep();
                let guard = state.lock().unwrap();
                sender.send(*guard).unwrap();
            })
        })
        .into();
    drop(sender);
    let receives = plain("receiver", move || {
        // Both have used their senders.
        receiver.recv().unwrap();
        receiver.recv().unwrap();
        let guard = state.lock().unwrap();
        let guard = hold_while_waiting.then_some(guard);
        receiver_sleeps.me();
        receiver.recv().unwrap();
        receiver.recv().unwrap();
        drop(guard);
    });
    receives.join().unwrap();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
}

pub fn receive_while_holding() {
    receive(true);
}

/// The same while another thread runs, which has nothing to do with it: as good as certain.
pub fn receive_while_holding_among_others() {
    plain("busy", || {
        loop {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    receive(true);
}

pub fn receive_without_holding() {
    receive(false);
}

/// Holds what the receiver needs while it sends into a channel that is full.
fn send(hold_while_waiting: bool) {
    let (state, sender_sleeps) = (lock("state"), Sleeper::leaked());
    let (sender, receiver) = mpsc::sync_channel::<u8>(1);
    let receives = plain("receiver", move || {
        receiver.recv().unwrap();
        sender_sleeps.await_sleep();
        for _ in 0..2 {
            let guard = state.lock().unwrap();
            receiver.recv().unwrap();
            drop(guard);
        }
    });
    let sends = plain("sender", move || {
        sender.send(0).unwrap();
        let guard = state.lock().unwrap();
        let guard = hold_while_waiting.then_some(guard);
        sender_sleeps.me();
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(guard);
    });
    sends.join().unwrap();
    receives.join().unwrap();
}

pub fn send_while_holding() {
    send(true);
}

pub fn send_without_holding() {
    send(false);
}

/// The last sender is with the receiver itself.
pub fn receive_from_oneself() {
    let (sender, receiver) = mpsc::channel::<u8>();
    sender.send(1).unwrap();
    while receiver.recv().is_ok() {}
    drop(sender);
}

pub fn receive_from_oneself_dropped() {
    let (sender, receiver) = mpsc::channel::<u8>();
    sender.send(1).unwrap();
    drop(sender);
    while receiver.recv().is_ok() {}
}

/// Two threads that have one permit of each of two semaphores and want one of the other's.
pub fn permits_held_by_waiters() {
    let (one, two) = (semaphore("one", 1), semaphore("two", 1));
    static BOTH: std::sync::Barrier = std::sync::Barrier::new(2);
    let cross = |name, first: &'static Semaphore, second: &'static Semaphore| {
        plain(name, move || {
            let permit = first.acquire();
            BOTH.wait();
            drop(second.acquire());
            drop(permit);
        })
    };
    let threads = [cross("first", one, two), cross("second", two, one)];
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub fn permits_held_by_waiters_panic() {
    permits_held_by_waiters();
}

/// Each wants a second permit of one semaphore that has two.
pub fn permits_of_one_semaphore() {
    let semaphore = semaphore("two", 2);
    static BOTH: std::sync::Barrier = std::sync::Barrier::new(2);
    let twice = |name| {
        plain(name, || {
            let permit = semaphore.acquire();
            BOTH.wait();
            drop(semaphore.acquire());
            drop(permit);
        })
    };
    let threads = [twice("first"), twice("second")];
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// The same with a third permit, with a thread that gives it back some time.
pub fn a_permit_is_elsewhere() {
    let semaphore = semaphore("three", 3);
    static ALL: std::sync::Barrier = std::sync::Barrier::new(3);
    let twice = |name| {
        plain(name, || {
            let permit = semaphore.acquire();
            ALL.wait();
            drop(semaphore.acquire());
            drop(permit);
        })
    };
    let threads = [twice("first"), twice("second")];
    let permit = semaphore.acquire();
    ALL.wait();
    std::thread::sleep(Duration::from_millis(2500));
    drop(permit);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Takes a permit for each job and sends it along. By the records it has them all when it wants the next one.
pub fn permits_that_may_be_elsewhere() {
    let slots = std::sync::Arc::new(named("slots").semaphore(2));
    let jobs: Vec<_> = (0..4)
        .map(|_| {
            let permit = slots.acquire_owned();
            plain("job", move || {
                // Longer than anything that is merely suspicious lasts.
                std::thread::sleep(Duration::from_millis(5500));
                drop(permit);
            })
        })
        .collect();
    jobs.into_iter().for_each(|job| job.join().unwrap());
}

/// The same, but it has kept them, and nobody else runs.
pub fn permits_that_are_not_elsewhere() {
    let slots = std::sync::Arc::new(named("slots").semaphore(2));
    let _permits: Vec<_> = (0..3).map(|_| slots.acquire_owned()).collect();
}

/// The same with permits that cannot be elsewhere: certain at once.
pub fn permits_of_one_thread() {
    plain("busy", || {
        loop {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let slots = semaphore("slots", 2);
    let _permits: Vec<_> = (0..3).map(|_| slots.acquire()).collect();
}

/// Permits that were forgotten are not there for those who wait.
pub fn permits_forgotten() {
    let semaphore = semaphore("pool", 2);
    semaphore.acquire().forget();
    semaphore.acquire().forget();
    let waits = plain("waits", || drop(semaphore.acquire()));
    waits.join().unwrap();
}

pub fn permits_forgotten_among_others() {
    plain("busy", || {
        loop {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    permits_forgotten();
}

pub fn permits_forgotten_and_added() {
    let semaphore = semaphore("pool", 2);
    semaphore.acquire().forget();
    semaphore.acquire().forget();
    let waits = plain("waits", || drop(semaphore.acquire()));
    std::thread::sleep(Duration::from_millis(300));
    semaphore.add_permits(1);
    waits.join().unwrap();
}

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

/// Notifies before the other one waits, and never again.
pub fn lost_wakeup() {
    let ready: &(Mutex<()>, Condvar) = Box::leak(Box::new((Mutex::new(()), named("ready").condvar())));
    plain("notifies", || ready.1.notify_one()).join().unwrap();
    let waits = plain("waits", || drop(ready.1.wait(ready.0.lock().unwrap()).unwrap()));
    waits.join().unwrap();
}

pub fn wakeup_remembered() {
    let ready = Signal::leaked("ready");
    plain("notifies", || ready.set()).join().unwrap();
    plain("waits", || ready.wait()).join().unwrap();
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

/// A thread ends while it holds a lock that another one wants.
pub fn guard_forgotten() {
    let (wanted, waiter) = (lock("wanted"), Sleeper::leaked());
    let (to_holder, go) = std::sync::mpsc::channel::<()>();
    let holder = plain("forgets", move || {
        std::mem::forget(wanted.lock().unwrap());
        go.recv().unwrap();
        waiter.await_sleep();
    });
    while wanted.try_lock().is_ok() {
        std::thread::yield_now();
    }
    let wants = plain("wants", move || {
        waiter.me();
        drop(wanted.lock().unwrap());
    });
    to_holder.send(()).unwrap();
    holder.join().unwrap();
    wants.join().unwrap();
}

/// The same, but it has ended before anybody wants it.
pub fn guard_forgotten_before() {
    let wanted = lock("wanted");
    plain("forgets", || std::mem::forget(wanted.lock().unwrap())).join().unwrap();
    plain("wants", || drop(wanted.lock().unwrap())).join().unwrap();
}

/// Nobody wants it.
pub fn guard_forgotten_only() {
    let wanted = lock("wanted");
    plain("forgets", || std::mem::forget(wanted.lock().unwrap())).join().unwrap();
}

pub fn guard_given_back() {
    static IS_HELD: AtomicBool = AtomicBool::new(false);
    let wanted = lock("wanted");
    let holder = plain("holds", || {
        let guard = wanted.lock().unwrap();
        IS_HELD.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(300));
        drop(guard);
    });
    while !IS_HELD.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    plain("wants", || drop(wanted.lock().unwrap())).join().unwrap();
    holder.join().unwrap();
}
