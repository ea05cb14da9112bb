//! Bodies that come over a connection of ours. A long one is read past hyper into where it is wanted: hyper would
//! put it into buffers of its own first, and copying it from there would cost a tenth of a fast download.

use std::mem::replace;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::connection::{Connection, Io};
use super::http::HttpError;
use super::http_body::{append_piece, too_long};
use super::hyper_http::{from_hyper, timed_out};
use super::pool::Lease;
use super::tcp::from_io;
use crate::error::NetworkErrorKind as Kind;

/// Bodies that are longer are read past hyper.
const LONG: u64 = 256 << 10;
/// How much is read at once: not so much that a limited rate would come in bursts.
const STEP: usize = 256 << 10;

/// A body that comes over a connection of ours.
pub(super) struct ConnectionBody {
    incoming: Incoming,
    lease: Lease,
    /// Whether the connection may be used again after this answer.
    stays: bool,
    stall: Duration,
    way: Way,
}

/// How a body comes.
enum Way {
    /// Nobody has asked for it.
    Open,
    Hyper,
    PastHyper(Direct),
    /// It has come past hyper, which has the connection again.
    Ended,
}

impl ConnectionBody {
    pub(super) fn new(incoming: Incoming, lease: Lease, stays: bool, stall: Duration) -> Self {
        Self { incoming, lease, stays, stall, way: Way::Open }
    }

    /// The next piece: as hyper gives it, unless the body has begun to come past hyper.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        if let Way::PastHyper(_) | Way::Ended = self.way {
            let mut piece = BytesMut::new();
            let read = self.append_past_hyper(&mut piece, STEP).await?;
            return Ok((read > 0).then(|| piece.freeze()));
        }
        self.way = Way::Hyper;
        loop {
            let frame = timeout(self.stall, self.incoming.frame()).await;
            let Some(frame) = frame.map_err(|_| timed_out())? else { return Ok(None) };
            if let Ok(data) = frame.map_err(|e| from_hyper(&e))?.into_data() {
                return Ok(Some(data));
            }
        }
    }

    /// Appends what has arrived; see [`HttpBody::append`](super::HttpBody::append).
    pub(super) async fn append(
        &mut self,
        into: &mut BytesMut,
        most: usize,
    ) -> Result<usize, HttpError> {
        if let Way::Open = self.way {
            self.way = self.pass_by().await.map_or(Way::Hyper, Way::PastHyper);
        }
        match self.way {
            Way::Open | Way::Hyper => append_piece(self.next().await?, into, most),
            Way::PastHyper(_) | Way::Ended => self.append_past_hyper(into, most).await,
        }
    }

    async fn append_past_hyper(
        &mut self,
        into: &mut BytesMut,
        most: usize,
    ) -> Result<usize, HttpError> {
        let Way::PastHyper(direct) = &mut self.way else { return Ok(0) };
        let read = timeout(self.stall, direct.append(into, most)).await;
        let read = read.map_err(|_| timed_out())??;
        if direct.left == 0
            && let Way::PastHyper(Direct { io, early, .. }) = replace(&mut self.way, Way::Ended)
            && self.stays
            && early.is_empty()
        {
            // The next request may go through hyper again.
            self.lease.connection = Connection::begin(io).await.ok();
        }
        Ok(read)
    }

    /// Takes the way past hyper, if the body is long enough.
    async fn pass_by(&mut self) -> Option<Direct> {
        let length = self.incoming.size_hint().exact().filter(|length| *length > LONG)?;
        let taken = self.lease.connection.as_ref()?.take().await?;
        self.lease.connection = None;
        let mut early = BytesMut::new();
        // What hyper had begun to hand over comes first.
        while let Some(Some(Ok(frame))) = self.incoming.frame().now_or_never() {
            early.extend(frame.into_data());
        }
        early.extend_from_slice(&taken.unread);
        Some(Direct { io: taken.io, early: early.freeze(), left: length })
    }
}

/// A body on its way past hyper.
struct Direct {
    io: Box<dyn Io>,
    /// What hyper had read already.
    early: Bytes,
    /// How many bytes are to come, those among them.
    left: u64,
}

impl Direct {
    async fn append(&mut self, into: &mut BytesMut, most: usize) -> Result<usize, HttpError> {
        if self.left == 0 {
            return Ok(0);
        }
        let room = most.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if room == 0 {
            return Err(too_long());
        }
        let read = if self.early.is_empty() {
            into.reserve(room);
            let mut place = into.limit(room.min(STEP));
            match self.io.read_buf(&mut place).await.map_err(|e| from_io(&e))? {
                0 => return Err(HttpError(Kind::Cut)),
                read => read,
            }
        } else {
            let early = self.early.split_to(self.early.len().min(room));
            into.extend_from_slice(&early);
            early.len()
        };
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::{Http, HttpRequest, HyperHttp};
    use super::*;

    const BODY: usize = 3 << 20;

    fn content() -> Vec<u8> {
        (0..BODY).map(|at| ((at * 7 + at / 251) % 256).try_into().unwrap_or(0)).collect()
    }

    /// Sends these pieces in answer to each request, and hangs up after an answer if that is wanted. Counts connections.
    async fn server(pieces: Vec<Vec<u8>>, hangs_up: bool) -> (http::Uri, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                let pieces = pieces.clone();
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    while stream.read_buf(&mut request).await.unwrap_or(0) > 0 {
                        if !request.ends_with(b"\r\n\r\n") {
                            continue;
                        }
                        request.clear();
                        for piece in &pieces {
                            stream.write_all(piece).await.unwrap();
                        }
                        if hangs_up {
                            return;
                        }
                    }
                });
            }
        });
        (uri, connections)
    }

    async fn get(http: &HyperHttp, uri: &http::Uri) -> ConnectionBody {
        let request = HttpRequest {
            uri: uri.clone(),
            body: None,
            content_type: "",
            hashcash: None,
            stall_timeout: Duration::from_millis(500),
        };
        http.send(request).await.unwrap().body.into_connection().unwrap()
    }

    /// Reads all there is; whether it went past hyper, and what it ended with.
    async fn read(mut body: ConnectionBody) -> (BytesMut, bool, Result<usize, HttpError>) {
        let (mut bytes, mut direct) = (BytesMut::new(), false);
        loop {
            let room = BODY - bytes.len();
            let read = body.append(&mut bytes, room).await;
            direct |= matches!(body.way, Way::PastHyper(_) | Way::Ended);
            if !matches!(read, Ok(1..)) {
                return (bytes, direct, read);
            }
        }
    }

    fn head(fields: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").into_bytes()
    }

    /// Fetches so often what the server sends: each time it must be whole and come by this way, over so many
    /// connections in all.
    async fn comes_whole(pieces: Vec<Vec<u8>>, rounds: usize, past_hyper: bool, over: usize) {
        let (uri, connections) = server(pieces, false).await;
        let http = HyperHttp::new(Duration::from_secs(5));
        for _ in 0..rounds {
            let (bytes, direct, end) = read(get(&http, &uri).await).await;
            assert!(bytes == content() && direct == past_hyper && matches!(end, Ok(0)), "{end:?}");
        }
        assert_eq!(connections.load(Ordering::Relaxed), over);
    }

    #[tokio::test]
    async fn a_long_body_goes_past_hyper_and_its_connection_is_used_again() {
        let head = head(&format!("Content-Length: {BODY}"));
        let (start, end) = (content()[..1000].to_vec(), content()[1000..].to_vec());
        comes_whole(vec![[head.clone(), content()].concat()], 3, true, 1).await;
        comes_whole(vec![head, start, end], 3, true, 1).await;
    }

    #[tokio::test]
    async fn a_connection_that_is_to_close_is_not_used_again() {
        let head = head(&format!("Content-Length: {BODY}\r\nConnection: close"));
        comes_whole(vec![head, content()], 2, true, 2).await;
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_comes_through_hyper() {
        let head = head("Transfer-Encoding: chunked");
        let chunk = [format!("{BODY:x}\r\n").into_bytes(), content(), b"\r\n0\r\n\r\n".to_vec()];
        comes_whole(vec![head, chunk.concat()], 2, false, 1).await;
    }

    #[tokio::test]
    async fn pieces_may_follow_what_was_read_past_hyper() {
        let whole = [head(&format!("Content-Length: {BODY}")), content()].concat();
        let (uri, connections) = server(vec![whole], false).await;
        let http = HyperHttp::new(Duration::from_secs(5));
        for _ in 0..2 {
            let mut body = get(&http, &uri).await;
            let mut bytes = BytesMut::new();
            body.append(&mut bytes, BODY).await.unwrap();
            while let Some(piece) = body.next().await.unwrap() {
                bytes.extend(piece);
            }
            assert!(bytes == content());
        }
        assert_eq!(connections.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_came_before_the_end_is_kept() {
        let part = content()[..BODY / 2].to_vec();
        let head = head(&format!("Content-Length: {BODY}"));
        for (hangs_up, kind) in [(true, "Cut"), (false, "TimedOut")] {
            let (uri, _) = server(vec![head.clone(), part.clone()], hangs_up).await;
            let body = get(&HyperHttp::new(Duration::from_secs(5)), &uri).await;
            let (bytes, _, end) = read(body).await;
            assert_eq!(format!("{:?}", end.unwrap_err().0), kind);
            assert!(bytes == part);
        }
    }

    #[tokio::test]
    async fn more_than_was_asked_for_is_an_error() {
        let long = [head(&format!("Content-Length: {}", BODY + 1)), content(), vec![1]].concat();
        let (uri, _) = server(vec![long], false).await;
        let body = get(&HyperHttp::new(Duration::from_secs(5)), &uri).await;
        let (bytes, _, end) = read(body).await;
        assert!(end.is_err() && bytes == content());
    }
}
