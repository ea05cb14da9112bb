//! Addresses for transfers: `g`, `u` (`protocol-api.md` 3, 4.1).

use supermega_encoding::{NodeHandle, UserHandle, base64};
use supermega_protocol::transfer::{
    DownloadReply, OneOrMore, RequestDownload, RequestUpload, Sources, UploadReply,
};
use supermega_protocol::tree::NodeType;
use supermega_protocol::wire::Grammar;
use supermega_protocol::{ErrorCode, StorageUrl, Verbatim, is_set};

use super::access::Access;
use super::call::{ApiError, Call, Caller, Handle};
use super::link;
use crate::storage::{Download, Part};
use crate::store::{nodes, uploads, users};

impl Handle for RequestDownload {
    fn handle(self, call: &mut Call<'_>) -> Result<DownloadReply, ApiError> {
        let node = match (self.n, self.p) {
            (Some(handle), _) => call.readable_node(handle)?,
            (None, Some(public)) => link::node(call, public)?,
            (None, None) => return Err(ErrorCode::Arguments.into()),
        };
        let (NodeType::File, Some(size), Some(blob)) = (node.kind, node.size, node.blob) else {
            return Err(ErrorCode::NotFound.into());
        };
        let mut reply = DownloadReply {
            s: Some(size),
            at: Some(Verbatim(node.a)),
            fa: node.fa,
            ..DownloadReply::default()
        };
        if is_set(self.g) {
            reply.g = Some(sources(call, blob, size, self.v)?);
            reply.fh = Some(base64::encode(&blob.to_be_bytes()));
        }
        Ok(reply)
    }
}

impl Handle for RequestUpload {
    fn handle(self, call: &mut Call<'_>) -> Result<UploadReply, ApiError> {
        let uploader = uploader(call)?;
        check_quota(call, uploader, &self)?;
        let raw = self.v.is_some_and(|version| version >= 2);
        let token = uploads::insert(call.db, uploader, self.s, raw)?;
        let ip = None;
        Ok(UploadReply { p: url(call, "ul", &token), ip })
    }
}

/// Whose an upload is: whoever may write through a folder link uploads for its owner.
fn uploader(call: &Call<'_>) -> Result<UserHandle, ApiError> {
    match call.caller {
        Caller::Link { root, .. } => Ok(call.node(root, Access::Write)?.owner),
        _ => call.user(),
    }
}

/// Whether those on whose account the upload goes have room for it: the uploader, unless he names folders that
/// others share with him.
fn check_quota(
    call: &Call<'_>,
    uploader: UserHandle,
    request: &RequestUpload,
) -> Result<(), ApiError> {
    let mut owners = Vec::new();
    // A user's inbox may be named too, which costs the uploader nothing before `p`.
    for target in request.t.iter().flat_map(OneOrMore::texts) {
        if let Ok(target) = target.parse::<NodeHandle>()
            && let Ok(node) = call.node(target, Access::Write)
        {
            owners.push(node.owner);
        }
    }
    if owners.is_empty() {
        owners.push(uploader);
    }
    for owner in owners {
        let quota = users::by_handle(call.db, owner)?.ok_or(ErrorCode::Session)?.quota;
        if request.s > quota.saturating_sub(nodes::used(call.db, owner)?) {
            let code =
                if owner == uploader { ErrorCode::OverQuota } else { ErrorCode::ShareOverQuota };
            return Err(code.into());
        }
    }
    Ok(())
}

/// Where a file's bytes are: in parts, if the server has them so and the client can use them.
fn sources(
    call: &Call<'_>,
    blob: i64,
    size: u64,
    version: Option<u8>,
) -> Result<Sources, ApiError> {
    let source = |part| {
        let token = call.state.downloads.issue(Download { blob, size, part })?;
        Ok::<_, ApiError>(url(call, "dl", &token))
    };
    if !call.state.config.cloudraid || version != Some(2) {
        return source(None).map(Sources::Whole);
    }
    let parts = Part::ALL.map(|part| source(Some(part)));
    let parts: Vec<StorageUrl> = parts.into_iter().collect::<Result<_, _>>()?;
    let parts = <[StorageUrl; 6]>::try_from(parts).map_err(|_| ErrorCode::Internal)?;
    Ok(Sources::Parts(Box::new(parts)))
}

/// The address of a transfer, on the host that the client reached us by. Official clients strip the port
/// of an address that begins with a small `http:` (`protocol-observed.md`, port pitfall).
pub(super) fn url(call: &Call<'_>, path: &str, token: &str) -> StorageUrl {
    let base = match (call.grammar, call.base.strip_prefix("http:")) {
        (Grammar::V3, Some(rest)) => format!("HTTP:{rest}"),
        _ => call.base.to_owned(),
    };
    StorageUrl::new(format!("{base}/{path}/{token}"))
}
