//! The report on paper: the verdict, what was not checked, each risk with its timecodes and its frame.
//!
//! Pictures that nobody should meet unprepared stand on the last pages, behind a heading that says so.

mod face;
mod parts;
mod sheet;

use krilla::Document;
use krilla::metadata::{DateTime, Metadata};
use shared_policy::Report;

use crate::clean;
use crate::error::ExportError;
use crate::format::Export;
use face::Faces;
use sheet::Sheet;

pub(crate) fn write(export: &Export<'_>) -> Result<Vec<u8>, ExportError> {
    let faces = Faces::load().ok_or_else(|| ExportError::Pdf("the fonts are damaged".into()))?;
    let mut sheet = Sheet::new(&faces);
    parts::head(&mut sheet, export)?;
    parts::not_checked(&mut sheet, export);
    let veiled = parts::risks(&mut sheet, export);
    parts::coverage(&mut sheet, export);
    parts::foot(&mut sheet, export);
    parts::veiled(&mut sheet, export, &veiled);
    let mut document = Document::new();
    document.set_metadata(about(export));
    let name = clean::line(&export.report.video.original_name, 60);
    sheet.draw(&mut document, &name)?;
    document
        .finish()
        .map_err(|error| ExportError::Pdf(error.to_string()))
}

fn about(export: &Export<'_>) -> Metadata {
    let Report { video, run, .. } = export.report;
    let at = run.completed_at;
    let date = DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(u8::from(at.month()))
        .day(at.day())
        .hour(at.hour())
        .minute(at.minute())
        .second(at.second());
    Metadata::new()
        .title(clean::line(&video.original_name, 200))
        .language(export.lang.as_str().to_owned())
        .creator("AI Compliance Agent".to_owned())
        .document_id(run.id.to_string())
        .creation_date(date)
}
