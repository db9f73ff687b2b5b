//! The README, held against the source: each claim of its threat model, and each lesson it has learnt, has a test that is
//! there; and the programs that it shows are the examples.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::fs;
use std::path::{Path, PathBuf};

/// The rows of a section's table, without its head.
fn rows<'a>(readme: &'a str, section: &str) -> Vec<Vec<&'a str>> {
    let title = format!("\n## {section}\n");
    let section = readme.split(&title).nth(1).expect("there is such a section");
    let section = section.split("\n## ").next().unwrap();
    section
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// What stands between backquotes.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Every file below a folder that can hold a test, or stands for some.
fn gather(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_other = ["node_modules", ".work"].iter().any(|other| path.ends_with(other));
        if path.is_dir() && !is_other {
            gather(&path, all);
        } else if is_source(&path) || path.ends_with("run") {
            all.push(path);
        }
    }
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|kind| ["rs", "py", "mjs", "toml"].iter().any(|is| kind == *is))
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut all = vec![root.join("Cargo.toml")];
    gather(&root.join("src"), &mut all);
    gather(&root.join("tests"), &mut all);
    all
}

/// The names of the tests in a source, in whatever language.
fn tests(source: &str) -> Vec<&str> {
    let between = |begins: &'static str, ends: &'static str| {
        source.split(begins).skip(1).filter_map(move |rest| rest.split(ends).next())
    };
    between("fn ", "(").chain(between("def ", "(")).chain(between("test('", "'")).collect()
}

/// Whether a name is meant by what is written, in which `…` stands for any letters.
fn is_meant(name: &str, written: &str) -> bool {
    match written.split('…').collect::<Vec<_>>()[..] {
        [whole] => name == whole,
        [begins, ends] => name.starts_with(begins) && name.ends_with(ends),
        ["", within, ""] => name.contains(within),
        _ => false,
    }
}

#[test]
fn every_claim_is_held_by_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let mut sources = String::new();
    for file in files(root) {
        sources.push_str(&fs::read_to_string(file).unwrap());
    }
    let there = tests(&sources);
    let rows = rows(&readme, "Threats");
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let named: Vec<_> = names(row.last().unwrap()).collect();
        assert!(!named.is_empty(), "nothing holds {row:?}");
        for test in named {
            let is_there = there.contains(&test) || root.join(test).exists();
            assert!(is_there, "the threat model names {test}, which is nowhere");
        }
    }
}

#[test]
fn every_lesson_is_held_by_a_test_that_is_where_it_is_said_to_be() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let files = files(root);
    let rows = rows(&readme, "Hardening");
    assert!(rows.len() > 20, "{rows:?}");
    for row in rows {
        let cell = row.last().unwrap();
        assert!(cell.contains('`'), "nothing holds {row:?}");
        // What is named after a file is in that file.
        let mut within: Vec<String> = Vec::new();
        let mut before = "";
        for (at, part) in cell.split('`').enumerate() {
            if at % 2 == 0 {
                before = if part == ", " { before } else { part };
                continue;
            }
            if before.ends_with("fuzz ") {
                let target = root.join(format!("fuzz/fuzz_targets/{part}.rs"));
                assert!(target.exists(), "{part} is no target: {row:?}");
            } else if part.ends_with("/run") || is_source(Path::new(part)) {
                let named = files.iter().filter(|file| file.ends_with(part));
                within = named.map(|file| fs::read_to_string(file).unwrap()).collect();
                assert!(!within.is_empty(), "{part} is nowhere: {row:?}");
            } else {
                let mut names = within.iter().flat_map(|source| tests(source));
                let is_there = names.any(|name| is_meant(name, part))
                    || within.iter().any(|source| source.lines().any(|line| line == part));
                assert!(is_there, "{part} is not there: {row:?}");
            }
        }
    }
}

#[test]
fn the_programs_it_shows_are_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for name in ["examples/relay.rs", "examples/echo.rs"] {
        let example = fs::read_to_string(root.join(name)).unwrap();
        let lines: Vec<_> = example.lines().skip_while(|line| line.starts_with("//!")).collect();
        let program = lines.join("\n");
        let shown = format!("({name})):\n\n```rust\n{}\n```\n", program.trim());
        assert!(readme.contains(&shown), "the README does not show {name} as it is:\n{shown}");
    }
}
