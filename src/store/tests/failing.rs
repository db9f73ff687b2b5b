//! A disk without room, in memory: the same rules as on a real one, at every page that could be the last.

use super::*;
use crate::chat::log::Failure;
use crate::store::AFTER_MS;

const UNAVAILABLE: Written = Written::Failed(Failure::Unavailable { after_ms: AFTER_MS });

#[test]
fn a_full_disk_refuses_a_batch_whole_and_recovers() {
    for pages in 60..80 {
        let mut log = memory();
        log.tables().tamper(&format!("PRAGMA max_page_count = {pages}"));
        let (mut seq, mut batch) = (0, 0);
        let refused = loop {
            batch += 1;
            let requests: Vec<_> = (0..40)
                .map(|no| append(LOBBY, 1, keyed(&format!("{batch}-{no}"), &"long ".repeat(30))))
                .map(|append| Request::Write(Write::Append(append)))
                .collect();
            let outcomes = log.commit(&requests);
            if outcomes[0] == Outcome::Written(UNAVAILABLE) {
                assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
                break requests;
            }
            for outcome in outcomes {
                seq += 1;
                let is_next = |entry: &crate::chat::Entry| entry.seq == Seq(seq);
                assert!(matches!(&outcome, Outcome::Written(Written::Entry(e)) if is_next(e)));
            }
        };
        let history = log.history(LOBBY);
        assert_eq!(history.last().map(|record| record.entry.seq), Some(Seq(seq)), "reads go on");
        log.tables().tamper("PRAGMA max_page_count = 100000");
        let outcomes = log.commit(&refused);
        let first = Seq(seq + 1);
        assert!(
            matches!(&outcomes[0], Outcome::Written(Written::Entry(entry)) if entry.seq == first)
        );
        log.index_all();
        log.tables().check_index();
    }
}

#[test]
fn an_index_that_cannot_grow_is_continued_later() {
    let mut log = memory();
    for no in 0..500 {
        log.seq(append(
            LOBBY,
            1,
            post(&format!("unlike{no} words{no} make{no} long{no} indexes{no}")),
        ));
    }
    let pages: i64 = log.tables().ask("SELECT page_count FROM pragma_page_count");
    log.tables().tamper(&format!("PRAGMA max_page_count = {}", pages + 2));
    assert_eq!(log.tables().index(10_000), Err(crate::store::tables::Fault::Unavailable));
    assert_eq!(log.tables().indexed(), 0);
    log.tables().tamper("PRAGMA max_page_count = 100000");
    log.index_all();
    log.tables().check_index();
    log.seq(append(LOBBY, 1, post("short")));
    const FULL: i64 = 2;
    assert_eq!(log.tables().ask("PRAGMA synchronous"), FULL, "posts are on the disk again");
}
