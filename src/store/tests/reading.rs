//! Pages, their bounds, and damage in what is read.

use super::*;
use crate::chat::Emoji;
use crate::chat::log::Failure;

fn page(out: ReadOut) -> (Vec<u64>, bool, Seq) {
    match out {
        ReadOut::Page { records, more, as_of } => {
            (records.iter().map(|record| record.entry.seq.0).collect(), more, as_of)
        }
        out => panic!("{out:?}"),
    }
}

/// Ten entries: posts at 1, 2, 4, 5, 7, 8, 10, and a reaction after every second.
fn ten_entries() -> Log<Db> {
    let mut log = memory();
    for seq in 1..=10_u64 {
        let what = match seq % 3 {
            0 => What::React { post: Seq(seq - 1), emoji: Emoji::stored("👍"), on: true },
            _ => post("ten bytes!"),
        };
        log.seq(append(LOBBY, seq, what));
    }
    log
}

#[test]
fn a_history_has_lines_only_the_nearest_first() {
    let mut log = ten_entries();
    let mut before = |before, limit| {
        page(log.tables().read(&Read::Before { room: LOBBY, before: Seq(before), limit }))
    };
    assert_eq!(before(u64::MAX, 3), (vec![7, 8, 10], true, Seq(10)));
    assert_eq!(before(7, 3), (vec![2, 4, 5], true, Seq(10)));
    assert_eq!(before(2, 3), (vec![1], false, Seq(10)));
    assert_eq!(before(4, 2), (vec![1, 2], false, Seq(10)));
    assert_eq!(before(0, 3), (vec![], false, Seq(10)));
    let mut after = |after, limit| {
        page(log.tables().read(&Read::After { room: LOBBY, after: Seq(after), limit }))
    };
    assert_eq!(after(0, 3), (vec![1, 2, 4], true, Seq(10)));
    assert_eq!(after(5, 3), (vec![7, 8, 10], false, Seq(10)));
    assert_eq!(after(10, 3), (vec![], false, Seq(10)));
    assert_eq!(after(u64::MAX, 3), (vec![], false, Seq(10)));
}

#[test]
fn a_replay_has_everything_until_its_texts_are_too_much() {
    let mut log = ten_entries();
    let mut replay = |after, through, bytes_max| {
        let (after, through) = (Seq(after), Seq(through));
        page(log.tables().read(&Read::Replay { room: LOBBY, after, through, bytes_max }))
    };
    let whole = 7 * "ten bytes!".len() + 3 * "👍".len();
    assert_eq!(replay(0, 10, whole), ((1..=10).collect(), false, Seq(10)));
    assert_eq!(replay(4, 7, whole), (vec![5, 6, 7], false, Seq(10)));
    assert_eq!(replay(0, 10, whole - 1), ((1..=9).collect(), true, Seq(10)));
    assert_eq!(replay(0, 10, 9), (vec![], true, Seq(10)));
    assert_eq!(replay(10, 10, whole), (vec![], false, Seq(10)));
}

#[test]
fn a_replay_beyond_the_end_is_damage() {
    let mut log = ten_entries();
    let replay = Read::Replay { room: LOBBY, after: Seq(8), through: Seq(11), bytes_max: 999 };
    assert_eq!(log.tables().read(&replay), ReadOut::Failed(Failure::Corrupt));
}

#[test]
fn a_page_of_long_posts_is_cut_short() {
    let mut log = memory();
    for _ in 0..40 {
        log.seq(append(LOBBY, 1, post(&"x".repeat(16_000))));
    }
    let (lines, more, _) =
        page(log.tables().read(&Read::Before { room: LOBBY, before: Seq(41), limit: 200 }));
    assert_eq!((lines, more), ((25..=40).collect(), true));
}

#[test]
fn reactions_are_in_the_order_of_their_first_use() {
    let mut log = memory();
    log.seq(append(LOBBY, 1, post("a")));
    for (who, emoji, on) in
        [(1, "🎉", true), (2, "👍", true), (3, "🎉", true), (3, "🎉", true), (1, "🎉", false)]
    {
        let emoji = Emoji::stored(emoji);
        log.seq(append(LOBBY, who, What::React { post: Seq(1), emoji, on }));
    }
    let reactions = log.history(LOBBY).remove(0).marks.reactions;
    let told: Vec<_> = reactions
        .iter()
        .map(|reaction| (reaction.emoji.as_str(), reaction.users[0].as_str()))
        .collect();
    assert_eq!(told, [("👍", "person2"), ("🎉", "person3")]);
}

#[test]
fn a_crowd_of_reactions_does_not_fill_the_page() {
    let mut log = memory();
    log.seq(append(LOBBY, 1, post("a")));
    for who in 0..300 {
        let emoji = Emoji::stored("👍");
        log.seq(append(LOBBY, who, What::React { post: Seq(1), emoji, on: true }));
    }
    assert_eq!(log.history(LOBBY)[0].marks.reactions[0].users.len(), 256);
}

/// Three hundred posts in the lobby, to each of which somebody with a long name put as many long emoji as are shown.
fn posts_with_long_reactions() -> Log<Db> {
    let mut log = memory();
    let from = Author { id: PersonId(1), name: Name::stored(&"가".repeat(32)) };
    let by = |what| {
        Request::Write(Write::Append(Append { from: from.clone(), ..append(LOBBY, 1, what) }))
    };
    let emoji = |no: u32| {
        let last = char::from_u32(0x1F600 + no).unwrap();
        Emoji::stored(&format!("{}{last}", "😀".repeat(15)))
    };
    log.commit(&(0..300).map(|_| by(post("x"))).collect::<Vec<_>>());
    for seq in (1..=300).map(Seq) {
        let reactions = (0..32).map(|no| What::React { post: seq, emoji: emoji(no), on: true });
        let all = reactions.chain([What::Pin { post: seq, on: true }]);
        log.commit(&all.map(by).collect::<Vec<_>>());
    }
    log
}

/// Bytes of their reactions on the wire, and how many posts have some.
fn reactions_sent(records: &[Record]) -> (usize, usize) {
    let name = |name: &Name| name.as_str().len() + r#""","#.len();
    let reactions = records.iter().flat_map(|record| &record.marks.reactions);
    let bytes = reactions.map(|reaction| {
        let emoji = reaction.emoji.as_str().len() + r#"{"emoji":"","users":[]},"#.len();
        emoji + reaction.users.iter().map(name).sum::<usize>()
    });
    let bytes = bytes.sum();
    (bytes, records.iter().filter(|record| !record.marks.reactions.is_empty()).count())
}

#[test]
fn a_page_of_long_reactions_fits_an_outbox() {
    let mut log = posts_with_long_reactions();
    log.index_all();
    let room = LOBBY;
    let search = |query: &str| Read::Search {
        query: query.into(),
        rooms: [room].into(),
        skip: 0,
        limit: 50,
    };
    for (read, lines) in [
        (Read::Before { room, before: Seq(u64::MAX), limit: 200 }, 200),
        (Read::After { room, after: Seq(0), limit: 200 }, 200),
        (Read::Pins { room, before: Seq(u64::MAX), limit: 200 }, 200),
        (Read::Replay { room, after: Seq(0), through: Seq(300), bytes_max: 1 << 18 }, 300),
        (search("x"), 50),
    ] {
        let records = match log.tables().read(&read) {
            ReadOut::Page { records, .. } => records,
            ReadOut::Found { hits, .. } => hits.into_iter().map(|hit| hit.record).collect(),
            out => panic!("{out:?}"),
        };
        let (bytes, posts) = reactions_sent(&records);
        assert_eq!(records.len(), lines, "{read:?}");
        assert!((250 << 10..=256 << 10).contains(&bytes), "{read:?}: {bytes}");
        assert!(
            records.iter().take(posts).all(|record| !record.marks.reactions.is_empty()),
            "the first"
        );
    }
}

#[test]
fn a_replays_reactions_have_what_its_texts_leave() {
    let mut log = posts_with_long_reactions();
    let mut sent = |bytes_max| {
        let read = Read::Replay { room: LOBBY, after: Seq(0), through: Seq(200), bytes_max };
        match log.tables().read(&read) {
            ReadOut::Page { records, more: false, .. } => reactions_sent(&records).0,
            out => panic!("{out:?}"),
        }
    };
    let one = 64 + 24 + 96 + 3;
    assert_eq!([200, 200 + one - 1, 200 + one, 200 + 5 * one].map(&mut sent), [0, 0, one, 5 * one]);
}

#[test]
fn reactions_to_posts_between_the_pinned_do_not_count() {
    let mut log = posts_with_long_reactions();
    for seq in (2..300).map(Seq) {
        log.seq(append(LOBBY, 1, What::Pin { post: seq, on: false }));
    }
    let pins = Read::Pins { room: LOBBY, before: Seq(u64::MAX), limit: 200 };
    let ReadOut::Page { records, .. } = log.tables().read(&pins) else { panic!("a page") };
    let shown: Vec<_> = records.iter().map(|record| record.marks.reactions.len()).collect();
    assert_eq!(shown, [32, 32]);
}

/// Each column of an entry, changed behind the store's back.
#[test]
fn an_entry_that_was_changed_is_never_served() {
    for change in [
        "room = 1, seq = 3 WHERE seq = 2",
        "kind = 4 WHERE seq = 2",
        "at = 5 WHERE seq = 2",
        "author = 5 WHERE seq = 2",
        "name = 'eve' WHERE seq = 2",
        "posts = 5 WHERE seq = 2",
        "about = 1 WHERE seq = 2",
        "value = 1 WHERE seq = 2",
        "text = 'hellp' WHERE seq = 2",
        "text = NULL WHERE seq = 2",
        "people = x'00' WHERE seq = 2",
        "key = 'other' WHERE seq = 2",
        "key = NULL WHERE seq = 2",
        "digest = 5 WHERE seq = 2",
        "edited = 5 WHERE seq = 2",
        "pinned = 1 WHERE seq = 2",
        "crc = crc + 1 WHERE seq = 2",
    ] {
        let mut log = memory();
        log.seq(append(LOBBY, 1, keyed("a", "first")));
        log.seq(append(LOBBY, 1, keyed("b", "hello")));
        log.tables().tamper(&format!("UPDATE entries SET {change}"));
        for read in [
            Read::Replay { room: LOBBY, after: Seq(0), through: Seq(2), bytes_max: 999 },
            Read::Before { room: LOBBY, before: Seq(9), limit: 9 },
            Read::After { room: LOBBY, after: Seq(0), limit: 9 },
        ] {
            assert_eq!(log.tables().read(&read), ReadOut::Failed(Failure::Corrupt), "{change}");
        }
    }
}

#[test]
fn an_entry_that_is_missing_is_noticed() {
    for seq in 1..=3 {
        let mut log = memory();
        for text in ["a", "b", "c"] {
            log.seq(append(LOBBY, 1, post(text)));
        }
        log.tables().tamper(&format!("DELETE FROM entries WHERE seq = {seq}"));
        let replay = Read::Replay { room: LOBBY, after: Seq(0), through: Seq(3), bytes_max: 999 };
        assert_eq!(log.tables().read(&replay), ReadOut::Failed(Failure::Corrupt), "{seq}");
        if seq < 3 {
            let history = Read::Before { room: LOBBY, before: Seq(9), limit: 9 };
            assert_eq!(log.tables().read(&history), ReadOut::Failed(Failure::Corrupt), "{seq}");
        }
    }
}

#[test]
fn what_is_about_a_damaged_post_fails_alone() {
    let mut log = memory();
    log.seq(append(LOBBY, 1, keyed("k", "damaged")));
    log.seq(append(LOBBY, 1, post("whole")));
    log.tables().tamper("UPDATE entries SET text = 'x' WHERE seq = 1");
    let pin = |post| {
        let guard = Guard::Post(post);
        let append = Append { guard, ..append(LOBBY, 1, What::Pin { post, on: true }) };
        Request::Write(Write::Append(append))
    };
    let repeated = Request::Write(Write::Append(append(LOBBY, 1, keyed("k", "damaged"))));
    let outcomes = log.commit(&[pin(Seq(1)), pin(Seq(2)), repeated]);
    let failed = Outcome::Written(Written::Failed(Failure::Corrupt));
    assert_eq!(outcomes[0], failed);
    assert!(matches!(&outcomes[1], Outcome::Written(Written::Entry(entry)) if entry.seq == Seq(3)));
    assert_eq!(outcomes[2], failed);
}
