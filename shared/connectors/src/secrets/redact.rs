//! Takes credentials out of what another side sends back: some repeat the request in an error, some echo it whole.

use app::ports::{Executed, SecretValue};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use memchr::memmem::Finder;
use serde_json::{Map, Value};
use url::form_urlencoded;

/// From so many bytes on a value is looked for inside of texts. A shorter one stands in many of them by chance, and is taken out only where it is
/// the whole text.
const LOOKED_FOR_FROM: usize = 8;

/// What a credential looks like where it may turn up, and what is put in its place.
pub(crate) struct Redactor {
    needles: Vec<Needle>,
    /// Those that may be a number in JSON, or are too short to be looked for.
    whole: Vec<(String, String)>,
}

struct Needle {
    finder: Finder<'static>,
    mask: String,
}

impl Redactor {
    /// A redactor of these values by their names.
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = (&'a str, &'a SecretValue)>) -> Self {
        let (mut needles, mut whole) = (Vec::new(), Vec::new());
        for (name, value) in secrets {
            let (value, mask) = (value.expose(), format!("[secret {name}]"));
            if value.len() < LOOKED_FOR_FROM || value.parse::<f64>().is_ok() {
                whole.push((value.to_owned(), mask.clone()));
            }
            if value.len() >= LOOKED_FOR_FROM {
                needles.extend(forms(value).into_iter().map(|form| (form, mask.clone())));
            }
        }
        // The longest first: a credential may stand inside of another one.
        needles.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        needles.dedup();
        let needle = |(form, mask): (String, String)| Needle {
            finder: Finder::new(form.as_bytes()).into_owned(),
            mask,
        };
        Self { needles: needles.into_iter().map(needle).collect(), whole }
    }

    /// The outcome of a call without them.
    pub(crate) fn executed(&self, executed: Executed) -> Executed {
        let Executed { outcome, notes } = executed;
        let outcome = match outcome {
            Ok(mut value) => {
                self.value(&mut value);
                Ok(value)
            }
            Err(mut failure) => {
                self.text(&mut failure.message);
                Err(failure)
            }
        };
        let note = |mut note: String| {
            self.text(&mut note);
            note
        };
        Executed { outcome, notes: notes.into_iter().map(note).collect() }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(map) => self.object(map),
            Value::Number(number) => {
                if let Some(mask) =
                    (!self.whole.is_empty()).then(|| self.mask_of(&number.to_string())).flatten()
                {
                    *value = Value::String(mask.to_owned());
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn object(&self, map: &mut Map<String, Value>) {
        map.values_mut().for_each(|item| self.value(item));
        if map.keys().any(|key| self.holds(key)) {
            let entries = std::mem::take(map);
            map.extend(entries.into_iter().map(|(mut key, item)| {
                self.text(&mut key);
                (key, item)
            }));
        }
    }

    fn holds(&self, text: &str) -> bool {
        self.mask_of(text).is_some() || self.needles.iter().any(|needle| needle.is_in(text))
    }

    fn mask_of(&self, text: &str) -> Option<&str> {
        self.whole.iter().find(|(value, _)| value == text).map(|(_, mask)| mask.as_str())
    }

    fn text(&self, text: &mut String) {
        if let Some(mask) = self.mask_of(text) {
            mask.clone_into(text);
            return;
        }
        for needle in &self.needles {
            if needle.is_in(text) {
                *text = needle.replaced(text);
            }
        }
    }
}

impl Needle {
    fn is_in(&self, text: &str) -> bool {
        self.finder.find(text.as_bytes()).is_some()
    }

    /// Cuts at the ends of what was found, which are ends of characters: the needle is text too.
    fn replaced(&self, text: &str) -> String {
        let (mut replaced, mut at) = (String::with_capacity(text.len()), 0);
        for found in self.finder.find_iter(text.as_bytes()) {
            replaced.push_str(&text[at..found]);
            replaced.push_str(&self.mask);
            at = found + self.finder.needle().len();
        }
        replaced.push_str(&text[at..]);
        replaced
    }
}

/// A value as it may be written: as it is, in JSON, in a URL, in hex, and in base64 wherever in a longer text it stands, as in a `Basic` header.
fn forms(value: &str) -> Vec<String> {
    let quoted = Value::from(value).to_string();
    let in_form: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let mut forms = vec![
        value.to_owned(),
        quoted[1..quoted.len() - 1].to_owned(),
        in_form.replace('+', "%20"),
        in_form,
        hex::encode(value),
        hex::encode_upper(value),
    ];
    for before in 0..3 {
        let standard = base64_after(before, value.as_bytes());
        forms.push(standard.replace('+', "-").replace('/', "_"));
        forms.push(standard);
    }
    forms.sort();
    forms.dedup();
    forms
}

/// What base64 makes of a value that stands behind so many bytes of something else, without what depends on that or on what follows.
fn base64_after(before: usize, value: &[u8]) -> String {
    let bytes = [&[0, 0][..before], value].concat();
    let encoded = BASE64_STANDARD_NO_PAD.encode(&bytes);
    let first = (before * 8).div_ceil(6);
    encoded[first..bytes.len() * 8 / 6].to_owned()
}
