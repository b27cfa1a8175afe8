//! Two engines, one schema: the same files, tables, columns and nullability, and a comment on each.
//!
//! Migrations keep one column a line, so a line reader is enough and says where it failed.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use regex::Regex;

use crate::tree::{self, SourceFile};

const POSTGRES: &str = "migrations/postgres/";
const SQLITE: &str = "migrations/sqlite/";

/// What both engines must agree on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Column {
    required: bool,
    commented: bool,
}

/// `table.column` to what is known of it.
type Columns = BTreeMap<String, Column>;

fn names<'a>(files: &'a [SourceFile], folder: &str) -> Vec<&'a str> {
    let mut names: Vec<_> = files
        .iter()
        .filter_map(|f| f.path.strip_prefix(folder))
        .collect();
    names.sort_unstable();
    names
}

/// Reads the columns of all files of one folder.
fn columns(files: &[SourceFile], folder: &str) -> Result<Columns> {
    let create = Regex::new(r"(?i)^create table (?:if not exists )?(\w+) \($")?;
    let add = Regex::new(r"(?i)^alter table (\w+) add column (\w+)(.*)$")?;
    let comment = Regex::new(r"(?i)^comment on column (\w+\.\w+) is '.")?;
    let mut columns = Columns::new();
    for file in files.iter().filter(|file| file.path.starts_with(folder)) {
        let (mut table, mut depth, mut commented) = (None, 0_i32, false);
        for line in file.text.lines().map(str::trim) {
            if line.starts_with("--") {
                commented = true;
                continue;
            }
            if let Some(found) = create.captures(line) {
                (table, depth) = (Some(found[1].to_owned()), 1);
            } else if let Some(found) = add.captures(line) {
                let column = Column {
                    required: found[3].contains("not null"),
                    commented,
                };
                columns.insert(format!("{}.{}", &found[1], &found[2]), column);
            } else if let Some(found) = comment.captures(line) {
                columns.entry(found[1].to_owned()).or_default().commented = true;
            } else if let Some(name) = &table {
                if let Some(column) = column_name(line).filter(|_| depth == 1) {
                    let required = line.contains("not null");
                    columns.insert(
                        format!("{name}.{column}"),
                        Column {
                            required,
                            commented,
                        },
                    );
                }
                depth += nesting(line);
                if depth <= 0 {
                    table = None;
                }
            }
            commented = false;
        }
    }
    Ok(columns)
}

fn column_name(line: &str) -> Option<&str> {
    let word = line
        .split([' ', '(', ')'])
        .next()
        .filter(|word| !word.is_empty())?;
    let constraint = [
        "primary",
        "unique",
        "check",
        "foreign",
        "constraint",
        "references",
    ];
    (!constraint.contains(&word)).then_some(word)
}

fn nesting(line: &str) -> i32 {
    line.chars()
        .map(|c| i32::from(c == '(') - i32::from(c == ')'))
        .sum()
}

/// Migrations that take away what an older release may use, and do not say so in their names: that is
/// how the older release is kept from starting on them.
fn unannounced(files: &[SourceFile]) -> Result<Vec<String>> {
    let takes = Regex::new(
        r"(?im)^\s*(drop (table|view)|alter table .*(drop column|rename|set not null|alter column \w+ type))",
    )?;
    let says = Regex::new(r"_needs_\d{4}\.sql$")?;
    let migrations = files
        .iter()
        .filter(|file| file.path.starts_with(POSTGRES) || file.path.starts_with(SQLITE));
    Ok(migrations
        .filter(|file| takes.is_match(&file.text) && !says.is_match(&file.path))
        .map(|file| format!("{}: takes something away without _needs_NNNN", file.path))
        .collect())
}

/// Everything in which the two folders differ.
fn differences(files: &[SourceFile]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let (postgres, sqlite) = (names(files, POSTGRES), names(files, SQLITE));
    if postgres != sqlite {
        found.push(format!("file names differ: {postgres:?} and {sqlite:?}"));
    }
    for (index, name) in postgres.iter().enumerate() {
        if !name.starts_with(&format!("{:04}_", index + 1)) {
            found.push(format!("{name}: number {:04} is expected here", index + 1));
        }
    }
    found.extend(unannounced(files)?);
    let (postgres, sqlite) = (columns(files, POSTGRES)?, columns(files, SQLITE)?);
    for name in postgres.keys().chain(sqlite.keys()) {
        match (postgres.get(name), sqlite.get(name)) {
            (Some(left), Some(right)) if left.required != right.required => {
                found.push(format!("{name}: `not null` on one engine only"));
            }
            (Some(left), Some(right)) if !left.commented || !right.commented => {
                found.push(format!("{name}: no comment"));
            }
            (Some(_), Some(_)) => {}
            (Some(_), None) => found.push(format!("{name}: missing in SQLite")),
            (None, _) => found.push(format!("{name}: missing in PostgreSQL")),
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[test]
fn both_engines_have_the_same_schema() -> Result<()> {
    let files = tree::files()?;
    let read = columns(&files, POSTGRES)?.len();
    ensure!(read > 50, "only {read} columns were read");
    let found = differences(&files)?;
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

fn pair(postgres: &str, sqlite: &str) -> [SourceFile; 2] {
    [
        SourceFile::new("migrations/postgres/0001_users.sql", postgres),
        SourceFile::new("migrations/sqlite/0001_users.sql", sqlite),
    ]
}

const GOOD_POSTGRES: &str = "create table users (
    user_id uuid not null primary key,
    role text not null check (
        role in ('CLIENT')
    ),
    unique (role)
);
comment on column users.user_id is 'The person.';
comment on column users.role is 'What.';
alter table users add column totp text;
comment on column users.totp is 'Second factor.';";

const GOOD_SQLITE: &str = "create table users (
    -- The person.
    user_id text not null primary key,
    -- What.
    role text not null check (role in ('CLIENT')),
    unique (role)
);
-- Second factor.
alter table users add column totp text;";

#[test]
fn equal_schemas_pass() -> Result<()> {
    assert_eq!(
        differences(&pair(GOOD_POSTGRES, GOOD_SQLITE))?,
        Vec::<String>::new()
    );
    Ok(())
}

#[test]
fn each_difference_is_reported() -> Result<()> {
    let without = |text: &str, part: &str| text.replace(part, "");
    let cases = [
        (
            without(GOOD_POSTGRES, "    user_id uuid not null primary key,\n"),
            GOOD_SQLITE.to_owned(),
        ),
        (
            GOOD_POSTGRES.to_owned(),
            without(GOOD_SQLITE, "alter table users add column totp text;"),
        ),
        (
            GOOD_POSTGRES.to_owned(),
            without(GOOD_SQLITE, "    -- What.\n"),
        ),
        (
            without(GOOD_POSTGRES, "comment on column users.role is 'What.';"),
            GOOD_SQLITE.to_owned(),
        ),
        (
            GOOD_POSTGRES.replace("totp text", "totp text not null"),
            GOOD_SQLITE.to_owned(),
        ),
    ];
    for (postgres, sqlite) in cases {
        let found = differences(&pair(&postgres, &sqlite))?;
        assert_eq!(found.len(), 1, "{found:?} for\n{postgres}\n{sqlite}");
    }
    let mut files = pair(GOOD_POSTGRES, GOOD_SQLITE).to_vec();
    files[1].path = "migrations/sqlite/0001_people.sql".to_owned();
    assert_eq!(differences(&files)?.len(), 1);
    for file in &mut files {
        file.path = file
            .path
            .replace("0001_users", "0002_users")
            .replace("0001_people", "0002_users");
    }
    assert_eq!(
        differences(&files)?,
        ["0002_users.sql: number 0001 is expected here"]
    );
    Ok(())
}

#[test]
fn what_takes_something_away_says_whom_it_leaves_behind() -> Result<()> {
    for statement in [
        "drop table mails;",
        "alter table mails drop column error;",
        "alter table mails rename column error to fault;",
        "alter table mails alter column error set not null;",
        "alter table mails alter column attempts type integer;",
    ] {
        let silent = SourceFile::new("migrations/postgres/0012_less.sql", statement);
        assert_eq!(unannounced(&[silent])?.len(), 1, "{statement}");
        let said = SourceFile::new("migrations/sqlite/0012_less_needs_0011.sql", statement);
        assert_eq!(unannounced(&[said])?.len(), 0, "{statement}");
    }
    let more = SourceFile::new(
        "migrations/postgres/0012_more.sql",
        "alter table mails add column type text;",
    );
    assert_eq!(unannounced(&[more])?.len(), 0);
    Ok(())
}
