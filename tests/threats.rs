//! The README, held against the source: each claim of its threat model has a test that is there, and the programs that it
//! shows are the examples.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::fs;
use std::path::Path;

/// The rows of the table, without its head.
fn rows(readme: &str) -> Vec<Vec<&str>> {
    let section = readme.split("\n## Threats\n").nth(1).expect("there is such a section");
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

/// All that is written below a folder, as far as it can hold a test.
fn gather(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_other = ["node_modules", ".work"].iter().any(|other| path.ends_with(other));
        if path.is_dir() && !is_other {
            gather(&path, all);
        } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "py" || kind == "mjs")
        {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_claim_is_held_by_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let mut sources = String::new();
    gather(&root.join("src"), &mut sources);
    gather(&root.join("tests"), &mut sources);
    let rows = rows(&readme);
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let tests: Vec<_> = names(row.last().unwrap()).collect();
        assert!(!tests.is_empty(), "nothing holds {row:?}");
        for test in tests {
            let is_there = sources.contains(&format!("fn {test}("))
                || sources.contains(&format!("def {test}("))
                || sources.contains(&format!("test('{test}'"))
                || root.join(test).exists();
            assert!(is_there, "the threat model names {test}, which is nowhere");
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
