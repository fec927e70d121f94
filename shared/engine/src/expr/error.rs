//! Why an expression was refused or failed.

/// Why an expression or template was refused, or failed.
///
/// `code` is JSONata's own where it has one (`S0201`, `T2001`, `D1009`, …). Ours are words: `too_long`, `too_deep`,
/// `timeout`, `too_large`, `panicked`, `unsupported`, `template` (braces that don't match) and `failed` (a failure that
/// JSONata gives no code).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ExprError {
    /// What a program reads.
    pub code: String,
    /// What a person reads.
    pub message: String,
    /// Where, in characters from the start of the text that was given; None where the place is not known.
    pub offset: Option<usize>,
}

impl ExprError {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), offset: None }
    }

    /// With the place as a byte offset into `text`.
    pub(super) fn at_byte(mut self, text: &str, byte: usize) -> Self {
        self.offset = Some(text.get(..byte).unwrap_or(text).chars().count());
        self
    }

    /// Moves the place when the expression is a part of a longer text; without a place it becomes the part's start.
    pub(super) fn shifted(mut self, by: usize) -> Self {
        self.offset = Some(self.offset.unwrap_or(0) + by);
        self
    }

    /// Reads messages such as `T2001: The left side …`, wherever in the text the code stands.
    pub(super) fn from_coded(text: &str, otherwise: &str) -> Self {
        let is_code = |word: &str| {
            word.len() == 5
                && word.starts_with(['S', 'T', 'D', 'U'])
                && word[1..].bytes().all(|b| b.is_ascii_digit())
        };
        let found = text.match_indices(": ").find_map(|(colon, _)| {
            let word = text.get(colon.checked_sub(5)?..colon)?;
            is_code(word).then(|| (word, &text[colon + 2..]))
        });
        match found {
            Some((code, message)) => Self::new(Self::own_word(code).unwrap_or(code), message),
            None => Self::new(otherwise, text),
        }
    }

    /// Bounds that the engines name by codes of their own.
    fn own_word(code: &str) -> Option<&'static str> {
        Some(match code {
            "D1011" | "U1001" | "U1002" => "too_deep",
            "D1012" => "timeout",
            "D2015" => "too_large",
            _ => return None,
        })
    }
}
