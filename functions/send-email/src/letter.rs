//! What a mail says.

use askama::Template;
use lettre::Message;
use lettre::message::MultiPart;
use lettre::message::header::{HeaderName, HeaderValue};
use serde_json::Value;
use shared_domain::Lang;
use shared_store::{Report, Video};

use crate::{Error, Post};

/// One line of a report in a mail.
pub(crate) struct Risk {
    time: String,
    name: String,
    text: String,
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportHtml<'a>(&'a Letter);

#[derive(Template)]
#[template(path = "report.txt")]
struct ReportText<'a>(&'a Letter);

/// A mail before it is addressed.
pub(crate) struct Letter {
    /// Subject line.
    pub(crate) subject: String,
    lang: Lang,
    lead: String,
    risks: Vec<Risk>,
    more: usize,
    link: String,
    link_text: &'static str,
    foot: &'static str,
}

/// A mail that is one paragraph and a link.
pub(crate) struct Plain {
    pub(crate) lang: Lang,
    pub(crate) subject: String,
    pub(crate) lead: String,
    pub(crate) link: String,
}

/// Risks that a mail lists; the report has them all.
const LISTED: usize = 10;

impl Letter {
    /// A report is ready.
    pub(crate) fn report(video: &Video, report: &Report, lang: Lang, dashboard: &str) -> Self {
        let name = &video.original_name;
        let risks = report.body["risks"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let verdict = match (report.verdict.as_str(), lang) {
            ("pass", Lang::Ru) => "Рисков не найдено, всё проверено.".to_owned(),
            ("pass", Lang::En) => "No risks were found, and everything was checked.".to_owned(),
            ("fail", Lang::Ru) => format!("Найдены нарушения. Рисков: {}.", risks.len()),
            ("fail", Lang::En) => format!("Breaches were found. Risks: {}.", risks.len()),
            (_, _) if risks.is_empty() => format!(
                "{}{}",
                lang.pick(
                    "Рисков не найдено, но проверено не всё.",
                    "No risks were found, but not everything was checked."
                ),
                not_checked(&report.body, lang)
            ),
            (_, Lang::Ru) => format!("Нужна проверка человеком. Рисков: {}.", risks.len()),
            (_, Lang::En) => format!("A person should check. Risks: {}.", risks.len()),
        };
        let lead = match lang {
            Lang::Ru => format!("Отчёт о видео «{name}» готов. {verdict}"),
            Lang::En => format!("The report on “{name}” is ready. {verdict}"),
        };
        Self {
            subject: match lang {
                Lang::Ru => format!("Отчёт готов: {name}"),
                Lang::En => format!("Report ready: {name}"),
            },
            lang,
            lead,
            risks: risks.iter().take(LISTED).map(|risk| Risk::read(risk, lang)).collect(),
            more: risks.len().saturating_sub(LISTED),
            link: format!("{dashboard}/?video={}", video.video_id),
            link_text: lang.pick("Открыть отчёт", "Open the report"),
            foot: lang.pick(
                "Отчёт составлен машиной и ещё не проверен человеком. Это не юридическая консультация.",
                "The report was made by a machine and is not yet verified by a person. It is not legal advice.",
            ),
        }
    }

    /// A video could not be checked.
    pub(crate) fn failure(video: &Video, lang: Lang, dashboard: &str) -> Self {
        let name = &video.original_name;
        let reason = video
            .refusal
            .as_ref()
            .map(|refusal| refusal.text(lang))
            .unwrap_or_default();
        Self {
            subject: match lang {
                Lang::Ru => format!("Видео не проверено: {name}"),
                Lang::En => format!("Video not checked: {name}"),
            },
            lang,
            lead: match lang {
                Lang::Ru => format!("Видео «{name}» не проверено. {reason}"),
                Lang::En => format!("“{name}” could not be checked. {reason}"),
            },
            risks: Vec::new(),
            more: 0,
            link: format!("{dashboard}/?video={}", video.video_id),
            link_text: lang.pick("Открыть видео", "Open the video"),
            foot: lang.pick(
                "За эту проверку ничего не списано.",
                "Nothing was charged for this check.",
            ),
        }
    }

    /// Nothing happened: somebody wants to see whether mail arrives.
    pub(crate) fn test(lang: Lang) -> Self {
        Self {
            subject: lang.pick("Пробное письмо", "Test mail").to_owned(),
            lang,
            lead: lang
                .pick(
                    "Это пробное письмо AI Compliance Agent: почта настроена.",
                    "This is a test mail of AI Compliance Agent: mail works.",
                )
                .to_owned(),
            risks: Vec::new(),
            more: 0,
            link: String::new(),
            link_text: "",
            foot: lang.pick("Отвечать на него не нужно.", "No answer is needed."),
        }
    }

    /// A notice to whoever runs the service.
    pub(crate) fn plain(plain: Plain) -> Self {
        let Plain {
            lang,
            subject,
            lead,
            link,
        } = plain;
        Self {
            subject,
            lang,
            lead,
            risks: Vec::new(),
            more: 0,
            link,
            link_text: lang.pick("Открыть консоль", "Open the console"),
            foot: lang.pick(
                "Это письмо получает администратор (ADMIN_EMAIL).",
                "This mail goes to the administrator (ADMIN_EMAIL).",
            ),
        }
    }

    /// The finished mail to one reader.
    pub(crate) fn address(
        &self,
        post: &Post,
        address: &str,
        message_id: &str,
    ) -> Result<Message, Error> {
        let subject: String = self.subject.chars().filter(|c| !c.is_control()).collect();
        // A name that looks like an encoded word would be decoded by the reader's program.
        let subject = subject.replace("=?", "= ?");
        let from = post.from().ok_or(lettre::error::Error::MissingFrom)?;
        let body = MultiPart::alternative_plain_html(
            ReportText(self).render()?,
            ReportHtml(self).render()?,
        );
        let mut message = Message::builder()
            .from(from)
            .to(address.parse()?)
            .subject(subject)
            .message_id(Some(message_id.to_owned()))
            .multipart(body)?;
        // Tells other programs not to answer: RFC 3834.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        message
            .headers_mut()
            .insert_raw(HeaderValue::new(name, "auto-generated".into()));
        Ok(message)
    }
}

/// What nobody looked at, as the report says it.
fn not_checked(report: &Value, lang: Lang) -> String {
    let lines = report["not_checked"].as_array().into_iter().flatten();
    let texts = lines.filter_map(|line| line["text"][lang.as_str()].as_str());
    texts.flat_map(|text| [" ", text]).collect()
}

impl Risk {
    fn read(risk: &Value, lang: Lang) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lang = lang.as_str();
        Self {
            time: text(&risk["timestamp"]),
            name: text(&risk["risk_name"][lang]),
            text: text(&risk["description"][lang]),
        }
    }
}
