use secrecy::SecretString;
use serde_json::json;

use crate::notification::{parse, sign, verify};

const SECRET_A: &str = "kA7wQ2mZ9xR4tB6nV1cH8jL3pS5dF0gY";
const BODY_A: &str = r#"{"events":[{"accountId":"acc000000001","bucketId":"b000000000000000000000a1","bucketName":"media-raw","eventId":"evt-test-0001","eventTimestamp":1700000000000,"eventType":"b2:TestEvent","eventVersion":1,"matchedRuleName":"uploads-rule"}]}"#;
const HEADER_A: &str = "v1=1219ad78b194568cb467e9671d4d3fed40862ae5e153e824d1afb62882a9f3b3";

const SECRET_B: &str = "0123456789abcdefghijklmnopqrstuv";
const BODY_B: &str = r#"{"events":[{"accountId":"acc000000001","bucketId":"b000000000000000000000a1","bucketName":"media-raw","eventId":"evt-0002","eventTimestamp":1700000000123,"eventType":"b2:ObjectCreated:MultipartUpload","eventVersion":1,"matchedRuleName":"uploads-rule","objectName":"uploads/été/clip 01.mp4","objectSize":734003200,"objectVersionId":"4_zb000000000000000000000a1_f200000000000000a_d20231114_m221320_c000_v0001000_t0000_u01700000000123"}]}"#;
const HEADER_B: &str = "v1=a1d4ba12aba774a15eb50fedb53126ece0bfb20588b580f9735bffeb39d5df17";

fn secrets(texts: &[&str]) -> Vec<SecretString> {
    texts.iter().map(|text| SecretString::from(*text)).collect()
}

#[test]
fn known_signatures_are_made_and_accepted() {
    for (secret, body, header) in [(SECRET_A, BODY_A, HEADER_A), (SECRET_B, BODY_B, HEADER_B)] {
        assert_eq!(sign(&secret.into(), body.as_bytes()), header);
        assert!(verify(header, body.as_bytes(), &secrets(&[secret])));
    }
}

#[test]
fn rotation_accepts_either_secret_and_either_signature() {
    let both = secrets(&[SECRET_B, SECRET_A]);
    assert!(verify(HEADER_A, BODY_A.as_bytes(), &both));
    assert!(verify(
        &format!("{HEADER_B}, {HEADER_A}"),
        BODY_A.as_bytes(),
        &secrets(&[SECRET_A])
    ));
    assert!(verify(
        &format!("junk,v1=00,{HEADER_A}"),
        BODY_A.as_bytes(),
        &secrets(&[SECRET_A])
    ));
}

#[test]
fn every_changed_byte_of_the_body_is_noticed() {
    let secrets = secrets(&[SECRET_B]);
    for at in 0..BODY_B.len() {
        let mut body = BODY_B.as_bytes().to_vec();
        body[at] ^= 1;
        assert!(!verify(HEADER_B, &body, &secrets), "byte {at}");
    }
}

#[test]
fn signatures_in_another_form_are_refused() {
    let digits = HEADER_A.trim_start_matches("v1=");
    let forms = [
        String::new(),
        digits.to_owned(),
        format!("v0={digits}"),
        format!("V1={digits}"),
        format!("v1={}", digits.to_uppercase()),
        format!("v1={}", &digits[..62]),
        format!("v1={digits}00"),
        format!("v1= {digits}"),
        "v1=".to_owned(),
        "v1=zz".to_owned(),
    ];
    for form in forms {
        assert!(
            !verify(&form, BODY_A.as_bytes(), &secrets(&[SECRET_A])),
            "{form:?}"
        );
    }
}

#[test]
fn neither_an_empty_secret_nor_a_decoded_one_verifies() {
    use base64::Engine as _;
    let body = BODY_A.as_bytes();
    assert!(!verify(&sign(&"".into(), body), body, &secrets(&[""])));
    assert!(!verify(HEADER_A, body, &[]));
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(SECRET_A)
        .expect("base64");
    let decoded: String = decoded.iter().map(|b| char::from(*b)).collect();
    assert!(!verify(HEADER_A, body, &secrets(&[&decoded])));
}

#[test]
fn secrets_longer_than_a_block_are_hashed() {
    // The data of RFC 4231, test case 6, under a key that is text.
    let secret: String = "a".repeat(131);
    let body = b"Test Using Larger Than Block-Size Key - Hash Key First";
    let header = sign(&secret.as_str().into(), body);
    assert_eq!(
        header,
        "v1=d021303c2f34bf3ae541b4ec9c672691694c6f71c5c0c55781545a66115b14a7"
    );
}

#[test]
fn uploads_are_read_whole() {
    let notification = parse(BODY_B.as_bytes()).expect("a notification");
    let event = &notification.events[0];
    assert!(event.is_created() && !event.is_test());
    assert_eq!(event.event_id, "evt-0002");
    assert_eq!(
        event.object_name.as_deref(),
        Some("uploads/été/clip 01.mp4")
    );
    assert_eq!(event.object_size, Some(734_003_200));
}

#[test]
fn test_events_lack_an_object() {
    let notification = parse(BODY_A.as_bytes()).expect("a notification");
    let event = &notification.events[0];
    assert!(event.is_test() && !event.is_created());
    assert_eq!((&event.object_name, event.object_size), (&None, None));
}

#[test]
fn strange_events_are_kept_apart_from_good_ones() {
    let body = json!({ "events": [
        { "eventId": "1", "eventType": "b2:Future:Kind", "surprise": { "deep": [1] } },
        { "eventId": "2" },
        "text",
        { "eventId": "3", "eventType": "b2:HideMarkerCreated:Hide", "objectName": "k", "objectSize": null },
        { "eventId": "4", "eventType": "b2:ObjectCreated:Hide", "objectName": "k", "objectSize": 0 },
        { "eventId": "5", "eventType": "b2:ObjectCreated:Copy", "objectName": "k", "objectSize": 7 },
    ], "later": true });
    let notification = parse(body.to_string().as_bytes()).expect("a notification");
    let created: Vec<&str> = notification
        .events
        .iter()
        .filter(|event| event.is_created())
        .map(|event| event.event_id.as_str())
        .collect();
    assert_eq!(created, ["5"]);
    assert_eq!(
        (notification.events.len(), notification.malformed.len()),
        (4, 2)
    );
}

#[test]
fn bodies_that_are_no_notification_are_refused() {
    for body in [
        "",
        "[]",
        "{}",
        "null",
        "{\"events\":{}}",
        "{\"events\":[",
        "\u{0}",
    ] {
        assert!(parse(body.as_bytes()).is_err(), "{body:?}");
    }
    assert!(
        parse(b"{\"events\":[]}")
            .expect("empty is fine")
            .events
            .is_empty()
    );
}
