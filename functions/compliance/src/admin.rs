//! `compliance createsuperuser EMAIL`: somebody has to be able to sign in to a deployment, and none of its
//! services shows a password.

use std::process::ExitCode;

use anyhow::{Context, ensure};
use shared_domain::Settings;
use shared_runtime::store;
use shared_store::{NewUser, Role, Store, StoreError};

use crate::args::CreateSuperuser;
use crate::secrets::token;
use crate::serve::system_language;

#[expect(clippy::print_stdout, reason = "the password is the command's output")]
pub(crate) async fn create_superuser(
    settings: &Settings,
    args: &CreateSuperuser,
) -> anyhow::Result<ExitCode> {
    let (name, host) = args.email.trim().split_once('@').unwrap_or_default();
    ensure!(
        !name.is_empty() && host.contains('.') && !host.contains(['@', ' ']),
        "{:?} is no mail address",
        args.email
    );
    let store = store(settings).await?;
    let password = add(&store, &args.email).await?;
    println!("Login (shown once): {}  {password}", args.email.trim());
    Ok(ExitCode::SUCCESS)
}

/// Adds an administrator; the password that comes back is stored only as a hash.
pub(crate) async fn add(store: &Store, email: &str) -> anyhow::Result<String> {
    let password = token()?[..20].to_owned();
    let new = NewUser {
        email: email.to_owned(),
        password_hash: console::password::hash(&password)?,
        role: Role::Admin,
        company_name: String::new(),
        balance_minutes: 0,
        language: system_language(),
    };
    match store.insert_user(new).await {
        Ok(_) => Ok(password),
        Err(error @ StoreError::Conflict { .. }) => {
            Err(error).with_context(|| format!("{email} has an account"))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_administrator_is_made_once() {
        let database = shared_testing::database().await;
        let store = Store::connect(database.config()).await.unwrap();
        let password = add(&store, "Admin@Example.com").await.unwrap();
        let made = store
            .user_by_email("admin@example.com")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(made.role, Role::Admin);
        assert!(password.len() >= 20 && !made.password_hash.contains(&password));
        let error = add(&store, "admin@example.com").await.unwrap_err();
        assert!(error.to_string().contains("has an account"), "{error:#}");
    }

    #[tokio::test]
    async fn what_is_no_address_is_refused_before_the_database_is_asked() {
        for email in [
            "",
            "admin",
            "admin@",
            "@example.com",
            "admin@localhost",
            "a b@c d.com",
        ] {
            let args = CreateSuperuser {
                email: email.to_owned(),
            };
            let error = create_superuser(&Settings::default(), &args)
                .await
                .unwrap_err();
            assert!(
                error.to_string().contains("no mail address"),
                "{email}: {error}"
            );
        }
    }
}
