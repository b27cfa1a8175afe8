//! The table of formats: whatever lists or writes files reads it, and a new format is one more line.

use std::collections::BTreeMap;

use shared_domain::Lang;
use shared_policy::Report;

use crate::error::ExportError;
use crate::findings::{self, Marker};
use crate::timeline::Timeline;
use crate::{csv, edl, fcp7, fcpxml, lists, otio, pdf, subtitles};

/// A report and what goes with it.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// What was found.
    pub report: &'a Report,
    /// For whom.
    pub lang: Lang,
    /// JPEG pictures by object key, for the formats that show them. One that is missing is left out.
    pub frames: &'a BTreeMap<String, Vec<u8>>,
    /// The studio's logo, PNG or JPEG.
    pub logo: Option<&'a [u8]>,
}

impl<'a> Export<'a> {
    pub(crate) fn timeline(&self) -> Timeline {
        Timeline::of(&self.report.video)
    }

    pub(crate) fn markers(&self, timeline: Timeline) -> Vec<Marker<'a>> {
        findings::markers(self.report, timeline, self.lang)
    }
}

type Write = fn(&Export<'_>) -> Result<Vec<u8>, ExportError>;

/// A kind of file.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// For commands and addresses.
    pub name: &'static str,
    /// What a file's name ends with, no dot in front. No two formats share one.
    pub extension: &'static str,
    /// For HTTP and mail.
    pub media_type: &'static str,
    /// Whether it has pictures in it, so that somebody has to fetch them.
    pub shows_frames: bool,
    ru: &'static str,
    en: &'static str,
    write: Write,
}

impl Format {
    /// Every format, in the order in which people are offered them.
    pub const ALL: &'static [Self] = &[
        Self {
            name: "pdf",
            extension: "pdf",
            media_type: "application/pdf",
            shows_frames: true,
            ru: "Отчёт в PDF с кадрами и тайм-кодами",
            en: "Report as PDF with frames and timecodes",
            write: pdf::write,
        },
        Self {
            name: "csv",
            extension: "csv",
            media_type: "text/csv; charset=utf-8",
            shows_frames: false,
            ru: "Таблица рисков для Excel",
            en: "Table of risks for Excel",
            write: csv::write,
        },
        Self {
            name: "edl",
            extension: "markers.edl",
            media_type: "text/plain; charset=utf-8",
            shows_frames: false,
            ru: "Маркеры для DaVinci Resolve (EDL)",
            en: "Markers for DaVinci Resolve (EDL)",
            write: |export| Ok(edl::write(export)),
        },
        Self {
            name: "fcp7",
            extension: "fcp7.xml",
            media_type: "application/xml",
            shows_frames: false,
            ru: "Маркеры для Premiere Pro (Final Cut Pro 7 XML)",
            en: "Markers for Premiere Pro (Final Cut Pro 7 XML)",
            write: fcp7::write,
        },
        Self {
            name: "fcpxml",
            extension: "fcpxml",
            media_type: "application/xml",
            shows_frames: false,
            ru: "Маркеры для Final Cut Pro (FCPXML)",
            en: "Markers for Final Cut Pro (FCPXML)",
            write: fcpxml::write,
        },
        Self {
            name: "otio",
            extension: "otio",
            media_type: "application/json",
            shows_frames: false,
            ru: "Маркеры в OpenTimelineIO",
            en: "Markers as OpenTimelineIO",
            write: otio::write,
        },
        Self {
            name: "srt",
            extension: "srt",
            media_type: "application/x-subrip",
            shows_frames: false,
            ru: "Найденное как субтитры (SRT)",
            en: "Findings as subtitles (SRT)",
            write: |export| Ok(subtitles::srt(export)),
        },
        Self {
            name: "vtt",
            extension: "vtt",
            media_type: "text/vtt; charset=utf-8",
            shows_frames: false,
            ru: "Найденное как субтитры (WebVTT)",
            en: "Findings as subtitles (WebVTT)",
            write: |export| Ok(subtitles::vtt(export)),
        },
        Self {
            name: "srt-masked",
            extension: "masked.srt",
            media_type: "application/x-subrip",
            shows_frames: false,
            ru: "Субтитры речи, найденные слова скрыты (SRT)",
            en: "Subtitles of the speech, found words masked (SRT)",
            write: subtitles::masked_srt,
        },
        Self {
            name: "vtt-masked",
            extension: "masked.vtt",
            media_type: "text/vtt; charset=utf-8",
            shows_frames: false,
            ru: "Субтитры речи, найденные слова скрыты (WebVTT)",
            en: "Subtitles of the speech, found words masked (WebVTT)",
            write: subtitles::masked_vtt,
        },
        Self {
            name: "labels",
            extension: "labels.txt",
            media_type: "text/plain; charset=utf-8",
            shows_frames: false,
            ru: "Список слов для заглушения (метки Audacity)",
            en: "List of words to bleep (Audacity labels)",
            write: |export| Ok(lists::labels(export)),
        },
        Self {
            name: "mute",
            extension: "mute.edl",
            media_type: "text/plain; charset=utf-8",
            shows_frames: false,
            ru: "Заглушение при просмотре (Kodi, MPlayer)",
            en: "Mute while playing (Kodi, MPlayer)",
            write: |export| Ok(lists::mute(export)),
        },
    ];

    /// The format of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|format| format.name == name)
    }

    /// What people call it.
    pub fn title(&self, lang: Lang) -> &'static str {
        lang.pick(self.ru, self.en)
    }

    /// The file: the same report is the same bytes.
    pub fn write(&self, export: &Export<'_>) -> Result<Vec<u8>, ExportError> {
        (self.write)(export)
    }
}
