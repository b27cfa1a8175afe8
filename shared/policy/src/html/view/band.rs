//! Where the policy's scale puts the video, and because of what.

use shared_domain::Lang;

use crate::report::Report;

/// More reasons are in the data.
const MAX_REASONS: usize = 12;

/// The band as the page shows it.
pub(crate) struct BandView {
    pub(crate) title: String,
    pub(crate) name: String,
    /// Not everything was looked at.
    pub(crate) at_least: bool,
    pub(crate) reasons: Vec<ReasonLink>,
    /// There are more than are shown.
    pub(crate) more: usize,
}

/// A risk that decides it.
pub(crate) struct ReasonLink {
    pub(crate) number: usize,
    pub(crate) id: String,
}

pub(crate) fn band(report: &Report, lang: Lang) -> Option<BandView> {
    let band = report.age_band.as_ref()?;
    let risks = report.risks.iter().zip(1..);
    let deciding = risks.filter(|(risk, _)| band.reasons.contains(&risk.id));
    let reasons = deciding.map(|(risk, number)| ReasonLink {
        number,
        id: risk.id.to_string(),
    });
    Some(BandView {
        title: band.title.pick(lang).to_owned(),
        name: band.name.pick(lang).to_owned(),
        at_least: band.at_least,
        reasons: reasons.take(MAX_REASONS).collect(),
        more: band.reasons.len().saturating_sub(MAX_REASONS),
    })
}
