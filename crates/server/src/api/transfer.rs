//! Addresses for transfers: `g`, `u` (`protocol-api.md` 3, 4.1).

use supermega_encoding::base64;
use supermega_protocol::transfer::{
    DownloadReply, RequestDownload, RequestUpload, Sources, UploadReply,
};
use supermega_protocol::tree::NodeType;
use supermega_protocol::wire::Grammar;
use supermega_protocol::{ErrorCode, StorageUrl, Verbatim, is_set};

use super::call::{ApiError, Call, Handle};
use crate::storage::{Download, Part};
use crate::store::{links, nodes, uploads, users};

impl Handle for RequestDownload {
    fn handle(self, call: &mut Call<'_>) -> Result<DownloadReply, ApiError> {
        let node = match (self.n, self.p) {
            (Some(handle), _) => call.readable_node(handle)?,
            (None, Some(link)) => {
                let node = links::node_of(call.db, link)?.ok_or(ErrorCode::NotFound)?;
                nodes::get(call.db, node)?.ok_or(ErrorCode::NotFound)?
            }
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
        let user = users::by_handle(call.db, call.user()?)?.ok_or(ErrorCode::Session)?;
        let used = nodes::used(call.db, user.handle)?;
        if self.s > user.quota.saturating_sub(used) {
            return Err(ErrorCode::OverQuota.into());
        }
        let raw = self.v.is_some_and(|version| version >= 2);
        let token = uploads::insert(call.db, user.handle, self.s, raw)?;
        let ip = None;
        Ok(UploadReply { p: url(call, "ul", &token), ip })
    }
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
fn url(call: &Call<'_>, path: &str, token: &str) -> StorageUrl {
    let base = match (call.grammar, call.base.strip_prefix("http:")) {
        (Grammar::V3, Some(rest)) => format!("HTTP:{rest}"),
        _ => call.base.to_owned(),
    };
    StorageUrl::new(format!("{base}/{path}/{token}"))
}
