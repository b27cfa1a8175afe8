//! The report as one page: opens without a network, prints, reads in Russian and English, by day and
//! by night. It holds no script; everything that comes from a video or a model is escaped.

mod view;

use std::collections::BTreeMap;

use askama::Template;
use shared_domain::Lang;

use crate::evaluate::task_name;
use crate::report::{ModelUsed, Report};
use view::{BandView, Card, CoverageRow, Facts, Lane, Tick, Versions};

/// The page cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the report's page cannot be rendered")]
pub struct HtmlError(#[from] askama::Error);

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    lang: Lang,
    facts: Facts,
    band: Option<BandView>,
    lanes: Vec<Lane>,
    ticks: Vec<Tick>,
    cards: Vec<Card>,
    versions: Option<Versions>,
    coverage: Vec<CoverageRow>,
}

impl Page<'_> {
    /// The text of the page's language.
    fn t<'t>(&self, ru: &'t str, en: &'t str) -> &'t str {
        self.lang.pick(ru, en)
    }

    /// What people call the task of a model.
    fn task(&self, model: &ModelUsed) -> String {
        task_name(model.task).pick(self.lang).to_owned()
    }
}

impl Report {
    /// Renders the page. `frames` holds pictures as `data:` addresses by object key; evidence without
    /// a picture is told in words.
    pub fn to_html(
        &self,
        lang: Lang,
        frames: &BTreeMap<String, String>,
    ) -> Result<String, HtmlError> {
        let page = Page {
            report: self,
            lang,
            facts: Facts::of(self, lang),
            band: view::band(self, lang),
            lanes: view::lanes(self, lang),
            ticks: view::ticks(self.video.duration_seconds),
            cards: view::cards(self, lang, frames),
            versions: view::versions(self, lang),
            coverage: view::coverage(self, lang),
        };
        Ok(page.render()?)
    }
}

#[cfg(test)]
mod tests;
