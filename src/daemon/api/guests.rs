//! Being a guest.

use super::{Api, Asker, Identity, answers};
use crate::chat::{Author, Name, Refusal};
use crate::daemon::chance;
use crate::daemon::tokens;
use crate::daemon::turn::Turn;
use crate::daemon::wire::rest::{self, GuestToBe};
use crate::engine::Reply;
use crate::http::{Request, Response};

impl Api {
    /// A token for a guest: a new one, or, for the same guest under the same name, a fresh one.
    pub(super) fn be_guest(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let body = match request.body {
            [] => GuestToBe::default(),
            body => rest::decode(body).map_err(answers::bad_body)?,
        };
        let name = body.name.map(|name| Name::parse(&name)).transpose();
        let name = name.map_err(answers::bad_name)?;
        self.count(asker, turn)?;
        let guest = match (self.identity(request, turn)?, name) {
            (Some(Identity::Account(..)), _) => return Err(answers::logged_in_already()),
            (Some(Identity::Guest(known)), None) => known,
            (Some(Identity::Guest(known)), Some(name)) if known.name == name => known,
            (_, Some(name)) => self.new_guest(name, turn).map_err(not_admitted)?,
            (None, None) => self.nameless_guest(None, turn).map_err(not_admitted)?,
        };
        let user = turn.chat.person(guest.id).ok_or_else(answers::no_guests)?;
        let token = self.guest_token(&guest, turn.now);
        Ok(answers::guest(&user, &token, asker.secure).into())
    }

    /// Admits a guest, new or known, to the chat.
    pub(super) fn admit_guest(&self, guest: &Author, turn: &mut Turn<'_>) -> Result<(), Refusal> {
        match self.admission.guests {
            true => turn.chat.guest(guest.name.clone(), guest.id, turn.now, turn.chat_effects),
            false => Err(Refusal::GuestsNot),
        }
    }

    /// Admits somebody new who has not said a name. The port tells two connections of one machine apart and is easy to say
    /// aloud; where it is not known, or somebody else's has the same, letters do.
    pub(in crate::daemon) fn nameless_guest(
        &self,
        port: Option<u16>,
        turn: &mut Turn<'_>,
    ) -> Result<Author, Refusal> {
        let by_port = port.map(|port| self.new_guest(Name::stored(&format!("guest-{port}")), turn));
        match by_port {
            None | Some(Err(Refusal::NameTaken)) => {
                self.new_guest(made_up_name(chance::bits64()), turn)
            }
            Some(admitted) => admitted,
        }
    }

    /// Admits somebody who was never here before, under this name.
    pub(in crate::daemon) fn new_guest(
        &self,
        name: Name,
        turn: &mut Turn<'_>,
    ) -> Result<Author, Refusal> {
        let guest = tokens::new_guest(name);
        self.admit_guest(&guest, turn)?;
        Ok(guest)
    }
}

pub(super) fn not_admitted(refusal: Refusal) -> Response {
    match refusal {
        Refusal::GuestsNot => answers::no_guests(),
        refusal => answers::refused(refusal),
    }
}

/// `guest-` and eight letters: 40 random bits, so that what is made up is free.
fn made_up_name(random: u64) -> Name {
    let letter = |place: u64| char::from(LETTERS[(random >> (place * 5) & 31) as usize]);
    Name::stored(&format!("guest-{}", (0..8).map(letter).collect::<String>()))
}

/// Digits and letters, those left out that look like others.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
