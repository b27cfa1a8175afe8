//! Values that both engines store differently but that one bind and one decode must serve.
//!
//! An id is `uuid` in PostgreSQL and hyphenated text in SQLite; a time is `timestamptz` and whole
//! microseconds. Both engines keep microseconds, so times are cut to them before they are bound.

use serde::Serialize;
use serde_json::Value;
use shared_domain::{
    ExecutionId, LabelId, Lang, OutboxId, PredictionId, ProjectId, ReportId, SessionId, Step, Task,
    TaskId, TriggerId, UserId, VideoId,
};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};
use time::OffsetDateTime;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// A JSON column that is read.
pub(crate) use sqlx::types::Json as StoredJson;

/// A JSON column that is written, without the NULs that PostgreSQL keeps in no text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<T>(pub(crate) T);

/// An id column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) Uuid);

/// A time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ts(OffsetDateTime);

/// A column that holds the name of an enum's variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) String);

/// A column that may be null; stands in for `Option`, for which conversions cannot be written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maybe<T>(pub(crate) Option<T>);

impl Ts {
    /// Cuts what neither engine keeps.
    pub(crate) fn new(at: OffsetDateTime) -> Self {
        Self(whole_micros(at))
    }

    fn micros(self) -> i64 {
        i64::try_from(self.0.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
    }

    fn from_micros(micros: i64) -> Result<Self, time::error::ComponentRange> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map(Self)
    }
}

/// The same moment in whole microseconds.
pub(crate) fn whole_micros(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_microsecond(at.microsecond()).unwrap_or(at)
}

/// The same JSON with U+FFFD in the place of each NUL: models and files may say anything, and
/// PostgreSQL refuses a whole row for one of them.
pub fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text_without_nul(&text)),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (text_without_nul(&name), without_nul(value)))
            .collect(),
        other => other,
    }
}

/// The same text with U+FFFD in the place of each NUL.
pub(crate) fn text_without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

impl<T: Serialize> Json<T> {
    fn cleaned(&self) -> Result<StoredJson<Value>, serde_json::Error> {
        Ok(StoredJson(without_nul(serde_json::to_value(&self.0)?)))
    }
}

impl<T> Type<Postgres> for Json<T> {
    fn type_info() -> PgTypeInfo {
        <StoredJson<Value> as Type<Postgres>>::type_info()
    }
}

impl<T> Type<Sqlite> for Json<T> {
    fn type_info() -> SqliteTypeInfo {
        <StoredJson<Value> as Type<Sqlite>>::type_info()
    }
}

impl<T: Serialize> Encode<'_, Postgres> for Json<T> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <StoredJson<Value> as Encode<'_, Postgres>>::encode(self.cleaned()?, buffer)
    }
}

impl<T: Serialize> Encode<'_, Sqlite> for Json<T> {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <StoredJson<Value> as Encode<'_, Sqlite>>::encode(self.cleaned()?, buffer)
    }
}

impl Type<Postgres> for Id {
    fn type_info() -> PgTypeInfo {
        <Uuid as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Id {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode_by_ref(&self.0, buffer)
    }
}

impl Decode<'_, Postgres> for Id {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        <Uuid as Decode<Postgres>>::decode(value).map(Self)
    }
}

impl Type<Sqlite> for Id {
    fn type_info() -> SqliteTypeInfo {
        <Hyphenated as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Id {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode_by_ref(&self.0.hyphenated(), buffer)
    }
}

impl Decode<'_, Sqlite> for Id {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        <Hyphenated as Decode<Sqlite>>::decode(value).map(|id| Self(id.into()))
    }
}

impl Type<Postgres> for Ts {
    fn type_info() -> PgTypeInfo {
        <OffsetDateTime as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Ts {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode_by_ref(&self.0, buffer)
    }
}

impl Decode<'_, Postgres> for Ts {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        <OffsetDateTime as Decode<Postgres>>::decode(value).map(Self)
    }
}

impl Type<Sqlite> for Ts {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(given: &SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(given)
    }
}

impl Encode<'_, Sqlite> for Ts {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode_by_ref(&self.micros(), buffer)
    }
}

impl Decode<'_, Sqlite> for Ts {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self::from_micros(<i64 as Decode<Sqlite>>::decode(value)?)?)
    }
}

impl<DB: Database> Type<DB> for Name
where
    String: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        String::type_info()
    }

    fn compatible(given: &DB::TypeInfo) -> bool {
        String::compatible(given)
    }
}

impl<'r, DB: Database> Decode<'r, DB> for Name
where
    String: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        String::decode(value).map(Self)
    }
}

impl<DB: Database, T: Type<DB>> Type<DB> for Maybe<T> {
    fn type_info() -> DB::TypeInfo {
        T::type_info()
    }

    fn compatible(given: &DB::TypeInfo) -> bool {
        T::compatible(given)
    }
}

impl<'r, DB: Database, T> Decode<'r, DB> for Maybe<T>
where
    Option<T>: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        <Option<T> as Decode<'r, DB>>::decode(value).map(Self)
    }
}

impl From<Ts> for OffsetDateTime {
    fn from(at: Ts) -> Self {
        at.0
    }
}

impl From<OffsetDateTime> for Ts {
    fn from(at: OffsetDateTime) -> Self {
        Self::new(at)
    }
}

impl From<Maybe<Ts>> for Option<OffsetDateTime> {
    fn from(at: Maybe<Ts>) -> Self {
        at.0.map(|at| at.0)
    }
}

impl TryFrom<Maybe<i64>> for Option<u64> {
    type Error = std::num::TryFromIntError;

    fn try_from(number: Maybe<i64>) -> Result<Self, Self::Error> {
        number.0.map(u64::try_from).transpose()
    }
}

impl From<Id> for Uuid {
    fn from(id: Id) -> Self {
        id.0
    }
}

/// The bind of an id.
pub(crate) fn id(key: impl Into<Uuid>) -> Id {
    Id(key.into())
}

macro_rules! ids {
    ($($name:ident)+) => {$(
        impl From<Id> for $name {
            fn from(id: Id) -> Self {
                Self(id.0)
            }
        }
    )+};
}

ids! { UserId SessionId ProjectId VideoId ExecutionId PredictionId TriggerId LabelId TaskId ReportId OutboxId }

/// A name in the database that this release does not know.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no known name")]
pub(crate) struct UnknownName(pub(crate) String);

impl TryFrom<Name> for Step {
    type Error = UnknownName;

    fn try_from(name: Name) -> Result<Self, Self::Error> {
        name.0.parse().map_err(UnknownName)
    }
}

impl TryFrom<Name> for Task {
    type Error = UnknownName;

    fn try_from(name: Name) -> Result<Self, Self::Error> {
        name.0.parse().map_err(|_| UnknownName(name.0))
    }
}

impl From<Name> for Lang {
    fn from(name: Name) -> Self {
        let Ok(lang) = name.0.parse();
        lang
    }
}

/// Writes `as_str`, `Display` and the way back for an enum that is stored by name.
macro_rules! stored_by_name {
    ($enum:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $enum {
            /// The name in tables.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl TryFrom<$crate::values::Name> for $enum {
            type Error = $crate::values::UnknownName;

            fn try_from(name: $crate::values::Name) -> Result<Self, Self::Error> {
                match name.0.as_str() {
                    $($name => Ok(Self::$variant),)+
                    _ => Err($crate::values::UnknownName(name.0)),
                }
            }
        }
    };
}

pub(crate) use stored_by_name;

/// The bind of a time.
pub(crate) fn ts(at: OffsetDateTime) -> Ts {
    Ts::new(at)
}
