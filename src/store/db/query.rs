//! What somebody looks for.
//!
//! Owns what a typed query means: posts that have all its words, the last one as the beginning of one. Whatever is typed becomes
//! a list of quoted words, so that none of it is ever read as the query language of FTS5. The index knows which posts have a
//! word, and not where; so what is typed as one word and is several to the index (`e-mail`, `10:30`) is a phrase, to be looked for
//! in the texts that have all of them.

use super::fields::signed;
use super::trouble::Trouble;
use super::words::Words;
use crate::chat::RoomNo;

/// What is looked for, in the language of FTS5.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// Asks the index for posts that have all the words, in one of the rooms if they are few.
    pub(super) in_index: String,
    /// Asks the same of a text, and that those stand together that were typed together.
    pub(super) in_text: String,
    /// True if the two are not the same: the index finds more than what is looked for.
    pub(super) has_phrases: bool,
}

impl Query {
    /// What somebody typed, to be looked for in these rooms; `None` if there is nothing to look for.
    pub(super) fn of(
        typed: &str,
        rooms: &[RoomNo],
        words: &mut Words,
    ) -> Result<Option<Self>, Trouble> {
        let mut phrases = understood(typed, words)?;
        let Some((last, last_words)) = phrases.pop() else { return Ok(None) };
        let star = if is_prefix(&last) { "*" } else { "" };
        let begun = |word: &str| format!("\"{word}\"{star}");
        let phrases: Vec<_> = phrases.into_iter().map(|(_, words)| words).collect();
        let has_phrases = phrases.iter().chain([&last_words]).any(|words| words.len() > 1);

        let (last_word, before) = last_words.split_last().expect("some words");
        let each = once(phrases.iter().flatten().chain(before).map(|word| format!("\"{word}\"")));
        let mut in_index = format!("{{text}} : ({})", joined(each, begun(last_word)));
        if (1..=ROOMS_IN_INDEX_MAX).contains(&rooms.len()) {
            let rooms: Vec<_> =
                rooms.iter().map(|room| format!("\"{}\"", signed(room.0))).collect();
            in_index += &format!(" AND {{room}} : ({})", rooms.join(" OR "));
        }
        let each = once(phrases.iter().map(|words| format!("\"{}\"", words.join(" "))));
        let in_text = joined(each, begun(&last_words.join(" ")));
        Ok(Some(Self { in_index, in_text, has_phrases }))
    }
}

/// What was typed, word by word, and the words of the index that each is; without those that are none.
fn understood(typed: &str, words: &mut Words) -> Result<Vec<(String, Vec<String>)>, Trouble> {
    let typed: Vec<String> = typed
        .split(|c: char| c.is_whitespace() || c.is_control())
        .map(|word| word.replace('"', ""))
        .filter(|word| !word.is_empty())
        .take(WORDS_MAX)
        .collect();
    let is_plain = |word: &String| word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let in_index = match typed.iter().all(is_plain) {
        true => typed.iter().map(|word| vec![word.to_ascii_lowercase()]).collect(),
        false => words.of(&typed)?,
    };
    Ok(typed.into_iter().zip(in_index).filter(|(_, words)| !words.is_empty()).collect())
}

/// Each of them once: to look for one again takes as long again, and finds the same.
fn once(each: impl Iterator<Item = String>) -> Vec<String> {
    let mut different = Vec::new();
    for one in each {
        if !different.contains(&one) {
            different.push(one);
        }
    }
    different
}

fn joined(mut each: Vec<String>, last: String) -> String {
    each.push(last);
    each.join(" ")
}

/// A single letter begins too many words; but one that stands for a word or a syllable does not.
fn is_prefix(word: &str) -> bool {
    word.chars().count() > 1 || !word.is_ascii()
}

/// Words of a query that are looked for.
const WORDS_MAX: usize = 100;
/// For so many rooms the index itself leaves out the others; each costs it a lookup. For more they are left out afterwards,
/// which is cheap for who may read most of what there is.
const ROOMS_IN_INDEX_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn query(typed: &str) -> Option<(String, String, bool)> {
        let query = Query::of(typed, &[RoomNo(1), RoomNo(2)], &mut Words::default()).unwrap()?;
        let in_index = query.in_index.strip_suffix(r#" AND {room} : ("1" OR "2")"#).unwrap();
        let in_index = in_index.strip_prefix("{text} : (").unwrap().strip_suffix(')').unwrap();
        Some((in_index.to_owned(), query.in_text, query.has_phrases))
    }

    #[test]
    fn words_are_asked_for_once_and_phrases_of_the_text_alone() {
        for (typed, in_index, in_text, has_phrases) in [
            ("quick fox", r#""quick" "fox"*"#, r#""quick" "fox"*"#, false),
            ("Fox fox FOX f", r#""fox" "f""#, r#""fox" "f""#, false),
            ("e-mail 10:30", r#""e" "mail" "10" "30"*"#, r#""e mail" "10 30"*"#, true),
            ("b-b-b-b b-b b", r#""b" "b""#, r#""b b b b" "b b" "b""#, true),
            ("b-b-b", r#""b" "b"*"#, r#""b b b"*"#, true),
            ("CAFÉ !!!", r#""cafe"*"#, r#""cafe"*"#, false),
        ] {
            assert_eq!(
                query(typed),
                Some((in_index.into(), in_text.into(), has_phrases)),
                "{typed}"
            );
        }
        for nothing in ["", " \t\0", "\"\"", "!!! 👍"] {
            assert_eq!(query(nothing), None, "{nothing}");
        }
    }
}
