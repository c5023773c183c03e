//! What a person has approved of: the tools, prompts, templates of resources and
//! instructions of a server as they were when it was first used. A definition that is
//! another one later, or one that is new, waits for a person's word.
//!
//! What a server shows first is trusted, but for a definition that hides something or
//! speaks of another server's tools. Definitions are compared as canonical JSON, as
//! the server writes them, before guardrails have changed anything; so what a
//! guardrail does has no part in it.

mod canonical;
mod definition;
mod known;
mod offer;
mod record;
mod remark;
mod store;

pub use canonical::{canonical, digest};
pub use definition::{Definition, Page, TakeError};
pub use known::{Approved, Held, Known, Waiting, Why};
pub use offer::Offer;
pub use record::Record;
pub use remark::{Neighbours, Remark, remarks};
pub use store::{PinError, Pins};
