//! People and their sign-ins.

use shared_domain::{Lang, SessionId, UserId};
use time::OffsetDateTime;

use crate::dialect::{change, rows};
use crate::values::{Id, Name, id, stored_by_name, ts};
use crate::{Store, StoreError};

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Uploads and reads reports.
    Client,
    /// Decides findings.
    Operator,
    /// Everything else.
    Admin,
}

stored_by_name!(Role { Client = "CLIENT", Operator = "OPERATOR", Admin = "ADMIN" });

/// A person who may sign in.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    /// Key.
    #[sqlx(try_from = "Id")]
    pub user_id: UserId,
    /// Lower case.
    pub email: String,
    /// argon2id, PHC form.
    pub password_hash: String,
    /// What the person may do.
    #[sqlx(try_from = "Name")]
    pub role: Role,
    /// Empty when unknown.
    pub company_name: String,
    /// Minutes of video that are paid for.
    pub balance_minutes: i64,
    /// Of pages and mails.
    #[sqlx(try_from = "Name")]
    pub language: Lang,
    /// False locks the person out.
    pub is_active: bool,
}

impl std::fmt::Debug for User {
    /// Neither address nor hash belongs in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("user_id", &self.user_id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// A person to be.
#[derive(Clone)]
pub struct NewUser {
    /// In any case.
    pub email: String,
    /// argon2id, PHC form.
    pub password_hash: String,
    /// What the person may do.
    pub role: Role,
    /// Empty when unknown.
    pub company_name: String,
    /// Minutes of video that are paid for.
    pub balance_minutes: i64,
    /// Of pages and mails.
    pub language: Lang,
}

macro_rules! select_user {
    ($tail:literal) => {
        concat!(
            "select users.user_id, email, password_hash, role, company_name, balance_minutes, \
             language, is_active from users ",
            $tail
        )
    };
}
pub(crate) use select_user;

impl Store {
    /// Adds a person. Fails with `Conflict` when the address is taken.
    pub async fn insert_user(&self, new: NewUser) -> Result<User, StoreError> {
        let user_id: UserId = self.fresh();
        let email = new.email.trim().to_lowercase();
        let added = change!(
            self,
            "insert into users (user_id, email, password_hash, role, company_name, \
             balance_minutes, language, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $8) on conflict (email) do nothing",
            id(user_id),
            &email,
            &new.password_hash,
            new.role.as_str(),
            &new.company_name,
            new.balance_minutes,
            new.language.as_str(),
            ts(self.now()),
        )?;
        if added == 0 {
            return Err(StoreError::Conflict {
                what: "a user with this",
                key: "address".into(),
            });
        }
        self.user(user_id).await
    }

    /// The person.
    pub async fn user(&self, user_id: UserId) -> Result<User, StoreError> {
        rows!(
            fetch_optional as User,
            self.reader().await?.link(),
            select_user!("where user_id = $1"),
            id(user_id),
        )?
        .ok_or_else(|| StoreError::missing("user", user_id))
    }

    /// The person with this address, in any case.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        rows!(
            fetch_optional as User,
            self.reader().await?.link(),
            select_user!("where email = $1"),
            email.trim().to_lowercase(),
        )
    }

    /// Whether anybody may sign in: false on the very first start.
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        let (count,) = rows!(
            fetch_one as (i64,),
            self.reader().await?.link(),
            "select count(*) from (select 1 from users limit 1) as someone"
        )?;
        Ok(count > 0)
    }

    /// Notes a sign-in; only the hash of its token is kept.
    pub async fn open_session(
        &self,
        user_id: UserId,
        token_hash: &str,
        expires_at: OffsetDateTime,
    ) -> Result<SessionId, StoreError> {
        let session_id: SessionId = self.fresh();
        change!(
            self,
            "insert into sessions (session_id, user_id, token_hash, created_at, expires_at) \
             values ($1, $2, $3, $4, $5)",
            id(session_id),
            id(user_id),
            token_hash,
            ts(self.now()),
            ts(expires_at),
        )?;
        Ok(session_id)
    }

    /// Who signed in with this token, while both the sign-in and the person are good.
    pub async fn user_by_session(&self, token_hash: &str) -> Result<Option<User>, StoreError> {
        rows!(
            fetch_optional as User,
            self.reader().await?.link(),
            select_user!(
                "join sessions on sessions.user_id = users.user_id \
                 where token_hash = $1 and expires_at > $2 and revoked_at is null and is_active"
            ),
            token_hash,
            ts(self.now()),
        )
    }

    /// Signs out; doing it twice changes nothing.
    pub async fn revoke_session(&self, token_hash: &str) -> Result<(), StoreError> {
        change!(
            self,
            "update sessions set revoked_at = $2 where token_hash = $1 and revoked_at is null",
            token_hash,
            ts(self.now()),
        )?;
        Ok(())
    }
}
