//! What comes to a worker's members: the handshake's answer, and frames, which mean one thing in a raw room and another in
//! a chat.

use std::sync::atomic::Ordering::Relaxed;

use super::super::Report;
use super::super::chat::Said;
use super::super::member::{Ended, Phase};
use super::super::score::Heard;
use super::super::tongue::Tongue;
use super::Worker;
use crate::bench::stamp::Stamp;
use crate::http;
use crate::ws::{Connection, Event, Opcode, Role};

impl Worker {
    pub(super) fn take(&mut self, place: usize, input: &mut [u8]) {
        if let Phase::Opening(opening) = &mut self.members[place].phase {
            let mut rest = &*input;
            match opening.handshake.verify(&mut rest, &http::Limits::default()) {
                Ok(None) => {}
                Ok(Some(_)) => {
                    let used = input.len() - rest.len();
                    self.open(place);
                    self.hear(place, &mut input[used..]);
                }
                Err(fault) => self.fail(place, &fault.to_string()),
            }
        } else {
            self.hear(place, input);
        }
    }

    fn open(&mut self, place: usize) {
        let member = &mut self.members[place];
        let Phase::Opening(opening) = std::mem::replace(&mut member.phase, Phase::Absent) else {
            return;
        };
        let now_ns = self.clock.now_ns();
        let since_ns = self.storm_ns.unwrap_or(opening.began_ns);
        if !(self.plan.greets && self.storm_ns.is_some()) {
            self.score.tally.handshake_ns.saturating_record(now_ns.saturating_sub(since_ns));
        }
        member.phase = Phase::Open(opening.stream, Connection::new(Role::Client, None));
        self.dial.under_way -= 1;
        self.gauges.open.fetch_add(1, Relaxed);
        self.gauges.last_open_ns.fetch_max(now_ns, Relaxed);
    }

    /// Frames that came for an open connection.
    fn hear(&mut self, place: usize, mut input: &mut [u8]) {
        let now_ns = self.clock.now_ns();
        let room = self.plan.room_heard_by(self.members[place].number);
        loop {
            let member = &mut self.members[place];
            let Phase::Open(_, protocol) = &mut member.phase else { return };
            let ended = match protocol.next_event(&mut input, &mut self.codec) {
                Ok(None) => return,
                Ok(Some(Event::Message(message))) => {
                    match &mut self.tongue {
                        Tongue::Raw(raw) => {
                            let stamp = raw.read(message);
                            self.take_message(place, room, stamp, now_ns);
                        }
                        Tongue::Chat(chat) => {
                            let said = chat.understand(place, room, message);
                            self.take_said(place, room, said, now_ns);
                        }
                    }
                    continue;
                }
                Ok(Some(Event::Ping(payload))) => match member.send(self.voice.pong(payload)) {
                    Ok(()) => continue,
                    Err(e) => Ended::by_error(&e),
                },
                Ok(Some(Event::Pong(_))) => continue,
                Ok(Some(Event::Close(reason))) => Ended::by_close(reason),
                Err(fault) => Ended::Broken(fault.to_string()),
            };
            return self.lose(place, &ended);
        }
    }

    /// A message that the member at this place heard in a raw room.
    #[inline]
    fn take_message(&mut self, place: usize, room: u32, stamp: Option<Stamp>, now_ns: u64) {
        match stamp {
            Some(Stamp { publisher: Stamp::GREETER, .. }) => self.take_presence(place),
            Some(stamp) => {
                let heard = self.score.note(&self.plan, place, room, stamp, now_ns);
                if heard == Heard::New && stamp.publisher == self.members[place].number {
                    self.follow_up(place, now_ns);
                }
            }
            None => {
                self.score.note_nonsense();
            }
        }
    }

    /// What the member at this place was told by a chat.
    fn take_said(&mut self, place: usize, room: u32, said: Said, now_ns: u64) {
        match said {
            Said::Entry(entry) => {
                let who = (place, self.members[place].number);
                self.score.note_entry(&self.plan, who, room, entry, now_ns);
                if self.storm_ns.is_some() {
                    self.look_whether_back(place);
                }
            }
            Said::Acknowledged { sequence, seq } => {
                self.score.note_answer(place, sequence, seq, now_ns);
                self.follow_up(place, now_ns);
            }
            Said::Refused { sequence: Some(sequence), why } => {
                let hearers = self.plan.members_of(room);
                self.gauges.expected.fetch_sub(hearers.into(), Relaxed);
                self.score.note_refusal(place, sequence, hearers, &why);
            }
            Said::Refused { sequence: None, why } => {
                self.report(Report::Failed(format!("{} refuses: {why}", self.plan.target)));
            }
            Said::Welcome => self.enter(place, room),
            Said::Present => self.look_whether_back(place),
            Said::Aside => {}
            Said::Nonsense => {
                self.score.note_nonsense();
            }
        }
    }

    /// The member at this place is let in, and asks for its room.
    fn enter(&mut self, place: usize, room: u32) {
        if let Tongue::Chat(chat) = &mut self.tongue {
            let request = self.voice.frame(Opcode::Text, chat.join(place, room));
            let sent = self.members[place].send(request);
            self.keep_or_lose(place, sent);
        }
    }

    /// Who is in a chat's room is there once it has heard what it had missed.
    fn look_whether_back(&mut self, place: usize) {
        if let Tongue::Chat(chat) = &self.tongue
            && chat.has_caught_up(place)
        {
            self.take_presence(place);
        }
    }

    /// The member at this place hears its room.
    fn take_presence(&mut self, place: usize) {
        let member = &mut self.members[place];
        if !member.is_greeted {
            member.is_greeted = true;
            self.gauges.greeted.fetch_add(1, Relaxed);
            // Only then is somebody back.
            if let Some(since_ns) = self.storm_ns {
                let now_ns = self.clock.now_ns();
                self.score.tally.handshake_ns.saturating_record(now_ns.saturating_sub(since_ns));
                self.gauges.last_open_ns.fetch_max(now_ns, Relaxed);
            }
        }
    }

    /// In the closed loop: the next message of a publisher that has room for one more on its way.
    fn follow_up(&mut self, place: usize, now_ns: u64) {
        if self.beat.as_ref().is_some_and(|beat| beat.is_closed_at(now_ns)) {
            self.publish(place, self.clock.now_ns());
        }
    }
}
