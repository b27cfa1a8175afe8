//! Passwords: argon2id with the crate's recommended cost.

use argon2::Argon2;
use argon2::password_hash::{Error, PasswordHash, PasswordHasher, PasswordVerifier, SaltString};

/// Hashes a password; takes some tens of milliseconds of a core on purpose.
pub fn hash(password: &str) -> Result<String, Error> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| Error::Crypto)?;
    let salt = SaltString::encode_b64(&salt)?;
    Ok(Argon2::default()
        .hash_password(password.as_bytes(), &salt)?
        .to_string())
}

/// Whether the password has this hash. Takes the same time for a hash that is none.
pub(crate) fn matches(password: &str, hash: Option<&str>) -> bool {
    let known = hash.and_then(|hash| PasswordHash::new(hash).ok());
    let argon = Argon2::default();
    match known {
        Some(known) => argon.verify_password(password.as_bytes(), &known).is_ok(),
        None => {
            // An unknown name costs as much as a wrong password.
            let mut sink = [0; 32];
            let _ = argon.hash_password_into(password.as_bytes(), b"0123456789abcdef", &mut sink);
            false
        }
    }
}
