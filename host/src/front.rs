//! The client's side of the gateway: what a client's messages come in by, and
//! what is left for it goes out by.

pub mod http;
mod stdio;

pub use stdio::stdio;
