//! What an administrator is told of: work that waits for a person.

use shared_domain::{LanePaused, Lang, PauseReason, Task, VideoCapped};
use shared_store::Video;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::letter::{Letter, Plain};

impl Letter {
    /// The way to a provider rests.
    pub(crate) fn paused(paused: &LanePaused, lang: Lang, dashboard: &str) -> Self {
        let (why, what) = match paused.lane.split_once('/') {
            Some((_, task)) => no_model(task, lang),
            None => reason(paused.reason, lang),
        };
        let at = moment(paused.until_unix);
        let provider = &paused.lane;
        Self::plain(Plain {
            lang,
            subject: match lang {
                Lang::Ru => format!("Проверки приостановлены: {why}"),
                Lang::En => format!("Checks are paused: {why}"),
            },
            lead: match lang {
                Lang::Ru => format!(
                    "Вопросы к моделям ({provider}) не отправляются: {why}. {what} Ничего не потеряно: \
                     следующая попытка {at}, затем работа продолжится сама."
                ),
                Lang::En => format!(
                    "Nothing is put to the models ({provider}): {why}. {what} Nothing is lost: the next \
                     try is at {at}, and then the work goes on by itself."
                ),
            },
            link: format!("{dashboard}/"),
        })
    }

    /// A video has cost what it may.
    pub(crate) fn capped(capped: &VideoCapped, video: &Video, lang: Lang, dashboard: &str) -> Self {
        let (name, cap) = (&video.original_name, capped.cap_usd);
        Self::plain(Plain {
            lang,
            subject: match lang {
                Lang::Ru => format!("Достигнут лимит расходов: {name}"),
                Lang::En => format!("Cost cap reached: {name}"),
            },
            lead: match lang {
                Lang::Ru => format!(
                    "Проверка видео «{name}» стоила ${cap:.2} и ждёт. Увеличьте \
                     MAX_COST_PER_VIDEO_USD, и она продолжится с того же места; иначе отчёт назовёт \
                     то, что не проверено."
                ),
                Lang::En => format!(
                    "The check of “{name}” has cost ${cap:.2} and waits. Raise \
                     MAX_COST_PER_VIDEO_USD, and it goes on where it stopped; otherwise the report \
                     will say what was not checked."
                ),
            },
            link: format!("{dashboard}/?video={}", video.video_id),
        })
    }
}

fn reason(reason: PauseReason, lang: Lang) -> (String, String) {
    let (ru, en) = match reason {
        PauseReason::NoCredit => (
            ("на счёте Replicate нет денег", "Пополните счёт Replicate."),
            ("the Replicate account is empty", "Buy credit for it."),
        ),
        PauseReason::LowCredit => (
            (
                "на счёте Replicate мало денег",
                "Replicate пропускает лишь несколько вопросов в минуту; пополните счёт.",
            ),
            (
                "the Replicate account is nearly empty",
                "Replicate lets a few questions a minute through; buy credit for it.",
            ),
        ),
        PauseReason::Refused => (
            (
                "Replicate не принимает ключ",
                "Проверьте REPLICATE_API_TOKEN.",
            ),
            (
                "Replicate does not accept the token",
                "Check REPLICATE_API_TOKEN.",
            ),
        ),
        PauseReason::Budget => (
            (
                "бюджет месяца исчерпан",
                "Увеличьте REPLICATE_MONTHLY_BUDGET_USD или дождитесь нового месяца.",
            ),
            (
                "the month's budget is spent",
                "Raise REPLICATE_MONTHLY_BUDGET_USD or wait for the next month.",
            ),
        ),
    };
    let (why, what) = match lang {
        Lang::Ru => ru,
        Lang::En => en,
    };
    (why.to_owned(), what.to_owned())
}

/// The way to one model rests: the provider does not have it, or not any more.
fn no_model(task: &str, lang: Lang) -> (String, String) {
    let setting = task.parse().ok().and_then(Task::model_setting);
    match lang {
        Lang::Ru => (
            format!("у Replicate нет модели задачи {task}"),
            setting.map_or_else(String::new, |name| {
                format!("Выберите другую модель или версию: {name}.")
            }),
        ),
        Lang::En => (
            format!("Replicate does not have the model of task {task}"),
            setting.map_or_else(String::new, |name| {
                format!("Choose another model or version: {name}.")
            }),
        ),
    }
}

fn moment(unix: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let at = OffsetDateTime::from_unix_timestamp(unix).ok();
    at.and_then(|at| at.format(format).ok()).unwrap_or_default()
}
