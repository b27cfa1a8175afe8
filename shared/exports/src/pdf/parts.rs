//! What stands on the pages.

use krilla::image::Image;
use shared_domain::BBox;
use shared_policy::{EvidenceFacts, NotRun, Risk, RuleVerdict, Verdict};

use super::sheet::{Color, INK, LEFT, LINE, SOFT, Sheet, Style, WIDTH};
use crate::clean;
use crate::csv::level;
use crate::error::ExportError;
use crate::findings;
use crate::format::Export;
use crate::timeline::{Timeline, ms};

const GRAVE: Color = (179, 38, 30);
const WARN: Color = (138, 90, 0);
const OK: Color = (30, 107, 67);
/// Pictures that nobody should meet unprepared.
const VEILED: [&str; 2] = ["nudity", "violence"];
/// Width of a frame beside its risk.
const FRAME: f32 = 150.0;
/// Between a frame and the words beside it.
const GAP: f32 = 14.0;
/// The logo's corner: width and height.
const LOGO: (f32, f32) = (150.0, 44.0);
/// Pixels of a logo; what has more is no logo.
const LOGO_PIXELS: u64 = 16_000_000;
const TITLE: Style = Style::bold(18.0, INK);
const HEADING: Style = Style::bold(13.0, INK);
const BODY: Style = Style::new(10.0, INK);
const SMALL: Style = Style::new(8.5, SOFT);
/// More of one text is in the data.
const TEXT: usize = 700;

pub(super) fn head(sheet: &mut Sheet<'_>, export: &Export<'_>) -> Result<(), ExportError> {
    let (report, lang) = (export.report, export.lang);
    let mut width = WIDTH;
    if let Some(bytes) = export.logo {
        let logo = logo(bytes)?;
        let (w, h) = within(&logo, LOGO);
        sheet.picture((LEFT + WIDTH - w, sheet.y(), w, h), logo);
        width -= w + GAP;
    }
    let top = sheet.y();
    let eyebrow = lang.pick("Отчёт о проверке видео", "Video compliance report");
    sheet.text_within(eyebrow, SMALL, (LEFT, width));
    let name = clean::line(&report.video.original_name, 200);
    sheet.text_within(&name, TITLE, (LEFT, width));
    sheet.down_to(top + if export.logo.is_some() { LOGO.1 } else { 0.0 });
    sheet.space(10.0);
    let color = match report.verdict {
        Verdict::Pass => OK,
        Verdict::Review => WARN,
        Verdict::Fail => GRAVE,
    };
    let bar = sheet.y();
    let column = (LEFT + GAP, WIDTH - GAP);
    sheet.text_within(report.headline(lang), Style::bold(15.0, color), column);
    for reason in report.verdict_reasons.iter().take(8) {
        sheet.text_within(&clean::line(reason.text.pick(lang), TEXT), BODY, column);
    }
    sheet.text_within(report.stage_note(lang), SMALL, column);
    sheet.fill((LEFT, bar, 4.0, sheet.y() - bar), color);
    sheet.space(10.0);
    facts(sheet, export);
    Ok(())
}

fn facts(sheet: &mut Sheet<'_>, export: &Export<'_>) {
    let (report, lang) = (export.report, export.lang);
    let (video, run) = (&report.video, &report.run);
    let timeline = export.timeline();
    let at = run.completed_at;
    let policy = format!(
        "{} ({} {})",
        run.policy.title.pick(lang),
        run.policy.id,
        run.policy.version
    );
    let rate = format!("{:.3}", timeline.rate.as_f64());
    let rate = rate.trim_end_matches('0').trim_end_matches('.');
    let picture = format!(
        "{}×{}, {rate} {}",
        video.width,
        video.height,
        lang.pick("к/с", "fps")
    );
    let mut rows = vec![
        (
            lang.pick("Длительность", "Length"),
            clock(video.duration_seconds),
        ),
        (lang.pick("Изображение", "Picture"), picture),
        (
            lang.pick("Начальный тайм-код", "Start timecode"),
            timeline.start.to_string(),
        ),
        (
            lang.pick("Проверено", "Checked"),
            format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute()),
        ),
        (lang.pick("Политика", "Policy"), policy),
        ("SHA-256", video.sha256.clone()),
    ];
    if let Some(age) = &report.age_band {
        rows.push((age.title.pick(lang), age.told(lang)));
    }
    for (name, value) in rows {
        let line = format!("{name}: {value}");
        sheet.text(&clean::line(&line, TEXT), BODY);
    }
}

pub(super) fn not_checked(sheet: &mut Sheet<'_>, export: &Export<'_>) {
    let (report, lang) = (export.report, export.lang);
    if report.not_checked.is_empty() {
        return;
    }
    heading(sheet, lang.pick("Что не проверено", "What was not checked"));
    for entry in &report.not_checked {
        let line = format!("• {}", clean::line(entry.text.pick(lang), TEXT));
        sheet.text(&line, BODY);
    }
    let silence = lang.pick(
        "Молчание об этих местах не означает, что в них нет рисков.",
        "Silence about these parts does not mean that they hold no risks.",
    );
    sheet.text(silence, SMALL);
}

/// A picture for the last pages.
pub(super) struct Veiled {
    number: usize,
    time: String,
    image: Image,
    bbox: Option<BBox>,
}

/// Every risk; answers the pictures that were kept back.
pub(super) fn risks(sheet: &mut Sheet<'_>, export: &Export<'_>) -> Vec<Veiled> {
    let (report, lang) = (export.report, export.lang);
    let title = format!("{}: {}", lang.pick("Риски", "Risks"), report.total_triggers);
    heading(sheet, &title);
    if report.risks.is_empty() {
        let nothing = lang.pick(
            "В просмотренном ничего не найдено.",
            "Nothing was found in what was looked at.",
        );
        sheet.text(nothing, BODY);
    }
    let timeline = export.timeline();
    let mut kept = Vec::new();
    for (risk, number) in report.risks.iter().zip(1..) {
        let picture = picture(risk, export);
        let shown = match (picture, VEILED.contains(&risk.category.as_str())) {
            (Some((piece, image)), true) => {
                kept.push(Veiled {
                    number,
                    time: span(risk, timeline),
                    image,
                    bbox: piece.bbox,
                });
                None
            }
            (picture, _) => picture,
        };
        one(sheet, export, (risk, number), shown);
    }
    kept
}

fn one(
    sheet: &mut Sheet<'_>,
    export: &Export<'_>,
    (risk, number): (&Risk, usize),
    picture: Option<(&EvidenceFacts, Image)>,
) {
    let place = |image: &Image| within(image, (FRAME, FRAME));
    let size = picture
        .as_ref()
        .map_or((0.0, 0.0), |(_, image)| place(image));
    let beside = if size.0 > 0.0 { FRAME + GAP } else { 0.0 };
    let column = (LEFT + beside, WIDTH - beside);
    let lines = told(export, (risk, number));
    let height: f32 = lines
        .iter()
        .map(|(text, style)| sheet.height(text, *style, column.1))
        .sum();
    sheet.keep(height.max(size.1).min(500.0) + 16.0);
    sheet.rule();
    sheet.space(8.0);
    let top = sheet.y();
    if let Some((piece, image)) = picture {
        sheet.picture((LEFT, top, size.0, size.1), image);
        if let Some(bbox) = piece.bbox {
            sheet.outline(outline(bbox, (LEFT, top), size), GRAVE);
        }
    }
    for (text, style) in lines {
        sheet.text_within(&text, style, column);
    }
    // The words may have gone on to the next page.
    if sheet.y() > top {
        sheet.down_to(top + size.1);
    }
    sheet.space(8.0);
}

/// The lines of a risk.
fn told(export: &Export<'_>, (risk, number): (&Risk, usize)) -> Vec<(String, Style)> {
    let lang = export.lang;
    let color = match risk.verdict {
        RuleVerdict::Fail => GRAVE,
        RuleVerdict::Review => WARN,
    };
    let unclear = match risk.unclear {
        true => lang.pick(", неуверенно", ", unclear"),
        false => "",
    };
    let degree = level(risk.risk_level, lang);
    let score = (risk.confidence * 100.0).clamp(0.0, 100.0);
    let mut lines = vec![
        (
            format!("{number}. {}", span(risk, export.timeline())),
            Style::bold(10.0, color),
        ),
        (
            risk.description.pick(lang).to_owned(),
            Style::bold(10.0, INK),
        ),
    ];
    lines.extend(findings::quote(risk, lang).map(|quote| (quote, BODY)));
    if let Some(decision) = &risk.decision {
        let comment = decision.comment.as_deref().unwrap_or_default();
        let made = format!(
            "{}: {}, {}, {} {comment}",
            lang.pick("Решение", "Decision"),
            decision.label,
            decision.by,
            decision.at.date()
        );
        lines.push((made, BODY));
    }
    lines.push((risk.reason.clause.pick(lang).to_owned(), SMALL));
    let why = format!(
        "{}: {degree}{unclear} · {}: {score:.0} % · {} · {}",
        lang.pick("риск", "risk"),
        lang.pick("уверенность", "confidence"),
        risk.reason.rule,
        risk.source
    );
    lines.push((why, SMALL));
    for (text, _) in &mut lines {
        *text = clean::line(text, TEXT);
    }
    lines
}

fn span(risk: &Risk, timeline: Timeline) -> String {
    let first = timeline.frame_at(ms(risk.start_seconds));
    let end = timeline.frame_behind(ms(risk.end_seconds)).max(first + 1);
    format!("{} – {}", timeline.timecode(first), timeline.timecode(end))
}

pub(super) fn coverage(sheet: &mut Sheet<'_>, export: &Export<'_>) {
    let (report, lang) = (export.report, export.lang);
    heading(sheet, lang.pick("Что просмотрено", "What was looked at"));
    for task in &report.coverage {
        let state = match (task.run, task.not_run) {
            (true, _) => format!(
                "{}, {}",
                lang.pick("проверено", "checked"),
                clock(task.seconds)
            ),
            (false, Some(NotRun::NoSound)) => lang.pick("нет звука", "no sound").to_owned(),
            (false, Some(NotRun::NotAsked)) => lang.pick("отключено", "switched off").to_owned(),
            (false, _) => lang
                .pick("не проверялось: нет модели", "not checked: no model")
                .to_owned(),
        };
        sheet.text(&format!("{}: {state}", task.name.pick(lang)), BODY);
    }
    for model in &report.run.models {
        let line = format!("{} {} {}", model.model, model.version, model.provider);
        sheet.text(&clean::line(&line, TEXT), SMALL);
    }
}

pub(super) fn foot(sheet: &mut Sheet<'_>, export: &Export<'_>) {
    let (report, lang) = (export.report, export.lang);
    sheet.space(14.0);
    sheet.keep(60.0);
    sheet.rule();
    sheet.space(8.0);
    sheet.text(
        &clean::line(report.disclaimer.pick(lang), TEXT),
        Style::bold(9.0, INK),
    );
    sheet.text(
        &clean::line(report.run.policy.source.pick(lang), TEXT),
        SMALL,
    );
}

pub(super) fn veiled(sheet: &mut Sheet<'_>, export: &Export<'_>, pictures: &[Veiled]) {
    if pictures.is_empty() {
        return;
    }
    sheet.new_page();
    let title = export.lang.pick(
        "Кадры с наготой и насилием: не для посторонних глаз",
        "Frames with nudity and violence: not for everybody's eyes",
    );
    sheet.text(title, HEADING);
    for Veiled {
        number,
        time,
        image,
        bbox,
    } in pictures
    {
        let size = within(image, (FRAME * 1.6, FRAME * 1.6));
        sheet.space(10.0);
        sheet.keep(size.1 + 20.0);
        sheet.text(&format!("{number}. {time}"), SMALL);
        let top = sheet.y();
        sheet.picture((LEFT, top, size.0, size.1), image.clone());
        sheet.outline((LEFT, top, size.0, size.1), LINE);
        if let Some(bbox) = bbox {
            sheet.outline(outline(*bbox, (LEFT, top), size), GRAVE);
        }
        sheet.down_to(top + size.1);
    }
}

fn heading(sheet: &mut Sheet<'_>, text: &str) {
    sheet.space(16.0);
    sheet.keep(60.0);
    sheet.text(text, HEADING);
    sheet.space(4.0);
}

/// The most telling frame of a risk that there is.
fn picture<'a>(risk: &'a Risk, export: &Export<'_>) -> Option<(&'a EvidenceFacts, Image)> {
    let best = usize::try_from(risk.best_evidence).unwrap_or(0);
    let mut pieces = risk.evidence.get(best).into_iter().chain(&risk.evidence);
    pieces.find_map(|piece| {
        let jpeg = export.frames.get(&piece.object_key)?;
        Some((piece, Image::from_jpeg(jpeg.clone().into(), true).ok()?))
    })
}

fn logo(bytes: &[u8]) -> Result<Image, ExportError> {
    let data = || bytes.to_vec().into();
    let image = match bytes.starts_with(b"\x89PNG") {
        true => Image::from_png(data(), true),
        false => Image::from_jpeg(data(), true),
    };
    let image = image.map_err(ExportError::Logo)?;
    let (width, height) = image.size();
    if u64::from(width) * u64::from(height) > LOGO_PIXELS {
        return Err(ExportError::Logo(format!("{width}×{height} pixels")));
    }
    Ok(image)
}

/// The size of a picture that fits, its shape unchanged.
#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn within(image: &Image, (most_wide, most_high): (f32, f32)) -> (f32, f32) {
    let (width, height) = image.size();
    let (width, height) = (width.max(1) as f32, height.max(1) as f32);
    let scale = (most_wide / width).min(most_high / height);
    (width * scale, height * scale)
}

fn outline(bbox: BBox, at: (f32, f32), size: (f32, f32)) -> (f32, f32, f32, f32) {
    let (x, y) = (bbox.x.clamp(0.0, 1.0), bbox.y.clamp(0.0, 1.0));
    let (w, h) = (bbox.w.clamp(0.0, 1.0 - x), bbox.h.clamp(0.0, 1.0 - y));
    (at.0 + x * size.0, at.1 + y * size.1, w * size.0, h * size.1)
}

/// `1:02:03` or `2:03`.
fn clock(seconds: f64) -> String {
    let whole = ms(seconds).max(0) / 1000;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    match hours {
        0 => format!("{minutes}:{rest:02}"),
        _ => format!("{hours}:{minutes:02}:{rest:02}"),
    }
}
