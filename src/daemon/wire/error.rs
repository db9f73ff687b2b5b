//! Why something is not done.

use super::json::Object;
use crate::chat::Refusal;

/// What the chat refuses.
pub(super) fn refusal_fields(refusal: Refusal, o: &mut Object<'_>) {
    let (code, message) = refusal.code_and_message();
    error_fields(code, message, refusal.after_ms(), o);
}

/// A word for programs, a sentence for people, and when to try again, if that may help.
pub(super) fn error_fields(
    code: &'static str,
    message: &str,
    after_ms: Option<u64>,
    o: &mut Object<'_>,
) {
    o.word("code", code);
    o.text("message", message);
    o.flag("retry", after_ms.is_some());
    if let Some(after_ms) = after_ms {
        o.whole("after_ms", after_ms);
    }
}
