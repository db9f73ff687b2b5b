//! The direction of the layers, held against the source: `http` and `ws` are bytes in and values out, `engine` knows
//! nothing of what is said through it, and nobody reaches for the layer above. Within a layer no two files need each other,
//! by whatever detour: there is always one to read first.

use std::collections::{BTreeMap, BTreeSet};
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

/// A module as the names that lead to it.
type Module = Vec<String>;

/// Whom each module imports, those apart that it is a part of: whoever is part of another may speak of the whole.
fn imports() -> BTreeMap<Module, BTreeSet<Module>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files: BTreeMap<Module, String> = sources(&root)
        .into_iter()
        .map(|path| {
            let source = std::fs::read_to_string(&path).expect("UTF-8");
            let place = path.strip_prefix(&root).expect("in the tree").with_extension("");
            let names = place.iter().map(|name| name.to_str().expect("UTF-8").to_owned());
            (names.filter(|name| !["mod", "lib"].contains(&name.as_str())).collect(), source)
        })
        .collect();
    let of = |module: &Module, source: &str| -> BTreeSet<Module> {
        // Those of the tests within a file are indented.
        let uses = format!("\n{source}");
        let uses = uses.split("\nuse ").skip(1).filter_map(|rest| rest.split(';').next());
        let lead_to = uses.flat_map(paths).filter_map(|path| {
            let mut names: Module = match path.split("::").next()? {
                "crate" => Vec::new(),
                "self" => module.clone(),
                "super" => module[..module.len() - 1].to_vec(),
                _ => return None,
            };
            for name in path.split("::").skip(1) {
                names.push(name.to_owned());
                if !files.contains_key(&names) {
                    names.pop();
                    break;
                }
            }
            Some(names)
        });
        lead_to.filter(|other| !module.starts_with(other)).collect()
    };
    files.iter().map(|(module, source)| (module.clone(), of(module, source))).collect()
}

/// The paths of a `use`, of which none has braces.
fn paths(of_use: &str) -> Vec<String> {
    let Some((before, braced)) = of_use.split_once('{') else { return vec![of_use.to_owned()] };
    let inner = &braced[..braced.rfind('}').expect("it ends")];
    let mut depth = 0;
    let parts = inner.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(|part| paths(&format!("{before}{part}"))).collect()
}

/// What is left when whoever imports nobody that is left is taken away, again and again: those in a circle, and those above
/// one.
fn circles(mut imports: BTreeMap<Module, BTreeSet<Module>>) -> BTreeMap<Module, BTreeSet<Module>> {
    loop {
        let left: BTreeSet<Module> = imports.keys().cloned().collect();
        imports.retain(|_, whom| !whom.is_disjoint(&left));
        if imports.len() == left.len() {
            return imports;
        }
    }
}

#[test]
fn no_two_files_need_each_other() {
    let found = circles(imports());
    let pairs = found.iter().flat_map(|(who, whom)| whom.iter().map(move |other| (who, other)));
    let names: Vec<_> = pairs
        .filter(|(_, other)| found.contains_key(*other))
        .map(|(who, other)| format!("{} imports {}", who.join("::"), other.join("::")))
        .collect();
    assert!(names.is_empty(), "in a circle, or above one:\n{}", names.join("\n"));
}

#[test]
fn a_circle_would_be_found() {
    let mut imports = imports();
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Module>();
    assert!(imports[&module("chat::people")].contains(&module("chat::few")));
    assert!(imports[&module("daemon::api::answers")].contains(&module("daemon::cookies")));
    imports.entry(module("chat::few")).or_default().insert(module("chat::sessions"));
    assert!(circles(imports).contains_key(&module("chat::few")));
}
