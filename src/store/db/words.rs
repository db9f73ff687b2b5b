//! What a text and its words are to the index for searches.
//!
//! Owns how a text falls into words, and where in one something is found. Which characters make a word, and which of them are
//! the same, is the tokenizer's to say, by the Unicode that SQLite was built with: it is asked, and not imitated. Knows nothing of
//! who looks for what, and nothing of the log.
//!
//! Invariant: a word that this tells is to the tokenizer a single word, and the same one.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, params};

use super::schema::TOKENIZER;
use super::trouble::Trouble;
use crate::chat::event::Hit;

/// An index of its own for the few texts that are looked at. Nothing stays in it.
#[derive(Default)]
pub(super) struct Words {
    /// Opened when it is first needed.
    scratch: Option<Connection>,
}

impl Words {
    /// The words of each text, in their order, as they are compared.
    pub(super) fn of<T: AsRef<str>>(&mut self, texts: &[T]) -> Result<Vec<Vec<String>>, Trouble> {
        // Never committed, nor is the other.
        let transaction = self.scratch()?.transaction()?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO texts (rowid, text) VALUES (?1, ?2)")?;
        for (no, text) in (0_u32..).zip(texts) {
            insert.execute(params![no, text.as_ref()])?;
        }
        let mut select = transaction.prepare_cached("SELECT doc, offset, term FROM words")?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut found = rows.collect::<Result<Vec<(u32, u32, String)>, _>>()?;
        found.sort_unstable();
        let mut words = vec![Vec::new(); texts.len()];
        for (no, _, word) in found {
            words[no as usize].push(word);
        }
        Ok(words)
    }

    /// A text in which an expression of FTS5 is found, and all that is found between [`Hit::OPENS`] and [`Hit::CLOSES`], which are spaces
    /// where they stood before. Takes as long as the text is, however much is found.
    pub(super) fn marked(
        &mut self,
        text: &str,
        expression: &str,
    ) -> Result<Option<String>, Trouble> {
        let text = text.replace([Hit::OPENS, Hit::CLOSES], " ");
        let transaction = self.scratch()?.transaction()?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO texts (rowid, text) VALUES (0, ?1)")?;
        insert.execute([text])?;
        let mut select = transaction.prepare_cached(
            "SELECT highlight(texts, 0, char(0xE000), char(0xE001)) FROM texts WHERE texts MATCH ?1",
        )?;
        Ok(select.query_one([expression], |row| row.get(0)).optional()?)
    }

    fn scratch(&mut self) -> rusqlite::Result<&mut Connection> {
        match &mut self.scratch {
            Some(scratch) => Ok(scratch),
            none => Ok(none.insert(open()?)),
        }
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words")
    }
}

fn open() -> rusqlite::Result<Connection> {
    let scratch = Connection::open_in_memory()?;
    scratch.execute_batch(&format!(
        "CREATE VIRTUAL TABLE texts USING fts5 (text, columnsize = 0, {TOKENIZER});
         CREATE VIRTUAL TABLE words USING fts5vocab (texts, instance);"
    ))?;
    Ok(scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_in_order_and_as_they_are_compared() {
        let mut words = Words::default();
        for _ in 0..2 {
            let texts = ["Don't, Größe-Café 10:30", "", "👍 Ⓐ", "हिन्दी b a b", "a\u{E000}b"];
            assert_eq!(
                words.of(&texts).unwrap(),
                [
                    vec!["don", "t", "große", "cafe", "10", "30"],
                    vec![],
                    vec![],
                    vec!["ह", "न", "द", "b", "a", "b"],
                    vec!["a", "b"],
                ]
            );
        }
    }

    /// What is told of a word is that word.
    #[test]
    fn no_character_is_another_word_the_second_time() {
        let mut words = Words::default();
        let all: Vec<String> = ('\u{1}'..='\u{1FFFF}').map(|c| format!("a{c}b")).collect();
        for texts in all.chunks(50_000) {
            let once: Vec<String> = words.of(texts).unwrap().concat();
            let twice = words.of(&once).unwrap();
            assert!(twice.iter().all(|words| words.len() == 1), "a word falls into words");
            assert_eq!(twice.concat(), once);
        }
    }
}
