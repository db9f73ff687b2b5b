//! The day: what people do, what happens to them, and one thing after the other.

use super::agenda::Happening;
use super::client::Client;
use super::disk::Weather;
use super::network::{End, LinkNo, Packet};
use super::server::Server;
use super::{Breach, EPOCH_UNIX_MS, World};
use crate::chat::PersonId;
use crate::chat::limits::INVITE_GRACE_MS;

impl World {
    /// The first process starts, and everybody wakes up.
    pub(super) fn morning(&mut self) -> Result<(), Breach> {
        self.found_lobby();
        self.start()?;
        for client in 0..self.clients.len() {
            if !self.clients[client].is_idle {
                self.plan_act(client);
            }
            self.agenda.plan(self.dice.below(1_000), Happening::Tends(client));
        }
        self.agenda.plan(self.dice.below(self.pace.strike_ms), Happening::Strikes);
        Ok(())
    }

    pub(super) fn run_until(&mut self, until_ms: u64) -> Result<(), Breach> {
        while let Some((at_ms, happening)) = self.agenda.next(until_ms) {
            self.now_ms = at_ms;
            self.latest_unix = self.latest_unix.max(self.now().unix);
            self.happen(happening)?;
        }
        self.now_ms = until_ms;
        Ok(())
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Breach> {
        let runs = |server: &Option<Server>, generation| {
            server.as_ref().is_some_and(|server| server.generation == generation)
        };
        match happening {
            Happening::Connects(link) => self.accept(link),
            Happening::Arrives(link, End::Server) => self.arrive_at_server(link),
            Happening::Arrives(link, End::Client) => self.arrive_at_client(link),
            Happening::Gone(link) => self.gone(link),
            Happening::Ticks(generation) if runs(&self.server, generation) => self.tick(),
            Happening::WriterBegins(generation) if runs(&self.server, generation) => {
                self.begin_to_write();
                Ok(())
            }
            Happening::WriterCommits(generation) if runs(&self.server, generation) => {
                self.commit();
                Ok(())
            }
            Happening::WriterAnswers(generation) if runs(&self.server, generation) => {
                self.tell_outcomes()
            }
            Happening::ReaderReads(generation, no) if runs(&self.server, generation) => {
                self.read(no);
                Ok(())
            }
            Happening::ReaderAnswers(generation, no) if runs(&self.server, generation) => {
                self.tell_read(no)
            }
            Happening::Acts(client) => self.act(client),
            Happening::Tends(client) => self.tend(client),
            Happening::Strikes => self.strike(),
            Happening::Turns(weather) => {
                self.turn(weather);
                Ok(())
            }
            Happening::Starts => self.start(),
            // Of a process that has ended.
            Happening::Ticks(_)
            | Happening::WriterBegins(_)
            | Happening::WriterCommits(_)
            | Happening::WriterAnswers(_)
            | Happening::ReaderReads(..)
            | Happening::ReaderAnswers(..) => Ok(()),
        }
    }

    fn plan_act(&mut self, client: usize) {
        let at_ms = self.now_ms + self.dice.below(2 * self.pace.act_ms);
        self.agenda.plan(at_ms.max(self.asleep_until_ms), Happening::Acts(client));
    }

    fn act(&mut self, client: usize) -> Result<(), Breach> {
        if self.is_evening {
            return Ok(());
        }
        self.plan_act(client);
        if self.dice.one_in(50) {
            return self.call(self.clients[client].persona);
        }
        if self.ambition.one_in(40) {
            self.wish_for_account(client)?;
        }
        let texts = self.clients[client].act(&mut self.dice, &mut self.town);
        self.send_all(client, texts);
        Ok(())
    }

    /// In every third world guests register, now and then.
    fn wish_for_account(&mut self, client: usize) -> Result<(), Breach> {
        let persona = self.clients[client].persona;
        let known = &self.town.personas[persona];
        let may = self.seed.is_multiple_of(3)
            && !known.is_idle
            && known.id.is_some_and(PersonId::is_guest);
        if may { self.register(persona) } else { Ok(()) }
    }

    /// A client comes back if it has gone, and asks for what it has not got.
    fn tend(&mut self, client: usize) -> Result<(), Breach> {
        let pause_ms = if self.clients[client].is_idle { 10_000 } else { 1_500 };
        let at_ms = (self.now_ms + self.dice.between(100, pause_ms)).max(self.asleep_until_ms);
        self.agenda.plan(at_ms, Happening::Tends(client));
        let persona = self.clients[client].persona;
        let known = &self.town.personas[persona];
        let (id, is_deleted) = (known.id, known.is_deleted);
        let comes_back = self.clients[client].comes_back && !is_deleted;
        match (self.clients[client].link, id) {
            (None, None) => self.register(persona)?,
            (None, Some(_)) if comes_back => {
                let link = self.network.connect(client);
                self.clients[client].link = Some(link);
                self.agenda.plan(self.now_ms + self.dice.below(100), Happening::Connects(link));
            }
            _ => {}
        }
        let texts = self.clients[client].tend(self.now_ms, &mut self.dice);
        self.send_all(client, texts);
        Ok(())
    }

    pub(super) fn send_all(&mut self, client: usize, texts: Vec<String>) {
        let Some(link) = self.clients[client].link else { return };
        for text in texts {
            let arrival = self.network.send(link, End::Server, text.as_str().into(), self.now_ms);
            self.note(|| format!("{link} sends {text}"));
            self.agenda.plan_arrivals(arrival);
        }
    }

    fn arrive_at_client(&mut self, link: LinkNo) -> Result<(), Breach> {
        let Some(client) = self.network.link(link).map(|link| link.client) else { return Ok(()) };
        let packet = self.network.receive(link, End::Client, self.now_ms);
        if self.clients[client].link != Some(link) {
            return Ok(());
        }
        match packet {
            None => Ok(()),
            Some(Packet::End) => {
                self.note(|| format!("{link} is gone"));
                self.clients[client].lose();
                Ok(())
            }
            Some(Packet::Text(text)) => {
                let heard = self.clients[client].hear(&text, self.now_ms, &mut self.town);
                heard.map_err(|why| self.breach(format!("{link} hears {text}: {why}")))
            }
        }
    }

    /// Something goes wrong.
    fn strike(&mut self) -> Result<(), Breach> {
        if self.is_evening {
            return Ok(());
        }
        if self.now_ms < self.asleep_until_ms {
            self.agenda.plan(self.asleep_until_ms, Happening::Strikes);
            return Ok(());
        }
        self.agenda
            .plan(self.now_ms + self.dice.below(2 * self.pace.strike_ms), Happening::Strikes);
        let links = self.network.alive();
        let link = self.dice.pick(&links).copied().unwrap_or_default();
        let for_ms = self.dice.below(6_000);
        match self.dice.below(25) {
            0..6 => self.cut(link, 50, 50),
            6..8 => self.cut(link, 45_000, 50),
            8..10 => self.cut(link, 50, 10_000),
            10 => links.into_iter().for_each(|link| self.cut(link, 1_000, 1_000)),
            11..13 => self.network.stall(link, self.now_ms + for_ms),
            13 => {
                let arrivals = self.network.close(link, End::Client, self.now_ms);
                self.agenda.plan_arrivals(arrivals);
                self.lose(link);
            }
            14..17 => {
                let weather = *self.dice.pick(&[Weather::Full, Weather::Flaky(20)]).expect("some");
                self.turn(weather);
                self.agenda.plan(self.now_ms + for_ms, Happening::Turns(Weather::Fair));
            }
            17 if self.dice.one_in(6) => {
                let account = self.some_account();
                account.into_iter().for_each(|id| self.delete(id));
            }
            18 => {
                let account = self.some_account();
                account.into_iter().for_each(|id| self.set_hue(id));
            }
            19 => self.log_out(link)?,
            20 => self.clock_unix_ms = EPOCH_UNIX_MS + self.dice.below(7_200_000),
            21 if self.dice.one_in(6) => self.sleep(links),
            _ => {
                self.kill();
                self.agenda.plan(self.now_ms + for_ms / 4, Happening::Starts);
            }
        }
        Ok(())
    }

    /// Everybody goes, and nobody comes back before guests and empty rooms are forgotten.
    fn sleep(&mut self, links: Vec<LinkNo>) {
        self.note(|| "everybody goes to sleep".to_owned());
        links.into_iter().for_each(|link| self.cut(link, 1_000, 1_000));
        self.asleep_until_ms = self.now_ms + INVITE_GRACE_MS + 60_000;
        self.pace.day_ms = self.asleep_until_ms + 10_000;
    }

    fn some_account(&mut self) -> Option<PersonId> {
        let accounts = self.town.personas.iter().filter_map(|persona| persona.id);
        let accounts: Vec<_> = accounts.filter(|id| !id.is_guest()).collect();
        self.dice.pick(&accounts).copied()
    }

    fn cut(&mut self, link: LinkNo, server_after_ms: u64, client_after_ms: u64) {
        self.note(|| format!("{link} breaks"));
        let arrivals = self.network.cut(link, self.now_ms, server_after_ms, client_after_ms);
        self.agenda.plan_arrivals(arrivals);
    }

    /// A client closed its connection.
    fn lose(&mut self, link: LinkNo) {
        let own = self.clients.iter_mut().filter(|client| client.link == Some(link));
        own.for_each(Client::lose);
    }

    pub(super) fn turn(&mut self, weather: Weather) {
        self.note(|| format!("the disk is {weather:?}"));
        if let Some(server) = &mut self.server {
            server.log.tables().set_weather(weather);
        }
    }
}
