//! Commands that become entries.
//!
//! Owns the way from a wish to a committed entry:
//!
//! ```text
//! asked ─ decide ─┬─ refused ──────────────────────────▶ answered (a post with a key: if the log does not know it)
//!            ▲    │
//!            │    └─ Append{basis, guard} ─▶ the log ─┬─ Entry ─▶ answered, and settled (committing.rs)
//!            │                                        ├─ Duplicate, KeyReused, NoPost, … ─▶ answered
//!            └──────────── at most 8 times ───────────┴─ Stale
//! ```
//!
//! A decision is taken upon the state in memory, which holds all rules. What it was taken upon goes along: if an entry that
//! changed the rules was committed in between, the log turns the write back, and by then that entry has been settled here.
//! So who was put out while a post of theirs was on its way has not posted.

use super::Chat;
use super::deciding::Decision;
use super::effect::RoomKey;
use super::entry::{Entry, Post, What};
use super::event::{Answer, OutReason};
use super::keys::PersonKey;
use super::limits::{BUSY_AFTER_MS, DECISIONS_MAX};
use super::log::{Append, Failure, Guard, Write, Written};
use super::pending::{Asked, Asker, Chore, Waiting, Wish};
use super::refusal::Refusal;
use super::room_id::{RoomId, RoomKind};
use super::routing::Log;

impl Chat {
    pub(super) fn ask_for_entry(
        &mut self,
        asker: Asker,
        person: PersonKey,
        room: RoomId,
        wish: Wish,
    ) {
        let by = self.people[person].author.clone();
        let at = self.out.now.unix;
        let asked = Asked { asker, by, at, room, wish, decisions: 1, refused: None };
        let decision = self.decide(&asked);
        // What the log is not asked about costs no token.
        let is_for_the_log = match &decision {
            Ok(_) => true,
            Err(refusal) => may_be_known(&asked, *refusal),
        };
        if is_for_the_log && let Err(refusal) = self.take_entry(person) {
            return self.answer(asker, Err(refusal));
        }
        self.follow(asked, decision);
    }

    fn follow(&mut self, asked: Asked, decision: Result<Decision, Refusal>) {
        match decision {
            Ok(decision) => self.carry_out(asked, decision),
            Err(refusal) if may_be_known(&asked, refusal) => self.look_up(asked, refusal),
            Err(refusal) => self.answer(asked.asker, Err(refusal)),
        }
    }

    /// Counts an entry towards its author's rate.
    pub(super) fn take_entry(&mut self, person: PersonKey) -> Result<(), Refusal> {
        let now_ms = self.out.now.mono_ms;
        let taken = self.entries.take(&mut self.people[person].entries, now_ms);
        taken.map_err(|after_ms| Refusal::Rate { after_ms })?;
        self.takes_part(person);
        Ok(())
    }

    /// Decides upon what was counted already, or is not to be counted.
    pub(super) fn decide_and_write(&mut self, mut asked: Asked) {
        if asked.decisions >= DECISIONS_MAX {
            if asked.asker == Asker::Nobody {
                return self.do_later(asked, BUSY_AFTER_MS);
            }
            return self.answer(asked.asker, Err(Refusal::Busy { after_ms: BUSY_AFTER_MS }));
        }
        asked.decisions += 1;
        let decision = self.decide(&asked);
        self.follow(asked, decision);
    }

    fn carry_out(&mut self, asked: Asked, decision: Decision) {
        let Decision { room: key, person, guard, what } = decision;
        let room = &mut self.rooms[key];
        if room.kind == RoomKind::Open && what == What::Leave && self.people[person].is_guest() {
            return self.leave_quietly(asked.asker, key, person);
        }
        if room.mode.slow_ms > 0 && matches!(what, What::Post(_)) {
            room.live_mut().last_posts.note(asked.by.id, self.out.now.mono_ms);
        }
        self.ask_log(asked, key, guard, what);
    }

    /// Has a post that is refused looked up: one that was sent before, and that the log has, is answered with its place
    /// whatever has changed since.
    fn look_up(&mut self, mut asked: Asked, refusal: Refusal) {
        let room = self.rooms.find(&asked.room);
        let (Wish::Post { key, body, reply_to }, Some(room)) = (&asked.wish, room) else {
            return self.answer(asked.asker, Err(refusal));
        };
        let (key, body, mentions) = (key.clone(), body.clone(), self.nobody.clone());
        let post = Post { key, body, reply_to: *reply_to, mentions };
        asked.refused = Some(refusal);
        self.ask_log(asked, room, Guard::Known, What::Post(post));
    }

    fn ask_log(&mut self, asked: Asked, room: RoomKey, guard: Guard, what: What) {
        let room = &self.rooms[room];
        let append = Append {
            room: room.no,
            basis: room.rules,
            guard,
            at: asked.at,
            from: asked.by.clone(),
            what,
        };
        let log = Log::of(room.kind);
        self.write(log, Waiting::Entry(asked), Write::Append(append));
    }

    /// A guest's membership of an open room is no entry, and neither is its end.
    fn leave_quietly(&mut self, asker: Asker, room: RoomKey, guest: PersonKey) {
        self.answer(asker, Ok(Answer::Done));
        self.put_out(room, guest, self.out.now.unix, Some(OutReason::Left));
    }

    pub(super) fn entry_written(&mut self, asked: Asked, written: Written) {
        let asker = asked.asker;
        match asked.refused {
            Some(refusal) if matches!(written, Written::NoPost | Written::Stale) => {
                return self.answer(asker, Err(refusal));
            }
            None if !matches!(written, Written::Entry(_)) => self.has_not_posted(&asked),
            _ => {}
        }
        let posted = |seq, at, dup| Answer::Posted { room: asked.room.clone(), seq, at, dup };
        let refusal = match written {
            Written::Entry(entry) => {
                let answer = posted(entry.seq, entry.at, false);
                let is_bequest =
                    matches!(asked.wish, Wish::Chore(Chore::Leave)) && entry.what != What::Leave;
                self.entry_committed(&asked, entry, answer);
                if is_bequest {
                    self.decide_and_write(asked);
                }
                return;
            }
            Written::Duplicate { seq, at } => {
                let answer = posted(seq, at, true);
                return self.answer(asker, Ok(answer));
            }
            Written::Stale => return self.decide_and_write(asked),
            Written::Failed(Failure::Unavailable { after_ms }) if asker == Asker::Nobody => {
                return self.do_later(asked, after_ms);
            }
            Written::KeyReused => Refusal::KeyReused,
            Written::NoPost => Refusal::NoPost,
            Written::NotAuthor => Refusal::NotAllowed,
            Written::PinsFull => Refusal::TooManyPins,
            Written::ReactionsFull => Refusal::TooMany,
            Written::Failed(failure) => failure.into(),
            Written::Created { .. } | Written::Cursor { .. } | Written::Done => Refusal::Corrupt,
        };
        self.answer(asker, Err(refusal));
    }

    /// Who asked is told first, and then of the entry like everybody; but a join goes on from the entry.
    fn entry_committed(&mut self, asked: &Asked, entry: Entry, answer: Answer) {
        let Some(room) = self.rooms.find(&asked.room) else {
            return self.answer(asked.asker, Ok(answer));
        };
        match asked.asker {
            Asker::Join(_) => {
                self.settle(room, entry);
                self.answer(asked.asker, Ok(answer));
            }
            Asker::Session(..) | Asker::Call(_) | Asker::Nobody => {
                self.answer(asked.asker, Ok(answer));
                self.settle(room, entry);
            }
        }
    }

    /// Gives back the wait that began with a post which did not come to be.
    fn has_not_posted(&mut self, asked: &Asked) {
        let is_post = matches!(asked.wish, Wish::Post { .. });
        if let Some(room) = self.rooms.find(&asked.room).filter(|_| is_post)
            && self.rooms[room].mode.slow_ms > 0
        {
            self.rooms[room].live_mut().last_posts.take_back(asked.by.id);
        }
    }
}

/// Whether a wish may have come true before, though it is refused by rules that can have changed since. Who may not read the
/// room any more is told nothing of it.
fn may_be_known(asked: &Asked, refusal: Refusal) -> bool {
    use Refusal::{Muted, NotAllowed, ReadOnly, Slow};
    let has_key = matches!(asked.wish, Wish::Post { key: Some(_), .. });
    has_key && matches!(refusal, NotAllowed | Muted { .. } | ReadOnly | Slow { .. })
}
