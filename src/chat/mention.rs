//! Who is mentioned in a text.
//!
//! A mention is `@` at the beginning of a word, and after it the longest run of characters that names are made of. A dot or
//! hyphen at the end of the run may be the sentence's: it is dropped where the longer run is nobody's name.

use super::limits::MENTIONS_MAX;
use super::name::{NAME_CHARS_MAX, is_name_char};

/// The runs after each `@`, of the first [`MENTIONS_MAX`] of them: each is looked up, and a post may hold thousands.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let begins_word = |at: &usize| !text[..*at].ends_with(is_word_char);
    let places = text.match_indices('@').map(|(at, _)| at).filter(begins_word);
    let runs = places.map(|at| run(&text[at + 1..])).filter(|run| !run.is_empty());
    runs.take(MENTIONS_MAX)
}

/// What a run may mean: itself, and what is left when the sentence's marks at its end are dropped one by one.
pub(super) fn readings(run: &str) -> impl Iterator<Item = &str> {
    let is_name = |run: &&str| {
        let may_fit = (1..=NAME_CHARS_MAX * 4).contains(&run.len());
        may_fit && run.chars().count() <= NAME_CHARS_MAX
    };
    std::iter::successors(Some(run), |run| run.strip_suffix(['.', '-'])).filter(is_name)
}

fn run(text: &str) -> &str {
    let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
    &text[..end]
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '@'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_begins_a_word() {
        let found = |text| words(text).collect::<Vec<_>>();
        assert_eq!(found("@ana and (@bo), not c@d nor x_@y @@z"), ["ana", "bo"]);
        assert_eq!(found("hi @жук! @a.b-c. @ @"), ["жук", "a.b-c."]);
        assert_eq!(words(&"@ana ".repeat(1_000)).count(), MENTIONS_MAX);
    }

    #[test]
    fn marks_at_the_end_may_be_the_sentences() {
        assert_eq!(readings("ana.-.").collect::<Vec<_>>(), ["ana.-.", "ana.-", "ana.", "ana"]);
        assert_eq!(readings(&format!("ana{}", ".".repeat(500))).last(), Some("ana"));
        assert_eq!(readings(&"a".repeat(33)).count(), 0);
        assert_eq!(readings("--").last(), Some("-"));
    }
}
