//! The settings of mail, as the earlier system and the providers write them.

use shared_domain::Settings;

use crate::{Backend, PostConfig, Security};

fn read(pairs: &[(&str, &str)]) -> Result<PostConfig, String> {
    let mut settings = Settings::default();
    for (name, value) in pairs {
        settings.set(name, *value);
    }
    let reader = settings.reader();
    let config = PostConfig::read(&reader);
    reader.finish().map_err(|error| error.to_string())?;
    Ok(config)
}

const SMTP: (&str, &str) = (
    "EMAIL_BACKEND",
    "django.core.mail.backends.smtp.EmailBackend",
);

#[test]
#[expect(clippy::too_many_lines, reason = "one table of settings")]
fn the_settings_of_the_providers_are_understood() {
    for (pairs, host, port, security) in [
        (
            &[
                SMTP,
                ("EMAIL_HOST", "smtp.gmail.com"),
                ("EMAIL_PORT", "587"),
                ("EMAIL_USE_TLS", "True"),
                ("EMAIL_HOST_USER", "studio@gmail.com"),
                ("EMAIL_HOST_PASSWORD", "abcd efgh ijkl mnop"),
                ("DEFAULT_FROM_EMAIL", "Checks <studio@gmail.com>"),
            ][..],
            "smtp.gmail.com",
            587,
            Security::StartTls,
        ),
        (
            &[
                ("EMAIL_HOST", "smtp.sendgrid.net"),
                ("EMAIL_HOST_USER", "apikey"),
                ("EMAIL_HOST_PASSWORD", "SG.x"),
            ],
            "smtp.sendgrid.net",
            587,
            Security::StartTls,
        ),
        (
            &[
                ("EMAIL_HOST", "email-smtp.eu-central-1.amazonaws.com"),
                ("EMAIL_USE_SSL", "True"),
                ("EMAIL_USE_TLS", "False"),
            ],
            "email-smtp.eu-central-1.amazonaws.com",
            465,
            Security::Tls,
        ),
        (
            &[("EMAIL_HOST", "smtp.gmail.com"), ("EMAIL_PORT", "465")],
            "smtp.gmail.com",
            465,
            Security::Tls,
        ),
        (
            &[
                ("EMAIL_HOST", "127.0.0.1"),
                ("EMAIL_PORT", "1025"),
                ("EMAIL_USE_TLS", "0"),
            ],
            "127.0.0.1",
            1025,
            Security::Clear,
        ),
        (
            &[
                ("EMAIL_HOST", "mailhog"),
                ("EMAIL_USE_TLS", "0"),
                ("DEBUG", "1"),
            ],
            "mailhog",
            25,
            Security::Clear,
        ),
    ] {
        let config = read(pairs).unwrap();
        let found = (
            config.backend,
            config.host.as_str(),
            config.port,
            config.security,
        );
        assert_eq!(found, (Backend::Smtp, host, port, security));
        assert_eq!(
            config.login.is_some(),
            pairs.iter().any(|pair| pair.0.ends_with("USER"))
        );
    }
}

#[test]
fn backends_have_the_names_that_django_gave_them() {
    let backend = |name| {
        read(&[("EMAIL_HOST", "mail.example"), ("EMAIL_BACKEND", name)])
            .unwrap()
            .backend
    };
    assert_eq!(
        backend("django.core.mail.backends.console.EmailBackend"),
        Backend::Terminal
    );
    assert_eq!(
        backend("django.core.mail.backends.filebased.EmailBackend"),
        Backend::Files
    );
    assert_eq!(backend(SMTP.1), Backend::Smtp);
    assert_eq!(read(&[]).unwrap().backend, Backend::Files);
}

#[test]
fn what_contradicts_itself_or_would_be_clear_text_is_refused() {
    for (pairs, name) in [
        (&[SMTP][..], "EMAIL_HOST:"),
        (
            &[("EMAIL_BACKEND", "django_ses.SESBackend")],
            "EMAIL_BACKEND:",
        ),
        (
            &[("EMAIL_HOST", "mail.example"), ("EMAIL_USE_TLS", "no")],
            "EMAIL_USE_TLS:",
        ),
        (
            &[
                ("EMAIL_HOST", "mail.example"),
                ("EMAIL_USE_TLS", "no"),
                ("DEBUG", "yes"),
                ("EMAIL_HOST_USER", "a"),
                ("EMAIL_HOST_PASSWORD", "s3cret"),
            ],
            "EMAIL_USE_TLS:",
        ),
        (
            &[
                ("EMAIL_HOST", "mail.example"),
                ("EMAIL_USE_TLS", "yes"),
                ("EMAIL_USE_SSL", "yes"),
            ],
            "EMAIL_USE_SSL:",
        ),
        (
            &[
                ("EMAIL_HOST", "mail.example"),
                ("EMAIL_USE_TLS", "yes"),
                ("EMAIL_PORT", "465"),
            ],
            "EMAIL_USE_TLS:",
        ),
        (&[("EMAIL_HOST_USER", "a")], "EMAIL_HOST_PASSWORD:"),
        (&[("EMAIL_HOST_PASSWORD", "s3cret")], "EMAIL_HOST_USER:"),
        (&[("EMAIL_CA_FILE", "/nowhere.pem")], "EMAIL_CA_FILE:"),
        (
            &[("DEFAULT_FROM_EMAIL", "a@x\r\nBcc: b@y")],
            "DEFAULT_FROM_EMAIL:",
        ),
    ] {
        let error = read(pairs).unwrap_err();
        assert!(error.contains(name), "{pairs:?}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    let both = read(&[("EMAIL_HOST_USER", "a"), ("EMAIL_BACKEND", "x")]).unwrap_err();
    assert_eq!(both.lines().count(), 3, "all at once: {both}");
}
