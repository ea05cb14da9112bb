//! The client against our server: every test starts a server of its own on a random port.

mod account;
mod download;
mod events;
mod fault_matrix;
mod faults;
mod folder_link;
mod links;
mod raid;
mod resume;
mod resume_upload;
mod shares;
mod tree;
mod world;
