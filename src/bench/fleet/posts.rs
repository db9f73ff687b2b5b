//! What became of each post that this worker's members have sent: acknowledged, heard by its author, or refused.
//!
//! A server of this protocol says the same thing twice, once to the author alone and once to the room: that a post is in
//! the log, and where. Both have to come, and they have to agree. A post is remembered until they have.

use std::collections::VecDeque;

/// The posts of some authors, by their places.
#[derive(Debug)]
pub(super) struct Posts(Vec<Author>);

#[derive(Clone, Debug, Default)]
struct Author {
    /// The number of the first that is remembered; the others follow without a gap.
    first: u32,
    open: VecDeque<Post>,
}

#[derive(Clone, Copy, Debug)]
struct Post {
    due_ns: u64,
    answer: Answer,
    /// The place in the log of which the room was told.
    heard_seq: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Awaited,
    Stored(u64),
    Refused,
}

/// Why a server is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contradiction {
    /// An answer to what was never asked, or was answered before.
    Unasked,
    /// Author and room are told different places; or the room is told of a post that was refused.
    OtherPlace,
}

impl Posts {
    pub(super) fn new(authors: usize) -> Self {
        Self(vec![Author::default(); authors])
    }

    /// The author at this place has sent its next post.
    pub(super) fn sent(&mut self, place: usize, due_ns: u64) {
        self.0[place].open.push_back(Post { due_ns, answer: Answer::Awaited, heard_seq: None });
    }

    /// Answers with when the post was due.
    pub(super) fn acknowledged(
        &mut self,
        place: usize,
        sequence: u32,
        seq: u64,
    ) -> Result<u64, Contradiction> {
        self.0[place].answered(sequence, Answer::Stored(seq))
    }

    pub(super) fn refused(&mut self, place: usize, sequence: u32) -> Result<(), Contradiction> {
        self.0[place].answered(sequence, Answer::Refused).map(drop)
    }

    /// The author itself has heard its post, for the first time.
    pub(super) fn heard(
        &mut self,
        place: usize,
        sequence: u32,
        seq: u64,
    ) -> Result<(), Contradiction> {
        let author = &mut self.0[place];
        let post = author.find(sequence).ok_or(Contradiction::OtherPlace)?;
        post.heard_seq = Some(seq);
        let verdict = post.verdict();
        author.forget();
        verdict
    }

    /// How many have had no answer.
    pub(super) fn unanswered(&self) -> u64 {
        let open = self.0.iter().flat_map(|author| &author.open);
        open.filter(|post| post.answer == Answer::Awaited).count() as u64
    }
}

impl Author {
    fn answered(&mut self, sequence: u32, answer: Answer) -> Result<u64, Contradiction> {
        let post = self.find(sequence).ok_or(Contradiction::Unasked)?;
        if post.answer != Answer::Awaited {
            return Err(Contradiction::Unasked);
        }
        post.answer = answer;
        let (due_ns, verdict) = (post.due_ns, post.verdict());
        self.forget();
        verdict.map(|()| due_ns)
    }

    fn find(&mut self, sequence: u32) -> Option<&mut Post> {
        self.open.get_mut(sequence.checked_sub(self.first)? as usize)
    }

    /// Forgets the oldest, as far as all is said about them.
    fn forget(&mut self) {
        while self.open.front().is_some_and(Post::is_settled) {
            self.open.pop_front();
            self.first += 1;
        }
    }
}

impl Post {
    fn is_settled(&self) -> bool {
        match self.answer {
            Answer::Awaited => false,
            Answer::Stored(_) => self.heard_seq.is_some(),
            Answer::Refused => true,
        }
    }

    fn verdict(&self) -> Result<(), Contradiction> {
        match (self.answer, self.heard_seq) {
            (Answer::Stored(told), Some(heard)) if told != heard => Err(Contradiction::OtherPlace),
            (Answer::Refused, Some(_)) => Err(Contradiction::OtherPlace),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posts(sent: u64) -> Posts {
        let mut posts = Posts::new(2);
        (0..sent).for_each(|due_ns| posts.sent(1, due_ns));
        posts
    }

    #[test]
    fn answers_and_entries_come_in_any_order() {
        let mut posts = posts(3);
        assert_eq!(posts.acknowledged(1, 1, 11), Ok(1));
        assert_eq!(posts.heard(1, 0, 10), Ok(()));
        assert_eq!(posts.heard(1, 1, 11), Ok(()));
        assert_eq!(posts.unanswered(), 2);
        assert_eq!(posts.acknowledged(1, 0, 10), Ok(0));
        assert_eq!(posts.acknowledged(1, 2, 12), Ok(2));
        assert_eq!(posts.unanswered(), 0);
        assert_eq!(posts.0[1].open.len(), 1, "the last is not heard yet");
        assert_eq!(posts.heard(1, 2, 12), Ok(()));
        assert_eq!(posts.0[1].open.len(), 0, "what is settled is forgotten");
    }

    #[test]
    fn what_does_not_agree_is_found() {
        let unasked = Err(Contradiction::Unasked);
        assert_eq!(posts(1).acknowledged(1, 1, 10), unasked, "never sent");
        assert_eq!(posts(1).acknowledged(0, 0, 10), unasked, "not by this author");
        let mut twice = posts(1);
        assert_eq!(twice.acknowledged(1, 0, 10), Ok(0));
        assert_eq!(twice.acknowledged(1, 0, 10), unasked, "answered before");
        assert_eq!(twice.heard(1, 0, 11), Err(Contradiction::OtherPlace));
        let mut later = posts(1);
        assert_eq!(later.heard(1, 0, 11), Ok(()));
        assert_eq!(later.acknowledged(1, 0, 10), Err(Contradiction::OtherPlace));
        let mut refused = posts(1);
        assert_eq!(refused.refused(1, 0), Ok(()));
        assert_eq!(refused.heard(1, 0, 10), Err(Contradiction::OtherPlace), "heard all the same");
    }
}
