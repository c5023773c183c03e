//! What a guardrail may ask of the host, one file a capability, and the
//! bindings of every version of the contract that this gateway loads.

pub(crate) mod contract;
pub(crate) mod http;
pub(crate) mod journal;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod message;
pub(crate) mod own;
pub(crate) mod state;
