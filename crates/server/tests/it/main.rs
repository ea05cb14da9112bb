//! The server as its clients see it: bytes on sockets, over loopback and on random ports.

mod follower;
mod http;
mod world;

mod access;
mod account;
mod admin;
mod contact;
mod event;
mod fault;
mod fault_body;
mod fault_packets;
mod fault_result;
mod fault_script;
mod file_attribute;
mod generate;
mod grammar;
mod hold;
mod inbox;
mod link;
mod mail;
mod node;
mod purge;
mod put;
mod raid;
mod robust;
mod session;
mod share;
mod tls;
mod transfer;
