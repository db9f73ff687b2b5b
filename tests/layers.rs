//! The direction of the layers, held against the source: `http` and `ws` are bytes in and values out, `engine` knows
//! nothing of what is said through it, and nobody reaches for the layer above.

use std::path::{Path, PathBuf};

/// Words that a folder's code may not contain, and why.
const RULES: &[(&str, &[&str], &str)] = &[
    ("src/http", &["mio", "std::net", "std::os", "std::io", "std::thread"], "does no I/O"),
    ("src/ws", &["mio", "std::net", "std::os", "std::io", "std::thread"], "does no I/O"),
    ("src/http", &["Instant", "SystemTime", "getrandom", "rand::"], "has no clock and no dice"),
    ("src/ws", &["Instant", "SystemTime", "getrandom", "rand::"], "has no clock and no dice"),
    ("src/http", &["serde", "log::", "println!"], "makes values, not documents or logs"),
    ("src/ws", &["serde", "log::", "println!"], "makes values, not documents or logs"),
    (
        "src/http",
        &["crate::ws", "crate::engine", "crate::relay", "crate::daemon"],
        "is the ground floor",
    ),
    ("src/ws", &["crate::engine", "crate::relay", "crate::daemon"], "knows http alone"),
    ("src/engine", &["crate::relay", "crate::daemon", "crate::chat", "serde"], "knows no service"),
    ("src/relay.rs", &["crate::daemon", "crate::chat", "mio", "std::net"], "stands on the engine"),
    ("src/chat", &["mio", "std::net", "std::os", "std::io", "std::thread"], "does no I/O"),
    ("src/chat", &["Instant", "SystemTime", "getrandom", " rand::"], "has no clock and no dice"),
    ("src/chat", &["serde", "rusqlite", "log::info"], "makes values and no texts"),
    (
        "src/chat",
        &["crate::store", "crate::engine", "crate::http", "crate::ws", "crate::daemon"],
        "is a ground floor of its own",
    ),
    (
        "src/store",
        &["mio", "std::net", "serde", "crate::engine", "crate::daemon"],
        "knows chat's values alone",
    ),
    (
        "src/store/log.rs",
        &["rusqlite", "std::thread", "std::fs"],
        "decides, and keeps nothing itself",
    ),
    ("src/daemon", &["rusqlite", "mio::"], "leaves tables and sockets to others"),
    ("src/daemon/api", &["serde", "json!"], "leaves JSON to wire"),
    ("src/daemon/accounts", &["serde", "crate::http::Request"], "knows neither JSON nor requests"),
    ("src/daemon/live.rs", &["serde", "crate::http"], "leaves JSON to wire"),
    (
        "src/doctor",
        &["mio::", "crate::engine", "crate::relay", "crate::chat", "crate::daemon", "rusqlite"],
        "looks from outside",
    ),
    ("src", &["Mutex", "RwLock", "async fn", "tokio"], "one thread owns all state"),
    ("src", &["unsafe {", "unsafe fn", "allow(unsafe"], "forbids unsafe code"),
];

fn sources(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries = std::fs::read_dir(place).expect("a folder of the tree");
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths
        .filter(|path| !path.ends_with("tests")) // tests may look at a layer from above
        .flat_map(|path| sources(&path))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The lines of a file that are code: comments may name what the code may not.
fn code(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_code = |(_, line): &(usize, &str)| !line.trim_start().starts_with("//");
    source.lines().enumerate().map(|(number, line)| (number + 1, line)).filter(is_code)
}

fn breaches(place: &str, words: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for path in sources(&root.join(place)) {
        let source = std::fs::read_to_string(&path).expect("UTF-8");
        for (number, line) in code(&source) {
            for word in words.iter().filter(|word| line.contains(*word)) {
                let path = path.strip_prefix(root).expect("in the tree").display();
                found.push(format!("{path}:{number} names {word}"));
            }
        }
    }
    found
}

#[test]
fn every_layer_keeps_to_its_floor() {
    for (place, words, why) in RULES {
        let found = breaches(place, words);
        assert!(found.is_empty(), "{place} {why}, but:\n{}", found.join("\n"));
    }
}

#[test]
fn the_check_can_fail() {
    assert!(!breaches("src/engine", &["mio"]).is_empty(), "the engine does name mio");
    assert!(!breaches("src/relay.rs", &["crate::engine"]).is_empty());
}
