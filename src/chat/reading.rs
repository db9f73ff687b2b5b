//! Requests that change nothing: history, search, members, rooms, users.
//!
//! Each is authorised when it is asked, and what the log had to be asked for once more when the answer is there: who was
//! put out in between is told nothing.

use std::sync::Arc;

use super::Chat;
use super::command::HistoryFrom;
use super::effect::RoomKey;
use super::event::{Answer, Member};
use super::keys::PersonKey;
use super::limits::{
    BANS_PER_PAGE_MAX, HISTORY_LINES_MAX, MEMBERS_PER_PAGE_MAX, OPEN_ROOMS_LISTED_MAX,
    SEARCH_HITS_MAX, USERS_PER_PAGE_MAX,
};
use super::log::{Read, ReadOut};
use super::name::{NAME_CHARS_MAX, Name, fold};
use super::pending::{Asker, Waiting};
use super::permission::{Deed, Standing};
use super::person::PersonId;
use super::refusal::Refusal;
use super::role::Role;
use super::room::Room;
use super::room_id::{RoomId, RoomKind, RoomNo};
use super::routing::Log;
use super::seq::Seq;

impl Chat {
    /// A room that a person may read.
    pub(super) fn readable(
        &self,
        person: PersonKey,
        id: &RoomId,
    ) -> Result<(RoomKey, Standing), Refusal> {
        let key = self.rooms.find(id).ok_or(Refusal::NoRoom)?;
        let standing = Standing::of(&self.rooms[key], person, self.out.now.unix)?;
        Ok((key, standing))
    }

    /// The same, of somebody who asked a while ago.
    fn still_readable(&self, by: PersonId, id: &RoomId) -> Result<RoomKey, Refusal> {
        let person = self.people.find_living(by);
        self.readable(person.ok_or(Refusal::NoUser)?, id).map(|(key, _)| key)
    }

    pub(super) fn read_history(
        &mut self,
        asker: Asker,
        person: PersonKey,
        id: RoomId,
        from: HistoryFrom,
        limit: u16,
    ) {
        let key = match self.readable(person, &id) {
            Ok((key, _)) => key,
            Err(refusal) => return self.answer(asker, Err(refusal)),
        };
        let room = &self.rooms[key];
        let no = room.no;
        let limit = limit.clamp(1, HISTORY_LINES_MAX);
        let read = match from {
            HistoryFrom::End => Read::Before { room: no, before: Seq(u64::MAX), limit },
            HistoryFrom::Before(before) => Read::Before { room: no, before, limit },
            HistoryFrom::After(after) => Read::After { room: no, after, limit },
            HistoryFrom::PinsEnd => Read::Pins { room: no, before: Seq(u64::MAX), limit },
            HistoryFrom::PinsBefore(before) => Read::Pins { room: no, before, limit },
        };
        let log = Log::of(room.kind);
        let by = self.people[person].author.id;
        self.read(log, by, Waiting::History { asker, by, room: id }, read);
    }

    pub(super) fn history_read(
        &self,
        by: PersonId,
        room: RoomId,
        out: ReadOut,
    ) -> Result<Answer, Refusal> {
        self.still_readable(by, &room)?;
        match out {
            ReadOut::Page { records, more, as_of } => {
                Ok(Answer::Page { room, records, more, as_of })
            }
            ReadOut::Failed(failure) => Err(failure.into()),
            ReadOut::Found { .. } => Err(Refusal::Corrupt),
        }
    }

    /// Searches one room, or all that are durable: an invite room is searched by itself, for it is in no index.
    pub(super) fn search(
        &mut self,
        asker: Asker,
        person: PersonKey,
        query: Arc<str>,
        room: Option<RoomId>,
        skip: u32,
        limit: u16,
    ) {
        let searched = self.searched(person, room.as_ref()).and_then(|(log, rooms)| {
            // A search in memory is done here and now, while everybody waits: it counts like an entry.
            if log == Log::Memory {
                self.take_entry(person)?;
            }
            Ok((log, rooms))
        });
        let (log, rooms) = match searched {
            Ok(searched) => searched,
            Err(refusal) => return self.answer(asker, Err(refusal)),
        };
        let limit = limit.clamp(1, SEARCH_HITS_MAX);
        let by = self.people[person].author.id;
        let waiting = Waiting::Search { asker, by, room };
        self.read(log, by, waiting, Read::Search { query, rooms, skip, limit });
    }

    fn searched(
        &self,
        person: PersonKey,
        room: Option<&RoomId>,
    ) -> Result<(Log, Arc<[RoomNo]>), Refusal> {
        if let Some(id) = room {
            let (key, _) = self.readable(person, id)?;
            let room = &self.rooms[key];
            return Ok((Log::of(room.kind), Arc::from([room.no])));
        }
        let rooms = self.people[person].rooms.iter().map(|key| &self.rooms[key]);
        let durable = rooms.filter(|room| !room.is_invite());
        let lobby = &self.rooms[self.rooms.lobby()];
        Ok((Log::Store, std::iter::once(lobby).chain(durable).map(|room| room.no).collect()))
    }

    pub(super) fn search_done(
        &self,
        by: PersonId,
        room: Option<&RoomId>,
        out: ReadOut,
    ) -> Result<Answer, Refusal> {
        room.map_or(Ok(()), |room| self.still_readable(by, room).map(|_| ()))?;
        match out {
            ReadOut::Found { mut hits, more } => {
                hits.retain(|hit| self.still_readable(by, &hit.room).is_ok());
                Ok(Answer::Found { hits, more })
            }
            ReadOut::Failed(failure) => Err(failure.into()),
            ReadOut::Page { .. } => Err(Refusal::Corrupt),
        }
    }

    pub(super) fn members(
        &self,
        person: PersonKey,
        id: &RoomId,
        after: Option<&Name>,
        limit: u16,
    ) -> Result<Answer, Refusal> {
        let (key, standing) = self.readable(person, id)?;
        let room = &self.rooms[key];
        let limit = usize::from(limit.clamp(1, MEMBERS_PER_PAGE_MAX));
        let (mut page, total) = match room.kind {
            // Everybody is in it, and there is a list of everybody.
            RoomKind::Lobby => {
                (self.people.after(after).take(limit + 1).collect(), self.people.len())
            }
            _ => (self.first_members(room, after, limit + 1), room.members.len()),
        };
        let more = page.len() > limit;
        page.truncate(limit);
        let tells_mutes = |member| standing.moderates() || member == person;
        let told =
            page.into_iter().map(|member| self.member_told(room, member, tells_mutes(member)));
        Ok(Answer::Members { room: id.clone(), members: told.collect(), total: total as u64, more })
    }

    /// Who is banned. A guest who is forgotten stays banned, and has no name any more that could be told.
    pub(super) fn bans(
        &self,
        person: PersonKey,
        id: &RoomId,
        after: Option<&Name>,
        limit: u16,
    ) -> Result<Answer, Refusal> {
        let (key, standing) = self.readable(person, id)?;
        standing.may(Deed::Ban)?;
        let limit = usize::from(limit.clamp(1, BANS_PER_PAGE_MAX));
        let banned = self.rooms[key].banned.iter();
        let mut page =
            self.sorted_after(banned.filter_map(|id| self.people.find_living(*id)), after);
        let more = page.len() > limit;
        page.truncate(limit);
        let users = page.into_iter().map(|person| self.people[person].user());
        Ok(Answer::Bans { room: id.clone(), users: users.collect(), more })
    }

    /// The first members after a name, by name: in a large room from the list of everybody, which is sorted already.
    fn first_members(&self, room: &Room, after: Option<&Name>, limit: usize) -> Vec<PersonKey> {
        if room.members.len() > MEMBERS_SORTED_MAX {
            let members = self.people.after(after).filter(|person| room.is_member(*person));
            return members.take(limit).collect();
        }
        let mut members = self.sorted_after(room.members.iter().map(|(person, _)| person), after);
        members.truncate(limit);
        members
    }

    /// Those of some people whose names come after a name, by name.
    fn sorted_after(
        &self,
        people: impl Iterator<Item = PersonKey>,
        after: Option<&Name>,
    ) -> Vec<PersonKey> {
        let after = after.map_or(String::new(), |name| fold(name.as_str()));
        let names = people.map(|person| (fold(self.people[person].author.name.as_str()), person));
        let mut names: Vec<_> = names.filter(|(name, _)| *name > after).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, person)| person).collect()
    }

    fn member_told(&self, room: &Room, key: PersonKey, tells_mute: bool) -> Member {
        let person = &self.people[key];
        let own = room.members.find(key);
        let cursors = own.filter(|_| room.is_named());
        let muted_until = own.map(|own| own.muted_until).filter(|_| tells_mute);
        Member {
            user: person.user(),
            role: room.role_of(key).unwrap_or(Role::Reader),
            online: person.is_present(),
            last_seen: person.last_seen(),
            received: cursors.map_or(Seq::START, |own| own.received),
            read: cursors.map_or(Seq::START, |own| own.read),
            muted_until: muted_until.filter(|until| *until > self.out.now.unix),
        }
    }

    pub(super) fn rooms_of(&self, person: PersonKey) -> Answer {
        let open = self.rooms.open().take(OPEN_ROOMS_LISTED_MAX).cloned().collect();
        Answer::Rooms { rooms: self.summaries(person), open }
    }

    /// Accounts, and guests who are present, whose names begin so.
    pub(super) fn users(&self, query: &str, limit: u16) -> Answer {
        let limit = usize::from(limit.clamp(1, USERS_PER_PAGE_MAX));
        // No name is longer than this, so none begins with more.
        if query.len() > NAME_CHARS_MAX * 4 {
            return Answer::Users { users: Vec::new() };
        }
        let is_told = |person: &PersonKey| {
            let person = &self.people[*person];
            !person.is_guest() || person.is_present()
        };
        let found = self.people.beginning(query).filter(is_told).take(limit);
        Answer::Users { users: found.map(|person| self.people[person].user()).collect() }
    }
}

/// Members of a room that are sorted for each page of them. A page of a larger room takes looking up some of everybody.
const MEMBERS_SORTED_MAX: usize = 1_000;
