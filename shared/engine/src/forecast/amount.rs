//! A number that is known by its bounds.

use serde::Serialize;

/// At least so many, and at most so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// The least.
    pub min: u64,
    /// The most; None where nothing bounds it.
    pub max: Option<u64>,
}

impl Default for Amount {
    /// Nothing.
    fn default() -> Self {
        Self::exactly(0)
    }
}

impl Amount {
    /// Exactly so many.
    pub const fn exactly(number: u64) -> Self {
        Self { min: number, max: Some(number) }
    }

    /// From the one to the other.
    pub const fn between(min: u64, max: u64) -> Self {
        Self { min, max: Some(max) }
    }

    /// Whether a number lies within.
    pub fn contains(self, number: u64) -> bool {
        self.min <= number && self.max.is_none_or(|max| number <= max)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let max = self.max.zip(other.max).map(|(one, two)| one.saturating_add(two));
        Self { min: self.min.saturating_add(other.min), max }
    }

    /// So many times. What is done for none costs nothing, though it be without bounds.
    pub(super) fn times(self, times: Self) -> Self {
        let max = match (self.max, times.max) {
            (Some(0), _) | (_, Some(0)) => Some(0),
            (Some(one), Some(two)) => Some(one.saturating_mul(two)),
            _ => None,
        };
        Self { min: self.min.saturating_mul(times.min), max }
    }

    /// The one or the other.
    pub(super) fn or(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.zip(other.max).map(|(one, two)| one.max(two)) }
    }

    /// The same, or nothing where it need not be.
    pub(super) fn perhaps_if(self, may_not_be: bool) -> Self {
        if may_not_be { Self { min: 0, ..self } } else { self }
    }

    /// Both beside each other: the longer one counts.
    pub(super) fn beside(self, other: Self) -> Self {
        Self { min: self.min.max(other.min), max: self.max.zip(other.max).map(|(one, two)| one.max(two)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_add_up() {
        let (few, open) = (Amount::between(1, 3), Amount { min: 2, max: None });
        assert_eq!(few.plus(open), Amount { min: 3, max: None });
        assert_eq!(few.times(Amount::between(0, 5)), Amount::between(0, 15));
        assert_eq!(open.times(Amount::exactly(0)), Amount::exactly(0));
        assert_eq!(few.or(Amount::exactly(9)), Amount::between(1, 9));
        assert_eq!(few.beside(Amount::between(2, 2)), Amount::between(2, 3));
        assert!(few.contains(3) && !few.contains(4) && open.contains(u64::MAX));
    }
}
