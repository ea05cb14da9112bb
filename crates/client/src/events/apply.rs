//! Applies packets to a tree, and tells what they changed (`protocol-api.md` 5.3, 5.4).
//!
//! A packet may come again, or tell of what this session did itself: applying it twice changes nothing.

use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::packet::{
    ActionPacket, ChangedLink, ChangedShare, NodeSet, PacketBody, RemovedNode,
};
use supermega_protocol::share::{KeyTriples, ShareNodeKeys};
use supermega_protocol::{is_set, tree as wire};

use super::Event;
use crate::tree::{Node, Row, Tree};

/// Applies one packet; `own` is the account's user.
pub(crate) fn apply(
    tree: &mut Tree,
    packet: ActionPacket,
    own: Option<UserHandle>,
    events: &mut Vec<Event>,
) {
    if let Some(tag) = &packet.tag {
        tree.pass(tag);
    }
    match packet.body {
        PacketBody::Nodes(new) => {
            arrive(tree, &new.t, events);
            know(tree, new.u.iter().chain(&new.t.u).flatten());
        }
        PacketBody::Removed(removed) => remove(tree, &removed, events),
        PacketBody::Attributes(changed) => {
            if let Some(node) = tree.node(changed.n) {
                let row = node.row().clone().with_attributes(&changed.at);
                show(tree, Row { owner: changed.u.or(row.owner), ..row }, events);
            }
        }
        PacketBody::FileAttributes(changed) => {
            if let Some(node) = tree.node(changed.n) {
                let row = Row { file_attributes: changed.fa, ..node.row().clone() };
                show(tree, row, events);
            }
        }
        PacketBody::SuppliedKeys(supplied) => supply_keys(tree, supplied.cr.as_ref(), events),
        PacketBody::Share(share) => change_share(tree, &share, own, events),
        PacketBody::Link(link) => change_link(tree, &link, events),
        PacketBody::UserAttributes(changed) => {
            events.push(Event::UserAttributesChanged { user: changed.u, names: changed.ua });
        }
        PacketBody::Contacts(changed) => {
            know(tree, changed.u.iter());
            events.push(Event::ContactsChanged);
        }
        PacketBody::IncomingRequest(_)
        | PacketBody::OutgoingRequest(_)
        | PacketBody::AnsweredRequest(_)
        | PacketBody::AnswerToRequest(_) => events.push(Event::ContactsChanged),
        other => events.push(Event::Other(other.name().to_owned())),
    }
}

/// Takes in nodes that are new or come to another place.
fn arrive(tree: &mut Tree, new: &NodeSet, events: &mut Vec<Event>) {
    let rows = |list: &wire::NodeList| list.nodes.iter().map(Row::from).collect();
    let (there, gone) = tree.part_removed(rows(&new.f));
    for row in there {
        show(tree, row, events);
    }
    for row in gone {
        if let Some(node) = tree.node(row.handle) {
            tree.remove(node.handle());
            events.push(Event::Removed(node));
        }
    }
    // A file that became an old version is part of what is told of the new one.
    for row in tree.part_removed(rows(&new.f2)).0 {
        tree.insert(row);
    }
}

/// Puts a node into the tree and tells what that changes.
fn show(tree: &mut Tree, row: Row, events: &mut Vec<Event>) {
    let (handle, before) = (row.handle, tree.node(row.handle));
    tree.insert(row);
    let Some(node) = tree.node(handle) else { return };
    let Some(before) = before else { return events.push(Event::Added(node)) };
    if before.parent() != node.parent() {
        events.push(Event::Moved { node, from: before.parent() });
    } else if before.name() != node.name() {
        let from = before.name().map(str::to_owned);
        events.push(Event::Renamed { node, from });
    } else if differs(&before, &node) {
        events.push(Event::Changed(node));
    }
}

/// Whether a person would see a difference. Times of nodes that were made here are a guess.
fn differs(before: &Node, node: &Node) -> bool {
    let (before, after) = (before.row(), node.row());
    before.attributes != after.attributes
        || before.file_attributes != after.file_attributes
        || before.access != after.access
        || before.size != after.size
}

fn remove(tree: &mut Tree, removed: &RemovedNode, events: &mut Vec<Event>) {
    // What only moves comes back at once.
    if is_set(removed.m) {
        return;
    }
    let node = tree.node(removed.n);
    if is_set(removed.v) {
        // The other versions stay; the next older one follows with its new place.
        tree.remove_alone(removed.n);
    } else {
        // Where it has been removed before, a packet that came again may have put something back there.
        tree.remove(removed.n);
    }
    events.extend(node.map(Event::Removed));
}

/// Gives nodes keys under shares that they had none for.
fn supply_keys(tree: &mut Tree, keys: Option<&ShareNodeKeys>, events: &mut Vec<Event>) {
    let Some(keys @ ShareNodeKeys(shares, _, KeyTriples(triples))) = keys else { return };
    for triple in triples {
        let node = keys.node(triple.node).and_then(|node| tree.node(node));
        let (Some(node), Some(share)) = (node, shares.get(triple.share)) else { continue };
        let known = node.row().node_keys();
        let is_known = known.entries().any(|(owner, _)| owner == wire::KeyOwner::Share(*share));
        if is_known || triple.key.decode().is_err() {
            continue;
        }
        let entry = format!("{share}:{}", triple.key.0);
        let before = &node.row().keys;
        let keys = if before.is_empty() { entry } else { format!("{before}/{entry}") };
        show(tree, Row { keys, ..node.row().clone() }, events);
    }
}

fn change_share(
    tree: &mut Tree,
    share: &ChangedShare,
    own: Option<UserHandle>,
    events: &mut Vec<Event>,
) {
    let own = own.map(|own| own.to_string());
    let with_me = share.u.is_some() && share.u == own && share.o.map(|o| o.to_string()) != own;
    match (with_me, share.r) {
        (true, None) => {
            if let Some(node) = tree.node(share.n) {
                tree.remove(share.n);
                events.push(Event::Removed(node));
            }
        }
        (true, Some(level)) => {
            if let Some(node) = tree.node(share.n) {
                tree.insert(Row { access: Some(level), ..node.row().clone() });
            }
        }
        (false, Some(_)) => {
            tree.facts().shared.insert(share.n);
        }
        (false, None) if is_set(share.okd) => {
            tree.facts().shared.remove(&share.n);
        }
        (false, None) => {}
    }
    events.push(Event::ShareChanged(share.n));
}

fn change_link(tree: &mut Tree, link: &ChangedLink, events: &mut Vec<Event>) {
    let handle: NodeHandle = link.h;
    tree.set_link(handle, (!is_set(link.d)).then_some(link.ph));
    events.push(Event::LinkChanged(handle));
}

/// Remembers users by address.
fn know<'a>(tree: &mut Tree, users: impl Iterator<Item = &'a wire::User>) {
    for user in users {
        if let Some(email) = &user.m {
            tree.facts().users.insert(email.clone(), user.u);
        }
    }
}
