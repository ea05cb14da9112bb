//! The client against our server: every test starts a server of its own on a random port.

mod account;
mod cache;
mod cache_damage;
mod contacts;
mod download;
mod events;
mod fault_matrix;
mod faults;
mod file_attribute;
mod folder_link;
mod hostile;
mod hostile_nodes;
mod key_store;
mod linked_folders;
mod links;
mod middle;
mod model;
mod raid;
mod reader;
mod resume;
mod resume_upload;
mod shares;
mod sharing;
mod tree;
mod world;
mod writable_link;
