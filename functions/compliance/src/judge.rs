//! The judge without the chain, for commands that look at stored evidence.

use report_finalize::ReportFinalize;
use shared_domain::Settings;
use shared_runtime::Shared;
use shared_store::Store;

use crate::embedded::Storage;

/// Evidence, packs and the place of reports.
pub(crate) struct Judge {
    pub(crate) function: ReportFinalize,
    pub(crate) store: Store,
    _storage: Option<Storage>,
}

impl Judge {
    /// Opens the database, and storage where it is embedded.
    pub(crate) async fn open(mut settings: Settings) -> anyhow::Result<Self> {
        let storage = Storage::start(&mut settings).await?;
        let shared = Shared::connect(settings).await?;
        let store = shared.store.clone();
        let function = ReportFinalize::connect(shared)
            .await
            .map_err(anyhow::Error::from_boxed)?;
        Ok(Self {
            function,
            store,
            _storage: storage,
        })
    }
}
