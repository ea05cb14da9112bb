//! How much faster content in one pass is than the serial way, counter mode and then a CBC-MAC over each chunk: beside
//! our own primitives used so, and beside OpenSSL.
//!
//! Run with `cargo bench -p supermega-crypto --bench ratio`; `crates/crypto/benches/run` does so for each kind of AES
//! unit. One thread; what takes turns is measured in the same seconds, and the best of them counts.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use aes::Aes128;
use cipher::{Array, BlockModeEncrypt, KeyIvInit};
use supermega_crypto::{ContentCipher, ContentKey, Nonce};

type Block = cipher::Block<Aes128>;

const KEY: [u8; 16] = [7; 16];
/// Where all chunks are full.
const OFFSET: u64 = 4_718_592;
const MIB: usize = 1 << 20;
const ROUNDS: usize = 40;

fn main() {
    println!("AES units: {}", units());
    let openssl = openssl();
    println!("\n| MiB at once | way | GB/s | beside serial | beside OpenSSL |");
    println!("|---:|---|---:|---:|---:|");
    for mebibytes in [1, 4, 16] {
        compare(mebibytes, openssl);
    }
    match openssl {
        Some(rate) => println!("\nOpenSSL, counter mode then CBC: {rate:.2} GB/s"),
        None => println!("\nopenssl is not there, or says nothing of its speed"),
    }
}

fn compare(mebibytes: usize, openssl: Option<f64>) {
    let content = ContentCipher::new(&ContentKey::from_bytes(KEY), Nonce::from_bytes([9; 8]));
    let mut bytes = vec![0x5a; mebibytes * MIB];
    let mut scratch = vec![Array([0; 16]); 1024];
    let mut best = [Duration::MAX; 3];
    for _ in 0..ROUNDS.max(ROUNDS * 4 / mebibytes) {
        let mut took = |way: usize, work: &mut dyn FnMut(&mut [u8])| {
            let begun = Instant::now();
            work(black_box(&mut bytes));
            best[way] = best[way].min(begun.elapsed());
        };
        took(0, &mut |bytes| {
            content.apply(OFFSET, bytes);
            bytes.chunks(MIB).for_each(|chunk| serial_mac(chunk, &mut scratch));
        });
        took(1, &mut |bytes| drop(black_box(content.decrypt_chunks(OFFSET, bytes))));
        took(2, &mut |bytes| drop(black_box(content.encrypt_chunks(OFFSET, bytes))));
    }
    let [serial, ..] = best;
    for (way, took) in ["serial", "decrypt and MAC", "encrypt and MAC"].iter().zip(best) {
        let length = u32::try_from(mebibytes * MIB).map_or(0.0, f64::from);
        let rate = length / took.as_secs_f64() / 1e9;
        let ratio = serial.as_secs_f64() / took.as_secs_f64();
        let beside = openssl.map_or_else(|| "?".into(), |openssl| format!("{:.1}", rate / openssl));
        println!("| {mebibytes} | {way} | {rate:.2} | {ratio:.1} | {beside} |");
    }
}

/// The MAC as `cbc` makes it: the last block of the ciphertext.
fn serial_mac(chunk: &[u8], scratch: &mut [Block]) {
    let mut cbc = cbc::Encryptor::<Aes128>::new(&Array(KEY), &Array([9; 16]));
    for piece in Block::slice_as_chunks(chunk).0.chunks(scratch.len()) {
        let _ = cbc.encrypt_blocks_b2b(piece, &mut scratch[..piece.len()]);
    }
    black_box(scratch);
}

/// What the processor has, and what this program was built to use.
fn units() -> String {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let there = [
        ("aes", std::arch::is_x86_feature_detected!("aes")),
        ("vaes", std::arch::is_x86_feature_detected!("vaes")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ];
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    let there = [("aes", aes::hardware_accelerated())];
    let mut names: Vec<&str> =
        there.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
    if !aes::hardware_accelerated() {
        names.push("(software is used)");
    }
    names.extend(option_env!("SUPERMEGA_BENCH_NOTE"));
    names.join(" ")
}

/// Bytes of a thousand millions a second that OpenSSL gets through one after the other.
fn openssl() -> Option<f64> {
    let rate = |cipher: &str| -> Option<f64> {
        let arguments = ["speed", "-mr", "-evp", cipher, "-bytes", "1048576", "-seconds", "1"];
        // Its own best of three, as ours.
        let rates = (0..3).filter_map(|_| {
            let output = Command::new("openssl").args(arguments).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            let line = text.lines().find(|line| line.starts_with("+F:"))?;
            line.rsplit(':').next()?.trim().parse().ok()
        });
        rates.reduce(f64::max)
    };
    let (counter, chain) = (rate("aes-128-ctr")?, rate("aes-128-cbc")?);
    Some(1.0 / (1.0 / counter + 1.0 / chain) / 1e9)
}
