//! Relays that do wrong on purpose are caught, whatever they do.

use serde_json::Value;
use wsrelay::Config;
use wsrelay::engine::{Actions, AudienceId, Caller, ConnId, Service, Upgrade};
use wsrelay::http::{Request, Response};
use wsrelay::ws::Message;

use super::support::Server;
use super::{QUICK, Scratch, bench, count, error};

/// A relay of one room that mistreats every tenth message.
struct Careless {
    room: Option<AudienceId>,
    fault: Fault,
    count: u32,
    kept: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Drop,
    Repeat,
    Swap,
    Change,
    HangUp,
}

impl Careless {
    fn new(fault: Fault) -> Self {
        Self { room: None, fault, count: 0, kept: Vec::new() }
    }
}

impl Service for Careless {
    fn on_upgrade(
        &mut self,
        caller: Caller,
        _: &Request<'_>,
        actions: &mut Actions,
    ) -> Result<Upgrade, Response> {
        let room = *self.room.get_or_insert_with(|| actions.open_audience());
        actions.join(room, caller.id);
        Ok(Upgrade::default())
    }

    fn on_message(&mut self, id: ConnId, message: Message<'_>, actions: &mut Actions) {
        let room = self.room.expect("opened by the first handshake");
        self.count += 1;
        let mut payload = message.payload().to_vec();
        if !self.count.is_multiple_of(10) {
            actions.publish(room, Message::Binary(&payload));
            for kept in self.kept.drain(..) {
                actions.publish(room, Message::Binary(&kept));
            }
            return;
        }
        match self.fault {
            Fault::Drop => {}
            Fault::Repeat => {
                actions.publish(room, Message::Binary(&payload));
                actions.publish(room, Message::Binary(&payload));
            }
            Fault::Swap => self.kept.push(payload),
            Fault::Change => {
                *payload.last_mut().unwrap() ^= 1;
                actions.publish(room, Message::Binary(&payload));
            }
            Fault::HangUp => actions.close(id, wsrelay::ws::CloseCode::TRY_AGAIN, "enough"),
        }
    }
}

#[test]
fn a_careless_server_is_caught() {
    let rows = [
        (Fault::Drop, "lost"),
        (Fault::Repeat, "duplicated"),
        (Fault::Swap, "reordered"),
        (Fault::Change, "corrupted"),
        (Fault::HangUp, "1 connections dropped; it closed a connection (1013 enough)"),
    ];
    for (fault, accident) in rows {
        let server = Server::start(Config::default(), Careless::new(fault));
        let url = format!("ws://{}/{{room}}", server.address);
        let arguments = ["fanout", "-n", "5", "--rate", "300", "--floor", "off", "--url", &url];
        let line = error(&[&arguments[..], QUICK, &["--patience", "2"]].concat());
        assert!(line.contains(accident), "{fault:?}: {line}");
    }
}

#[test]
fn accidents_are_counted_exactly() {
    let server = Server::start(Config::default(), Careless::new(Fault::Repeat));
    let url = format!("ws://{}/", server.address);
    let file = Scratch::new("json");
    let arguments = ["fanout", "-n", "5", "--rate", "300", "--floor", "off", "--url", &url];
    let output = bench(&[&arguments[..], QUICK, &["--json", file.path()]].concat());
    assert!(!output.status.success());
    let report: Value = serde_json::from_str(&file.read()).unwrap();
    let counts = &report["points"][0]["subjects"]["server"]["counts"];
    let sent = count(counts, "/sent");
    assert_eq!((sent, count(counts, "/received")), (120, 600));
    // The greeting was the first message of all; with it, every tenth is repeated to five.
    assert_eq!(count(counts, "/duplicated"), (sent + 1) / 10 * 5);
    assert_eq!((count(counts, "/lost"), count(counts, "/reordered")), (0, 0));
}
