//! `compliance queue`: how the queue stands, what was given up, and starting that again.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use shared_domain::Settings;
use shared_store::{DeadLetter, Store, StoreError, StreamStatus};
use uuid::Uuid;

use crate::args::{Function, Queue, Retry};

/// Exit code when something cannot be started again.
const NOT_RETRIED: u8 = 1;
/// Dead letters that one command reads.
const MOST: i64 = 10_000;
/// A reason is shown so long; `--json` has it whole.
const REASON: usize = 120;

/// What a command says, and how it ends.
#[derive(Debug, Default)]
struct Told {
    out: String,
    complaints: Vec<String>,
    code: u8,
}

pub(crate) async fn queue(settings: &Settings, command: &Queue) -> anyhow::Result<ExitCode> {
    let store = shared_runtime::store(settings).await?;
    let told = obey(&store, command).await;
    store.close().await;
    let told = told?;
    say(&told);
    Ok(ExitCode::from(told.code))
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line answers its user"
)]
fn say(told: &Told) {
    if !told.out.is_empty() {
        println!("{}", told.out);
    }
    for complaint in &told.complaints {
        eprintln!("compliance: {complaint}");
    }
}

async fn obey(store: &Store, command: &Queue) -> anyhow::Result<Told> {
    match command {
        Queue::Status { json } => status(store, *json).await,
        Queue::Dead { json } => dead(store, *json).await,
        Queue::Retry(Retry { id: Some(id), .. }) => retry(store, &[*id]).await,
        Queue::Retry(Retry { id: None, .. }) => {
            let letters = store.dead_letters(MOST).await?;
            let ids: Vec<Uuid> = letters.iter().map(|letter| letter.dead_letter_id).collect();
            retry(store, &ids).await
        }
    }
}

async fn status(store: &Store, json: bool) -> anyhow::Result<Told> {
    let quiet = Function::value_variants().iter().filter_map(|function| {
        let stream = function.to_possible_value()?.get_name().to_owned();
        let status = StreamStatus::default();
        Some((stream.clone(), StreamStatus { stream, ..status }))
    });
    let mut streams: BTreeMap<String, StreamStatus> = quiet.collect();
    for status in store.queue_status().await? {
        streams.insert(status.stream.clone(), status);
    }
    let out = if json {
        let streams = streams.values().map(|at| {
            json!({ "function": at.stream, "waiting": at.waiting, "due_later": at.later,
                    "running": at.leased, "dead": at.dead,
                    "oldest_age_seconds": at.oldest_age.map(|age| age.as_secs()) })
        });
        pretty(&streams.collect())?
    } else {
        let header = [
            "FUNCTION",
            "WAITING",
            "DUE LATER",
            "RUNNING",
            "OLDEST",
            "DEAD",
        ];
        let rows = streams.into_values().map(|at| {
            let counts = [at.waiting, at.later, at.leased].map(|count| count.to_string());
            let [waiting, later, running] = counts;
            let oldest = at.oldest_age.map_or_else(|| "-".to_owned(), age);
            [
                at.stream,
                waiting,
                later,
                running,
                oldest,
                at.dead.to_string(),
            ]
        });
        let mut table = plain(&header, rows);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        text(&table)
    };
    Ok(Told {
        out,
        ..Told::default()
    })
}

async fn dead(store: &Store, json: bool) -> anyhow::Result<Told> {
    let letters = store.dead_letters(MOST).await?;
    let age_of = |letter: &DeadLetter| {
        Duration::try_from(store.now() - letter.created_at).unwrap_or_default()
    };
    let out = if json {
        let letters = letters.iter().map(|letter| {
            json!({ "id": letter.dead_letter_id, "function": letter.handler,
                    "event_id": letter.event_id, "kind": letter.kind, "attempts": letter.attempts,
                    "age_seconds": age_of(letter).as_secs(), "reason": letter.error })
        });
        pretty(&letters.collect())?
    } else if letters.is_empty() {
        "Nothing was given up.".to_owned()
    } else {
        let rows = letters.iter().map(|letter| {
            let (id, age) = (letter.dead_letter_id.to_string(), age(age_of(letter)));
            let (function, kind) = (letter.handler.clone(), letter.kind.clone());
            [id, function, kind, age, short(&letter.error)]
        });
        text(&plain(&["ID", "FUNCTION", "KIND", "AGE", "REASON"], rows))
    };
    Ok(Told {
        out,
        ..Told::default()
    })
}

/// Starts these again. One that cannot be does not keep the others from it.
async fn retry(store: &Store, ids: &[Uuid]) -> anyhow::Result<Told> {
    let (mut told, mut retried) = (Told::default(), 0);
    for id in ids {
        match store.retry_dead(*id).await {
            Ok(()) => retried += 1,
            Err(error) => {
                told.complaints.push(refusal(*id, error)?);
                told.code = NOT_RETRIED;
            }
        }
    }
    told.out = match (retried, ids.len()) {
        (_, 0) => "Nothing was given up.".to_owned(),
        (0, _) => String::new(),
        (1, _) => "1 event starts again.".to_owned(),
        (many, _) => format!("{many} events start again."),
    };
    Ok(told)
}

/// The sentence about an entry that cannot be retried; what else goes wrong ends the command.
fn refusal(id: Uuid, error: StoreError) -> Result<String, StoreError> {
    match error {
        StoreError::NotFound { .. } => Ok(format!(
            "nothing that was given up has the id {id}: `compliance queue dead` lists what has"
        )),
        StoreError::NotRepeatable { event_id } => Ok(format!(
            "{id} cannot start again: its event {event_id} came through a door, and only its \
             sender can repeat it"
        )),
        other => Err(other),
    }
}

fn plain<const N: usize>(header: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

fn text(table: &Table) -> String {
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

fn pretty(rows: &Vec<Value>) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(rows)?)
}

/// The first line, not too much of it, and nothing that a terminal would obey.
fn short(reason: &str) -> String {
    let line = reason.lines().next().unwrap_or_default();
    let visible = line.chars().filter(|character| !character.is_control());
    let mut shown: String = visible.take(REASON).collect();
    if shown.len() < reason.len() {
        shown.push('…');
    }
    shown
}

/// `45s`, `12m 5s`, `3h 20m`, `2d 4h`.
fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, ..) => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

#[cfg(test)]
mod tests;
