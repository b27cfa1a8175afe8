//! Why a file cannot be written.

/// A report and what goes with it do not make the file that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Reports of earlier releases do not hold what was said.
    #[error("this report does not hold what was said; check the video again to get its subtitles")]
    NoTranscript,
    /// A row cannot be written.
    #[error("the table cannot be written")]
    Csv(#[from] csv::Error),
    /// An element cannot be written.
    #[error("the XML file cannot be written")]
    Xml(#[from] std::io::Error),
    /// A value cannot be written.
    #[error("the JSON file cannot be written")]
    Json(#[from] serde_json::Error),
    /// The studio's logo is neither a PNG nor a JPEG.
    #[error("the logo cannot be read as PNG or JPEG: {0}")]
    Logo(String),
    /// The pages cannot be put together.
    #[error("the PDF cannot be written: {0}")]
    Pdf(String),
}
