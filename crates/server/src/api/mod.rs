//! The `cs` endpoint: reads a batch, carries out its commands in one transaction, writes the results.

mod access;
mod account;
mod answer;
mod backup;
mod batch;
mod call;
mod contact;
mod element;
mod file_attribute;
mod key;
mod link;
mod node;
mod password;
mod purge;
mod put;
mod recovery;
mod result_fault;
mod retire;
mod second_factor;
mod service;
mod session;
mod session_list;
mod share;
mod signup;
mod transfer;
mod tree;
mod tree_lists;
mod user_attribute;
mod view;

pub(crate) use answer::{Answer, WriteError};
pub(crate) use batch::{Request, answer};
pub(crate) use call::{Caller, Client};
pub(crate) use link::take_down;
pub(crate) use session::caller;
