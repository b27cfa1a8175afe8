//! HMAC-SHA256 whose key is the text of a secret.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

pub(crate) fn mac(secret: &SecretString, body: &[u8]) -> Hmac<Sha256> {
    let text = secret.expose_secret().as_bytes();
    // RFC 2104, section 2: a short key is padded to the block, a long one hashed first. Handing
    // over a whole block is the constructor that cannot fail.
    let mut block = [0; 64];
    if let Some(start) = block.get_mut(..text.len()) {
        start.copy_from_slice(text);
    } else {
        block[..32].copy_from_slice(&Sha256::digest(text));
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(body);
    mac
}
