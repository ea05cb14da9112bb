//! Much at once, for good: `dv` deletes old versions, `dr` what is in the rubbish bin
//! (`protocol-api.md` 2.7, 6.3).

use supermega_protocol::node::{DeleteVersions, EmptyTrash};
use supermega_protocol::tree::NodeType;
use supermega_protocol::wire::Done;

use super::call::{ApiError, Call, Handle};
use super::node::{delete_tree, removed};
use crate::store::nodes;

impl Handle for DeleteVersions {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let user = call.user()?;
        for file in nodes::with_versions(call.db, user)? {
            let mut versions = nodes::versions(call.db, file)?;
            // The oldest first: a reader who removes a version removes those below it too.
            versions.reverse();
            for version in &versions {
                let body = removed(version.handle, user, None, None);
                call.tell(user, file, true, |_| Ok(body.clone()))?;
            }
            call.unused.extend(nodes::remove(call.db, &versions)?);
        }
        Ok(Done)
    }
}

impl Handle for EmptyTrash {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let user = call.user()?;
        let trash = nodes::root(call.db, user, NodeType::Trash)?.handle;
        for node in nodes::children(call.db, trash)? {
            delete_tree(call, &node, trash)?;
        }
        Ok(Done)
    }
}
