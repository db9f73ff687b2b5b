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

/// What is looked for.
#[derive(Debug)]
pub(super) struct Query {
    expression: Option<String>,
    phrases: Vec<Phrase>,
}

/// Words that stand together.
#[derive(Debug)]
struct Phrase {
    words: Vec<String>,
    /// The last one may go on.
    is_begun: bool,
}

impl Query {
    /// What somebody typed, to be looked for in these rooms.
    pub(super) fn of(typed: &str, rooms: &[RoomNo], words: &mut Words) -> Result<Self, Trouble> {
        let mut typed = understood(typed, words)?;
        let Some((last, last_words)) = typed.pop() else {
            return Ok(Self { expression: None, phrases: Vec::new() });
        };
        let star = if is_prefix(&last) { "*" } else { "" };
        let mut expression = String::from("{text} : (");
        for word in typed.iter().flat_map(|(_, words)| words).chain(&last_words) {
            expression += &format!("\"{word}\" ");
        }
        expression.truncate(expression.trim_end().len());
        expression += star;
        expression.push(')');
        if (1..=ROOMS_IN_INDEX_MAX).contains(&rooms.len()) {
            let rooms: Vec<_> =
                rooms.iter().map(|room| format!("\"{}\"", signed(room.0))).collect();
            expression += &format!(" AND {{room}} : ({})", rooms.join(" OR "));
        }
        let whole = typed.into_iter().map(|(_, words)| Phrase { words, is_begun: false });
        let last = Phrase { words: last_words, is_begun: !star.is_empty() };
        let phrases = whole.chain([last]).filter(|phrase| phrase.words.len() > 1).collect();
        Ok(Self { expression: Some(expression), phrases })
    }

    /// What the index is asked for; `None` if there is nothing to look for.
    pub(super) fn expression(&self) -> Option<&str> {
        self.expression.as_deref()
    }

    /// True if the index finds more than what is looked for.
    pub(super) fn has_phrases(&self) -> bool {
        !self.phrases.is_empty()
    }

    /// True if in a text that has all the words those stand together that have to.
    pub(super) fn has_its_phrases_in(
        &self,
        text: &str,
        words: &mut Words,
    ) -> Result<bool, Trouble> {
        if self.phrases.is_empty() {
            return Ok(true);
        }
        let words = words.of(&[text])?.concat();
        Ok(self.phrases.iter().all(|phrase| phrase.is_in(&words)))
    }
}

impl Phrase {
    fn is_in(&self, text: &[String]) -> bool {
        let (last, whole) = self.words.split_last().expect("some words");
        text.windows(self.words.len()).any(|words| {
            let (end, begin) = words.split_last().expect("as many words");
            begin == whole && if self.is_begun { end.starts_with(last) } else { end == last }
        })
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
        true => typed.iter().map(|word| vec![word.clone()]).collect(),
        false => words.of(&typed)?,
    };
    Ok(typed.into_iter().zip(in_index).filter(|(_, words)| !words.is_empty()).collect())
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
