//! `/metrics`: what is counted, in the text format that Prometheus reads (version 0.0.4), with OpenMetrics' names.
//!
//! Owns the names, units and meanings of all metrics; the README's table says the same, and a test holds the two together.
//! Counting is others'. Labels have few values, none of which a peer can invent.

use std::fmt::{Display, Write};
use std::time::Duration;

use super::process::Usage;
use crate::Histogram;
use crate::chat::Refusal;
use crate::engine::{Figures, Tally};
use crate::http::{Response, Status};
use crate::store::Load;

/// What the daemon itself counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Entries of rooms' logs as they were published, by kind.
    pub(super) entries: Tally<&'static str>,
    /// Requests of the chat that were refused, by error code.
    refusals: Tally<&'static str>,
    /// How long turns dealt with the store, those that did.
    store_turns: Histogram,
    /// How long this turn has.
    pub(super) store_took: Duration,
}

impl Counts {
    /// A turn is over.
    pub(super) fn turn_ended(&mut self) {
        let took = std::mem::take(&mut self.store_took);
        if took > WITHOUT_THE_STORE {
            self.store_turns.note(took);
        }
    }

    /// The chat did not do something.
    pub(super) fn refused(&mut self, refusal: Refusal) {
        self.refusals.add(refusal.code_and_message().0);
    }

    /// What came was no command.
    pub(super) fn misspoken(&mut self, code: &'static str) {
        self.refusals.add(code);
    }
}

/// A turn that dealt with the store no longer than this only found that there was nothing.
const WITHOUT_THE_STORE: Duration = Duration::from_micros(2);

/// All that is shown, at one moment.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) figures: &'a Figures,
    pub(super) counts: &'a Counts,
    pub(super) log_ins: &'a Tally<&'static str>,
    pub(super) commits: &'a Histogram,
    pub(super) writes: Load,
    pub(super) reads: Load,
    pub(super) chat_sessions: usize,
    pub(super) chat_rooms: usize,
    pub(super) relay_members: usize,
    pub(super) relay_rooms: usize,
    pub(super) draining: bool,
    pub(super) usage: Usage,
}

impl Reading<'_> {
    /// The answer to a request for it.
    pub(super) fn response(&self) -> Response {
        const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
        Response::new(Status::OK)
            .body(TYPE, self.text().into_bytes())
            .header("Cache-Control", "no-store")
    }

    fn text(&self) -> String {
        let mut out = Exposition::default();
        self.connections(&mut out);
        self.traffic(&mut out);
        self.chat(&mut out);
        self.store(&mut out);
        self.process(&mut out);
        out.text
    }

    fn connections(&self, out: &mut Exposition) {
        let Figures { counters, http, open, closing, .. } = self.figures;
        let mut phases = out.gauge("wsrelay_connections", "Connections at this moment, by phase.");
        for (phase, count) in [("http", http), ("open", open), ("closing", closing)] {
            phases.labelled(&[("phase", phase)], count);
        }
        let mut kinds = out.gauge("wsrelay_websockets", "Open WebSockets, by what they are for.");
        kinds.labelled(&[("kind", "chat")], self.chat_sessions);
        kinds.labelled(&[("kind", "relay")], self.relay_members);

        out.counter("wsrelay_connections_accepted_total", "Connections let in.")
            .plain(counters.accepted);
        out.counter("wsrelay_connections_refused_total", "Connections turned away unread.")
            .tally("reason", &counters.turned_away);
        out.counter(
            "wsrelay_http_responses_total",
            "Responses, handshakes granted not among them.",
        )
        .tally("status", &counters.responses);
        out.counter("wsrelay_handshakes_total", "WebSocket handshakes granted.")
            .plain(counters.handshakes);
        out.counter(
            "wsrelay_handshake_failures_total",
            "WebSocket handshakes refused: the rule broken, or the answer's status.",
        )
        .tally("reason", &counters.handshakes_refused);
        let mut closes = out.counter(
            "wsrelay_closes_total",
            "WebSockets that ended, by who ended them and with which close code.",
        );
        for (close, count) in counters.closes.iter() {
            let code = close.code.to_string();
            closes.labelled(&[("by", close.by), ("code", &code)], count);
        }
        out.gauge("wsrelay_draining", "1 while the process is about to end.")
            .plain(u8::from(self.draining));
    }

    fn traffic(&self, out: &mut Exposition) {
        let Figures { counters, outbox_bytes, unfinished_bytes, .. } = self.figures;
        out.counter("wsrelay_received_bytes_total", "Bytes read from sockets.")
            .plain(counters.received_bytes);
        out.counter("wsrelay_sent_bytes_total", "Bytes that sockets took.")
            .plain(counters.sent_bytes);
        out.counter("wsrelay_messages_received_total", "WebSocket messages that came.")
            .plain(counters.messages);
        out.counter("wsrelay_sends_total", "Frames for one connection alone.")
            .plain(counters.sends);
        out.counter("wsrelay_publications_total", "Frames for all members of a room.")
            .plain(counters.publications);
        out.counter("wsrelay_deliveries_total", "Publications, times the members they were for.")
            .plain(counters.deliveries);
        out.gauge("wsrelay_outbox_bytes", "Bytes that wait for slow readers.").plain(outbox_bytes);
        out.gauge("wsrelay_unfinished_bytes", "Bytes of requests and messages that are not whole.")
            .plain(unfinished_bytes);
        out.histogram(
            "wsrelay_loop_turn_seconds",
            "How long turns of the event loop took: what a ready connection may have to wait.",
            &counters.turns,
        );
    }

    fn chat(&self, out: &mut Exposition) {
        let mut rooms = out.gauge("wsrelay_rooms", "Rooms: the chat's, and raw ones.");
        rooms.labelled(&[("kind", "chat")], self.chat_rooms);
        rooms.labelled(&[("kind", "relay")], self.relay_rooms);
        out.counter("wsrelay_posts_total", "Posts that were committed.")
            .plain(self.counts.entries.get("post"));
        out.counter("wsrelay_entries_total", "Entries of the chat's logs, by kind.")
            .tally("kind", &self.counts.entries);
        out.counter("wsrelay_refusals_total", "Chat requests not done, by error code.")
            .tally("code", &self.counts.refusals);
        out.counter("wsrelay_logins_total", "Log-ins and registrations, by outcome.")
            .tally("outcome", self.log_ins);
    }

    fn store(&self, out: &mut Exposition) {
        let queues = [("write", self.writes), ("read", self.reads)];
        let mut requests =
            out.gauge("wsrelay_store_queue_requests", "Requests that wait for the store.");
        for (kind, load) in queues {
            requests.labelled(&[("kind", kind)], load.requests);
        }
        let mut bytes = out.gauge("wsrelay_store_queue_bytes", "What those requests come to.");
        for (kind, load) in queues {
            bytes.labelled(&[("kind", kind)], load.bytes);
        }
        out.histogram(
            "wsrelay_store_turn_seconds",
            "How long turns of the event loop dealt with the store: went on with its answers, handed over requests.",
            &self.counts.store_turns,
        );
        out.histogram(
            "wsrelay_store_commit_seconds",
            "How long transactions took, the disk's confirmation included.",
            self.commits,
        );
    }

    fn process(&self, out: &mut Exposition) {
        let usage = &self.usage;
        out.gauge("wsrelay_build_info", "1, for the version that runs.")
            .labelled(&[("version", env!("CARGO_PKG_VERSION"))], 1);
        out.counter("process_cpu_seconds_total", "Processor time, user and system.")
            .plain(seconds(usage.cpu));
        out.gauge("process_start_time_seconds", "When the process began, since 1970.")
            .plain(seconds(usage.started));
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Memory in use.", usage.resident_bytes),
            ("process_virtual_memory_bytes", "Address space in use.", usage.virtual_bytes),
            ("process_open_fds", "Open descriptors.", usage.descriptors),
            ("process_max_fds", "Descriptors that may be open.", usage.descriptors_max),
            ("process_threads", "Threads.", usage.threads),
        ] {
            if let Some(value) = value {
                out.gauge(name, help).plain(value);
            }
        }
    }
}

/// The text as it grows.
#[derive(Debug, Default)]
struct Exposition {
    text: String,
}

/// One metric, whose samples follow.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Exposition {
    fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        debug_assert!(name.ends_with("_total"));
        self.family(name, "counter", help)
    }

    fn histogram(&mut self, name: &'static str, help: &str, histogram: &Histogram) {
        let Family { text, .. } = self.family(name, "histogram", help);
        let mut line = |suffix: &str, value: &dyn Display| {
            writeln!(text, "{name}{suffix} {value}").expect("a string takes all");
        };
        for (bound, count) in histogram.cumulative() {
            line(&format!("_bucket{{le=\"{}\"}}", seconds(bound)), &count);
        }
        line("_bucket{le=\"+Inf\"}", &histogram.count());
        line("_sum", &seconds(histogram.sum()));
        line("_count", &histogram.count());
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}")
            .expect("a string takes all");
        Family { text: &mut self.text, name }
    }
}

impl Family<'_> {
    fn plain(&mut self, value: impl Display) {
        self.labelled(&[], value);
    }

    fn tally<K: PartialEq + Copy + Display>(&mut self, label: &str, tally: &Tally<K>) {
        for (key, count) in tally.iter() {
            self.labelled(&[(label, &key.to_string())], count);
        }
    }

    /// One sample. Labels' values are words of this program's own, which need no escaping.
    fn labelled(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(name, is)| format!("{name}=\"{is}\"")).collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        writeln!(self.text, "{}{labels} {value}", self.name).expect("a string takes all");
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
