//! The client against our server: every test starts a server of its own on a random port.

mod account;
mod download;
mod faults;
mod links;
mod tree;
mod world;
