//! What a person has approved of: the tools of a server as they were defined when it
//! was first used. A definition that is another one later, or one that is new, waits
//! for a person's word.
//!
//! A server's first list is trusted, but for a definition that hides something or
//! speaks of another server's tools. Definitions are compared as canonical JSON, as
//! the server writes them, before guardrails have changed anything; so what a
//! guardrail does has no part in it.

mod canonical;
mod definition;
mod record;
mod remark;
mod store;

pub use canonical::{canonical, digest};
pub use definition::{Definition, Tools};
pub use record::{Held, Record, Waiting, Why};
pub use remark::{Neighbours, Remark, remarks};
pub use store::{PinError, Pins};
