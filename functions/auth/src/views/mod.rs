//! What clients send and get. The shapes of this API, whatever the shapes inside.

mod account;
mod jwks;
mod oidc;
mod session;
mod sign_in;

pub(crate) use account::{AccountView, MeView, UpdateAccount};
pub(crate) use jwks::JwksView;
pub(crate) use oidc::{BroughtBack, Departing};
pub(crate) use session::{SessionList, SessionView};
pub(crate) use sign_in::{CodeSent, Login, Refresh, RequestCode, SignedInView, VerifyCode};

use app::ports::EmailAddress;
use domain::FieldError;

/// The fewest characters of a password.
const PASSWORD_MIN: usize = 12;
/// The most.
const PASSWORD_MAX: usize = 256;
/// The most characters of a name.
const NAME_MAX: usize = 100;

/// The address, or None and what is wrong with it.
fn check_email(email: &str, mistakes: &mut Vec<FieldError>) -> Option<EmailAddress> {
    let address = EmailAddress::parse(email).ok();
    if address.is_none() {
        mistakes.push(FieldError::new("/email", "invalid_email", "This is no e-mail address."));
    }
    address
}

/// Of a password that is chosen. One that is only compared may be whatever it is.
fn check_password(password: &str, mistakes: &mut Vec<FieldError>) {
    let length = password.chars().count();
    if length < PASSWORD_MIN {
        mistakes.push(FieldError::new(
            "/password",
            "too_short",
            format!("At least {PASSWORD_MIN} characters."),
        ));
    }
    if length > PASSWORD_MAX {
        mistakes.push(FieldError::new(
            "/password",
            "too_long",
            format!("At most {PASSWORD_MAX} characters."),
        ));
    }
}

fn check_name(pointer: &str, name: &str, mistakes: &mut Vec<FieldError>) {
    if name.chars().count() > NAME_MAX {
        mistakes.push(FieldError::new(pointer, "too_long", format!("At most {NAME_MAX} characters.")));
    }
    if name.chars().any(char::is_control) {
        mistakes.push(FieldError::new(
            pointer,
            "not_one_line",
            "A name has no line breaks and no control characters.",
        ));
    }
}
