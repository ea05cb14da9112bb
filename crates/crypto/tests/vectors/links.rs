//! Links (`protocol-auth.md` 7).

use supermega_crypto::{Attributes, Inside, Link, LinkError, NodeKey, ProtectedLink, ShareKey};
use supermega_encoding::base64;

use super::{at, b64, hex, hex_array, rows, text};

#[test]
fn links_file() {
    let vectors = at("/links/file");
    for form in ["new", "old"] {
        let link = Link::parse(text(vectors, form)).unwrap();
        assert_eq!(link.handle().to_string(), text(vectors, "handle"));
        assert_eq!(link.file_key().unwrap().as_bytes()[..], hex(vectors, "filekey_hex"));
        assert_eq!(link.to_url(), text(vectors, "new"));
    }
}

#[test]
fn links_folder() {
    let vectors = at("/links/folder");
    for (form, inside, url) in [
        ("new", None, "new"),
        ("old", None, "new"),
        ("sub_file", Some(Inside::File("AQIDBAUG".parse().unwrap())), "sub_file"),
        ("sub_folder", Some(Inside::Folder("BwgJCgsM".parse().unwrap())), "sub_folder"),
    ] {
        let link = Link::parse(text(vectors, form)).unwrap();
        assert_eq!(link.handle().to_string(), text(vectors, "handle"));
        assert_eq!(link.folder_key().unwrap().as_bytes()[..], hex(vectors, "key_hex"));
        assert!(matches!(&link, Link::Folder { inside: found, .. } if *found == inside), "{form}");
        assert_eq!(link.to_url(), text(vectors, url));
    }
}

#[test]
fn links_collection() {
    let vectors = at("/sets");
    let link = Link::parse(text(vectors, "link")).unwrap();
    assert_eq!(link.to_url(), text(vectors, "link"));
    let Link::Collection { key: Some(key), .. } = link else { panic!("{link:?}") };
    assert_eq!(key.as_bytes()[..], hex(vectors, "set_key_hex"));
}

#[test]
fn links_public_folder_nodes() {
    let vectors = at("/links/public_folder_nodes");
    let key = ShareKey::from_bytes(hex_array(vectors, "link_key_hex")).unwrap();
    for (node, name, is_file) in [("root_node", "Documents", false), ("file_node", "one.bin", true)]
    {
        let node = &vectors[node];
        let (under, wrapped) = text(node, "k").split_once(':').unwrap();
        assert_eq!(under, text(vectors, "root_handle"));
        let key = key.unwrap_node_key(&base64::decode(wrapped).unwrap()).unwrap();
        assert_eq!(matches!(key, NodeKey::File(_)), is_file);
        let attributes = Attributes::decrypt(&key.attribute_key(), &b64(node, "a")).unwrap();
        assert_eq!(attributes.name(), Some(name));
    }
}

#[test]
fn links_password() {
    for row in rows("/links/password", 4) {
        let Link::Protected(link) = Link::parse(text(row, "link")).unwrap() else {
            panic!("{row}")
        };
        assert_eq!(link.to_url(), text(row, "link"));
        assert_eq!(link.handle().to_string(), text(row, "public_handle"));
        assert_eq!(link.is_folder(), text(row, "type") == "folder");
        let open = link.open(text(row, "password")).unwrap();
        let key = if link.is_folder() {
            base64::encode(open.folder_key().unwrap().as_bytes())
        } else {
            base64::encode(open.file_key().unwrap().as_bytes())
        };
        assert_eq!(key, text(row, "link_key_b64"));
        assert_eq!(link.open("another"), Err(LinkError::WrongPassword));

        let again = ProtectedLink::protect(&open, "another").unwrap();
        assert_eq!(again.to_url().len(), text(row, "link").len());
        assert_eq!(again.open("another"), Ok(open));
    }
}
