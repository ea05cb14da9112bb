//! Puzzles (`protocol-auth.md` 8).

use std::sync::atomic::AtomicBool;

use supermega_crypto::{Challenge, Solution};
use supermega_encoding::base64;

use super::{at, number, rows, text};

#[test]
fn hashcash_thresholds() {
    let thresholds = at("/hashcash/thresholds").as_object().unwrap();
    assert_eq!(thresholds.len(), 12);
    for (easiness, threshold) in thresholds {
        let challenge = Challenge::new(easiness.parse().unwrap(), 0, [0; 48]);
        assert_eq!(u64::from(challenge.threshold()), threshold.as_u64().unwrap(), "{easiness}");
    }
}

#[test]
fn hashcash_solutions_counting_from_0() {
    for row in rows("/hashcash/solutions_counting_big_endian_from_0", 6) {
        let header = format!("1:{}:5:{}", number(row, "easiness"), text(row, "token"));
        let challenge = Challenge::parse(&header).unwrap();
        assert_eq!(challenge.header(), header);
        assert_eq!(u64::from(challenge.threshold()), number(row, "threshold"));
        let nonce = u32::try_from(number(row, "first_big_endian_nonce")).unwrap().to_be_bytes();
        assert_eq!(base64::encode(&nonce), text(row, "prefix_b64"));
        assert!(challenge.verify(nonce), "{row}");
        let before = u32::from_be_bytes(nonce) - 1;
        assert!(!challenge.verify(before.to_be_bytes()), "{row}");
    }
}

#[test]
fn hashcash_solutions_from_mega_py_tests() {
    for row in rows("/hashcash/solutions_from_mega_py_tests", 2) {
        let challenge = Challenge::parse(text(row, "challenge")).unwrap();
        let solution = Solution::parse(text(row, "answer")).unwrap();
        assert_eq!(solution.header(), text(row, "answer"));
        assert_eq!(solution.token(), challenge.token());
        assert!(solution.verify(challenge.easiness()));
        assert!(challenge.verify(solution.nonce()));
    }
}

#[test]
fn hashcash_is_solved() {
    let row = &rows("/hashcash/solutions_counting_big_endian_from_0", 6)[0];
    for threads in [1, 2] {
        let header = format!("1:255:5:{}", text(row, "token"));
        let challenge = Challenge::parse(&header).unwrap();
        let solution = challenge.solve(threads, &AtomicBool::new(false)).unwrap();
        assert!(solution.verify(255));
        assert_eq!(Solution::parse(&solution.header()), Some(solution));
    }
}
