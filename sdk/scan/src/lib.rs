#![doc = include_str!("../README.md")]

pub mod assigned;
mod beginning;
mod bytes;
mod class;
pub mod encoded;
mod fold;
mod keywords;
pub mod measure;
mod pattern;
mod sequence;
mod table;
mod view;

pub use beginning::FirstToken;
pub use class::Class;
pub use keywords::{Keywords, Words};
pub use pattern::{Pattern, PatternError, Start};
pub use table::Tables;
pub use view::View;
