//! The README's table of limits, held against the limits.

use std::fmt::Display;
use std::time::Duration;

use super::{control, passwords};
use crate::chat::limits as chat;
use crate::{Config, config, store, ws};

fn bytes(bytes: impl TryInto<u64>) -> String {
    let bytes = bytes.try_into().unwrap_or(u64::MAX);
    match (bytes >> 20, bytes >> 10) {
        (mib, _) if mib << 20 == bytes => format!("{mib} MiB"),
        (_, kib) if kib << 10 == bytes => format!("{kib} KiB"),
        _ => format!("{bytes} bytes"),
    }
}

fn seconds(wait: Duration) -> String {
    format!("{} s", wait.as_secs_f64())
}

/// With a comma before each three digits.
fn count(number: impl Display) -> String {
    let digits = number.to_string();
    let (head, threes) = digits.split_at(digits.len() % 3);
    let threes = threes.as_bytes().chunks(3).map(|three| str::from_utf8(three).unwrap());
    let parts = std::iter::once(head).filter(|head| !head.is_empty()).chain(threes);
    parts.collect::<Vec<_>>().join(",")
}

/// How each row begins that has a number of ours.
fn rows_with_numbers() -> Vec<String> {
    let config = Config::default();
    let Config { http, ws, waits, unfinished, .. } = &config;
    let large = 1 << 30;
    let fragment_bytes = large / ws::Limits::for_messages(large).fragments_max as usize;
    vec![
        format!(
            "| request line; head; fields; body | {}; {}; {}; {} |",
            bytes(http.request_line_bytes_max),
            bytes(http.head_bytes_max),
            count(http.headers_max),
            bytes(http.body_bytes_max),
        ),
        format!("| a request head or body to arrive | {} |", seconds(waits.head)),
        format!("| a response to be made, or to be taken | {} |", seconds(waits.response)),
        format!("| a kept connection without a request | {} |", seconds(waits.keep_alive)),
        format!("| message | {} (`--max-message`) |", bytes(ws.message_bytes_max)),
        format!(
            "| fragments of one message | {}, or one for each {fragment_bytes} bytes of the message limit |",
            count(ws.fragments_max),
        ),
        format!(
            "| all that peers have begun and not finished | {} of those who have not opened a WebSocket, \
             {} of guests and raw rooms, {} of accounts |",
            bytes(unfinished.pending_bytes_max),
            bytes(unfinished.strangers_bytes_max),
            bytes(unfinished.members_bytes_max),
        ),
        format!("| queued for one connection | {} |", bytes(config.outbox_bytes_max)),
        format!(
            "| queued for all connections, what many wait for counted once | {} |",
            bytes(config.outboxes_bytes_max),
        ),
        format!(
            "| whispers (typing, receipts, profiles) to somebody with {} queued |",
            bytes(config::LAGGING_BYTES),
        ),
        format!(
            "| a connection that does not read its answers | {} queued | not read until under {} |",
            bytes(config::PAUSE_BYTES),
            bytes(config::RESUME_BYTES),
        ),
        format!("| silence | {}, then a ping; {} more |", seconds(waits.ping), seconds(waits.pong),),
        format!("| closing handshake | {} |", seconds(waits.close)),
        format!(
            "| connections that have not opened a WebSocket | `--max-pending` | one that has dawdled for {} \
             ({} while it takes an answer) |",
            seconds(config::DAWDLES_AFTER),
            seconds(config::DAWDLES_READING_AFTER),
        ),
        format!("| a post | {} characters |", count(chat::Limits::default().post_chars_max)),
        format!("| pinned posts of a room | {} |", count(chat::PINS_MAX)),
        format!(
            "| different reactions to a post; people under each | {}; {} |",
            count(chat::REACTIONS_MAX.emoji),
            count(chat::REACTIONS_MAX.people),
        ),
        format!(
            "| what waits for the store | {} requests, {}: of writes, of replays, of histories and of searches |",
            count(store::WAITING_MAX),
            bytes(store::WAITING_BYTES_MAX),
        ),
        format!(
            "| replays, histories and searches that wait, of one person | {} each |",
            count(store::OWN_WAITING_MAX),
        ),
        format!(
            "| the log of an invite room | {} entries, {} of text |",
            count(chat::INVITE_ENTRIES_MAX),
            bytes(chat::INVITE_BYTES_MAX),
        ),
        format!("| those of all invite rooms | {} of memory |", bytes(chat::INVITES_BYTES_MAX)),
        format!(
            "| invite rooms in all; with so many guests begin none; begun by one guest; by one account | {}; {}; {}; {} |",
            count(chat::INVITE_ROOMS_MAX),
            count(chat::INVITE_ROOMS_FOR_GUESTS_MAX),
            count(chat::INVITE_ROOMS_PER_GUEST_MAX),
            count(chat::INVITE_ROOMS_PER_ACCOUNT_MAX),
        ),
        format!(
            "| guests that are remembered: ten minutes after they have gone, one minute if they have done nothing | {} |",
            count(chat::Limits::default().guests_max),
        ),
        format!("| passwords being checked | {} |", count(passwords::JOBS_MAX)),
        format!(
            "| an order at the control socket | {}, {} |",
            bytes(control::LINES_BYTES_MAX),
            seconds(control::LINES_TIMEOUT),
        ),
        format!(
            "| a replay after a reconnection | {} entries, {} |",
            count(chat::REPLAY_ENTRIES_MAX),
            bytes(chat::REPLAY_BYTES_MAX),
        ),
        format!("| sessions of a person | {} |", count(chat::SESSIONS_PER_PERSON_MAX)),
    ]
}

#[test]
fn the_readme_has_every_limit_as_it_is() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let table = &readme[readme.find("\n| what | limit | at the limit |").unwrap() + 1..];
    let rows: Vec<_> = table.lines().take_while(|line| !line.is_empty()).skip(2).collect();
    let with_numbers = rows_with_numbers();
    for begins in &with_numbers {
        let begins = begins.trim_end_matches('|');
        let there = rows.iter().filter(|row| row.starts_with(begins)).count();
        assert_eq!(there, 1, "of {begins}");
    }
    for row in rows {
        let is_held =
            with_numbers.iter().any(|begins| row.starts_with(begins.trim_end_matches('|')));
        let cells = row.split('|').skip(1).take(2);
        let has_number = cells.into_iter().any(|cell| cell.contains(|c: char| c.is_ascii_digit()));
        assert!(is_held || !has_number, "held against nothing: {row}");
    }
}
