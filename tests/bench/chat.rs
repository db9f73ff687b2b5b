//! `wsrelay bench chat`: against our own chat, and against chats that do wrong on purpose.

use serde_json::{Value, json};
use wsrelay::Config;
use wsrelay::engine::{Actions, AudienceId, Caller, ConnId, Service, Upgrade};
use wsrelay::http::{Request, Response};
use wsrelay::ws::Message;

use super::support::{Daemon, Server};
use super::{QUICK, assert_complete, count, error, number, report};

#[test]
fn every_post_is_acknowledged_and_reaches_every_member_once() {
    let members = ["chat", "post", "-n", "20", "--rooms", "4", "--publishers", "8"];
    for pace in [&["--rate", "100"][..], &["--in-flight", "3", "--memory", "--workers", "2"]] {
        let report = report(&[&members[..], pace, QUICK].concat());
        assert_complete(&report, &["server", "relay", "floor", "floor_batched"], 5);
        let server = &report["points"][0]["subjects"]["server"];
        for figure in ["posts_per_s", "ack_p50_us", "ack_p999_us", "cpu_per_post_us"] {
            assert!(number(server, &format!("/figures/{figure}/median")) > 0.0, "{figure}");
        }
        let ratios = &report["points"][0]["subjects"]["relay"]["ratio_of_server"];
        assert!(number(ratios, "/cpu_per_delivery_us") > 0.0, "{ratios}");
    }
}

#[test]
fn entries_are_as_long_as_raw_messages_beside_them() {
    let arguments = ["chat", "post", "-n", "3", "--floor", "off", "--memory", "--bytes", "300"];
    let report = report(&[&arguments[..], QUICK].concat());
    let bytes = number(&report, "/points/0/subjects/server/figures/entry_bytes/median");
    assert!((295.0..=302.0).contains(&bytes), "{bytes}");
}

#[test]
fn idle_sessions_are_weighed() {
    let report = report(&["chat", "idle", "-n", "50", "--hold", "0.3", "--repeat", "1"]);
    for subject in ["server", "relay", "floor"] {
        let figures = &report["points"][0]["subjects"][subject]["figures"];
        assert!(number(figures, "/cpu_per_handshake_us/median") > 0.0, "{subject}");
        assert!(figures.get("pss_per_connection_bytes").is_some(), "{subject}");
    }
}

/// After a kill everybody is back in the lobby, and has heard what was said meanwhile.
#[test]
fn a_storm_brings_every_session_back_with_what_it_missed() {
    let arguments = ["chat", "storm", "-n", "40", "--missed", "7", "--repeat", "1"];
    let report = report(&arguments);
    for subject in ["server", "relay", "floor"] {
        let figures = &report["points"][0]["subjects"][subject]["figures"];
        assert!(number(figures, "/all_back_s/median") > 0.0, "{subject}");
    }
    assert!(error(&["chat", "storm", "--memory"]).contains("does not outlive the server"));
}

#[test]
fn a_chat_that_runs_already_is_measured_where_it_is() {
    let daemon = Daemon::start(&["--post-rate", "0", "--command-rate", "0"]);
    let url = format!("ws://{}", daemon.address);
    let arguments = ["chat", "post", "-n", "10", "--rooms", "2", "--floor", "off", "--url", &url];
    assert_complete(&report(&[&arguments[..], QUICK].concat()), &["server"], 5);
}

#[test]
fn chats_are_swept_like_the_rest() {
    let arguments = ["sweep", "chat", "post", "-n", "5", "--rates", "50,200", "--floor", "off"];
    let report = report(&[&arguments[..], &["--memory"], QUICK].concat());
    let sent =
        |point: usize| count(&report, &format!("/points/{point}/subjects/server/counts/sent"));
    assert_eq!((sent(0), sent(1)), (20, 80), "for 0.4 s");
}

#[test]
fn what_is_no_chat_is_told_in_one_line() {
    let daemon = Daemon::start(&[]);
    let url = format!("ws://{}/echo", daemon.address);
    let arguments = ["chat", "idle", "-n", "3", "--floor", "off", "--patience", "0.5"];
    let line = error(&[&arguments[..], &["--url", &url]].concat());
    assert!(line.contains("no chat: 0 of 3 members"), "{line}");
    let floor = format!("{} bench floor --listen {{listen}}", env!("CARGO_BIN_EXE_wsrelay"));
    let arguments = ["chat", "post", "-n", "2", "--rooms", "2", "--patience", "0.5"];
    let line = error(&[&arguments[..], &["--server", &floor]].concat());
    assert!(line.contains("/api/register"), "{line}");
}

/// A chat of one room that mistreats every tenth post.
struct Careless {
    room: Option<AudienceId>,
    fault: Fault,
    posts: u32,
    seq: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Acknowledges, and tells nobody.
    Forget,
    Repeat,
    /// Tells everybody, and acknowledges nothing.
    KeepSilent,
    /// Acknowledges another place in the log than the one that everybody is told.
    Mislead,
    /// Leaves a place in the log out.
    Skip,
    Change,
    Refuse,
    /// Lets nobody into the room.
    ShutOut,
}

impl Service for Careless {
    fn on_upgrade(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Result<Upgrade, Response> {
        assert!(request.target.path() == "/ws", "{:?}", request.target.path());
        say(caller.id, &json!({ "type": "welcome", "rooms": [] }), actions);
        Ok(Upgrade { subprotocol: Some("wsrelay.v1"), member: true })
    }

    fn on_message(&mut self, id: ConnId, message: Message<'_>, actions: &mut Actions) {
        let request: Value = serde_json::from_slice(message.payload()).expect("JSON");
        let audience = *self.room.get_or_insert_with(|| actions.open_audience());
        match request["type"].as_str() {
            Some("join") if self.fault == Fault::ShutOut => say(id, &refusal(&request), actions),
            Some("join") => {
                actions.join(audience, id);
                say(id, &json!({ "type": "ok", "id": request["id"], "seq": self.seq }), actions);
            }
            Some("post") => self.post(id, &request, audience, actions),
            other => panic!("{other:?} is not asked of a chat"),
        }
    }
}

impl Careless {
    fn post(&mut self, id: ConnId, request: &Value, room: AudienceId, actions: &mut Actions) {
        self.posts += 1;
        let fault = Some(self.fault).filter(|_| self.posts.is_multiple_of(10));
        if fault == Some(Fault::Refuse) {
            return say(id, &refusal(request), actions);
        }
        self.seq += if fault == Some(Fault::Skip) { 2 } else { 1 };
        let mut entry = json!({
            "type": "entry", "room": request["room"], "seq": self.seq, "kind": "post", "from": "ann",
            "key": request["key"], "body": request["body"],
        });
        if fault == Some(Fault::Change) {
            entry["body"] = json!("something else");
        }
        let entry = entry.to_string();
        let copies = match fault {
            Some(Fault::Forget) => 0,
            Some(Fault::Repeat) => 2,
            _ => 1,
        };
        (0..copies).for_each(|_| actions.publish(room, Message::Text(&entry)));
        let told = self.seq + u64::from(fault == Some(Fault::Mislead));
        if fault != Some(Fault::KeepSilent) {
            say(id, &json!({ "type": "ok", "id": request["id"], "seq": told }), actions);
        }
    }
}

fn refusal(request: &Value) -> Value {
    json!({ "type": "error", "id": request["id"], "code": "rate", "message": "Too fast." })
}

fn say(id: ConnId, event: &Value, actions: &mut Actions) {
    actions.send(id, Message::Text(&event.to_string()));
}

#[test]
fn a_careless_chat_is_caught() {
    // 120 posts, of which twelve are mistreated; five members hear each.
    let rows = [
        (Fault::Forget, "60 lost, 55 entries misplaced"),
        (Fault::Repeat, "60 duplicated"),
        (Fault::KeepSilent, "12 posts unanswered"),
        (Fault::Mislead, "12 entries misplaced"),
        (Fault::Skip, "60 entries misplaced"),
        (Fault::Change, "lost, 60 corrupted"),
        (Fault::Refuse, "12 posts refused; it refused a post (rate: Too fast.)"),
        (Fault::ShutOut, "refuses: rate: Too fast."),
    ];
    for (fault, accident) in rows {
        let careless = Careless { room: None, fault, posts: 0, seq: 0 };
        let server = Server::start(Config::default(), careless);
        let url = format!("ws://{}", server.address);
        let arguments =
            ["chat", "post", "-n", "5", "--rate", "300", "--floor", "off", "--url", &url];
        let line = error(&[&arguments[..], QUICK, &["--patience", "1"]].concat());
        assert!(line.contains(accident), "{fault:?}: {line}");
    }
}
