//! Words found in a text, whatever their case, and the part of the text to show for it.

use std::sync::Arc;

use crate::chat::event::Hit;

/// What is searched for: parts of words, in small letters.
#[derive(Debug)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// The first [`WORDS_MAX`] different words of a query.
    pub(super) fn of(query: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        for word in query.split_whitespace().map(str::to_lowercase) {
            if words.len() < WORDS_MAX && !words.contains(&word) {
                words.push(word);
            }
        }
        Self(words)
    }

    /// True if a text has all the words.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let small = text.to_lowercase();
        !self.0.is_empty() && self.0.iter().all(|word| small.contains(word.as_str()))
    }

    /// The part of a text around the first word that is found, each word between [`Hit::OPENS`] and [`Hit::CLOSES`].
    pub(super) fn snippet(&self, text: &str) -> Arc<str> {
        let chars: Vec<char> =
            text.chars().filter(|c| !matches!(*c, Hit::OPENS | Hit::CLOSES)).collect();
        let begin = self.first_in(&chars).saturating_sub(CHARS_BEFORE);
        let end = chars.len().min(begin + SNIPPET_CHARS);
        let shown = &chars[begin..end];
        let matched = self.matched(shown);
        let mut snippet = String::with_capacity(shown.len() + 2);
        let mut within = false;
        for (c, is_matched) in shown.iter().zip(matched) {
            if is_matched != within {
                snippet.push(if is_matched { Hit::OPENS } else { Hit::CLOSES });
                within = is_matched;
            }
            snippet.push(*c);
        }
        snippet.extend(within.then_some(Hit::CLOSES));
        snippet.into()
    }

    /// The place of the first character that belongs to a word.
    fn first_in(&self, chars: &[char]) -> usize {
        let (text, places): (String, Vec<usize>) = small(chars).unzip();
        let first = self.0.iter().filter_map(|word| text.find(word.as_str())).min();
        first.map_or(0, |first| places[text[..first].chars().count()])
    }

    /// Which characters belong to a word.
    fn matched(&self, chars: &[char]) -> Vec<bool> {
        let small: Vec<(char, usize)> = small(chars).collect();
        let mut matched = vec![false; chars.len()];
        for word in &self.0 {
            for window in small.windows(word.chars().count()) {
                if window.iter().map(|(c, _)| *c).eq(word.chars()) {
                    window.iter().for_each(|(_, at)| matched[*at] = true);
                }
            }
        }
        matched
    }
}

/// Characters in small letters, each with the place that it comes from: a capital may have two.
fn small(chars: &[char]) -> impl Iterator<Item = (char, usize)> {
    let places = chars.iter().enumerate();
    places.flat_map(|(at, c)| c.to_lowercase().map(move |small| (small, at)))
}

/// Words that are looked for; a search is done while everybody waits.
const WORDS_MAX: usize = 8;
/// Characters of a snippet.
const SNIPPET_CHARS: usize = 120;
/// How many of them stand before the first match, if there are so many.
const CHARS_BEFORE: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn snippet(query: &str, text: &str) -> Option<String> {
        let words = Words::of(query);
        words
            .are_in(text)
            .then(|| words.snippet(text).replace(Hit::OPENS, "[").replace(Hit::CLOSES, "]"))
    }

    #[test]
    fn all_words_are_found_in_any_case_and_marked() {
        assert_eq!(snippet("TEA biscuit", "Tea and biscuits"), Some("[Tea] and [biscuit]s".into()));
        assert_eq!(snippet("tea coffee", "Tea and biscuits"), None);
        assert_eq!(snippet("ЖУК", "один жук"), Some("один [жук]".into()));
        assert_eq!(snippet("an na", "banana"), Some("b[anana]".into()));
        assert_eq!((snippet("", "x"), snippet(" ", "x")), (None, None));
        assert_eq!(snippet("x", "\u{E000}x\u{E001}"), Some("[x]".into()), "no mark but ours");
    }

    #[test]
    fn a_long_text_is_shown_around_the_first_match() {
        let text = format!("{}needle{}", "a ".repeat(500), " b".repeat(500));
        let shown = snippet("needle", &text).unwrap();
        assert!(shown.contains("[needle]") && shown.chars().count() == SNIPPET_CHARS + 2);
    }
}
