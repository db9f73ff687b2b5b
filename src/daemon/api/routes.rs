//! Which path and method ask for what.

use crate::chat::RoomId;
use crate::http::{Method, Request, Response, Status};
use crate::store::SessionNo;

use super::answers;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Register,
    LogIn,
    LogOut,
    ShowMe,
    ChangeMe,
    DeleteMe,
    ChangePassword,
    ListSessions,
    EndSession(SessionNo),
    EndOtherSessions,
    ListRooms,
    BeginRoom,
    ListMembers(RoomId),
    BeGuest,
}

/// What a path leads to.
enum Place {
    Register,
    LogIn,
    LogOut,
    Me,
    Password,
    Sessions,
    OneSession(SessionNo),
    OtherSessions,
    Rooms,
    Members(RoomId),
    Guest,
}

impl Route {
    /// What a request asks for.
    ///
    /// # Errors
    /// 404 for a path that leads nowhere, 405 for a method that is not taken there, 501 for one that is taken nowhere.
    pub(super) fn of(request: &Request<'_>) -> Result<Self, Response> {
        if matches!(request.method, Method::Other(_)) {
            return Err(Response::not_implemented());
        }
        let path = request.target.decoded_path().map_err(|fault| Response::from(&fault))?;
        let place = Place::of(&path)?;
        let allowed = place.allows();
        place.route(request.method).ok_or_else(|| Response::method_not_allowed(allowed))
    }
}

impl Place {
    fn of(path: &str) -> Result<Self, Response> {
        let mut words = path.split('/').skip(2); // behind `/api/`
        let place = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("register"), None, ..) => Place::Register,
            (Some("login"), None, ..) => Place::LogIn,
            (Some("logout"), None, ..) => Place::LogOut,
            (Some("me"), None, ..) => Place::Me,
            (Some("password"), None, ..) => Place::Password,
            (Some("sessions"), None, ..) => Place::Sessions,
            (Some("sessions"), Some("others"), None, _) => Place::OtherSessions,
            (Some("sessions"), Some(id), None, _) => match number(id) {
                Some(no) => Place::OneSession(SessionNo(no)),
                None => return Err(answers::no_session()),
            },
            (Some("rooms"), None, ..) => Place::Rooms,
            (Some("rooms"), Some(room), Some("members"), None) => match RoomId::parse(room) {
                Ok(room) => Place::Members(room),
                Err(_) => return Err(answers::no_room()),
            },
            (Some("guest"), None, ..) => Place::Guest,
            _ => return Err(nowhere()),
        };
        Ok(place)
    }

    fn route(self, method: Method<'_>) -> Option<Route> {
        let reads = matches!(method, Method::Get | Method::Head);
        Some(match (self, method) {
            (Place::Register, Method::Post) => Route::Register,
            (Place::LogIn, Method::Post) => Route::LogIn,
            (Place::LogOut, Method::Post) => Route::LogOut,
            (Place::Me, Method::Patch) => Route::ChangeMe,
            (Place::Me, Method::Delete) => Route::DeleteMe,
            (Place::Me, _) if reads => Route::ShowMe,
            (Place::Password, Method::Post) => Route::ChangePassword,
            (Place::Sessions, _) if reads => Route::ListSessions,
            (Place::OneSession(no), Method::Delete) => Route::EndSession(no),
            (Place::OtherSessions, Method::Delete) => Route::EndOtherSessions,
            (Place::Rooms, Method::Post) => Route::BeginRoom,
            (Place::Rooms, _) if reads => Route::ListRooms,
            (Place::Members(room), _) if reads => Route::ListMembers(room),
            (Place::Guest, Method::Post) => Route::BeGuest,
            _ => return None,
        })
    }

    /// The methods for which [`route`](Self::route) has something.
    fn allows(&self) -> &'static str {
        match self {
            Place::Register | Place::LogIn | Place::LogOut | Place::Password | Place::Guest => {
                "POST"
            }
            Place::Me => "GET, HEAD, PATCH, DELETE",
            Place::Sessions | Place::Members(_) => "GET, HEAD",
            Place::OneSession(_) | Place::OtherSessions => "DELETE",
            Place::Rooms => "GET, HEAD, POST",
        }
    }
}

/// A number as this API writes it: digits, no sign, no zero before them.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

fn nowhere() -> Response {
    Response::error(Status::NOT_FOUND, "not_found", "There is nothing here.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: [Method<'_>; 7] = [
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
        Method::Options,
    ];

    const PATHS: [&str; 11] = [
        "/api/register",
        "/api/login",
        "/api/logout",
        "/api/me",
        "/api/password",
        "/api/sessions",
        "/api/sessions/7",
        "/api/sessions/others",
        "/api/rooms",
        "/api/rooms/lobby/members",
        "/api/guest",
    ];

    #[test]
    fn a_path_allows_exactly_the_methods_that_it_takes() {
        for path in PATHS {
            for method in METHODS {
                let place = Place::of(path).unwrap();
                let allowed = place.allows().split(", ").any(|name| name == method.as_str());
                assert_eq!(place.route(method).is_some(), allowed, "{method:?} {path}");
            }
        }
    }

    #[test]
    fn ids_are_in_the_path() {
        let route = |path, method| Place::of(path).ok()?.route(method);
        assert_eq!(route("/api/sessions/7", Method::Delete), Some(Route::EndSession(SessionNo(7))));
        assert_eq!(route("/api/sessions/others", Method::Delete), Some(Route::EndOtherSessions));
        let members = |room: &str| {
            let path = format!("/api/rooms/{room}/members");
            match Place::of(&path).ok()?.route(Method::Get)? {
                Route::ListMembers(room) => Some(room.to_string()),
                _ => None,
            }
        };
        assert_eq!(members("Lobby").as_deref(), Some("lobby"));
        let token = RoomId::secret(5).to_string();
        assert_eq!(members(&token), Some(token));
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "/api/",
            "/api/me/",
            "/api/me/x",
            "/api//me",
            "/api/Login",
            "/api/sessions/",
            "/api/sessions/07",
            "/api/sessions/+7",
            "/api/sessions/-1",
            "/api/sessions/18446744073709551616",
            "/api/sessions/7/x",
            "/api/rooms/lobby",
            "/api/rooms/lobby/members/x",
            "/api/rooms//members",
            "/api/rooms/~short/members",
        ] {
            let refused = Place::of(path).err().map(|response| response.status());
            assert_eq!(refused, Some(Status::NOT_FOUND), "{path}");
        }
    }
}
