//! Takes the nodes out of a tree while it arrives: what is left is small (`protocol-api.md` 2.5, 8.2).

use crate::Drift;
use crate::drift::{Malformed, read_any};
use crate::tree::NodeList;

/// A chunk of nodes is cut at the first end of a node behind so many bytes.
const CHUNK: usize = 256 << 10;
/// The result's members stand so deep: in the object of the one command of the batch.
const MEMBERS: u32 = 2;

/// Which list of a tree nodes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeSource {
    /// `f`: current nodes.
    Current,
    /// `f2`: old versions.
    Versions,
}

/// Some nodes of a list, still as text: reading them can go on beside what arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeChunk {
    /// The list.
    pub source: NodeSource,
    /// How many of its nodes came before.
    pub first: usize,
    /// A JSON array.
    json: Vec<u8>,
}

impl NodeChunk {
    /// Reads the nodes; one that cannot be read is left out and reported.
    pub fn read(&self) -> Result<(NodeList, Vec<Drift>), Malformed> {
        let name = match self.source {
            NodeSource::Current => "f.f",
            NodeSource::Versions => "f.f2",
        };
        let text = std::str::from_utf8(&self.json)
            .map_err(|_| Malformed::new("f", name, "the text is not UTF-8"))?;
        let (list, _): (NodeList, _) = read_any("f", text, &[])?;
        let drift = list.drift_from(name, self.first).collect();
        Ok((list, drift))
    }

    /// How many bytes of text there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.json.len()
    }

    /// Whether there is no text, which is never so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.json.is_empty()
    }
}

/// Splits the answer to a batch of one `f` into nodes and the rest.
///
/// ```
/// use supermega_protocol::NodeSplitter;
///
/// let mut splitter = NodeSplitter::default();
/// let mut nodes = Vec::new();
/// for piece in [r#"[{"f":[{"h":"AQIDBAUG","#, r#""t":1,"p":"","a":"","k":""}],"sn":"AAAAAAAAAAE"}]"#] {
///     splitter.feed(piece.as_bytes(), |chunk| nodes.push(chunk));
/// }
/// assert_eq!(nodes[0].read()?.0.nodes.len(), 1);
/// assert_eq!(splitter.into_rest(), br#"[{"f":[],"sn":"AAAAAAAAAAE"}]"#);
/// # Ok::<(), supermega_protocol::Malformed>(())
/// ```
#[derive(Debug, Default)]
pub struct NodeSplitter {
    rest: Vec<u8>,
    depth: u32,
    in_string: bool,
    is_escaped: bool,
    /// The text that was read last among the result's members: the name of what comes behind a colon.
    text: Vec<u8>,
    is_named: bool,
    list: Option<List>,
}

/// A list of nodes that has begun.
#[derive(Debug)]
struct List {
    /// How many of its nodes are whole.
    nodes: usize,
    chunk: NodeChunk,
}

impl NodeSplitter {
    /// Takes a piece of the answer, and gives nodes away as soon as there are enough of them.
    pub fn feed(&mut self, piece: &[u8], mut give: impl FnMut(NodeChunk)) {
        // What lies before `from` is where it belongs.
        let mut from = 0;
        for (at, &byte) in piece.iter().enumerate() {
            if self.in_string {
                self.in_text(byte);
                continue;
            }
            match byte {
                b'"' => self.begin_text(),
                b':' if self.depth == MEMBERS => self.is_named = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    if byte == b'[' && self.depth == MEMBERS + 1 && self.list.is_none() {
                        self.list = self.begin_list();
                        if self.list.is_some() {
                            self.rest.extend_from_slice(&piece[from..=at]);
                            from = at + 1;
                        }
                    }
                    self.is_named = false;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == MEMBERS
                        && let Some(mut list) = self.list.take()
                    {
                        list.chunk.json.extend_from_slice(&piece[from..at]);
                        from = at;
                        end(list.chunk, &mut give);
                    }
                }
                b',' => {
                    self.is_named &= self.depth != MEMBERS;
                    if self.depth == MEMBERS + 1
                        && let Some(list) = &mut self.list
                    {
                        list.chunk.json.extend_from_slice(&piece[from..at]);
                        from = at + 1;
                        cut_or_go_on(list, &mut give);
                    }
                }
                _ => {}
            }
        }
        let tail = &piece[from..];
        match &mut self.list {
            Some(list) => list.chunk.json.extend_from_slice(tail),
            None => self.rest.extend_from_slice(tail),
        }
    }

    /// What is left when everything has come: the same answer with empty lists of nodes, or a refusal. An
    /// answer that ended early is no JSON.
    #[must_use]
    pub fn into_rest(self) -> Vec<u8> {
        self.rest
    }

    fn begin_text(&mut self) {
        self.in_string = true;
        self.text.clear();
    }

    fn in_text(&mut self, byte: u8) {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => self.in_string = false,
            // Longer names than those that matter need not be known.
            _ if self.depth == MEMBERS && self.text.len() < 4 => self.text.push(byte),
            _ => {}
        }
    }

    /// The list that begins here, if it is one of nodes.
    fn begin_list(&self) -> Option<List> {
        let source = match (self.is_named, &*self.text) {
            (true, b"f") => NodeSource::Current,
            (true, b"f2") => NodeSource::Versions,
            _ => return None,
        };
        Some(List { nodes: 0, chunk: NodeChunk { source, first: 0, json: vec![b'['] } })
    }
}

/// A comma behind a node: the chunk goes on, or another one begins.
fn cut_or_go_on(list: &mut List, give: &mut impl FnMut(NodeChunk)) {
    list.nodes += 1;
    if list.chunk.json.len() < CHUNK {
        list.chunk.json.push(b',');
        return;
    }
    let mut json = Vec::with_capacity(CHUNK);
    json.push(b'[');
    let next = NodeChunk { source: list.chunk.source, first: list.nodes, json };
    let mut full = std::mem::replace(&mut list.chunk, next);
    full.json.push(b']');
    give(full);
}

fn end(mut list: NodeChunk, give: &mut impl FnMut(NodeChunk)) {
    // An empty list gives nothing.
    if list.json.iter().skip(1).any(|byte| !byte.is_ascii_whitespace()) {
        list.json.push(b']');
        give(list);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use supermega_encoding::NodeHandle;

    use super::*;
    use crate::tree::{FetchNodes, Node, NodeType, Tree};
    use crate::wire::{self, Grammar, Reply};
    use crate::{Verbatim, wire::encode_batch};

    fn node(number: u32, name: &str) -> Node {
        let mut handle = [1; 6];
        handle[2..].copy_from_slice(&number.to_be_bytes());
        Node {
            h: NodeHandle::from_bytes(handle),
            p: None,
            u: None,
            t: NodeType::Folder,
            a: Verbatim(name.to_owned()),
            k: crate::tree::NodeKeys(String::new()),
            s: None,
            ts: None,
            fa: None,
            su: None,
            r: None,
            sk: None,
            sts: None,
            i: None,
        }
    }

    fn split(body: &[u8], pieces: usize) -> (Vec<NodeChunk>, Vec<u8>) {
        let mut splitter = NodeSplitter::default();
        let mut chunks = Vec::new();
        for piece in body.chunks(pieces) {
            splitter.feed(piece, |chunk| chunks.push(chunk));
        }
        (chunks, splitter.into_rest())
    }

    #[test]
    fn large_lists_come_in_chunks() {
        let nodes: Vec<Node> = (0..20_000).map(|n| node(n, "x")).collect();
        let tree = Tree { f: nodes.clone().into(), ..Tree::default() };
        let body = encode_batch(&[serde_json::to_string(&tree).unwrap()]);
        let (chunks, rest) = split(body.as_bytes(), 10_000);
        assert!(chunks.len() > 3, "{}", chunks.len());
        let mut read = Vec::new();
        for chunk in &chunks {
            assert_eq!(chunk.first, read.len());
            read.extend(chunk.read().unwrap().0.nodes);
        }
        assert_eq!(read, nodes);
        assert_eq!(rest, b"[{\"f\":[]}]");
    }

    #[test]
    fn refusals_and_broken_answers_are_the_rest() {
        for body in ["-9", "[-9]", "{\"err\":-16,\"l\":1}", "[{\"err\":-9}]", "", "[[{\"f\":[1]}]]"]
        {
            assert_eq!(split(body.as_bytes(), 2), (Vec::new(), body.as_bytes().to_vec()));
        }
        let (chunks, rest) = split(b"[{\"f\":[{\"h\":\"AQID", 3);
        assert!(chunks.is_empty());
        assert!(Reply::read(std::str::from_utf8(&rest).unwrap(), 1).is_err());
    }

    proptest! {
        #[test]
        fn whatever_the_pieces_the_tree_is_the_same(
            names in proptest::collection::vec(".{0,12}", 0..8),
            versions in proptest::collection::vec("[\\[\\]{},:\"\\\\f2]{0,8}", 0..4),
            other in "[\\[\\]{},:\"\\\\f2]{0,12}",
            pieces in 1usize..40,
        ) {
            let list = |names: &[String]| -> Vec<Node> {
                names.iter().zip(0..).map(|(name, n)| node(n, name)).collect()
            };
            let tree = Tree {
                f: list(&names).into(),
                f2: list(&versions).into(),
                aesp: Some(serde_json::json!({ "f": [other, { "f": [1] }] })),
                ..Tree::default()
            };
            let result = wire::encode_result::<FetchNodes>(&Ok(tree), None, Grammar::V3).unwrap();
            let (chunks, rest) = split(encode_batch(&[result]).as_bytes(), pieces);
            let (mut current, mut old) = (Vec::new(), Vec::new());
            for chunk in chunks {
                let (list, drift) = chunk.read().unwrap();
                prop_assert!(drift.is_empty());
                match chunk.source {
                    NodeSource::Current => current.extend(list.nodes),
                    NodeSource::Versions => old.extend(list.nodes),
                }
            }
            prop_assert_eq!(current, list(&names));
            prop_assert_eq!(old, list(&versions));
            let Ok(Reply::Results(results)) = Reply::read(std::str::from_utf8(&rest).unwrap(), 1)
            else { panic!("no result") };
            let left = wire::decode_result::<FetchNodes>(results[0].get()).unwrap().value;
            prop_assert!(left.f.is_empty() && left.f2.is_empty());
            let albums = left.aesp.unwrap_or_default();
            prop_assert_eq!(&albums["f"][0], &serde_json::json!(other));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let (chunks, _) = split(&bytes, 7);
            for chunk in chunks {
                let _ = chunk.read();
            }
        }
    }
}
