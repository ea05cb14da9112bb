//! What a user has goes away: with the account, or because nobody has the key to it any more
//! (`protocol-auth.md` 3.6).

use supermega_encoding::UserHandle;
use supermega_protocol::tree::NodeType;

use super::call::{ApiError, Call, Caller};
use super::{contact, share};
use crate::store::users::{self, User};
use crate::store::{contacts, nodes, sessions, shares, uploads};

/// Removes all that a user stored, with his roots, and ends his sessions.
pub(super) fn data(call: &mut Call<'_>, user: UserHandle) -> Result<(), ApiError> {
    for shared in shares::outgoing(call.db, user)? {
        if let Some(node) = nodes::get(call.db, shared.node)? {
            share::leave(call, &node, shared.user)?;
        }
    }
    for root in shares::incoming(call.db, user)?.into_keys() {
        if let Some(node) = nodes::get(call.db, root)? {
            share::leave(call, &node, user)?;
        }
    }
    for kind in [NodeType::Root, NodeType::Vault, NodeType::Trash] {
        let root = nodes::root(call.db, user, kind)?;
        let all = nodes::subtree(call.db, root.handle)?;
        call.unused.extend(nodes::remove(call.db, &all)?);
    }
    call.unused.extend(uploads::remove_all(call.db, user)?);
    sessions::remove_all(call.db, user)?;
    // Those who wait for these sessions' events must learn that they are over.
    call.announced = true;
    Ok(())
}

/// Removes an account with all there is of it.
pub(super) fn account(call: &mut Call<'_>, user: &User) -> Result<(), ApiError> {
    for known in contacts::of_user(call.db, user.handle)? {
        if let Some(other) = users::by_handle(call.db, known.other)?
            && known.visible
        {
            contact::set_contact(call, user, &other, false)?;
        }
    }
    data(call, user.handle)?;
    Ok(users::remove(call.db, user.handle)?)
}

/// Whoever asked may have ended his own session: what else he asks, he asks as nobody.
pub(super) fn leave_ended_session(call: &mut Call<'_>) -> Result<(), ApiError> {
    if let Caller::Session(session) = call.caller
        && !sessions::is_live(call.db, &session)?
    {
        call.caller = Caller::Anonymous;
        // He would wait for the tag on a channel that is closed to him.
        call.acknowledged = false;
    }
    Ok(())
}
