//! Orders carried out where no daemon has the file: by the same code, on a loop that ends.
//!
//! Owns a store, a password thread and what the daemon decides with, for as long as one order takes.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use super::about;
use crate::chat::log::{Failure, Written};
use crate::chat::{self, Chat, Limits, Now, UnixMs};
use crate::daemon::accounts::{AccountTicket, Accounts};
use crate::daemon::api::{Admission, Api};
use crate::daemon::control::{self, Order, ReplyTo};
use crate::daemon::live::Ticket;
use crate::daemon::passwords::{Hashed, Passwords};
use crate::daemon::turn::{self, Turn};
use crate::store::{self, AccountWritten, OpenError, Opened, Place, Store};

struct Desk {
    api: Api,
    chat: Chat,
    store: Store<Ticket>,
    passwords: Passwords<AccountTicket>,
    now: Now,
    /// Jobs and writes that are not answered yet.
    under_way: usize,
    todo: VecDeque<turn::Effect>,
    chat_todo: VecDeque<chat::Effect>,
    woken: Receiver<()>,
}

/// Carries an order out, and closes the file.
pub(super) fn carry_out(data: &Path, order: Order) -> io::Result<()> {
    let (reply_to, outcome) = ReplyTo::pair();
    let mut desk = Desk::open(data)?;
    desk.turn(|api, turn| api.obey(order, reply_to, turn));
    desk.work()?;
    desk.store.close();
    match outcome.try_recv() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(denial)) => Err(io::Error::other(control::says(denial))),
        Err(_) => Err(io::Error::other("The data file cannot be written.")),
    }
}

impl Desk {
    fn open(data: &Path) -> io::Result<Self> {
        let (wake, woken) = channel();
        let wake = move || {
            // Nobody waits any more.
            let _ = wake.send(());
        };
        let opened = Store::open(&Place::File(data.to_owned()), wake.clone());
        let opened = opened.map_err(|e| match e {
            OpenError::InUse => io::Error::other(format!(
                "{}: in use by a process that takes no orders: stop it first",
                data.display()
            )),
            e => about(data, &e),
        })?;
        let Opened { store, restored, accounts, sessions, secret } = opened;
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let unix_ms = since_epoch.unwrap_or_default().as_millis();
        let unix = UnixMs(u64::try_from(unix_ms).unwrap_or(u64::MAX));
        let mut effects = Vec::new();
        let accounts = Accounts::new(accounts, &sessions, unix, &mut effects);
        // Only the operator asks here.
        let admission = Admission { registration: false, guests: false };
        Ok(Self {
            api: Api::new(accounts, &secret, admission),
            chat: Chat::new(Limits::default(), restored),
            store,
            passwords: Passwords::start(wake)?,
            now: Now { mono_ms: 0, unix },
            under_way: 0,
            todo: effects.into(),
            chat_todo: VecDeque::new(),
            woken,
        })
    }

    /// Does all there is to do.
    fn work(&mut self) -> io::Result<()> {
        loop {
            self.carry_out();
            if self.under_way == 0 {
                return Ok(());
            }
            self.store.submit();
            let woken = self.woken.recv_timeout(PATIENCE);
            woken.map_err(|_| io::Error::other("The data file does not answer."))?;
            self.take_in();
        }
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.todo.pop_front() {
            self.do_for_accounts(effect);
        }
        while let Some(effect) = self.chat_todo.pop_front() {
            // There is nobody to be told anything.
            if let chat::Effect::Write(ticket, write) = effect {
                self.under_way += 1;
                let full = self.store.write(Ticket::Chat(ticket), write).is_err();
                assert!(!full, "one order is not many writes");
            }
        }
    }

    fn do_for_accounts(&mut self, effect: turn::Effect) {
        use turn::Effect;
        match effect {
            Effect::Hash(ticket, job) => {
                self.under_way += 1;
                let full = self.passwords.submit(ticket, job).is_err();
                assert!(!full, "one order is not many hashes");
            }
            Effect::Write(ticket, write) => {
                match self.store.write_account(Ticket::Account(ticket), write) {
                    Ok(()) => self.under_way += 1,
                    // So many log-ins have ended by themselves since the last start; they do so again at the next.
                    Err(store::Full) => {
                        let failed = AccountWritten::Failed(Failure::Unavailable { after_ms: 0 });
                        self.turn(|api, turn| api.stored(ticket, failed, turn));
                    }
                }
            }
            Effect::Report(reply_to, outcome) => reply_to.tell(outcome),
            Effect::Respond(..) | Effect::LoggedOut(_) => {}
        }
    }

    fn take_in(&mut self) {
        let results: Vec<(AccountTicket, Hashed)> = self.passwords.results().collect();
        let answers: Vec<store::Answer<Ticket>> = self.store.answers().collect();
        self.under_way -= results.len() + answers.len();
        for (ticket, hashed) in results {
            self.turn(|api, turn| api.hashed(ticket, hashed, turn));
        }
        for answer in answers {
            match answer {
                store::Answer::Account(Ticket::Account(ticket), written) => {
                    self.turn(|api, turn| api.stored(ticket, written, turn));
                }
                store::Answer::Written(Ticket::Chat(ticket), written) => {
                    self.written(ticket, written)
                }
                // Nothing is read, and each write is answered in kind.
                _ => {}
            }
        }
    }

    /// What the chat would try again later, it tries again when a daemon starts.
    fn written(&mut self, ticket: chat::log::Ticket, written: Written) {
        let mut effects = Vec::new();
        self.chat.written(ticket, written, self.now, &mut effects);
        self.chat_todo.extend(effects);
    }

    fn turn(&mut self, news: impl FnOnce(&mut Api, &mut Turn<'_>)) {
        let (mut effects, mut chat_effects) = (Vec::new(), Vec::new());
        let chat = &mut self.chat;
        let now = self.now;
        let mut turn = Turn { now, chat, chat_effects: &mut chat_effects, effects: &mut effects };
        news(&mut self.api, &mut turn);
        self.todo.extend(effects);
        self.chat_todo.extend(chat_effects);
    }
}

/// For one commit, or one hash.
const PATIENCE: Duration = Duration::from_secs(60);
