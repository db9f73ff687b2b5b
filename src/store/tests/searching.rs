//! What searches find, and what they survive.

use super::*;

fn search(log: &mut Log<Db>, query: &str, rooms: &[RoomNo], skip: u32, limit: u16) -> ReadOut {
    log.index_all();
    log.tables().read(&Read::Search { query: query.into(), rooms: rooms.into(), skip, limit })
}

fn found(log: &mut Log<Db>, query: &str) -> Vec<u64> {
    match search(log, query, &[LOBBY], 0, 50) {
        ReadOut::Found { hits, .. } => hits.iter().map(|hit| hit.record.entry.seq.0).collect(),
        out => panic!("{query:?}: {out:?}"),
    }
}

const NOTHING: [u64; 0] = [];

fn lobby_with(texts: &[&str]) -> Log<Db> {
    let mut log = memory();
    for text in texts {
        log.seq(append(LOBBY, 1, post(text)));
    }
    log
}

#[test]
fn posts_with_all_the_words_are_found_newest_first() {
    let mut log = lobby_with(&[
        "the quick brown fox",
        "Größe und Café",
        "a lazy fox, quickly",
        "ΣΊΣΥΦΟΣ",
        "foo-bar baz",
    ]);
    for (query, expected) in [
        ("fox", vec![3, 1]),
        ("FOX quick", vec![3, 1]),
        ("quick fox", vec![1]),
        ("quick", vec![3, 1]),
        ("quick the", vec![1]),
        ("lazy brown", vec![]),
        ("cafe", vec![2]),
        ("große", vec![2]),
        ("grosse", vec![]),
        ("σίσυφος", vec![4]),
        ("foo-ba", vec![5]),
        ("bar-foo", vec![]),
        ("f", vec![]),
        ("fo", vec![5, 3, 1]),
        ("fox !!!", vec![3, 1]),
        ("fox 👍", vec![3, 1]),
    ] {
        assert_eq!(found(&mut log, query), expected, "{query}");
    }
}

/// What is one word to who types it, and several to the index, stands together.
#[test]
fn what_is_typed_together_is_found_together() {
    let mut log = lobby_with(&[
        "at 10:30, by e-mail",
        "at 30:10, by mail. e is a letter",
        "10:305 e-mails: don't",
        "Do not. Don, t: É-MAIL 10.30",
    ]);
    for (query, expected) in [
        ("10:30", vec![4, 3, 1]),
        ("10:30 at", vec![1]),
        ("30:10", vec![2]),
        ("30:1", vec![2]),
        ("0:30", vec![]),
        ("e-mail", vec![4, 3, 1]),
        ("e-mail by", vec![1]),
        ("mail e", vec![4, 2, 1]),
        ("don't", vec![4, 3]),
        ("don't 10", vec![4, 3]),
        ("t-don", vec![]),
        ("10:30,-by", vec![1]),
        ("…e-mail…", vec![4, 3, 1]),
    ] {
        assert_eq!(found(&mut log, query), expected, "{query}");
    }
}

#[test]
fn a_page_of_what_stands_together_is_continued_where_it_ended() {
    let texts: Vec<_> = (0..20).map(|no| if no % 2 == 0 { "a-b" } else { "b-a" }).collect();
    let mut log = lobby_with(&texts);
    let (mut places, mut more) = (Vec::new(), true);
    while more {
        let skip = u32::try_from(places.len()).unwrap();
        let ReadOut::Found { hits, more: is_more } = search(&mut log, "a-b", &[LOBBY], skip, 3)
        else {
            panic!("not found")
        };
        assert!(!hits.is_empty());
        places.extend(hits.iter().map(|hit| hit.record.entry.seq.0));
        more = is_more;
    }
    assert!(places.into_iter().eq((1..=20).rev().step_by(2).map(|seq| seq - 1)));
}

/// However often each is said, and however many there are.
#[test]
fn words_that_are_said_all_over_are_found_in_time() {
    let mut log = lobby_with(&["b ".repeat(2_000).as_str(); 3]);
    let words = ["b"; 100].join(" ");
    let phrase = ["b"; 100].join("-");
    let lengths: Vec<_> = (1..14).map(|length| vec!["b"; length].join("-")).collect();
    let began = std::time::Instant::now();
    for query in [words, phrase, lengths.join(" ")] {
        assert_eq!(found(&mut log, &query), [3, 2, 1], "{query}");
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
}

/// A search goes through every part for each of its words.
#[test]
fn an_index_that_grows_post_by_post_has_few_parts() {
    let mut log = memory();
    let mut most = 0;
    for no in 0..400 {
        log.seq(append(LOBBY, 1, post(&format!("number {no} says word{no}"))));
        log.index_all();
        most = most.max(log.tables().ask("SELECT count(DISTINCT segid) FROM search_idx"));
    }
    assert!(most <= 8, "{most} parts");
    assert_eq!(found(&mut log, "number word39").len(), 11);
    log.tables().check_index();
}

/// What it takes to look for the beginning of a word is what there is about it in the index.
#[test]
fn a_word_that_is_said_a_thousand_times_over_costs_little() {
    let text = "long ".repeat(790);
    let mut log = lobby_with(&[text.as_str(); 200]);
    log.index_all();
    let bytes = log.tables().ask("SELECT sum(length(block)) FROM search_data");
    assert!(bytes < 5 * 200 * 2, "{bytes} bytes for 200 posts");
}

#[test]
fn no_text_is_taken_for_a_query_language() {
    let mut log = lobby_with(&["plain OR simple AND near text", "x"]);
    let long = "word ".repeat(2_000);
    let quotes = "\"".repeat(10_000);
    let one_word = "a".repeat(10_000);
    for (query, expected) in [
        ("", vec![]),
        (" ", vec![]),
        ("\"", vec![]),
        ("\"\"", vec![]),
        ("*", vec![]),
        ("^", vec![]),
        ("-", vec![]),
        (":", vec![]),
        ("(", vec![]),
        (")", vec![]),
        ("{text}", vec![1]),
        ("text:plain", vec![]),
        ("room:1", vec![]),
        ("1", vec![]),
        ("\" OR 1 --", vec![]),
        ("\" OR \"\"=\"", vec![1]),
        ("NEAR(", vec![1]),
        ("NEAR(plain simple)", vec![]),
        ("AND", vec![1]),
        ("OR", vec![1]),
        ("NOT", vec![]),
        ("plain NOT simple", vec![]),
        ("plain AND", vec![1]),
        ("plain*", vec![1]),
        ("^plain", vec![1]),
        ("pl\"ain", vec![1]),
        ("plain\0x", vec![]),
        ("\0", vec![]),
        ("'; DROP TABLE entries; --", vec![]),
        ("👍", vec![]),
        ("\u{E000}plain\u{E001}", vec![1]),
        ("\u{202E}", vec![]),
        ("\u{FFFF}", vec![]),
        ("Ⓐ", vec![]),
        (&long, vec![]),
        (&quotes, vec![]),
        (&one_word, vec![]),
    ] {
        assert_eq!(found(&mut log, query), expected, "{query:.40}");
    }
}

#[test]
fn only_the_rooms_asked_for_are_searched() {
    let mut log = memory();
    let mut rooms = vec![LOBBY];
    for no in 1..=100 {
        let create = Write::Create(group(no, &[(1, Role::Owner)]));
        let Written::Created { room, .. } = log.told(create) else { panic!("created") };
        rooms.push(room);
        log.seq(Append { basis: Seq(1), ..append(room, 1, post("needle")) });
    }
    let mut rooms_of = |rooms: &[RoomNo]| match search(&mut log, "needle", rooms, 0, 200) {
        ReadOut::Found { hits, .. } => hits.len(),
        out => panic!("{out:?}"),
    };
    assert_eq!(rooms_of(&[]), 0);
    assert_eq!(rooms_of(&[LOBBY]), 0);
    assert_eq!(rooms_of(&rooms[5..6]), 1);
    assert_eq!(rooms_of(&rooms[..50]), 49);
    assert_eq!(rooms_of(&rooms[..90]), 89);
    assert_eq!(rooms_of(&[RoomNo(u64::MAX), RoomNo(0)]), 0);
}

#[test]
fn a_page_of_hits_is_continued_where_it_ended() {
    let mut log = lobby_with(&["x1 word", "x2 word", "x3 word", "x4 word", "x5 word"]);
    let mut page = |skip, limit| match search(&mut log, "word", &[LOBBY], skip, limit) {
        ReadOut::Found { hits, more } => {
            (hits.iter().map(|hit| hit.record.entry.seq.0).collect::<Vec<_>>(), more)
        }
        out => panic!("{out:?}"),
    };
    assert_eq!(page(0, 2), (vec![5, 4], true));
    assert_eq!(page(2, 2), (vec![3, 2], true));
    assert_eq!(page(4, 2), (vec![1], false));
    assert_eq!(page(0, 5), (vec![5, 4, 3, 2, 1], false));
    assert_eq!(page(u32::MAX, 2), (vec![], false));
}

/// Whether a text was indexed when it changed, or not yet.
#[test]
fn what_was_edited_or_deleted_is_found_no_more() {
    for is_indexed in [true, false] {
        let mut log = lobby_with(&["old words", "other \u{E000}words\u{E001}"]);
        if is_indexed {
            log.index_all();
        }
        let edit = |text: &str| What::Edit { post: Seq(1), body: Some(Body::stored(text)) };
        log.seq(append(LOBBY, 1, edit("fresh text")));
        assert_eq!(found(&mut log, "old"), NOTHING);
        assert_eq!(found(&mut log, "words"), [2]);
        assert_eq!(found(&mut log, "fresh"), [1]);
        log.seq(append(LOBBY, 1, edit("fresher text")));
        assert_eq!(found(&mut log, "fresh text"), NOTHING);
        log.seq(append(LOBBY, 1, What::Delete { post: Seq(1) }));
        log.seq(append(LOBBY, 1, What::Delete { post: Seq(2) }));
        for gone in ["fresher", "text", "words", "other", "old"] {
            assert_eq!(found(&mut log, gone), NOTHING, "{gone}");
        }
        log.tables().check_index();
    }
}

#[test]
fn a_snippet_marks_what_was_found_and_nothing_else() {
    let long = format!("{} needle {}", "hay ".repeat(100), "hay ".repeat(100));
    let mut log = lobby_with(&[
        "a \u{E000}false\u{E001} mark and a needle",
        &long,
        &format!("{} needle", "x".repeat(4_000)),
    ]);
    let ReadOut::Found { hits, .. } = search(&mut log, "needle", &[LOBBY], 0, 9) else {
        panic!("found")
    };
    let snippets: Vec<_> = hits.iter().rev().map(|hit| &*hit.snippet).collect();
    assert_eq!(snippets[0], "a  false  mark and a \u{E000}needle\u{E001}");
    assert!(snippets[1].contains(" \u{E000}needle\u{E001} "));
    assert!(snippets[1].len() < 200);
    assert!(snippets[2].len() < 1_100);
    for snippet in snippets {
        let count = |mark| snippet.matches(mark).count();
        assert_eq!(count('\u{E000}'), count('\u{E001}'), "{snippet}");
    }
}

#[test]
fn what_stands_together_is_marked_as_one() {
    let mut log = lobby_with(&["They don't think that they do, at 10:30 or 30:10"]);
    for (query, expected) in [
        ("don't", "They [don't] think that they do, at 10:30 or 30:10"),
        ("30 10:3", "…don't think that they do, at [10:30] or [30]:10"),
        ("th", "[They] don't [think] [that] [they] do, at 10:30 or 30:10"),
    ] {
        let ReadOut::Found { hits, .. } = search(&mut log, query, &[LOBBY], 0, 9) else {
            panic!("found")
        };
        let shown = hits[0].snippet.replace('\u{E000}', "[").replace('\u{E001}', "]");
        assert_eq!(shown, expected, "{query}");
    }
}

#[test]
fn damage_is_not_found_but_told() {
    let mut log = lobby_with(&["needle one", "needle two"]);
    log.index_all();
    log.tables().tamper("UPDATE entries SET at = at + 1 WHERE seq = 1");
    let failed = ReadOut::Failed(crate::chat::log::Failure::Corrupt);
    assert_eq!(search(&mut log, "needle", &[LOBBY], 0, 9), failed);
}

/// Fifty of the longest posts, of which nearly each character is sent as an escape.
#[test]
fn a_page_of_hits_has_texts_that_fit_an_outbox() {
    let text = format!("needle {}", "\u{1}".repeat(3_990));
    let mut log = lobby_with(&[text.as_str(); 50]);
    let mut places = Vec::new();
    loop {
        let skip = u32::try_from(places.len()).unwrap();
        let ReadOut::Found { hits, more } = search(&mut log, "needle", &[LOBBY], skip, 50) else {
            panic!("not found")
        };
        let bytes: usize = hits.iter().map(|hit| hit.record.entry.text_bytes()).sum();
        assert!(!hits.is_empty() && bytes <= 256 * 1024, "{} hits of {bytes} bytes", hits.len());
        places.extend(hits.iter().map(|hit| hit.record.entry.seq.0));
        if !more {
            break;
        }
    }
    assert!(places.into_iter().eq((1..=50).rev()));
}
