//! `compliance migrate`: a step of its own, before the new version serves.

use std::process::ExitCode;

use serde_json::json;
use shared_domain::Settings;
use shared_policy::Taxonomy;
use shared_store::{RiskDefinition, Store, StoreConfig};
use tracing::info;

pub(crate) async fn migrate(settings: &Settings) -> anyhow::Result<ExitCode> {
    let config = store_config(settings)?;
    Store::migrate(config).await?;
    let store = shared_runtime::store(settings).await?;
    let seeded = seed(&store).await;
    store.close().await;
    seeded?;
    info!("the database has this version's schema");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn store_config(settings: &Settings) -> anyhow::Result<StoreConfig> {
    let reader = settings.reader();
    let config = StoreConfig::read(&reader);
    reader.finish()?;
    Ok(config)
}

/// What a risk may be called: this release's taxonomy.
async fn seed(store: &Store) -> anyhow::Result<()> {
    let taxonomy = Taxonomy::built_in()?;
    let risks = taxonomy
        .categories()
        .flat_map(|(area, kind)| kind.risks.iter().map(move |risk| (area, kind, risk)));
    let definitions: Vec<RiskDefinition> = (0..)
        .zip(risks)
        .map(|(ordinal, (area, kind, risk))| RiskDefinition {
            code: risk.code.clone(),
            area: area.code.clone(),
            category: kind.code.clone(),
            ordinal,
            name: json!(risk.name),
            description: json!(risk.description),
            clause: json!(risk.clause),
            level: risk.level.as_str().to_owned(),
            labels: taxonomy.answers(kind).map(str::to_owned).collect(),
        })
        .collect();
    let mut tx = store.transaction().await?;
    tx.seed_risk_definitions(&definitions).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_risk_of_the_taxonomy_is_defined_however_often_it_is_seeded() {
        let database = shared_testing::database().await;
        let store = database.store().await;
        seed(&store).await.unwrap();
        seed(&store).await.unwrap();
        let definitions = store.risk_definitions().await.unwrap();
        let taxonomy = Taxonomy::built_in().unwrap();
        let risks = taxonomy.categories().map(|(_, kind)| kind.risks.len());
        assert_eq!(definitions.len(), risks.sum::<usize>());
        let find = |code: &str| definitions.iter().find(|d| d.code == code).unwrap();
        let spoken = find("mat_speech");
        assert_eq!(
            (spoken.area.as_str(), spoken.category.as_str()),
            ("language", "profanity")
        );
        assert_eq!(spoken.level, "high");
        assert_eq!(spoken.name["en"], "Strong profanity in speech");
        for label in ["mat_speech", "rude_speech", "insult", "ok_false"] {
            assert!(spoken.labels.iter().any(|known| known == label), "{label}");
        }
    }
}
