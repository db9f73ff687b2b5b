//! PROTOCOL.md, held against the source: what it shows can be said and read, and it leaves out no word that a client can
//! meet.

use std::fs;
use std::path::Path;

use serde_json::Value;
use wsrelay::chat::{Limits, Name, PersonId, Profile, User, Welcome};
use wsrelay::daemon::wire::{Terms, decode, encode_welcome, request_types, whisper_types};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// The document from a heading to the next one of the same level.
fn section(heading: &str) -> String {
    let document = read("PROTOCOL.md");
    let begin = document.find(&format!("\n{heading}\n")).expect(heading) + 1;
    let level = heading.split(' ').next().unwrap_or_default();
    let rest = &document[begin + heading.len()..];
    rest[..rest.find(&format!("\n{level} ")).unwrap_or(rest.len())].to_owned()
}

/// What stands in the first column of a section's tables.
fn rows(heading: &str) -> Vec<String> {
    let first_column = |line: &str| line.strip_prefix("| `")?.split('`').next().map(str::to_owned);
    section(heading).lines().filter_map(first_column).collect()
}

/// What stands between `before` and the next quote, wherever it does in a source before its tests.
fn words(path: &str, before: &str) -> Vec<String> {
    let source = read(path);
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let parts = code.split(before).skip(1);
    let found: Vec<_> =
        parts.filter_map(|part| part.split('"').next()).map(str::to_owned).collect();
    assert!(!found.is_empty(), "{path} has no {before}");
    found
}

fn said_by(arrow: &str) -> Vec<String> {
    let document = read("PROTOCOL.md");
    let lines = document.lines().filter_map(|line| line.strip_prefix(arrow));
    lines.map(|line| line.trim().to_owned()).collect()
}

fn assert_has(heading: &str, words: impl IntoIterator<Item = String>) {
    let rows = rows(heading);
    let missing: Vec<_> = words.into_iter().filter(|word| !rows.contains(word)).collect();
    assert!(missing.is_empty(), "{heading} has no row for {missing:?}");
}

#[test]
fn what_a_client_says_is_a_command() {
    let said = said_by("→");
    assert!(said.len() > 20);
    for text in said {
        let command = decode(&text, &Limits::default(), &mut || 0);
        assert!(command.is_ok(), "{text}: {}", command.unwrap_err().rule.message());
    }
}

#[test]
fn what_the_server_says_is_an_event() {
    let told = said_by("←");
    assert!(told.len() > 40);
    let events = rows("### Events");
    let kinds = rows("### Entries");
    for text in told {
        let event: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        let name = event["type"].as_str().expect(&text);
        assert!(text.starts_with(&format!(r#"{{"type":"{name}""#)), "{text}");
        assert!(events.contains(&name.to_owned()), "{text}");
        let kind = event["kind"].as_str().filter(|_| name == "entry");
        assert!(kind.is_none_or(|kind| kinds.contains(&kind.to_owned())), "{text}");
        assert_eq!(event["code"].is_string(), name == "error", "{text}");
        let is_answer = matches!(name, "ok" | "error");
        assert_eq!(event["id"].is_u64(), is_answer, "{text}");
    }
}

#[test]
fn every_type_has_a_row() {
    assert_has("### Requests", request_types().map(str::to_owned));
    assert_has("### Whispers", whisper_types().map(str::to_owned));
    assert_has("### Events", words("src/daemon/wire/encode.rs", "typed(\""));
    assert_has("### Entries", words("src/daemon/wire/entry.rs", "=> \""));
}

#[test]
fn every_code_has_a_row() {
    let is_code = |word: &String| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    for (path, before) in [
        ("src/chat/refusal.rs", "=> (\""),
        ("src/daemon/close_code.rs", "=> (\""),
        ("src/daemon/wire/fault.rs", "=> \""),
    ] {
        assert_has("### Errors", words(path, before).into_iter().filter(is_code));
    }
    let rest = section("## Accounts");
    let source = read("src/daemon/api/answers.rs");
    let lines = source.lines().filter(|line| line.contains("(Status::") || line.contains("ed(\""));
    let mut codes =
        lines.filter_map(|line| line.split('"').nth(1).map(str::to_owned)).filter(is_code);
    assert!(codes.clone().count() > 10);
    assert_eq!(codes.find(|code| !rest.contains(&format!("`{code}`"))), None);
}

#[test]
fn every_close_code_has_a_row() {
    let source = read("src/daemon/close_code.rs");
    let codes: Vec<_> = source.split("private(").skip(1).filter_map(|rest| rest.get(..4)).collect();
    let rows = section("### Close codes");
    let own: Vec<_> = codes.iter().filter(|code| code.starts_with('4')).collect();
    assert!(own.len() >= 5);
    for code in own {
        assert!(rows.contains(&format!("\n| {code} |")), "no row for {code}");
    }
}

#[test]
fn the_limits_are_those_of_the_welcome() {
    let user = User { id: PersonId(1), name: Name::stored("ann"), profile: Profile::default() };
    let welcome = Welcome { user, limits: Limits::default(), rooms: vec![] };
    let terms = Terms { token: None, ping_ms: 25_000, message_bytes_max: 65_536 };
    let mut text = String::new();
    encode_welcome(&welcome, &terms, &mut text);
    let head = text.split(r#","rooms""#).next().expect("a welcome has rooms");
    for welcome in said_by("←").iter().filter(|text| text.contains(r#""type":"welcome""#)) {
        assert!(welcome.starts_with(head), "{welcome}\n{head}");
    }
    let event: Value = serde_json::from_str(&text).expect("an event is JSON");
    let limits = event["limits"].as_object().expect("limits");
    assert_has("### Limits", limits.keys().cloned());
    let section = section("### Limits");
    for (name, value) in limits {
        assert!(section.contains(&format!("| `{name}` | {value} |")), "{name} is {value}");
    }
}

/// Each block is one command of a shell; behind it stands what it prints, if that is worth a look: the status, and the body
/// with `…` for what differs each time.
#[test]
fn requests_with_curl_can_be_run_and_compared() {
    let section = section("### With curl");
    let mut blocks = section.split("```").skip(1).step_by(2).peekable();
    let mut compared = 0;
    while let Some(block) = blocks.next() {
        let command = block.strip_prefix("sh\n").expect("a command");
        assert_eq!(command.trim_end().lines().count(), 1, "{command}");
        assert!(command.contains("curl -s ") && command.contains("$BASE/api/"), "{command}");
        let Some(answer) = blocks.next_if(|block| block.starts_with("json ")) else { continue };
        let (status, body) = answer["json ".len()..].split_once('\n').expect("a status");
        assert!(status.parse::<u16>().is_ok(), "{status}");
        assert!(status == "204" || serde_json::from_str::<Value>(body).is_ok(), "{body}");
        compared += 1;
    }
    assert!(compared > 10);
}

#[test]
fn links_lead_to_headings() {
    let document = read("PROTOCOL.md");
    let anchor = |heading: &str| {
        let kept = |c: &char| c.is_alphanumeric() || *c == ' ' || *c == '-';
        heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
    };
    let headings = document.lines().filter_map(|line| line.strip_prefix('#'));
    let anchors: Vec<_> =
        headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).collect();
    for link in document.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(anchors.contains(&link.to_owned()), "no heading for #{link}");
    }
}
