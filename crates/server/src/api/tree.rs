//! The tree: `f` (`protocol-api.md` 2.5).

use supermega_encoding::UserHandle;
use supermega_protocol::share::EXPORT;
use supermega_protocol::tree::{
    FetchNodes, NodeType, OutgoingShare, OwnerKey, PublicLink, Tree, User,
};
use supermega_protocol::{ErrorCode, Timestamp, Verbatim};

use super::call::{ApiError, Call, Caller, Handle};
use super::view::View;
use crate::store::events::{self, Stream};
use crate::store::nodes::Node;
use crate::store::{links, nodes, users};

/// Sixteen zero bytes: the key is kept elsewhere (`protocol-auth.md` 4.4).
const NO_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA";

impl Handle for FetchNodes {
    fn handle(self, call: &mut Call<'_>) -> Result<Tree, ApiError> {
        match call.caller {
            Caller::Link(link, root) => {
                let nodes = nodes::subtree(call.db, root)?;
                snapshot(call, Stream::Link(link), &nodes)
            }
            Caller::Session(session) => own_tree(call, session.user),
            Caller::Anonymous => Err(ErrorCode::Session.into()),
        }
    }
}

fn own_tree(call: &Call<'_>, user: UserHandle) -> Result<Tree, ApiError> {
    let mut all = Vec::new();
    for kind in [NodeType::Root, NodeType::Vault, NodeType::Trash] {
        let root = nodes::root(call.db, user, kind)?.handle;
        all.extend(nodes::subtree(call.db, root)?);
    }
    let mut tree = snapshot(call, Stream::User(user), &all)?;
    let exports = links::exports(call.db, user)?;
    let keys: Vec<OwnerKey> = exports
        .iter()
        .map(|export| OwnerKey {
            h: export.node,
            ha: Some(Verbatim(export.ha.clone().unwrap_or_else(|| NO_KEY.into()))),
            k: Verbatim(export.ok.clone().unwrap_or_else(|| NO_KEY.into())),
        })
        .collect();
    tree.ok0 = Some(keys.clone());
    tree.ok = Some(keys);
    tree.s = Some(
        exports
            .iter()
            .map(|export| OutgoingShare {
                h: export.node,
                u: EXPORT.into(),
                r: export.level,
                ts: Some(Timestamp(export.ts)),
            })
            .collect(),
    );
    tree.ph = Some(
        links::of_user(call.db, user)?
            .iter()
            .map(|link| PublicLink {
                h: link.node,
                ph: link.handle,
                ts: Some(Timestamp(link.ts)),
                ets: None,
                w: None,
                down: None,
            })
            .collect(),
    );
    let own = users::by_handle(call.db, user)?.ok_or(ErrorCode::Session)?;
    tree.u = Some(vec![User {
        u: user,
        c: Some(2),
        m: Some(own.email.unwrap_or_default()),
        ts: Some(Timestamp(own.created)),
        pubk: None,
        ed25519: None,
        x25519: None,
        rsa_signature: None,
        x25519_signature: None,
        b: None,
    }]);
    (tree.ps, tree.ipc, tree.opc) = (Some(Vec::new()), Some(Vec::new()), Some(Vec::new()));
    Ok(tree)
}

fn snapshot(call: &Call<'_>, reader: Stream, all: &[Node]) -> Result<Tree, ApiError> {
    let nodes = View::of_tree(call.db, reader)?.set(all)?;
    Ok(Tree {
        f: nodes.f,
        f2: nodes.f2,
        st: Some(events::current_tag(call.db)?),
        sn: Some(events::head(call.db)?),
        ..Tree::default()
    })
}
