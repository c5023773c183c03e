//! What the documents say, held against the program: the commands that they show, the codes
//! that they explain, the places that they point to, and the set-ups that they promise.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "documents/codes.rs"]
mod codes;
#[path = "documents/commands.rs"]
mod commands;
#[path = "documents/examples.rs"]
mod examples;
#[path = "documents/first_steps.rs"]
mod first_steps;
#[path = "documents/links.rs"]
mod links;
#[path = "documents/markdown.rs"]
mod markdown;
#[path = "documents/numbers.rs"]
mod numbers;
#[path = "documents/reader.rs"]
mod reader;
#[path = "documents/twin.rs"]
mod twin;
#[path = "documents/typed.rs"]
mod typed;
#[path = "documents/use_cases.rs"]
mod use_cases;
