//! Where a browser goes after it signed in.

/// A path of our own, maybe with a query: nothing that a browser could take for another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo(String);

/// The most characters. It has to fit into a cookie with the rest.
const LONGEST: usize = 1000;

impl ReturnTo {
    /// The path, if the text is one: visible ASCII from a single slash on. Browsers read a backslash as a slash, two of which name a host, and
    /// skip line breaks and tabs.
    pub fn parse(text: &str) -> Option<Self> {
        let is_own = text.starts_with('/') && !text.starts_with("//");
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        (is_own && is_plain && text.len() <= LONGEST).then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReturnTo {
    /// The first page.
    fn default() -> Self {
        Self("/".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn only_paths_of_our_own_are_gone_back_to() {
        let here = Url::parse("https://heddle.example.com/api/v1/auth").unwrap();
        for good in [
            "/",
            "/workflows/7?tab=runs#last",
            "/a//b",
            "/.//evil.example",
            "/@evil.example",
            "/%2F%2Fevil.example",
        ] {
            let path = ReturnTo::parse(good).unwrap();
            assert_eq!(here.join(path.as_str()).unwrap().origin(), here.origin(), "{good}");
        }
        let long = format!("/{}", "x".repeat(LONGEST));
        for bad in [
            "",
            "x",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a\\b",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            " //evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nset-cookie: x",
            "/\0",
            "/ä",
            "/a b",
            &long,
        ] {
            assert_eq!(ReturnTo::parse(bad), None, "{bad:?}");
        }
    }
}
