//! Classes as the table orders them.

use domain::Priority;

/// What stands in a row; the class that goes first has the smallest number.
pub(crate) const fn to_row(priority: Priority) -> i16 {
    match priority {
        Priority::High => 0,
        Priority::Default => 1,
        Priority::Low => 2,
    }
}

/// The class of a row.
pub(super) const fn of_row(number: i16) -> Priority {
    match number {
        i16::MIN..=0 => Priority::High,
        1 => Priority::Default,
        2..=i16::MAX => Priority::Low,
    }
}
