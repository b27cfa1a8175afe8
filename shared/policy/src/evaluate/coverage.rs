//! What was looked at, and what was not. A hole never passes for a clean stretch.

use serde::{Deserialize, Serialize};
use shared_domain::Task;

use super::{Reason, describe::task_name};
use crate::pack::{Bilingual, Pack};

/// A stretch that a task did not look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Milliseconds of the video.
    pub start_ms: i64,
    /// Milliseconds of the video, exclusive.
    pub end_ms: i64,
    /// A known code (`undecided`, `unclear`, `unread`, `failed`, `no_answer`, `cost_cap`, `damaged`,
    /// `hurried`) or words.
    pub reason: String,
}

/// Why a task was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotRun {
    /// There is no model for it.
    NoModel,
    /// The video has no sound: there is nothing to listen to, and nothing is missed.
    NoSound,
    /// It was not asked for.
    NotAsked,
}

/// What one task looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskCoverage {
    /// Which task.
    pub task: Task,
    /// Whether it was run at all.
    pub run: bool,
    /// Why not, if not.
    pub not_run: Option<NotRun>,
    /// Seconds of the video that its targets stand for.
    pub seconds: f64,
    /// Frames (or stretches of sound) that a model was asked about.
    pub frames: u64,
    /// How many of them were answered from the cache.
    pub cached: u64,
    /// Answers that could not be read.
    pub undecided: u64,
    /// Questions that stayed without an answer.
    pub failed: u64,
    /// What the model cannot do: `ru_text_not_checked`.
    pub limits: Vec<String>,
    /// Stretches that were not looked at.
    pub gaps: Vec<Gap>,
}

impl TaskCoverage {
    /// A task that was run, with nothing looked at yet.
    pub fn run(task: Task) -> Self {
        Self {
            task,
            run: true,
            not_run: None,
            seconds: 0.0,
            frames: 0,
            cached: 0,
            undecided: 0,
            failed: 0,
            limits: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// A task that was not run.
    pub fn not_run(task: Task, why: NotRun) -> Self {
        Self {
            run: false,
            not_run: Some(why),
            ..Self::run(task)
        }
    }

    /// Whether something is missed because it was not run.
    fn is_missed(&self) -> bool {
        !self.run && self.not_run != Some(NotRun::NoSound)
    }
}

/// Something that was not looked at, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotChecked {
    /// Which task.
    pub task: Task,
    /// What it means for the reader.
    pub text: Bilingual,
}

/// Adds the tasks that the policy asks for and nobody has accounted for; each task once, in order.
pub(super) fn complete(given: &[TaskCoverage], pack: &Pack) -> Vec<TaskCoverage> {
    let mut all = Vec::new();
    for task in Task::ALL {
        match given.iter().find(|coverage| coverage.task == task) {
            Some(coverage) => all.push(coverage.clone()),
            None if pack.required.contains(&task) => {
                all.push(TaskCoverage::not_run(task, NotRun::NoModel));
            }
            None => {}
        }
    }
    all
}

pub(super) fn not_checked(coverage: &[TaskCoverage]) -> Vec<NotChecked> {
    let told = |entry: &TaskCoverage| {
        let task = entry.task;
        holes(entry)
            .into_iter()
            .map(move |(_, text)| NotChecked { task, text })
    };
    coverage.iter().flat_map(told).collect()
}

/// What keeps the video from passing. Holes of a task that the pack makes nothing of do not.
pub(super) fn reasons(coverage: &[TaskCoverage], pack: &Pack) -> Vec<Reason> {
    let counts = |entry: &&TaskCoverage| {
        let required = pack.required.contains(&entry.task);
        (entry.run && (required || pack.reads(entry.task))) || (entry.is_missed() && required)
    };
    let told = |(code, text): (&str, Bilingual)| Reason {
        code: code.to_owned(),
        text,
    };
    coverage
        .iter()
        .filter(counts)
        .flat_map(holes)
        .map(told)
        .collect()
}

/// Everything that a task did not look at.
fn holes(entry: &TaskCoverage) -> Vec<(&'static str, Bilingual)> {
    if !entry.run {
        return vec![("not_run", not_run_text(entry.task, entry.not_run))];
    }
    let limits = entry
        .limits
        .iter()
        .map(|limit| ("limit", limit_text(limit)));
    limits.chain(counts(entry)).collect()
}

/// Their length in seconds; `None` when there is none of them.
fn length<'a>(gaps: impl Iterator<Item = &'a Gap>) -> Option<String> {
    let missed = gaps.map(|gap| gap.end_ms - gap.start_ms);
    let missed = missed.reduce(|sum, length| sum + length)?;
    Some(format!("{}.{}", missed / 1000, missed % 1000 / 100))
}

/// The holes of a task that was run.
fn counts(entry: &TaskCoverage) -> Vec<(&'static str, Bilingual)> {
    let name = task_name(entry.task);
    let mut found = Vec::new();
    let mut add = |code, ru: String, en: String| {
        let text = Bilingual {
            ru: format!("{}: {ru}.", name.ru),
            en: format!("{}: {en}.", name.en),
        };
        found.push((code, text));
    };
    let all = || entry.gaps.iter();
    if let Some(seconds) = length(all()) {
        let count = entry.gaps.len();
        add(
            "gap",
            format!(
                "не проверено {} с (фрагментов: {count})",
                seconds.replace('.', ",")
            ),
            format!("{seconds} s not checked (stretches: {count})"),
        );
    }
    if let Some(seconds) = length(all().filter(|gap| gap.reason == "cost_cap")) {
        add(
            "cost_cap",
            format!(
                "из-за лимита расходов на видео не проверено {} с",
                seconds.replace('.', ",")
            ),
            format!("{seconds} s not checked because of the cost cap of the video"),
        );
    }
    if entry.undecided > 0 {
        let count = entry.undecided;
        add(
            "undecided",
            format!("ответов, которые не удалось прочесть: {count}"),
            format!("answers that could not be read: {count}"),
        );
    }
    if entry.failed > 0 {
        let count = entry.failed;
        add(
            "failed",
            format!("вопросов, оставшихся без ответа: {count}"),
            format!("questions left without an answer: {count}"),
        );
    }
    if entry.frames == 0
        && entry.gaps.is_empty()
        && entry.undecided == 0
        && entry.failed == 0
        && entry.seconds <= 0.0
    {
        add(
            "gap",
            "ничего не было просмотрено".into(),
            "nothing was looked at".into(),
        );
    }
    found
}

fn not_run_text(task: Task, why: Option<NotRun>) -> Bilingual {
    let name = task_name(task);
    let (ru, en) = match why {
        Some(NotRun::NoSound) => (
            "в видео нет звука, слушать нечего",
            "the video has no sound, there is nothing to listen to",
        ),
        Some(NotRun::NotAsked) => (
            "не проверялось: проверка отключена",
            "not checked: the check is switched off",
        ),
        Some(NotRun::NoModel) | None => (
            "не проверялось: нет модели для этой проверки",
            "not checked: there is no model for it here",
        ),
    };
    Bilingual {
        ru: format!("{}: {ru}.", name.ru),
        en: format!("{}: {en}.", name.en),
    }
}

/// A limit of a model, in words.
pub(crate) fn limit_text(limit: &str) -> Bilingual {
    let (ru, en) = match limit {
        "ru_text_not_checked" => (
            "Текст на экране: русские надписи не проверялись, модель их не читает.",
            "On-screen text: Russian captions were not checked, the model does not read them.",
        ),
        "common_objects_only" => (
            "Предметы: модель узнаёт только обычные вещи (нож, бутылка, бокал); оружие, сигареты, наркотики, символы и логотипы в кадре не проверялись.",
            "Objects: the model knows everyday things only (knife, bottle, glass); guns, cigarettes, drugs, symbols and logos in the picture were not checked.",
        ),
        other => {
            return Bilingual {
                ru: format!("Ограничение модели: {other}."),
                en: format!("A limit of the model: {other}."),
            };
        }
    };
    Bilingual {
        ru: ru.into(),
        en: en.into(),
    }
}

/// The reason of a gap, in words.
pub(crate) fn gap_text(reason: &str) -> Bilingual {
    let (ru, en) = match reason {
        "undecided" => (
            "ответ модели не удалось прочесть",
            "the model's answer could not be read",
        ),
        "unclear" => (
            "речь есть, но разобрать её не удалось",
            "somebody speaks, but the words could not be made out",
        ),
        "unread" => (
            "в кадре есть текст, но прочесть его не удалось",
            "there is text on the screen, but it could not be read",
        ),
        "failed" => ("модель не справилась", "the model failed"),
        "no_answer" => ("модель не ответила", "the model did not answer"),
        "cost_cap" => (
            "лимит расходов на видео исчерпан",
            "the cost cap of the video was reached",
        ),
        "damaged" => (
            "фрагмент файла повреждён",
            "this part of the file is damaged",
        ),
        "hurried" => (
            "кадры сменяются слишком быстро, просмотрены не все",
            "shots change so fast that not each of them was looked at",
        ),
        other => (other, other),
    };
    Bilingual {
        ru: ru.into(),
        en: en.into(),
    }
}
