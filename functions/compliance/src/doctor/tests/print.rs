use serde_json::json;
use shared_domain::Lang;

use super::*;
use crate::doctor::finding::Said;

fn report(lang: Lang) -> Report {
    let mut settings = Settings::default();
    settings.set("REPLICATE_API_TOKEN", "r8_canary_of_replicate");
    settings.set(
        "DATABASE_URL",
        "postgres://user:p%40canary@db.example.com/name",
    );
    settings.set("EMAIL_HOST_PASSWORD", "short");
    let loud = "it said r8_canary_of_replicate, p@canary\n and\tp%40canary \u{1b}[31m, in short";
    Report {
        lines: vec![
            line("debug-off", Finding::ok("выключен", "off")),
            line("bucket-cors", Finding::warn("посмотрите", "look")),
            line("redis", Finding::fail(loud, loud)),
            line("clock", Finding::not_checked("неизвестно", "unknown")),
        ],
        fixed: vec![Fixed {
            check: Deploy::BucketCors,
            done: true,
            said: Said::new("поставлено", "was set"),
        }],
        censor: Censor::new(&settings),
        lang,
    }
}

#[test]
fn a_person_reads_a_sign_a_name_and_a_sentence() {
    assert_eq!(
        report(Lang::En).text(),
        "+ bucket-cors  was set\n\
         ✓ debug-off    off\n\
         ! bucket-cors  look\n\
         ✗ redis        it said …, … and … [31m, in short\n\
         ? clock        unknown\n\
         \n1 ok, 1 to look at, 1 to mend, 1 not checked"
    );
    let russian = report(Lang::Ru).text();
    assert!(russian.contains("✓ debug-off    выключен\n"), "{russian}");
    assert!(
        russian.ends_with("исправить 1, не проверено 1"),
        "{russian}"
    );
}

#[test]
fn a_program_reads_an_array() {
    let rows = report(Lang::En).json();
    assert_eq!(
        rows[1],
        json!({ "name": "bucket-cors", "state": "warn", "message": "look", "changed": "was set" })
    );
    assert_eq!(rows[3]["state"], "not-checked");
    assert!(!json!(rows).to_string().contains("canary"));
}

#[test]
fn what_could_not_be_set_is_said() {
    let mut report = report(Lang::En);
    report.fixed[0].done = false;
    assert!(
        report
            .text()
            .starts_with("- bucket-cors  not set: was set\n")
    );
    assert_eq!(report.json()[1]["not_changed"], "not set: was set");
}
