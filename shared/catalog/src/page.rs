//! Lists in pages (WF-14).

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many items at most.
    pub limit: u32,
    /// How many items to pass over.
    pub offset: u32,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items of the window, newest first.
    pub items: Vec<T>,
    /// How many there are in the whole list.
    pub total: u64,
}

impl<T> Page<T> {
    /// A page of rows and the count that came with them.
    pub(crate) fn new(rows: impl IntoIterator<Item = impl Into<T>>, total: i64) -> Self {
        let items = rows.into_iter().map(Into::into).collect();
        Self { items, total: u64::try_from(total).unwrap_or_default() }
    }
}
