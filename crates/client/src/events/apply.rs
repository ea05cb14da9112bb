//! Applies packets to a tree, and tells what they changed (`protocol-api.md` 5.3, 5.4).
//!
//! A packet may come again, or tell of what this session did itself: applying it twice changes nothing.

use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::packet::{
    ActionPacket, ChangedLink, ChangedShare, NodeSet, PacketBody, RemovedNode,
};
use supermega_protocol::share::{KeyTriples, ShareNodeKeys};
use supermega_protocol::{SequenceTag, is_set, tree as wire};

use super::Event;
use crate::tree::{Node, Row, Tree};

/// Applies one packet; `own` is the account's user.
pub(crate) fn apply(
    tree: &mut Tree,
    packet: ActionPacket,
    own: Option<UserHandle>,
    events: &mut Vec<Event>,
) {
    let tag = packet.tag.as_ref();
    if let Some(tag) = tag {
        tree.pass(tag);
    }
    match packet.body {
        PacketBody::Nodes(new) => {
            arrive(tree, &new.t, tag, events);
            know(tree, new.u.iter().chain(&new.t.u).flatten());
        }
        PacketBody::Removed(removed) => remove(tree, &removed, events),
        PacketBody::Attributes(changed) => {
            if let Some(node) = tree.node(changed.n) {
                let row = node.row().clone().with_attributes(&changed.at);
                let row = tree.with_later(row, tag);
                show(tree, Row { owner: changed.u.or(row.owner), ..row }, events);
            }
        }
        PacketBody::FileAttributes(changed) => {
            if let Some(node) = tree.node(changed.n) {
                let row = Row { file_attributes: changed.fa, ..node.row().clone() };
                show(tree, tree.with_later(row, tag), events);
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
fn arrive(tree: &mut Tree, new: &NodeSet, tag: Option<&SequenceTag>, events: &mut Vec<Event>) {
    // What was moved out of what is gone is not in it any more.
    let rows = |tree: &Tree, list: &wire::NodeList| {
        list.nodes.iter().map(|node| tree.with_later(Row::from(node), tag)).collect()
    };
    let (there, gone) = tree.part_removed(rows(tree, &new.f));
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
    for row in tree.part_removed(rows(tree, &new.f2)).0 {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use supermega_encoding::base64;

    use super::*;
    use crate::keys::KeyRing;
    use crate::tree::{Aspect, Facts, Removal};

    const ROOT: NodeHandle = NodeHandle::from_bytes([0; 6]);
    const TRASH: NodeHandle = NodeHandle::from_bytes([1; 6]);
    const FOLDER: NodeHandle = NodeHandle::from_bytes([2; 6]);
    const NODE: NodeHandle = NodeHandle::from_bytes([3; 6]);

    fn tag(text: &str) -> SequenceTag {
        SequenceTag(text.into())
    }

    fn row(handle: NodeHandle, parent: NodeHandle, attributes: &str) -> Row {
        let attributes = attributes.as_bytes().to_vec();
        Row { parent: Some(parent), attributes, ..Row::folder(handle) }
    }

    fn tree(rows: impl IntoIterator<Item = Row>) -> Tree {
        let roots = [ROOT, TRASH].map(Row::folder);
        let rows = roots.into_iter().chain([row(FOLDER, ROOT, "")]).chain(rows).collect();
        Tree::build(Arc::new(KeyRing::none()), vec![rows], Facts::default())
    }

    /// Applies a packet; gives how often something came, went or moved with it.
    fn tell(tree: &mut Tree, json: &serde_json::Value) -> usize {
        let mut events = Vec::new();
        apply(tree, ActionPacket::decode(&json.to_string()).unwrap().value, None, &mut events);
        events.iter().filter(|event| !matches!(event, Event::Changed(_))).count()
    }

    fn shown(tag: &str, parent: NodeHandle, attributes: &str) -> serde_json::Value {
        let node = serde_json::json!({
            "h": NODE, "p": parent, "u": "AAAAAAAAAAA", "t": 1, "ts": 7, "k": "",
            "a": base64::encode(attributes.as_bytes()),
        });
        serde_json::json!({ "a": "t", "st": tag, "t": { "f": [node] } })
    }

    fn renamed(tag: &str, attributes: &str) -> serde_json::Value {
        let attributes = base64::encode(attributes.as_bytes());
        serde_json::json!({ "a": "u", "st": tag, "n": NODE, "at": attributes, "u": "AAAAAAAAAAA" })
    }

    /// Where the node lies, and its attributes.
    fn seen(tree: &Tree) -> Option<(NodeHandle, String)> {
        let row = tree.node(NODE)?.row().clone();
        Some((row.parent?, String::from_utf8(row.attributes).unwrap()))
    }

    #[test]
    fn what_is_told_late_changes_nothing_that_came_later() {
        let mut tree = tree([row(NODE, ROOT, "made")]);
        tree.insert_ahead(row(NODE, ROOT, "renamed"), Aspect::Attributes, Some(&tag("b")));
        tree.insert_ahead(row(NODE, TRASH, "renamed"), Aspect::Place, Some(&tag("d")));
        assert_eq!(tell(&mut tree, &shown("a", ROOT, "made")), 0);
        assert_eq!(seen(&tree), Some((TRASH, "renamed".into())));
        assert_eq!(tree.node(NODE).unwrap().row().created, Some(7));
        assert_eq!(tell(&mut tree, &renamed("b", "renamed")), 0);
        // Somebody else changed what this session did not.
        tell(&mut tree, &renamed("c", "by another"));
        assert_eq!(seen(&tree), Some((TRASH, "by another".into())));
        assert_eq!(tell(&mut tree, &shown("d", TRASH, "by another")), 0);
        // What comes after that counts.
        assert_eq!(tell(&mut tree, &shown("e", FOLDER, "taken out")), 1);
        assert_eq!(seen(&tree), Some((FOLDER, "taken out".into())));
    }

    #[test]
    fn what_was_made_moved_and_deleted_at_once_does_not_come_back() {
        let mut tree = tree([row(NODE, ROOT, "made")]);
        tree.insert_ahead(row(NODE, FOLDER, "made"), Aspect::Place, Some(&tag("b")));
        tree.remove_ahead(NODE, Removal::Itself, Some(&tag("c")));
        assert_eq!(tell(&mut tree, &shown("a", ROOT, "made")), 0);
        assert_eq!(tell(&mut tree, &shown("b", FOLDER, "made")), 0);
        assert_eq!(seen(&tree), None);
    }

    #[test]
    fn a_version_that_was_deleted_does_not_come_back_and_those_before_it_stay() {
        const CURRENT: NodeHandle = NodeHandle::from_bytes([4; 6]);
        const DELETED: NodeHandle = NodeHandle::from_bytes([5; 6]);
        let mut tree = tree([
            row(CURRENT, ROOT, "current"),
            row(DELETED, CURRENT, "deleted"),
            row(NODE, CURRENT, "oldest"),
        ]);
        tree.insert_ahead(row(NODE, CURRENT, "oldest"), Aspect::Place, Some(&tag("c")));
        tree.remove_ahead(DELETED, Removal::Itself, Some(&tag("c")));
        tell(&mut tree, &shown("a", DELETED, "oldest"));
        assert_eq!(seen(&tree), Some((CURRENT, "oldest".into())));
        let late = serde_json::json!({ "h": DELETED, "p": CURRENT, "u": "AAAAAAAAAAA", "t": 0, "k": "", "a": "" });
        tell(
            &mut tree,
            &serde_json::json!({ "a": "t", "st": "b", "t": { "f": [], "f2": [late] } }),
        );
        assert!(tree.node(DELETED).is_none());
    }

    #[test]
    fn what_was_moved_out_of_a_folder_before_that_was_deleted_stays() {
        let mut tree = tree([row(NODE, FOLDER, "made")]);
        tree.insert_ahead(row(NODE, ROOT, "made"), Aspect::Place, Some(&tag("b")));
        tree.remove_ahead(FOLDER, Removal::Itself, Some(&tag("c")));
        assert_eq!(tell(&mut tree, &shown("a", FOLDER, "made")), 0);
        assert_eq!(tell(&mut tree, &shown("b", ROOT, "made")), 0);
        assert_eq!(seen(&tree), Some((ROOT, "made".into())));
    }

    #[test]
    fn what_another_took_out_of_the_rubbish_bin_before_it_was_emptied_is_there() {
        let mut tree = tree([row(NODE, TRASH, "")]);
        tree.remove_ahead(NODE, Removal::From(TRASH), Some(&tag("b")));
        assert_eq!(tell(&mut tree, &shown("a", FOLDER, "")), 1);
        assert_eq!(seen(&tree), Some((FOLDER, String::new())));
    }
}
