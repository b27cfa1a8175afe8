use secrecy::SecretString;
use time::{Duration, OffsetDateTime};

use crate::signature::{SignatureError, SignedHeaders, TOLERANCE, check_secret, sign, verify};

struct Vector {
    secret: &'static str,
    id: &'static str,
    timestamp: &'static str,
    body: String,
    entry: &'static str,
}

const KEY_C: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn body_c() -> String {
    include_str!("../../fixtures/webhook.json")
        .trim_end()
        .to_owned()
}

fn vector_c() -> Vector {
    Vector {
        secret: KEY_C,
        id: "msg_2replicateTESTvector0001",
        timestamp: "1767323046",
        body: body_c(),
        entry: "v1,hUK6emBhS85abrdI1tWA1PBIaN+ouqyO/Gjk9AwAOYU=",
    }
}

fn vectors() -> [Vector; 5] {
    [
        Vector {
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: "1614265330",
            body: "{\"test\": 2432232314}".into(),
            entry: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        Vector {
            secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            id: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            timestamp: "1649367553",
            body: "{\"email\":\"test@example.com\",\"username\":\"test_user\"}".into(),
            entry: "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        },
        vector_c(),
        Vector {
            secret: KEY_C,
            id: "msg_2replicateTESTvector0002",
            timestamp: "1767323047",
            body: "{\"id\":\"x\",\"status\":\"failed\",\"error\":\"плохой кадр №7 🚫\"}\n".into(),
            entry: "v1,gjYs96ivxNe3eoHl53K8kdSnBvdd3OZFOxrpT2O71mU=",
        },
        Vector {
            secret: "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
            entry: "v1,jn9azSLtdFm7H8V6ctCVcmXNdWah6o1pX82jsGXcABk=",
            ..vector_c()
        },
    ]
}

impl Vector {
    fn check(&self, signature: &str, secret: &str, off: i64) -> Result<(), SignatureError> {
        let sent = OffsetDateTime::from_unix_timestamp(self.timestamp.parse().unwrap()).unwrap();
        let headers = SignedHeaders {
            id: self.id,
            timestamp: self.timestamp,
            signature,
        };
        let secrets = [SecretString::from(secret)];
        let now = sent + Duration::seconds(off);
        verify(&headers, self.body.as_bytes(), &secrets, now, TOLERANCE)
    }
}

#[test]
fn known_answers_are_signed_and_verified() {
    for v in vectors() {
        let signed = sign(&v.secret.into(), v.id, v.timestamp, v.body.as_bytes()).unwrap();
        assert_eq!(signed, v.entry);
        assert_eq!(v.check(v.entry, v.secret, 0), Ok(()));
    }
}

#[test]
fn one_good_entry_among_others_is_enough() {
    let [_, _, c, _, e] = vectors();
    let both = format!("{} {}", e.entry, c.entry);
    assert_eq!(c.check(&both, c.secret, 0), Ok(()));
    for junk in ["v1a,AAAA", "v1", "", "v1,***", "v1,AAAA"] {
        assert_eq!(
            c.check(&format!("{junk} {}", c.entry), c.secret, 0),
            Ok(()),
            "{junk}"
        );
    }
}

#[test]
fn wrong_entries_are_refused() {
    let [_, _, c, _, e] = vectors();
    let other_version = c.entry.replacen("v1", "v2", 1);
    for entry in [e.entry, "v1,", &other_version, "v1a,AAAA"] {
        assert_eq!(
            c.check(entry, c.secret, 0),
            Err(SignatureError::Mismatch),
            "{entry}"
        );
    }
}

#[test]
fn any_changed_byte_is_refused() {
    let c = vector_c();
    for index in 0..c.body.len() {
        let mut bytes = c.body.clone().into_bytes();
        bytes[index] ^= 1;
        let headers = SignedHeaders {
            id: c.id,
            timestamp: c.timestamp,
            signature: c.entry,
        };
        let now = OffsetDateTime::from_unix_timestamp(1_767_323_046).unwrap();
        let verdict = verify(&headers, &bytes, &[c.secret.into()], now, TOLERANCE);
        assert_eq!(verdict, Err(SignatureError::Mismatch));
    }
    let value: serde_json::Value = serde_json::from_str(&c.body).unwrap();
    let spaced = Vector {
        body: serde_json::to_string_pretty(&value).unwrap(),
        ..vector_c()
    };
    assert_eq!(
        spaced.check(c.entry, c.secret, 0),
        Err(SignatureError::Mismatch)
    );
    let [_, _, _, d, _] = vectors();
    let trimmed = Vector {
        body: d.body.trim_end().to_owned(),
        ..d
    };
    assert_eq!(
        trimmed.check(trimmed.entry, KEY_C, 0),
        Err(SignatureError::Mismatch)
    );
}

#[test]
fn clock_may_be_off_by_five_minutes_and_no_more() {
    let c = vector_c();
    for off in [300, -300] {
        assert_eq!(c.check(c.entry, c.secret, off), Ok(()));
    }
    for off in [301, -301, 86_400] {
        assert_eq!(
            c.check(c.entry, c.secret, off),
            Err(SignatureError::Expired)
        );
    }
}

#[test]
fn rotated_secret_and_missing_prefix_are_accepted() {
    let [_, _, c, _, e] = vectors();
    assert_eq!(
        c.check(c.entry, KEY_C.strip_prefix("whsec_").unwrap(), 0),
        Ok(())
    );
    let now = OffsetDateTime::from_unix_timestamp(1_767_323_046).unwrap();
    let headers = SignedHeaders {
        id: c.id,
        timestamp: c.timestamp,
        signature: c.entry,
    };
    let secrets = [e.secret.into(), c.secret.into()];
    assert_eq!(
        verify(&headers, c.body.as_bytes(), &secrets, now, TOLERANCE),
        Ok(())
    );
    assert_eq!(
        verify(&headers, c.body.as_bytes(), &[], now, TOLERANCE),
        Err(SignatureError::Mismatch)
    );
}

#[test]
fn missing_parts_and_bad_secrets_are_told_apart() {
    let c = vector_c();
    assert_eq!(c.check("", c.secret, 0), Err(SignatureError::Missing));
    let empty = Vector {
        body: String::new(),
        ..vector_c()
    };
    assert_eq!(
        empty.check(c.entry, c.secret, 0),
        Err(SignatureError::Missing)
    );
    assert_eq!(
        c.check(c.entry, "whsec_???", 0),
        Err(SignatureError::Secret)
    );
    assert_eq!(check_secret(&"whsec_".into()), Err(SignatureError::Secret));
    assert_eq!(check_secret(&KEY_C.into()), Ok(()));
    assert_eq!(check_secret(&KEY_C.trim_end_matches('=').into()), Ok(()));
    let headers = SignedHeaders {
        id: c.id,
        timestamp: "soon",
        signature: c.entry,
    };
    let now = OffsetDateTime::UNIX_EPOCH;
    let verdict = verify(
        &headers,
        c.body.as_bytes(),
        &[c.secret.into()],
        now,
        TOLERANCE,
    );
    assert_eq!(verdict, Err(SignatureError::Timestamp));
}
