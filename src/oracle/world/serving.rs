//! What the process does: news to the domain, and its effects carried out.

use super::flaw::{self, Flaw};
use super::network::{End, LinkNo, Packet};
use super::server::{For, Server, WAITING_MAX};
use super::{Breach, Happening, World, disk};
use crate::chat::log::{Failure, ReadOut, Written};
use crate::chat::{
    Author, CallId, Chat, Command, Effect, Event, HistoryFrom, NewRoom, Now, Presence, Request,
    RoomId, SessionId, UnixMs,
};
use crate::daemon::wire;
use crate::store::log::Request as LogRequest;

impl World {
    pub(super) fn now(&self) -> Now {
        Now { mono_ms: self.now_ms, unix: UnixMs(self.clock_unix_ms + self.now_ms) }
    }

    /// Tells the domain something, and carries out what it wants done. `None` if no process runs.
    pub(super) fn tell<R>(
        &mut self,
        news: impl FnOnce(&mut Chat, Now, &mut Vec<Effect>) -> R,
    ) -> Result<Option<R>, Breach> {
        let now = self.now();
        let Some(server) = &mut self.server else { return Ok(None) };
        let mut effects = std::mem::take(&mut server.effects);
        let told = news(&mut server.chat, now, &mut effects);
        // What could not even be queued is answered at once, and may have effects again.
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects.drain(..) {
                self.carry_out(effect, now, &mut more)?;
            }
            effects = more;
        }
        self.plan_tick();
        Ok(Some(told))
    }

    fn plan_tick(&mut self) {
        let Some(server) = &mut self.server else { return };
        let Some(at_ms) = server.chat.next_deadline_ms() else { return };
        if server.ticks_at_ms.is_none_or(|planned_ms| at_ms < planned_ms) {
            server.ticks_at_ms = Some(at_ms);
            let generation = server.generation;
            self.agenda.plan(at_ms.max(self.now_ms), Happening::Ticks(generation));
        }
    }

    fn carry_out(
        &mut self,
        effect: Effect,
        now: Now,
        more: &mut Vec<Effect>,
    ) -> Result<(), Breach> {
        let server = self.server.as_mut().expect("effects are a process's");
        match effect {
            Effect::Send(session, event) => self.say(session, &event, false)?,
            Effect::Publish { room, event, except, droppable } => {
                let audience = server.audiences.get(&room).cloned().unwrap_or_default();
                let heard = |session: &SessionId| Some(*session) != except;
                for session in audience.into_iter().filter(heard) {
                    self.say(session, &event, droppable)?;
                }
            }
            Effect::Attach(session, room) => {
                server.audiences.entry(room).or_default().insert(session);
            }
            Effect::Detach(session, room) => {
                let audience = server.audiences.entry(room).or_default();
                if self.flaw != Some(Flaw::KeepsSendingToTheRemoved) {
                    audience.remove(&session);
                }
            }
            Effect::EndRoom(room) => {
                server.audiences.remove(&room);
            }
            Effect::Answer(call, answer) => {
                let rows = server.log.tables().committed();
                let answered = self.witness.is_answered(call, &answer, rows);
                answered.map_err(|why| self.breach(why))?;
            }
            Effect::Write(ticket, write) => {
                let is_full = server.writer.recorded.len() >= WAITING_MAX;
                match is_full {
                    true => server.chat.written(ticket, Written::Failed(BEHIND), now, more),
                    false => self.record(For::Chat(ticket), LogRequest::Write(write)),
                }
            }
            Effect::Read(ticket, _, read) => {
                let is_full = server.readers.len() >= WAITING_MAX;
                match is_full {
                    true => server.chat.read_out(ticket, ReadOut::Failed(BEHIND), now, more),
                    false => self.ask_reader(ticket, read),
                }
            }
            Effect::Close(session, _) => self.hang_up(session.0),
        }
        Ok(())
    }

    /// Sends an event to one session, once it is checked.
    fn say(&mut self, to: SessionId, event: &Event, droppable: bool) -> Result<(), Breach> {
        let is_lost = match self.flaw {
            Some(Flaw::LosesAnswers) => matches!(event, Event::Ok(..)) && self.dice.one_in(20),
            Some(Flaw::HidesPresence) => {
                matches!(event, Event::Presence(_, Presence::Came(_) | Presence::Went(..)))
            }
            _ => false,
        };
        if is_lost {
            return Ok(());
        }
        if self.network.is_over(to.0) {
            return Ok(());
        }
        let rows = self.server.as_mut().map(|server| server.log.tables().committed());
        let heard = self.witness.hears(to, event, rows.expect("who says something runs"));
        heard.map_err(|why| self.breach(why))?;
        self.tally.count_event(event);
        let mut text = String::new();
        match event {
            Event::Welcome(welcome) => wire::encode_welcome(welcome, &TERMS, &mut text),
            event => wire::encode_event(event, &mut text),
        }
        let backlog = self.network.backlog(to.0);
        if droppable && backlog > SLOW_PACKETS {
            return Ok(());
        }
        self.note(|| format!("   to {}: {text}", to.0));
        self.digest(&text);
        let twice = self.flaw == Some(Flaw::SendsTwice) && self.dice.one_in(100);
        for _ in 0..=u8::from(twice) {
            let arrival = self.network.send(to.0, End::Client, text.as_str().into(), self.now_ms);
            self.agenda.plan_arrivals(arrival);
        }
        if backlog > self.full_packets(to.0) {
            self.note(|| format!("{} reads too slowly", to.0));
            self.hang_up(to.0);
        }
        Ok(())
    }

    /// How many packets wait at most for a client. All that it follows can be told of at once: of each room, where it is and
    /// who is there.
    fn full_packets(&self, link: LinkNo) -> usize {
        let client = self.network.link(link).map(|known| &self.clients[known.client]);
        FULL_PACKETS + 2 * client.map_or(0, |client| client.views.len())
    }

    /// Closes a connection from the server's side; the domain learns of it afterwards.
    fn hang_up(&mut self, link: LinkNo) {
        self.note(|| format!("{link} is closed"));
        let arrivals = self.network.close(link, End::Server, self.now_ms);
        self.agenda.plan_arrivals(arrivals);
        self.agenda.plan(self.now_ms, Happening::Gone(link));
    }

    /// A client's connection reaches the server.
    pub(super) fn accept(&mut self, link: LinkNo) -> Result<(), Breach> {
        let Some(known) = self.network.link(link) else { return Ok(()) };
        let persona = &self.town.personas[self.clients[known.client].persona];
        let Some(person) = persona.id else {
            self.hang_up(link);
            return Ok(());
        };
        let name = persona.name.clone();
        if self.tell(|chat, _, _| chat.person(person).is_none())? == Some(true) {
            self.witness.truth.forget_guest(person);
        }
        let let_in = self.tell(|chat, now, effects| match person.is_guest() {
            true => chat.guest(name, person, now, effects),
            false => Ok(()),
        })?;
        let session = SessionId(link);
        if let_in != Some(Ok(())) {
            self.hang_up(link);
            return Ok(());
        }
        self.witness.connects(session, person);
        let come = self.tell(|chat, now, effects| chat.connect(session, person, now, effects))?;
        if come != Some(Ok(())) {
            self.hang_up(link);
        }
        Ok(())
    }

    /// A connection has gone, as the server learns now.
    pub(super) fn gone(&mut self, link: LinkNo) -> Result<(), Breach> {
        let session = SessionId(link);
        if self.witness.person(session).is_some() {
            self.tell(|chat, now, effects| chat.disconnect(session, now, effects))?;
            self.server.iter_mut().for_each(|server| server.forget(session));
            self.witness.goes(session);
        }
        Ok(())
    }

    /// Something arrives at the server.
    pub(super) fn arrive_at_server(&mut self, link: LinkNo) -> Result<(), Breach> {
        match self.network.receive(link, End::Server, self.now_ms) {
            None => Ok(()),
            Some(Packet::End) => self.gone(link),
            Some(Packet::Text(text)) => self.serve(SessionId(link), &text),
        }
    }

    fn serve(&mut self, session: SessionId, text: &str) -> Result<(), Breach> {
        let Some(server) = &mut self.server else { return Ok(()) };
        if self.witness.person(session).is_none() {
            return Ok(());
        }
        let dice = &mut self.dice;
        let mut chance = || u128::from(dice.next()) << 64 | u128::from(dice.next());
        let command = match wire::decode(text, &server.limits, &mut chance) {
            Ok(command) => command,
            Err(fault) => return Err(self.breach(format!("{text} is no command: {fault:?}"))),
        };
        self.note(|| format!("{} says {text}", session.0));
        if let Command::Request { id, request } = &command {
            self.witness.asks(session, *id, request);
        }
        self.tell(|chat, now, effects| chat.apply(session, command, now, effects))?;
        Ok(())
    }

    pub(super) fn tick(&mut self) -> Result<(), Breach> {
        if let Some(server) = &mut self.server {
            server.ticks_at_ms = None;
        }
        self.tell(Chat::tick)?;
        Ok(())
    }

    /// Asks for something as a program does, without a connection.
    pub(super) fn call(&mut self, persona: usize) -> Result<(), Breach> {
        let persona = &self.town.personas[persona];
        let Some(id) = persona.id else { return Ok(()) };
        let author = Author { id, name: persona.name.clone() };
        let room = RoomId::parse(&self.town.some_room(&mut self.dice)).expect("a room's id");
        let request = match self.dice.below(4) {
            0 => Request::Rooms,
            1 => Request::Members { room, after: None, limit: 10 },
            2 => Request::History { room, from: HistoryFrom::End, limit: 5 },
            _ => Request::Create {
                room: NewRoom::Invite { title: None },
                secret: u128::from(self.dice.next()),
                epoch: self.dice.next(),
            },
        };
        let Some(server) = &mut self.server else { return Ok(()) };
        server.calls_made += 1;
        let call = CallId(server.calls_made);
        self.witness.calls(call, id, &request);
        self.note(|| format!("{author:?} calls for {request:?}"));
        self.tell(|chat, now, effects| chat.call(call, author, request, now, effects))?;
        Ok(())
    }

    /// Ends somebody's log-in.
    pub(super) fn log_out(&mut self, link: LinkNo) -> Result<(), Breach> {
        self.tell(|chat, _, effects| chat.log_out(&[SessionId(link)], effects))?;
        Ok(())
    }

    /// A process starts on the disk that the last one left.
    pub(super) fn start(&mut self) -> Result<(), Breach> {
        let Some(mut disk) = self.disk.take() else { return Ok(()) };
        self.generation += 1;
        disk.set_weather(disk::Weather::Fair);
        self.witness.restart(disk.committed()).map_err(|why| self.breach(why))?;
        // Who is registered is in the store, whether or not it was told.
        let accounts: Vec<Author> = disk.committed().accounts().cloned().collect();
        accounts.iter().for_each(|account| self.settle_in(account));
        self.town.restart(disk.committed());
        let mut restored = disk.committed().restored();
        self.witness.truth.check_restored(&restored).map_err(|why| self.breach(why))?;
        if self.flaw == Some(Flaw::RestoresAStranger) {
            flaw::add_stranger(&mut restored);
        }
        self.server = Some(Server::start(self.generation, self.limits.clone(), restored, disk));
        self.note(|| "the process starts".to_owned());
        Ok(())
    }

    /// The process ends without warning.
    pub(super) fn kill(&mut self) {
        let Some(server) = self.server.take() else { return };
        self.note(|| "the process is killed".to_owned());
        self.disk = Some(server.kill());
        for link in self.network.alive() {
            let arrivals = self.network.cut(link, self.now_ms, 0, 1_000);
            self.agenda.plan_arrivals(arrivals);
        }
    }
}

/// Texts on their way to a client from which on whispers are left out.
const SLOW_PACKETS: usize = 30;
/// Texts on their way to a client that are too many.
const FULL_PACKETS: usize = 90;

const TERMS: wire::Terms<'_> =
    wire::Terms { token: None, ping_ms: 25_000, message_bytes_max: 65_536 };

/// The store has as much to do as it may.
const BEHIND: Failure = Failure::Unavailable { after_ms: 300 };
