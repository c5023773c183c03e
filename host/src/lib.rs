#![doc = include_str!("../README.md")]

pub mod bundled;
mod capability;
pub mod catalog;
pub mod chain;
pub mod cli;
pub mod client;
pub mod clients;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod front;
pub mod gate;
pub mod guardrail;
pub mod install;
pub mod journal;
pub mod message;
pub mod oauth;
pub mod protocol;
pub mod reload;
pub mod run;
pub mod sandbox;
pub mod session;
pub mod status;
pub mod upstream;
pub mod wire;
pub mod workbench;
