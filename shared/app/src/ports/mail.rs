//! The port to e-mail: transactional messages from Heddle to one person each.

use std::fmt;

use async_trait::async_trait;
use email_address::{EmailAddress as Parser, Options};

use super::StoreError;

/// Sends mail.
///
/// On AWS a message is one request to SES ($0.10 per 1,000 messages).
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands the message over to the provider, which is no promise that it arrives. [`StoreError::Violates`]`("mail_refused")`
    /// where the provider will never take it; after any other error it may have been sent, and sending again may send it twice.
    async fn send(&self, mail: &Mail) -> Result<(), StoreError>;
}

/// A message to one address. The sender belongs to the deployment, hence to the [`Mailer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    to: EmailAddress,
    subject: String,
    text: String,
    html: Option<String>,
}

/// Why a text can't be part of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMail {
    /// Not `local@domain` in printable ASCII, at most 254 characters, with a dot in the domain.
    #[error("this is no e-mail address")]
    Address,
    /// Empty, longer than [`Mail::SUBJECT_MAX`] characters, or with a line break or other control character, by which further
    /// headers could be smuggled in.
    #[error("a subject is one line of 1 to 200 characters")]
    Subject,
}

impl Mail {
    /// The longest subject, in characters.
    pub const SUBJECT_MAX: usize = 200;

    /// A message of plain text.
    pub fn new(to: EmailAddress, subject: &str, text: &str) -> Result<Self, InvalidMail> {
        let is_short = (1..=Self::SUBJECT_MAX).contains(&subject.chars().count());
        if !is_short || subject.chars().any(char::is_control) {
            return Err(InvalidMail::Subject);
        }
        Ok(Self { to, subject: subject.to_owned(), text: text.to_owned(), html: None })
    }

    /// The same message with an HTML form of the text beside it.
    pub fn with_html(self, html: &str) -> Self {
        Self { html: Some(html.to_owned()), ..self }
    }

    /// Who gets it.
    pub const fn to(&self) -> &EmailAddress {
        &self.to
    }

    /// One line.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The text; lines end with `\n`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text as HTML.
    pub fn html(&self) -> Option<&str> {
        self.html.as_deref()
    }
}

/// An address that every mail provider takes: `local@domain`, in ASCII. A domain with other letters is written in Punycode.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The longest address that fits in an envelope (RFC 5321, 4.5.3.1.3).
    const MAX: usize = 254;

    /// The address, if the text is one and nothing else: no display name, no quotes, no literal such as `[127.0.0.1]`.
    pub fn parse(text: &str) -> Result<Self, InvalidMail> {
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        // A quoted local part may hold spaces and commas; nobody has such an address who did not want to cause trouble.
        let is_plain =
            text.len() <= Self::MAX && text.chars().all(|char| char.is_ascii_graphic() && char != '"');
        if is_plain && Parser::parse_with_options(text, options).is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidMail::Address)
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_and_nothing_else() {
        for good in [
            "ada@example.com",
            "ada.l+tag@mail.example.co.uk",
            "o'neil@example.org",
            "a@xn--bcher-kva.example",
        ] {
            assert_eq!(EmailAddress::parse(good).as_ref().map(EmailAddress::as_str), Ok(good));
        }
        let long = format!("ada@{}.example.com", "x".repeat(250));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@[127.0.0.1]",
            "Ada <ada@example.com>",
            "<ada@example.com>",
            "\"a b\"@example.com",
            "ada@example.com,eve@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada @example.com",
            "ada@büro.example",
            "ada@@example.com",
            "ada..l@example.com",
            &long,
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(InvalidMail::Address), "{bad:?}");
        }
    }

    #[test]
    fn a_subject_holds_no_second_header() {
        let to = EmailAddress::parse("ada@example.com").unwrap();
        let subject =
            |subject: &str| Mail::new(to.clone(), subject, "").map(|mail| mail.subject().to_owned());
        assert_eq!(subject("Grüße, Ada"), Ok("Grüße, Ada".to_owned()));
        for bad in ["", "Hi\r\nBcc: eve@example.com", "Hi\nthere", "Hi\0", &"x".repeat(201)] {
            assert_eq!(subject(bad), Err(InvalidMail::Subject), "{bad:?}");
        }
    }
}
