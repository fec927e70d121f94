//! Signing in (AUT-01, AUT-02, AUT-08). A text that is missing is read as an empty one, which is named with all other mistakes.

use app::ports::EmailAddress;
use domain::FieldError;
use identity::{ACCESS_LIFE, CODE_LIFE, CodeAnswer, Purpose, SignedIn};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AccountView, PASSWORD_MAX, check_email, check_name, check_password};

/// What a code is for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Purpose)]
#[expect(dead_code, reason = "describes identity::Purpose, which knows no OpenAPI")]
pub(crate) enum PurposeDoc {
    Login,
    Signup,
    Reset,
}

/// Whom to send a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestCode {
    /// Where to.
    #[serde(default)]
    #[schema(required = true, example = "ada@example.com", max_length = 254)]
    email: String,
    /// `login` to sign in, `signup` to open an account, `reset` to choose another password.
    #[serde(default)]
    #[schema(required = true, value_type = PurposeDoc)]
    purpose: String,
}

impl RequestCode {
    /// The address and the purpose, or every mistake.
    pub(crate) fn check(self) -> Result<(EmailAddress, Purpose), Vec<FieldError>> {
        let mut mistakes = Vec::new();
        let address = check_email(&self.email, &mut mistakes);
        let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == self.purpose);
        if purpose.is_none() {
            mistakes.push(FieldError::new("/purpose", "invalid_value", "One of login, signup and reset."));
        }
        address.zip(purpose).ok_or(mistakes)
    }
}

/// That a code is on its way, if it can be.
#[derive(Serialize, ToSchema)]
pub(crate) struct CodeSent {
    /// Always true, whether or not anybody may sign in with the address.
    success: bool,
    #[schema(example = "If somebody may sign in with this address, a code is on its way there.")]
    message: &'static str,
    /// For how many seconds a code can be answered.
    #[schema(example = 300)]
    expires_in: i64,
}

impl CodeSent {
    pub(crate) const fn new() -> Self {
        let message = "If somebody may sign in with this address, a code is on its way there.";
        Self { success: true, message, expires_in: CODE_LIFE.num_seconds() }
    }
}

/// A code, and what goes with it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyCode {
    /// The address that it was sent to.
    #[serde(default)]
    #[schema(required = true, example = "ada@example.com", max_length = 254)]
    email: String,
    /// Six digits.
    #[serde(default)]
    #[schema(required = true, example = "042137", pattern = "^[0-9]{6}$")]
    code: String,
    /// A password to sign in with from now on; ends all other sessions. Of codes for `signup` and `reset`.
    #[schema(min_length = 12, max_length = 256)]
    password: Option<String>,
    /// Given name, of who signs up.
    #[serde(default)]
    #[schema(max_length = 100)]
    first_name: String,
    /// Family name, of who signs up.
    #[serde(default)]
    #[schema(max_length = 100)]
    last_name: String,
    /// Whether the tokens are to be cookies of a browser.
    #[serde(default)]
    #[schema(example = false)]
    cookies: bool,
}

impl VerifyCode {
    /// The address, the answer, and whether the tokens are to be cookies; or every mistake.
    pub(crate) fn check(self) -> Result<(EmailAddress, CodeAnswer, bool), Vec<FieldError>> {
        let mut mistakes = Vec::new();
        let address = check_email(&self.email, &mut mistakes);
        if self.code.len() != 6 || !self.code.bytes().all(|byte| byte.is_ascii_digit()) {
            mistakes.push(FieldError::new("/code", "invalid_code", "A code is six digits."));
        }
        if let Some(password) = &self.password {
            check_password(password, &mut mistakes);
        }
        check_name("/first_name", &self.first_name, &mut mistakes);
        check_name("/last_name", &self.last_name, &mut mistakes);
        let Self { code, password, first_name, last_name, cookies, .. } = self;
        let address = address.filter(|_| mistakes.is_empty()).ok_or(mistakes)?;
        Ok((address, CodeAnswer { code, password, first_name, last_name }, cookies))
    }
}

/// An address with its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    #[serde(default)]
    #[schema(required = true, example = "ada@example.com", max_length = 254)]
    email: String,
    #[serde(default)]
    #[schema(required = true, min_length = 1, max_length = 256, example = "correct horse battery staple")]
    password: String,
    /// Whether the tokens are to be cookies of a browser.
    #[serde(default)]
    #[schema(example = false)]
    cookies: bool,
}

impl Login {
    /// The address, the password, and whether the tokens are to be cookies; or every mistake.
    pub(crate) fn check(self) -> Result<(EmailAddress, String, bool), Vec<FieldError>> {
        let mut mistakes = Vec::new();
        let address = check_email(&self.email, &mut mistakes);
        if self.password.is_empty() {
            mistakes.push(FieldError::new("/password", "too_short", "Give the password."));
        }
        if self.password.chars().count() > PASSWORD_MAX {
            mistakes.push(FieldError::new(
                "/password",
                "too_long",
                format!("At most {PASSWORD_MAX} characters."),
            ));
        }
        let address = address.filter(|_| mistakes.is_empty()).ok_or(mistakes)?;
        Ok((address, self.password, self.cookies))
    }
}

/// A refresh token that is no cookie.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    /// The last one that was given.
    #[schema(example = "vJ8mJ2yHh3oQxv3y7k0yq9Tt5c1m0Y2pX4s6Zb8dEfA")]
    pub(crate) refresh_token: String,
}

/// What somebody gets who signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub(crate) struct SignedInView {
    /// To send as `Authorization: Bearer …`. Absent where it is a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl")]
    access_token: Option<String>,
    /// For the next access token, once: the answer has another one. Absent where it is a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "vJ8mJ2yHh3oQxv3y7k0yq9Tt5c1m0Y2pX4s6Zb8dEfA")]
    refresh_token: Option<String>,
    /// To repeat in the `X-CSRF-Token` header of every request that changes anything. Only where the tokens are cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// For how many seconds the access token holds.
    #[schema(example = 900)]
    expires_in: i64,
    user: AccountView,
}

impl SignedInView {
    pub(crate) fn in_body(signed_in: SignedIn) -> Self {
        Self {
            access_token: Some(signed_in.access_token),
            refresh_token: Some(signed_in.refresh_token),
            csrf_token: None,
            token_type: "bearer",
            expires_in: ACCESS_LIFE.num_seconds(),
            user: signed_in.account.into(),
        }
    }

    pub(crate) fn in_cookies(signed_in: SignedIn) -> Self {
        let csrf_token = Some(signed_in.csrf_token.clone());
        Self { access_token: None, refresh_token: None, csrf_token, ..Self::in_body(signed_in) }
    }
}
