//! Content in one pass beside the serial way: counter mode first, then a CBC-MAC over each chunk.
//!
//! Run with `cargo bench -p supermega-crypto --bench content`.

use std::hint::black_box;

use aes::Aes128;
use cipher::{Array, BlockModeEncrypt, KeyIvInit};
use divan::Bencher;
use divan::counter::BytesCount;
use supermega_crypto::{
    ContentCipher, ContentKey, FingerprintHasher, Nonce, chunks, upload_checksum,
};

type Block = cipher::Block<Aes128>;

const KEY: [u8; 16] = [7; 16];
const NONCE: [u8; 8] = [9; 8];
/// Where all chunks are full.
const OFFSET: u64 = 4_718_592;
const MIB: usize = 1 << 20;
const SIZES: [usize; 3] = [MIB, 4 * MIB, 16 * MIB];

fn main() {
    divan::main();
}

fn content_cipher() -> ContentCipher {
    ContentCipher::new(&ContentKey::from_bytes(KEY), Nonce::from_bytes(NONCE))
}

/// The MAC as `cbc` makes it: the last block of the ciphertext.
fn serial_mac(chunk: &[u8], scratch: &mut [Block]) {
    let mut cbc = cbc::Encryptor::<Aes128>::new(&Array(KEY), &Array([9; 16]));
    for piece in Block::slice_as_chunks(chunk).0.chunks(scratch.len()) {
        cbc.encrypt_blocks_b2b(piece, &mut scratch[..piece.len()]).unwrap();
    }
    black_box(scratch);
}

fn measure(bencher: Bencher<'_, '_>, len: usize, mut work: impl FnMut(&mut [u8])) {
    let mut bytes = vec![0x5a; len];
    bencher.counter(BytesCount::new(len)).bench_local(|| work(black_box(&mut bytes)));
}

#[divan::bench(args = SIZES)]
fn serial(bencher: Bencher<'_, '_>, len: usize) {
    let (content, mut scratch) = (content_cipher(), [Array([0; 16]); 1024]);
    measure(bencher, len, |bytes| {
        content.apply(OFFSET, bytes);
        for chunk in bytes.chunks(MIB) {
            serial_mac(chunk, &mut scratch);
        }
    });
}

#[divan::bench(args = SIZES)]
fn fused_decrypt(bencher: Bencher<'_, '_>, len: usize) {
    let content = content_cipher();
    measure(bencher, len, |bytes| {
        black_box(content.decrypt_chunks(OFFSET, bytes));
    });
}

#[divan::bench(args = SIZES)]
fn fused_encrypt(bencher: Bencher<'_, '_>, len: usize) {
    let content = content_cipher();
    measure(bencher, len, |bytes| {
        black_box(content.encrypt_chunks(OFFSET, bytes));
    });
}

/// The first chunks of a file, which are of different lengths.
#[divan::bench]
fn fused_decrypt_growing_chunks(bencher: Bencher<'_, '_>) {
    let content = content_cipher();
    let len = chunks(u64::MAX).take(8).map(|chunk| chunk.len).sum::<u64>();
    measure(bencher, usize::try_from(len).unwrap(), |bytes| {
        black_box(content.decrypt_chunks(0, bytes));
    });
}

#[divan::bench(args = SIZES)]
fn counter_mode_only(bencher: Bencher<'_, '_>, len: usize) {
    let content = content_cipher();
    measure(bencher, len, |bytes| content.apply(OFFSET, bytes));
}

#[divan::bench]
fn checksum_of_an_upload_request(bencher: Bencher<'_, '_>) {
    measure(bencher, 16 * MIB, |bytes| {
        black_box(upload_checksum(bytes));
    });
}

#[divan::bench]
fn fingerprint(bencher: Bencher<'_, '_>) {
    measure(bencher, 16 * MIB, |bytes| {
        let mut hasher = FingerprintHasher::new(bytes.len() as u64);
        hasher.update(bytes);
        black_box(hasher.finish(0));
    });
}
