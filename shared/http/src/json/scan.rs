//! What is checked on the bytes of a body before anything is built from them.

use super::MAX_DEPTH;
use crate::{ApiError, Code};

/// Refuses what is not UTF-8, nests deeper than [`MAX_DEPTH`], or holds the character NUL, which no text column stores.
/// Runs in one pass without recursion. Whether the rest is JSON is left to the parser.
pub(super) fn check(body: &[u8]) -> Result<(), ApiError> {
    if let Err(error) = std::str::from_utf8(body) {
        let at = error.valid_up_to();
        return Err(ApiError::new(Code::InvalidUtf8, format!("Byte {at} does not begin a UTF-8 character.")));
    }
    let mut depth = 0_usize;
    let mut bytes = body.iter().enumerate();
    let mut in_string = false;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if in_string => {
                if body[at..].starts_with(br"\u0000") {
                    return Err(ApiError::new(
                        Code::InvalidJson,
                        format!("Byte {at}: the character NUL is not taken."),
                    ));
                }
                bytes.next();
            }
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    let detail = format!("Byte {at}: more than {MAX_DEPTH} levels of arrays and objects.");
                    return Err(ApiError::new(Code::JsonTooDeep, detail));
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: impl AsRef<[u8]>) -> Option<Code> {
        check(body.as_ref()).err().map(|error| error.code())
    }

    #[test]
    fn depth_counts_open_brackets_outside_strings() {
        assert_eq!(code("[".repeat(64) + &"]".repeat(64)), None);
        assert_eq!(code("[".repeat(65)), Some(Code::JsonTooDeep));
        assert_eq!(code("[{}]".repeat(1000)), None);
        assert_eq!(code(format!(r#""{}""#, "[".repeat(1000))), None);
        assert_eq!(code(format!(r#""\"{}""#, "[".repeat(1000))), None);
        assert_eq!(code(format!(r#"["\\",{}"#, "[".repeat(64))), Some(Code::JsonTooDeep));
    }

    #[test]
    fn bytes_that_are_not_text_are_refused() {
        assert_eq!(code(b"\"\xff\""), Some(Code::InvalidUtf8));
        assert_eq!(code(br#""\u0000""#), Some(Code::InvalidJson));
        assert_eq!(code(br#""\\u0000""#), None);
    }
}
