//! The server as its clients see it: bytes on sockets, over loopback and on random ports.

mod http;
mod world;

mod account;
mod admin;
mod event;
mod fault;
mod generate;
mod grammar;
mod link;
mod node;
mod put;
mod raid;
mod robust;
mod session;
mod share;
mod tls;
mod transfer;
