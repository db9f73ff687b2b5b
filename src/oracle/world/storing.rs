//! What the store's threads do: writes into batches, batches into transactions, and reads whenever a reader gets round to it.
//!
//! Outcomes of writes are told in the order of commits. A reader sees what is committed when it reads, which may be more than
//! the domain has been told; what it has read is told when it is told, before or after anything else.

use super::client::Client;
use super::flaw::Flaw;
use super::server::{For, Reading};
use super::town::Persona;
use super::{Breach, Happening, World, pages};
use crate::chat::log::{Failure, Read, ReadOut, Ticket, Write};
use crate::chat::{Author, PersonId, Profile};
use crate::store::log::{Outcome, Request};
use crate::store::{AccountWrite, AccountWritten, SessionNo};

impl World {
    /// Hands something to the writer.
    pub(super) fn record(&mut self, whom: For, request: Request) {
        if let Some(server) = &mut self.server {
            server.writer.recorded.push((whom, request));
            self.wake_writer();
        }
    }

    fn wake_writer(&mut self) {
        let Some(server) = &mut self.server else { return };
        if !server.writer.is_busy && !server.writer.recorded.is_empty() {
            server.writer.is_busy = true;
            let at_ms = self.now_ms + self.dice.below(3);
            self.agenda.plan(at_ms, Happening::WriterBegins(server.generation));
        }
    }

    /// The writer takes all that has been recorded.
    pub(super) fn begin_to_write(&mut self) {
        let Some(server) = &mut self.server else { return };
        server.writer.batch = std::mem::take(&mut server.writer.recorded);
        let at_ms = self.now_ms + self.dice.below(self.pace.writer_ms + 1);
        self.agenda.plan(at_ms, Happening::WriterCommits(server.generation));
    }

    /// And makes one transaction of it.
    pub(super) fn commit(&mut self) {
        let Some(server) = &mut self.server else { return };
        let batch = std::mem::take(&mut server.writer.batch);
        let requests: Vec<_> = batch.iter().map(|(_, request)| request.clone()).collect();
        let outcomes = server.log.commit(&requests);
        assert_eq!(outcomes.len(), batch.len(), "an outcome for each request");
        let told = batch.into_iter().zip(outcomes);
        server
            .writer
            .outcomes
            .extend(told.map(|((whom, request), outcome)| (whom, request, outcome)));
        server.writer.is_busy = false;
        let (generation, at_ms) =
            (server.generation, self.now_ms + self.dice.below(self.pace.loop_ms + 1));
        self.agenda.plan(at_ms, Happening::WriterAnswers(generation));
        self.wake_writer();
    }

    /// What the writer has done is told.
    pub(super) fn tell_outcomes(&mut self) -> Result<(), Breach> {
        while let Some((whom, request, outcome)) =
            self.server.as_mut().and_then(|server| server.writer.outcomes.pop_front())
        {
            self.note(|| format!("{whom:?}: {request:?} came to {outcome:?}"));
            self.learn(&request, &outcome).map_err(|why| self.breach(why))?;
            self.tell_outcome(whom, outcome)?;
            self.witness.truth.settle();
        }
        Ok(())
    }

    fn tell_outcome(&mut self, whom: For, outcome: Outcome) -> Result<(), Breach> {
        match (whom, outcome) {
            (For::Chat(ticket), Outcome::Written(written)) => {
                self.tell(|chat, now, effects| chat.written(ticket, written, now, effects))?;
            }
            (For::Registration(name), Outcome::Account(AccountWritten::Registered(id))) => {
                let author = Author { id, name };
                self.settle_in(&author);
                self.tell(|chat, now, effects| chat.register(author, now, effects))?;
            }
            (For::Registration(name), Outcome::Account(_)) => {
                self.tell(|chat, _, _| chat.release(&name))?;
            }
            (For::Deletion(person), Outcome::Account(AccountWritten::Done)) => {
                self.town.is_deleted(person);
                self.tell(|chat, now, effects| chat.delete_person(person, now, effects))?;
            }
            (For::Profile(person, profile), Outcome::Account(AccountWritten::Done)) => {
                self.tell(|chat, _, effects| chat.set_profile(person, profile, effects))?;
            }
            (For::Deletion(_) | For::Profile(..) | For::Nobody, Outcome::Account(_)) => {}
            (whom, outcome) => return Err(self.breach(format!("{whom:?} is told {outcome:?}"))),
        }
        Ok(())
    }

    /// Lets everybody's knowledge follow what was committed.
    fn learn(&mut self, request: &Request, outcome: &Outcome) -> Result<(), String> {
        match (request, outcome) {
            (Request::Write(write), Outcome::Written(written)) => {
                self.tally.count_written(written);
                if let Write::Create(create) = write {
                    self.town.gossip(create.id.as_str());
                }
                self.witness.learns(write, written, self.latest_unix)
            }
            (
                Request::Account(AccountWrite::Delete { person }),
                Outcome::Account(AccountWritten::Done),
            ) => {
                self.witness.truth.delete(*person);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Hands something to a reader.
    pub(super) fn ask_reader(&mut self, ticket: Ticket, read: Read) {
        let Some(server) = &mut self.server else { return };
        server.reads_made += 1;
        let no = server.reads_made;
        server.readers.insert(no, Reading { ticket, read, out: None });
        let at_ms = self.now_ms + self.dice.below(self.pace.reader_ms + 1);
        self.agenda.plan(at_ms, Happening::ReaderReads(server.generation, no));
    }

    /// A reader reads.
    pub(super) fn read(&mut self, no: u64) {
        let Some(server) = &mut self.server else { return };
        let fails = self.dice.per_cent(self.pace.reads_failing_per_cent);
        let rows = server.log.tables().committed();
        let Some(reading) = server.readers.get_mut(&no) else { return };
        let mut out = match fails {
            true => ReadOut::Failed(Failure::Unavailable { after_ms: 500 }),
            false => pages::read(rows, &reading.read),
        };
        if self.flaw == Some(Flaw::DropsOneOfAReplay) {
            pages::drop_one(&mut out, &mut self.dice);
        }
        reading.out = Some(out);
        let at_ms = self.now_ms + self.dice.below(self.pace.reader_ms + 1);
        self.agenda.plan(at_ms, Happening::ReaderAnswers(server.generation, no));
    }

    /// And what was read is told.
    pub(super) fn tell_read(&mut self, no: u64) -> Result<(), Breach> {
        let reading = self.server.as_mut().and_then(|server| server.readers.remove(&no));
        if let Some(Reading { ticket, read, out: Some(out) }) = reading {
            self.note(|| format!("{read:?} came to {out:?}"));
            self.tell(|chat, now, effects| chat.read_out(ticket, out, now, effects))?;
        }
        Ok(())
    }

    /// Asks for an account under a name, as a form does: that of a guest is the guest's own.
    pub(super) fn register(&mut self, persona: usize) -> Result<(), Breach> {
        let Persona { name, id: guest, .. } = self.town.personas[persona].clone();
        if self.tell(|chat, _, _| chat.reserve(&name, guest))? == Some(true) {
            let at = self.now().unix;
            let write = AccountWrite::Register { name: name.clone(), phc: "".into(), at };
            self.record(For::Registration(name), Request::Account(write));
        }
        Ok(())
    }

    /// Somebody has an account. Who was a guest before goes on as that.
    pub(super) fn settle_in(&mut self, account: &Author) {
        let Some(guest) = self.town.is_registered(&account.name, account.id) else { return };
        self.tally.count("a guest registered");
        self.witness.truth.becomes(guest, account.id);
        let own = self.clients.iter_mut().filter(|client| client.name() == account.name.as_str());
        own.for_each(Client::forget_drafts);
    }

    /// Asks for the end of an account.
    pub(super) fn delete(&mut self, person: PersonId) {
        self.record(For::Deletion(person), Request::Account(AccountWrite::Delete { person }));
    }

    /// Commits something that changes nothing. What a failed commit may have left is gone after it.
    pub(super) fn settle_doubts(&mut self) {
        let write = AccountWrite::CloseSession { no: SessionNo(0) };
        self.record(For::Nobody, Request::Account(write));
    }

    /// Asks for an account to be shown otherwise.
    pub(super) fn set_hue(&mut self, person: PersonId) {
        let hue = u16::try_from(self.dice.below(360)).expect("less than 360");
        let profile = Profile { display: None, hue: Some(hue) };
        let write = AccountWrite::SetProfile { person, profile: profile.clone() };
        self.record(For::Profile(person, profile), Request::Account(write));
    }
}
