//! Reads JSONata as tokens, as far as braces, brackets and literals go: enough to find the end of `{{ }}`, to turn `[*]`
//! into `[]` and to count nesting before a parser recurses.

use super::{ExprError, limits};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A literal, name, variable or regex, or an operator that stands for a value (`*`, `**`, `%` where a value is due).
    Value,
    Open,
    Close,
    Operator,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    /// Byte offset of its first character.
    pub(super) start: usize,
    pub(super) text: &'a str,
    pub(super) kind: Kind,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

const DELIMITERS: &str = ".[]{}()@#;:?+-*/%|=<>^&!~,\"'`";
const TWO: [&str; 9] = ["..", ":=", "!=", ">=", "<=", "~>", "**", "??", "?:"];

pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    last: Option<Token<'a>>,
}

impl<'a> Scanner<'a> {
    /// Scans `text` from a byte offset on.
    pub(super) fn new(text: &'a str, from: usize) -> Self {
        Self { text, at: from, last: None }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next token; None at the end. Fails where a literal or comment is not closed.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, ExprError> {
        self.skip_space()?;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let value_before = self.last.is_some_and(|t| matches!(t.kind, Kind::Value | Kind::Close));
        let (len, kind) = match first {
            '"' | '\'' => (self.quoted(first, "S0101", "string literal")?, Kind::Value),
            '`' => (self.quoted(first, "S0105", "quoted name")?, Kind::Value),
            '/' if self.regex_may_follow() => (self.quoted('/', "S0302", "regular expression")?, Kind::Value),
            '(' | '[' | '{' => (1, Kind::Open),
            ')' | ']' | '}' => (1, Kind::Close),
            _ if !DELIMITERS.contains(first) => (word_length(rest), Kind::Value),
            _ => {
                let len = TWO.iter().find(|two| rest.starts_with(**two)).map_or(1, |two| two.len());
                let stands_for_value = matches!(first, '*' | '%') && !value_before;
                (len, if stands_for_value { Kind::Value } else { Kind::Operator })
            }
        };
        let text = &rest[..len];
        let kind = if matches!(text, "and" | "or" | "in") && value_before { Kind::Operator } else { kind };
        let token = Token { start: self.at, text, kind };
        self.at += len;
        self.last = Some(token);
        Ok(Some(token))
    }

    fn skip_space(&mut self) -> Result<(), ExprError> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("/*") {
                return Ok(());
            }
            let Some(end) = trimmed.find("*/") else {
                return Err(ExprError::new("S0106", "the comment is not closed").at_byte(self.text, self.at));
            };
            self.at += end + 2;
        }
    }

    /// Length of a literal up to its closing mark, a backslash taking the next character along (but not in a name).
    fn quoted(&self, mark: char, code: &str, what: &str) -> Result<usize, ExprError> {
        let mut escaped = true; // the opening mark itself
        for (at, c) in self.rest().char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if mark != '`' => escaped = true,
                c if c == mark => return Ok(at + c.len_utf8()),
                _ => {}
            }
        }
        Err(ExprError::new(code, format!("the {what} is not closed")).at_byte(self.text, self.at))
    }

    /// Where a slash opens a regex; elsewhere it divides.
    fn regex_may_follow(&self) -> bool {
        let Some(last) = self.last else { return true };
        match last.kind {
            Kind::Open => true,
            Kind::Operator => {
                !matches!(last.text, "." | "*" | "%" | "/" | "^" | "|" | "#" | "@" | "!" | "~" | ".." | "**")
            }
            Kind::Value | Kind::Close => false,
        }
    }
}

fn word_length(rest: &str) -> usize {
    rest.find(|c: char| c.is_whitespace() || DELIMITERS.contains(c)).unwrap_or(rest.len())
}

/// All tokens of an expression.
pub(super) fn tokens(source: &str) -> Result<Vec<Token<'_>>, ExprError> {
    let mut scanner = Scanner::new(source, 0);
    let mut tokens = Vec::new();
    while let Some(token) = scanner.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// Refuses what is too long or nests too deep for any parser.
pub(super) fn check_size(source: &str) -> Result<(), ExprError> {
    if source.len() > limits::SOURCE_BYTES {
        let message =
            format!("an expression has at most {} bytes, this has {}", limits::SOURCE_BYTES, source.len());
        return Err(ExprError::new("too_long", message));
    }
    let mut scanner = Scanner::new(source, 0);
    let mut depth = 0_usize;
    // An unclosed literal ends the count; the parser reports it.
    while let Ok(Some(token)) = scanner.next() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Value | Kind::Operator => {}
        }
        if depth > limits::NESTING {
            let message = format!("brackets nest deeper than {}", limits::NESTING);
            return Err(ExprError::new("too_deep", message).at_byte(source, token.start));
        }
    }
    Ok(())
}

/// Turns the `[*]` of the briefs ("every item") into JSONata's `[ ]`, which keeps all offsets. Only after a value: `[*]`
/// on its own is an array of the current object's values.
pub(super) fn star_to_every(source: &str) -> String {
    let mut text = source.to_owned();
    let Ok(tokens) = tokens(source) else { return text };
    for run in tokens.windows(4) {
        let is_star = [run[1].text, run[2].text, run[3].text] == ["[", "*", "]"];
        if is_star && matches!(run[0].kind, Kind::Value | Kind::Close) {
            text.replace_range(run[2].start..run[2].end(), " ");
        }
    }
    text
}
