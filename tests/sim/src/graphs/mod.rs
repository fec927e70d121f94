//! Random graphs: what each node does (`shape`), how they are drawn ([`draw`](fn@draw)), and the document that says the same
//! to Heddle ([`document`](fn@document)). A new node type is one more [`Does`], with an arm in each of these and one in
//! [`reference`](mod@crate::reference).

mod document;
mod draw;
mod shape;

pub use document::{document, key};
pub use draw::{Usable, draw};
pub use shape::{
    Ask, Call, Condition, Does, Each, Edge, ItemError, Join, Names, OnError, Shape, Sub, Temper, Timeout,
};
