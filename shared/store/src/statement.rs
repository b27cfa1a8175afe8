//! The span of a statement, named after what it does: `db.videos.update`. The text holds no values.

use tracing::field::Empty;
use tracing::{Span, debug_span};

/// No span outside of an event: looks at the queue that find nothing are nobody's.
pub(crate) fn span(sql: &str) -> Span {
    if Span::current().is_none() {
        return Span::none();
    }
    let span = debug_span!("db", otel.name = Empty, otel.kind = "client");
    if !span.is_disabled() {
        let (verb, table) = subject(sql);
        span.record("otel.name", format!("db.{table}.{verb}"));
    }
    span
}

/// Verb and table: the first that writes, or else the first that is read.
fn subject(sql: &str) -> (&'static str, &str) {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let writes = words.windows(3).find_map(|three| match three {
        ["insert", "into", table] => Some(("insert", *table)),
        ["delete", "from", table] => Some(("delete", *table)),
        ["update", table, "set"] => Some(("update", *table)),
        _ => None,
    });
    let reads = || {
        let from = words.windows(2).find(|two| two[0] == "from");
        ("select", from.map_or("", |two| two[1]))
    };
    writes.unwrap_or_else(reads)
}

#[cfg(test)]
mod tests {
    use super::subject;

    #[test]
    fn a_statement_is_named_after_what_it_does() {
        for (sql, named) in [
            ("select 1 from videos where a = $1", ("select", "videos")),
            ("insert into inbox (a) values ($1)", ("insert", "inbox")),
            (
                "delete from outbox where event_id in (select 1 from a)",
                ("delete", "outbox"),
            ),
            (
                "with due as (select 1 from outbox for update skip locked) update outbox set a = $1",
                ("update", "outbox"),
            ),
            ("select 1", ("select", "")),
        ] {
            assert_eq!(subject(sql), named, "{sql}");
        }
    }
}
