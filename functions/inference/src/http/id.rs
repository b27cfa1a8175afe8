//! Ids of 26 lower-case characters, as Replicate's are; they sort by creation.

use shared_domain::Ids;

/// Crockford's alphabet: ascending in ASCII, so that the order of the numbers is kept.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A fresh id.
pub(super) fn fresh(ids: &dyn Ids) -> String {
    let number = ids.next().as_u128();
    let digit = |place: u32| {
        let five_bits = (number >> (5 * place)) & 31;
        usize::try_from(five_bits).map_or('0', |index| char::from(ALPHABET[index]))
    };
    (0..26).rev().map(digit).collect()
}

/// Whether a path segment may be an id: it becomes part of a file name.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|b| ALPHABET.contains(&b))
}
