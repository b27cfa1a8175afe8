//! Progress on stderr: one bar a stage, with the time that is left.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use shared_domain::{Lang, Task};
use shared_store::TaskCount;

use crate::serve::system_language;

const BYTES: &str = "  {prefix:12} {bar:32} {bytes:>10} / {total_bytes:<10} {eta:>6}";
const COUNT: &str = "  {prefix:12} {bar:32} {pos:>6} / {len:<6} {eta:>12}";
const SHARE: &str = "  {prefix:12} {bar:32} {percent:>5} % {msg:>18}";

const STAGE: &str = "  {prefix:12} {bar:32}";

/// The bars of one file.
pub(crate) struct Bars {
    all: MultiProgress,
    title: ProgressBar,
    lang: Lang,
    extract: Mutex<Option<ProgressBar>>,
    judging: Mutex<Option<ProgressBar>>,
    tasks: Mutex<BTreeMap<Task, ProgressBar>>,
}

impl Bars {
    /// Draws nothing when stderr is no terminal.
    pub(crate) fn new(file: &Path) -> Self {
        let all = MultiProgress::new();
        let title = all.add(ProgressBar::new_spinner());
        title.set_style(style("{spinner} {msg}  {elapsed}"));
        title.set_message(file.display().to_string());
        title.enable_steady_tick(Duration::from_millis(200));
        Self {
            all,
            title,
            lang: system_language(),
            extract: Mutex::default(),
            judging: Mutex::default(),
            tasks: Mutex::default(),
        }
    }

    /// Reading the file for its checksum.
    pub(crate) fn hashing(&self, file: &Path) -> ProgressBar {
        self.bar(
            self.lang.pick("сверка", "checksum"),
            BYTES,
            std::fs::metadata(file).map_or(0, |about| about.len()),
        )
    }

    /// Sending the file to storage.
    pub(crate) fn upload(&self, size: u64) -> ProgressBar {
        self.bar(self.lang.pick("загрузка", "upload"), BYTES, size)
    }

    /// How far decoding is, 0 to 1.
    pub(crate) fn extracting(&self, share: f32, eta_seconds: Option<i64>) {
        let mut bar = self.extract.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            self.bar(self.lang.pick("кадры, звук", "frames, sound"), SHARE, 1000)
        });
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of 1000"
        )]
        bar.set_position((share.clamp(0.0, 1.0) * 1000.0) as u64);
        bar.set_message(eta_seconds.map_or_else(String::new, |s| format!("{s}s")));
    }

    /// How many answers of each task are in.
    pub(crate) fn answers(&self, counts: &[TaskCount]) {
        if let Some(bar) = self
            .extract
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            bar.set_message("");
            bar.finish();
        }
        let mut bars = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for count in counts {
            let planned = u64::try_from(count.planned).unwrap_or(0);
            let bar = bars
                .entry(count.task)
                .or_insert_with(|| self.bar(self.task(count.task), COUNT, planned));
            bar.set_position(u64::try_from(count.done).unwrap_or(0));
            if count.done == count.planned {
                bar.finish();
            }
        }
    }

    /// Evidence is being judged and the report written.
    pub(crate) fn judging(&self) {
        let mut bar = self.judging.lock().unwrap_or_else(PoisonError::into_inner);
        bar.get_or_insert_with(|| self.bar(self.lang.pick("отчёт", "report"), STAGE, 1));
    }

    /// The report is written.
    pub(crate) fn finish(&self) {
        let bar = self.judging.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bar.as_ref() {
            bar.finish();
        }
        self.title.finish();
    }

    /// The file could not be checked.
    pub(crate) fn fail(&self) {
        self.title.abandon();
    }

    fn task(&self, task: Task) -> &'static str {
        match (self.lang, task) {
            (Lang::En, task) => task.as_str(),
            (Lang::Ru, Task::Speech) => "речь",
            (Lang::Ru, Task::Nudity) => "нагота",
            (Lang::Ru, Task::Violence) => "насилие",
            (Lang::Ru, Task::Objects) => "предметы",
            (Lang::Ru, Task::Text) => "надписи",
            (Lang::Ru, Task::Context) => "контекст",
        }
    }

    fn bar(&self, name: &'static str, template: &str, length: u64) -> ProgressBar {
        let bar = self.all.add(ProgressBar::new(length));
        bar.set_style(style(template));
        bar.set_prefix(name);
        bar
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
