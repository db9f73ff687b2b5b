//! The part of a post that a search shows.

use std::sync::Arc;

use crate::chat::event::Hit;

/// The part of a marked text around what was found first, which begins and ends between words where it can.
pub(super) fn snippet(marked: &str) -> Arc<str> {
    let found = marked.find(Hit::OPENS).unwrap_or(0);
    let (before, after) = marked.split_at(found);
    let (begin, end) = (begin_in(before), found + end_in(after));
    let mut part = String::new();
    if begin > 0 {
        part.push('…');
    }
    part += marked[begin..end].trim_end_matches(Hit::OPENS);
    if part.matches(Hit::OPENS).count() > part.matches(Hit::CLOSES).count() {
        part.push(Hit::CLOSES);
    }
    if end < marked.len() {
        part.push('…');
    }
    part.into()
}

fn begin_in(before: &str) -> usize {
    let Some((beyond, _)) = before.char_indices().rev().nth(CHARS_BEFORE) else { return 0 };
    let mut chars = before[beyond..].char_indices();
    let space = chars.clone().find(|(_, c)| c.is_whitespace()).or_else(|| chars.next());
    space.map_or(beyond, |(at, c)| beyond + at + c.len_utf8())
}

fn end_in(after: &str) -> usize {
    let Some((end, _)) = after.char_indices().nth(CHARS_AFTER) else { return after.len() };
    let first = after.find(Hit::CLOSES).unwrap_or(end);
    after[..end].rfind(char::is_whitespace).filter(|space| *space > first).unwrap_or(end)
}

/// Characters before what was found first, and from there on.
const CHARS_BEFORE: usize = 30;
const CHARS_AFTER: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(marked: &str) -> String {
        snippet(&marked.replace('[', "\u{E000}").replace(']', "\u{E001}"))
            .replace(Hit::OPENS, "[")
            .replace(Hit::CLOSES, "]")
    }

    #[test]
    fn a_short_text_is_shown_as_it_is() {
        for text in ["", "[hit]", "a [hit] and [another]", "nothing is marked"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_words_and_outside_of_marks() {
        let [hay, x] = ["hay ".repeat(100), "x".repeat(4_000)];
        assert_eq!(
            shown(&format!("{hay}[hit] {hay}")),
            format!("…{}[hit]{}…", "hay ".repeat(7), " hay".repeat(28))
        );
        assert_eq!(
            shown(&format!("{x}[hit]{x}")),
            format!("…{}[hit]{}…", "x".repeat(30), "x".repeat(115))
        );
        assert_eq!(shown(&format!("[{x}] {x}")), format!("[{}]…", "x".repeat(119)));
        assert_eq!(shown(&format!("{} [é] {x}", "é".repeat(40))), "…[é]…");
        let all = shown(&"[a] ".repeat(1_000));
        assert_eq!(all, format!("{}…", ["[a]"; 30].join(" ")));
    }

    /// Wherever a text is cut, marks are in pairs.
    #[test]
    fn each_mark_has_its_end() {
        for before in 0..40 {
            for length in 1..130 {
                let text = format!("{}[{}]b[c][d]", "é ".repeat(before), "x".repeat(length));
                let shown = shown(&text);
                let depth = shown.chars().try_fold(0, |depth, c| match c {
                    '[' if depth == 0 => Some(1),
                    ']' if depth == 1 => Some(0),
                    '[' | ']' => None,
                    _ => Some(depth),
                });
                assert_eq!(depth, Some(0), "{shown}");
            }
        }
    }
}
