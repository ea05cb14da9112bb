//! Whether content is what its key was made for (`protocol-auth.md` 6.4).

use std::collections::VecDeque;
use std::sync::Arc;

use supermega_crypto::{ChunkMac, ContentSample, FileKey, Fingerprint, MetaMac, MetaMacBuilder};

use super::progress::{Progress, TransferEvent};
use crate::error::{Error, Result};

/// An old official uploader left chunks out of the MAC, only among so many at the end.
const LATE: usize = 96;
/// A run of chunks that it left out is no longer than this.
const RUN: usize = 64;
/// Two runs lie among so many chunks at the end, and each is no longer than that.
const LATE_PAIR: usize = 40;
const PAIR_RUN: usize = 16;

/// Takes the MACs of a file's chunks in order, and compares in the end.
pub(super) struct Verifier {
    key: FileKey,
    size: u64,
    /// All chunks but the late ones.
    early: MetaMacBuilder,
    late: VecDeque<ChunkMac>,
}

impl Verifier {
    pub(super) fn new(key: &FileKey, size: u64) -> Self {
        let early = MetaMacBuilder::new(&key.content_key());
        Self { key: key.clone(), size, early, late: VecDeque::with_capacity(LATE + 1) }
    }

    pub(super) fn push(&mut self, mac: ChunkMac) {
        self.late.push_back(mac);
        if self.late.len() > LATE
            && let Some(mac) = self.late.pop_front()
        {
            self.early.push(&mac);
        }
    }

    /// Whether all chunks together give the MAC in the key.
    pub(super) fn is_genuine(&self) -> bool {
        let mut whole = self.early.clone();
        for mac in &self.late {
            whole.push(mac);
        }
        self.is(whole.finish()) || (self.size == 0 && self.is_empty_as_peers_have_it())
    }

    /// Accepts the content, or says why not. Tells if the key's MAC leaves chunks out, which happened to files of
    /// an old official uploader: of those chunks nobody can say whether they are genuine. Such content must have
    /// the checksum of the file's fingerprint, if there is one; `read` takes what that counts. May take a second.
    pub(super) fn verify(
        &self,
        label: &str,
        fingerprint: Option<Fingerprint>,
        progress: &Arc<dyn Progress>,
        read: impl FnOnce(ContentSample) -> Result<ContentSample>,
    ) -> Result<()> {
        if self.is_genuine() {
            return Ok(());
        }
        let refused = |why| Err(Error::Integrity { what: label.to_owned(), why });
        let Some(chunks) = self.left_out() else {
            return refused(
                "its content does not match its MAC: it is damaged, or its key is wrong",
            );
        };
        if let Some(fingerprint) = fingerprint
            && !read(ContentSample::new(self.size))?.has_checksum(&fingerprint.crc)
        {
            return refused("its MAC leaves chunks out, and it does not match its fingerprint");
        }
        progress.event(TransferEvent::Unchecked { name: label, chunks });
        Ok(())
    }

    fn is(&self, mac: MetaMac) -> bool {
        mac.ct_eq(&self.key.meta_mac())
    }

    /// An empty file is checked like any other, or a server could empty every file. Two peers count a chunk in
    /// it, whose MAC is the start value (megajs, `protocol-auth.md` 10) or zero (go-mega).
    fn is_empty_as_peers_have_it(&self) -> bool {
        let mut start = [0; 16];
        start[..8].copy_from_slice(self.key.nonce().as_bytes());
        start[8..].copy_from_slice(self.key.nonce().as_bytes());
        [start, [0; 16]].into_iter().any(|chunk| {
            let mut macs = MetaMacBuilder::new(&self.key.content_key());
            macs.push(&ChunkMac::from_bytes(chunk));
            self.is(macs.finish())
        })
    }

    /// How many chunks the MAC in the key leaves out, if that explains it (`protocol-auth.md` 6.4).
    fn left_out(&self) -> Option<u64> {
        let count = self.late.len();
        let one = (0..count)
            .find_map(|start| self.tail(&self.upto(0, start), start, RUN, |whole| self.is(whole)));
        one.or_else(|| self.two_runs(count.saturating_sub(LATE_PAIR)))
    }

    /// Tries every pair of runs behind `from`.
    fn two_runs(&self, from: usize) -> Option<u64> {
        let count = self.late.len();
        for first in from..count {
            let before = self.upto(0, first);
            for length in 1..=PAIR_RUN.min(count - first) {
                let mut middle = before.clone();
                // At least one chunk is between the two.
                for second in first + length + 1..count {
                    middle.push(&self.late[second - 1]);
                    let found = self.tail(&middle, second, PAIR_RUN, |whole| self.is(whole));
                    if let Some(run) = found {
                        return Some(run + length as u64);
                    }
                }
            }
        }
        None
    }

    /// The MAC of the early chunks and the late ones `start..end`.
    fn upto(&self, start: usize, end: usize) -> MetaMacBuilder {
        let mut macs = self.early.clone();
        for mac in self.late.range(start..end) {
            macs.push(mac);
        }
        macs
    }

    /// Leaves out a run that begins at `start`, of each length up to `most`.
    fn tail(
        &self,
        before: &MetaMacBuilder,
        start: usize,
        most: usize,
        is_it: impl Fn(MetaMac) -> bool,
    ) -> Option<u64> {
        let count = self.late.len();
        let found = (1..=most.min(count - start)).find(|length| {
            let mut macs = before.clone();
            for mac in self.late.range(start + length..) {
                macs.push(mac);
            }
            is_it(macs.finish())
        });
        found.map(|length| length as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use supermega_crypto::{ContentKey, Nonce};

    use super::*;

    const CONTENT: ContentKey =
        ContentKey::from_bytes(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128.to_be_bytes());
    const NONCE: Nonce = Nonce::from_bytes(0xdead_beef_cafe_babe_u64.to_be_bytes());

    fn mac(n: usize) -> ChunkMac {
        ChunkMac::from_bytes((n as u128 + 1).to_be_bytes())
    }

    fn key(chunks: impl Iterator<Item = usize>) -> FileKey {
        let mut macs = MetaMacBuilder::new(&CONTENT);
        for chunk in chunks {
            macs.push(&mac(chunk));
        }
        FileKey::new(&CONTENT, NONCE, macs.finish()).unwrap()
    }

    fn verifier(key: &FileKey, chunks: usize) -> Verifier {
        let mut verifier = Verifier::new(key, 1 << 20);
        (0..chunks).for_each(|chunk| verifier.push(mac(chunk)));
        verifier
    }

    #[test]
    fn a_file_that_was_emptied_is_not_genuine() {
        let is_genuine = |mac: u64, size| {
            let mac = MetaMac::from_bytes(mac.to_be_bytes());
            Verifier::new(&FileKey::new(&CONTENT, NONCE, mac).unwrap(), size).is_genuine()
        };
        assert!(is_genuine(0, 0));
        assert!(is_genuine(0x3b02_7a24_c089_1aca, 0), "as megajs has it");
        assert!(!is_genuine(0x1950_4522_06b8_ea83, 0), "it had one byte");
        assert!(!is_genuine(0x3b02_7a24_c089_1aca, 1));
    }

    #[test]
    fn chunks_that_an_old_uploader_left_out_are_told() {
        struct Heard(Mutex<Vec<u64>>);
        impl Progress for Heard {
            fn event(&self, event: TransferEvent<'_>) {
                if let TransferEvent::Unchecked { chunks, .. } = event {
                    self.0.lock().unwrap().push(chunks);
                }
            }
        }
        let heard = Arc::new(Heard(Mutex::default()));
        let progress: Arc<dyn Progress> = heard.clone();
        let mut expected: Vec<u64> = Vec::new();
        for (count, runs) in [
            (300, &[(204, 268)][..]),
            (300, &[(299, 300)]),
            (300, &[(260, 262), (290, 300)]),
            (5, &[(3, 5)]),
            (50, &[(20, 21), (40, 45)]),
        ] {
            let left_out = |chunk: &usize| runs.iter().any(|(a, b)| (*a..*b).contains(chunk));
            let key = key((0..count).filter(|chunk| !left_out(chunk)));
            verifier(&key, count).verify("x", None, &progress, Ok).unwrap();
            expected.push(runs.iter().map(|(a, b)| b - a).sum::<usize>() as u64);
        }
        assert_eq!(*heard.0.lock().unwrap(), expected);
        // Early chunks, long runs and damaged chunks are no such thing.
        for (count, runs) in [(300, 100..101), (300, 210..280)] {
            let key = key((0..count).filter(|chunk| !runs.contains(chunk)));
            assert!(verifier(&key, count).verify("x", None, &progress, Ok).is_err());
        }
        let key = key((0..300).map(|chunk| if chunk == 250 { 999 } else { chunk }));
        assert!(verifier(&key, 300).verify("x", None, &progress, Ok).is_err());
        assert_eq!(heard.0.lock().unwrap().len(), expected.len());
    }
}
