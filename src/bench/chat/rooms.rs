//! Rooms to post in: the lobby, or open rooms made for the measurement over the server's REST interface.
//!
//! Only an account may open rooms, so one is registered. Both stay on a server that keeps them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::Failure;
use crate::bench::fleet::LOBBY;
use crate::bench::stamp::Run;
use crate::bench::target::Target;

/// Ids of so many rooms.
pub(super) fn open(
    target: &Target,
    run: Run,
    count: u32,
    patience: Duration,
) -> Result<Vec<String>, Failure> {
    if count == 1 {
        return Ok(vec![LOBBY.to_owned()]);
    }
    let mut api = Api { target, token: None, deadline: Instant::now() + patience };
    let account = json!({ "name": format!("b{run}"), "password": format!("{run}-{run}-{run}") });
    api.token = Some(api.post("/api/register", &account, "token")?);
    let name = |number| json!({ "kind": "open", "name": format!("r{run}-{number}") });
    (0..count).map(|number| api.post("/api/rooms", &name(number), "room")).collect()
}

struct Api<'a> {
    target: &'a Target,
    token: Option<String>,
    deadline: Instant,
}

impl Api<'_> {
    /// A field of the answer to a request, which is made again for a while if the server has too much to do.
    fn post(&self, path: &str, body: &Value, field: &str) -> Result<String, Failure> {
        loop {
            let (status, answer) = self.ask(path, body).map_err(|e| self.failed(path, &e))?;
            match (status, answer[field].as_str()) {
                (200..=299, Some(value)) => return Ok(value.to_owned()),
                (429 | 503, _) if Instant::now() < self.deadline => {
                    std::thread::sleep(AGAIN_AFTER);
                }
                _ => return Err(self.failed(path, &format_args!("{status} {answer}"))),
            }
        }
    }

    fn ask(&self, path: &str, body: &Value) -> std::io::Result<(u16, Value)> {
        let left = self.deadline.saturating_duration_since(Instant::now()).max(AGAIN_AFTER);
        let mut stream = TcpStream::connect_timeout(&self.target.address, left)?;
        stream.set_read_timeout(Some(left))?;
        stream.set_write_timeout(Some(left))?;
        stream.write_all(self.request(path, &body.to_string()).as_bytes())?;
        let mut response = Vec::new();
        stream.read_to_end(&mut response)?;
        parse(&response).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
    }

    fn request(&self, path: &str, body: &str) -> String {
        let bearer = |token: &String| format!("Authorization: Bearer {token}\r\n");
        let authorization = self.token.as_ref().map(bearer).unwrap_or_default();
        format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\n{authorization}Connection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.target.host,
            body.len()
        )
    }

    fn failed(&self, path: &str, why: &dyn std::fmt::Display) -> Failure {
        Failure::new(format!("http://{}{path}: {why}", self.target.host))
    }
}

/// Status and body of a whole response.
fn parse(response: &[u8]) -> Option<(u16, Value)> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    let body = match head.parse(response) {
        Ok(httparse::Status::Complete(end)) => &response[end..],
        _ => return None,
    };
    Some((head.code?, serde_json::from_slice(body).unwrap_or(Value::Null)))
}

/// As soon as a busy server may have time again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_status_and_json() {
        let rows: [(&[u8], _); 4] = [
            (
                b"HTTP/1.1 201 Created\r\nA: b\r\n\r\n{\"room\":\"x\"}",
                Some((201, json!({"room": "x"}))),
            ),
            (b"HTTP/1.1 503 Busy\r\n\r\nlater", Some((503, Value::Null))),
            (b"HTTP/1.1 200 OK\r\n", None),
            (b"hello", None),
        ];
        for (response, parsed) in rows {
            assert_eq!(parse(response), parsed);
        }
    }
}
