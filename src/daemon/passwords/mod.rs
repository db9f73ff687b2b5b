//! Passwords, hashed on a thread of their own.
//!
//! Owns the thread and the queue before it. A hash takes tens of milliseconds by design, in which the loop would stand
//! still. One thread: hashes are needed by who logs in anew, not by who comes back with a token, so one core's worth
//! is plenty, and the loop keeps the other.
//!
//! Invariants: at most [`JOBS_MAX`] jobs are in the thread's hands, their results included; memory is held for one hash at
//! most, and for none when nobody has logged in for a while; each job has one result, known by what it was submitted by,
//! while the thread [is alive](Passwords::is_alive).

mod argon;
mod text;

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use argon2::Params;

use self::argon::{Argon, Verdict};

pub(super) use self::argon::Phc;
pub(super) use self::text::{Password, PasswordFault};

use crate::worker::Worker;

/// The thread, from the loop's side. Ends when this goes.
#[derive(Debug)]
pub(super) struct Passwords<T> {
    jobs: Sender<(T, Job)>,
    results: Receiver<(T, Hashed)>,
    in_hand: usize,
    thread: Worker,
}

/// What is to be done with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Hash it.
    Hash(Password),
    /// Tell whether it is the one of this hash; `None`: nobody's, which takes as long.
    Verify { password: Password, phc: Option<Phc> },
}

/// What became of a [`Job`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hashed {
    /// The hash.
    Hash(Phc),
    /// It is the right password. `renewed`: its hash at today's cost, where the old one's was another.
    Match { renewed: Option<Phc> },
    /// It is not.
    Mismatch,
    /// It was not taken on.
    Busy,
    /// There was no memory for it, or the stored hash is damaged.
    Failed,
}

/// That there are [`JOBS_MAX`] jobs in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy;

impl<T: Send + 'static> Passwords<T> {
    /// Starts the thread; it calls `wake` after each result, and when it has ended.
    pub(super) fn start(wake: impl Fn() + Send + Clone + 'static) -> io::Result<Self> {
        Self::start_at(argon::params(), wake)
    }

    fn start_at(params: Params, wake: impl Fn() + Send + Clone + 'static) -> io::Result<Self> {
        let (jobs, to_do) = channel();
        let (done, results) = channel();
        let at_the_end = wake.clone();
        let work = move || {
            let mut argon = Argon::new(params);
            while let Some((by, job)) = next(&to_do, &mut argon) {
                if done.send((by, argon.outcome(&job))).is_err() {
                    return; // nobody waits any more
                }
                wake();
            }
        };
        let thread = Worker::start("passwords", at_the_end, work)?;
        Ok(Self { jobs, results, in_hand: 0, thread })
    }

    /// False when the thread has ended, which it does by a fault of its own alone: what it had in hand has no result.
    pub(super) fn is_alive(&self) -> bool {
        !self.thread.has_ended()
    }

    /// Gives a job to the thread.
    ///
    /// # Errors
    /// When it has too many already.
    pub(super) fn submit(&mut self, by: T, job: Job) -> Result<(), Busy> {
        if self.in_hand >= JOBS_MAX || self.jobs.send((by, job)).is_err() {
            return Err(Busy);
        }
        self.in_hand += 1;
        Ok(())
    }

    /// What has been done since, in order.
    pub(super) fn results(&mut self) -> impl Iterator<Item = (T, Hashed)> {
        self.results.try_iter().inspect(|_| self.in_hand -= 1)
    }
}

/// Waits for a job; `None` when no more will come. Who waits long needs no memory meanwhile.
fn next<J>(to_do: &Receiver<J>, argon: &mut Argon) -> Option<J> {
    match to_do.recv_timeout(MEMORY_KEPT) {
        Ok(job) => Some(job),
        Err(RecvTimeoutError::Timeout) => {
            argon.give_back_memory();
            to_do.recv().ok()
        }
        Err(RecvTimeoutError::Disconnected) => None,
    }
}

impl Argon {
    fn outcome(&mut self, job: &Job) -> Hashed {
        match job {
            Job::Hash(password) => self.hash(password).map_or(Hashed::Failed, Hashed::Hash),
            Job::Verify { password, phc } => match self.verify(password, phc.as_ref()) {
                Verdict::Match => Hashed::Match { renewed: None },
                Verdict::DatedMatch => Hashed::Match { renewed: self.hash(password) },
                Verdict::Mismatch => Hashed::Mismatch,
                Verdict::Failed => Hashed::Failed,
            },
        }
    }
}

#[cfg(test)]
impl Job {
    /// What it comes to, at once and with so little memory.
    pub(super) fn done_with(&self, memory_kib: u32) -> Hashed {
        let params = Params::new(memory_kib, 1, 1, None).expect("enough for Argon2");
        Argon::new(params).outcome(self)
    }
}

/// How long the memory of the last hash is kept for the next.
const MEMORY_KEPT: Duration = Duration::from_secs(5);

/// Jobs in hand: a second's work or two, which is as long as somebody who logs in waits without asking again.
pub(super) const JOBS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        passwords: Passwords<u32>,
        woken: Receiver<()>,
    }

    impl World {
        fn new(params: Params) -> Self {
            let (wake, woken) = channel();
            let wake = move || wake.send(()).unwrap_or_default();
            Self { passwords: Passwords::start_at(params, wake).unwrap(), woken }
        }

        fn next(&mut self) -> (u32, Hashed) {
            self.woken.recv_timeout(Duration::from_secs(60)).expect("woken in time");
            self.passwords.results().next().expect("woken for a result")
        }
    }

    fn password(text: &str) -> Password {
        Password::typed(text).unwrap()
    }

    fn verify(text: &str, phc: Option<&Phc>) -> Job {
        Job::Verify { password: password(text), phc: phc.cloned() }
    }

    #[test]
    fn jobs_are_done_in_order_and_each_has_its_result() {
        let mut world = World::new(argon::tests::cheap());
        world.passwords.submit(1, Job::Hash(password("correct horse"))).unwrap();
        let (1, Hashed::Hash(phc)) = world.next() else { panic!("no hash") };
        world.passwords.submit(2, verify("correct horse", Some(&phc))).unwrap();
        world.passwords.submit(3, verify("wrong horse", Some(&phc))).unwrap();
        world.passwords.submit(4, verify("correct horse", None)).unwrap();
        world.passwords.submit(5, verify("correct horse", Some(&Phc::stored("?".into())))).unwrap();
        assert_eq!(world.next(), (2, Hashed::Match { renewed: None }));
        assert_eq!(world.next(), (3, Hashed::Mismatch));
        assert_eq!(world.next(), (4, Hashed::Mismatch));
        assert_eq!(world.next(), (5, Hashed::Failed));
    }

    #[test]
    fn a_hash_of_another_cost_is_renewed() {
        let old = Argon::new(argon::tests::cheap()).hash(&password("correct horse")).unwrap();
        let mut world = World::new(Params::new(16, 1, 1, None).unwrap());
        world.passwords.submit(1, verify("correct horse", Some(&old))).unwrap();
        let (1, Hashed::Match { renewed: Some(new) }) = world.next() else { panic!("not renewed") };
        world.passwords.submit(2, verify("correct horse", Some(&new))).unwrap();
        assert_eq!(world.next(), (2, Hashed::Match { renewed: None }));
    }

    #[test]
    fn a_storm_fills_the_queue_and_no_more() {
        let mut world = World::new(argon::tests::cheap());
        for by in 0..JOBS_MAX {
            let by = u32::try_from(by).unwrap();
            world.passwords.submit(by, verify("correct horse", None)).unwrap();
        }
        assert_eq!(world.passwords.submit(99, verify("correct horse", None)), Err(Busy));
        world.next();
        assert_eq!(world.passwords.submit(99, verify("correct horse", None)), Ok(()));
    }
}
