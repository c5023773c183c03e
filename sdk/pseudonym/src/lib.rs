#![doc = include_str!("../README.md")]

mod base32;
mod echo;
mod issue;
mod keyed;
mod place;
mod restore;
mod settings;
mod surrogate;
mod token;
mod vault;

#[cfg(test)]
mod tests;

pub use echo::{Echoed, hide_echoes};
pub use issue::{Issuer, Operator, Subject};
pub use restore::{holds_stand_in, restore};
pub use settings::{Elsewhere, Reach, SCHEMA, Settings};
pub use surrogate::Form;
