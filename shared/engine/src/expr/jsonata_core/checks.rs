//! What must hold of a built-in's arguments, so that it ends soon and builds little.

use std::collections::HashSet;

use jsonata_core::{functions::string, value::JValue};

use super::{builtins, meter};
use crate::expr::{ExprError, limits};

/// What must hold of any single argument of a built-in.
pub(super) fn check_alone(name: &str, value: &JValue) -> Result<(), ExprError> {
    match (name, value) {
        ("pad", JValue::Number(width)) if width.abs() > limits::PADDED => {
            Err(meter::too_large("$pad pads to a million characters at most"))
        }
        ("formatNumber" | "fromMillis" | "toMillis" | "parseInteger", JValue::String(text)) => {
            check_picture(text)
        }
        ("keys", JValue::Array(items)) => {
            const MOST: usize = 5_000;
            let keys: HashSet<_> =
                items.iter().filter_map(JValue::as_object).flat_map(|map| map.keys()).collect();
            if keys.len() > MOST { Err(meter::too_large("$keys finds too many keys")) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// Pictures are short, and their width modifiers (`[Y,4-9]`) ask for no more than a picture's length.
fn check_picture(text: &str) -> Result<(), ExprError> {
    let widths = text.split('[').skip(1).flat_map(|marker| {
        let marker = marker.split(']').next().unwrap_or(marker);
        let (_, widths) = marker.split_once(',').unwrap_or(("", ""));
        widths.split('-').map(|width| width.trim().parse::<usize>().unwrap_or(0)).collect::<Vec<_>>()
    });
    if text.chars().count() > limits::PICTURE || widths.max().is_some_and(|width| width > limits::PICTURE) {
        return Err(meter::too_large("a picture, or what is read by one, is too long"));
    }
    Ok(())
}

pub(super) fn check_integer(number: &JValue, picture: &str) -> Result<(), ExprError> {
    const ROMAN: f64 = 1e5;
    check_picture(picture)?;
    let is_roman = picture.starts_with(['i', 'I']);
    if is_roman && number.as_f64().is_some_and(|number| number.abs() >= ROMAN) {
        return Err(meter::too_large("Roman numerals end at 100,000"));
    }
    Ok(())
}

/// Regexes run in time linear in the text, but with the size of the regex as factor.
pub(super) fn regex_work(text: &str, pattern: &JValue) -> Result<(), ExprError> {
    let JValue::Regex { pattern, .. } = pattern else { return Ok(()) };
    if builtins::regex_states(pattern).saturating_mul(text.len()) > limits::REGEX_WORK {
        return Err(meter::too_large("the text is too long for this regular expression"));
    }
    Ok(())
}

pub(super) fn matches(text: &str, pattern: &JValue) -> usize {
    match pattern {
        JValue::Regex { pattern, flags } => {
            string::build_regex(pattern, flags).map_or(0, |regex| regex.find_iter(text).count())
        }
        JValue::String(pattern) => text.matches(&**pattern).count(),
        _ => text.len(),
    }
}
