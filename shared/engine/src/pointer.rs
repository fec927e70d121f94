//! JSON Pointers (RFC 6901).

use std::fmt::Display;

/// `base` with one more segment, escaped.
pub(crate) fn join(base: &str, segment: impl Display) -> String {
    format!("{base}/{}", segment.to_string().replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn segments_are_escaped() {
        assert_eq!(join(&join("/a", 3), "x/y~z"), "/a/3/x~1y~0z");
    }
}
