//! The routes about rooms: asked of the chat.

use super::guests::not_admitted;
use super::{Api, Asker, Identity, answers};
use crate::chat::limits::{MEMBERS_PER_PAGE_MAX, is_title};
use crate::chat::{self, Author, Name, NewRoom, RoomId};
use crate::daemon::chance;
use crate::daemon::turn::Turn;
use crate::daemon::wire::rest::{self, KindToBegin, RoomToBegin};
use crate::engine::Reply;
use crate::http::{Request, Response};

impl Api {
    pub(super) fn list_rooms(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let (_, author) = self.account(request, turn)?;
        Ok(self.call((asker, author), chat::Request::Rooms, turn))
    }

    /// Anybody can begin an invite room: who shows no token, as a guest of the moment.
    pub(super) fn begin_room(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let body: RoomToBegin<'_> = rest::decode(request.body).map_err(answers::bad_body)?;
        let room = new_room(&body)?;
        self.count(asker, turn)?;
        let author = match self.identity(request, turn)? {
            Some(Identity::Account(_, author) | Identity::Guest(author)) => author,
            None if body.kind == KindToBegin::Invite => {
                self.nameless_guest(None, turn).map_err(not_admitted)?
            }
            None => return Err(answers::not_logged_in()),
        };
        let (secret, epoch) = (chance::bits128(), chance::bits64());
        let create = chat::Request::Create { room, secret, epoch };
        Ok(self.call((asker, author), create, turn))
    }

    pub(super) fn list_members(
        &mut self,
        asker: Asker,
        room: RoomId,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let identity = self.identity(request, turn)?.ok_or_else(answers::not_logged_in)?;
        let (Identity::Account(_, author) | Identity::Guest(author)) = identity;
        let members =
            chat::Request::Members { room, after: after(request)?, limit: limit(request)? };
        Ok(self.call((asker, author), members, turn))
    }

    fn call(
        &mut self,
        (asker, author): (Asker, Author),
        request: chat::Request,
        turn: &mut Turn<'_>,
    ) -> Reply {
        let call = self.later(asker);
        turn.chat.call(call, author, request, turn.now, turn.chat_effects);
        Reply::Later
    }
}

fn new_room(body: &RoomToBegin<'_>) -> Result<NewRoom, Response> {
    let name = body.name.as_deref();
    let title = name.filter(|name| is_title(name)).map(Into::into);
    match (body.kind, name) {
        (KindToBegin::Open, Some(name)) if !name.starts_with('~') => {
            let room = RoomId::parse(name).map_err(answers::bad_name)?;
            Ok(NewRoom::Open { room })
        }
        (KindToBegin::Group, Some(_)) if title.is_some() => {
            Ok(NewRoom::Group { title: title.expect("matched") })
        }
        (KindToBegin::Invite, None) => Ok(NewRoom::Invite { title: None }),
        (KindToBegin::Invite, Some(_)) if title.is_some() => Ok(NewRoom::Invite { title }),
        _ => Err(answers::bad_field("The room needs a name: 1 to 64 characters that can be seen.")),
    }
}

fn after(request: &Request<'_>) -> Result<Option<Name>, Response> {
    let after = request.target.query_value("after");
    after.map(|name| Name::parse(&name)).transpose().map_err(answers::bad_name)
}

fn limit(request: &Request<'_>) -> Result<u16, Response> {
    let Some(limit) = request.target.query_value("limit") else { return Ok(MEMBERS_PER_PAGE) };
    let limit = limit.parse().ok().filter(|limit| (1..=MEMBERS_PER_PAGE_MAX).contains(limit));
    limit.ok_or_else(|| answers::bad_field("limit is a number from 1 to 200."))
}

/// Members of a page when nothing else is asked for.
const MEMBERS_PER_PAGE: u16 = 100;
