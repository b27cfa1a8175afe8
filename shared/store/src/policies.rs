//! What judges: added policy packs, the definitions of risks, and which pack a folder or a video has.

use serde_json::Value;
use shared_domain::{ExecutionId, ProjectId, VideoId};

use crate::dialect::{change, execute, rows};
use crate::values::{Id, Json, id, ts};
use crate::{NewReport, Store, StoreError, Tx};

/// A version of a policy pack that was added.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AddedPack {
    /// As projects name it.
    pub pack_id: String,
    /// Of the pack.
    pub version: String,
    /// The file as it was accepted.
    pub body: String,
}

/// What a risk may be called, and what an operator may answer to it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct RiskDefinition {
    /// Stable: stands in triggers, reports and exports.
    pub code: String,
    /// First level of the taxonomy.
    pub area: String,
    /// Second level.
    pub category: String,
    /// Place in the taxonomy, for lists.
    pub ordinal: i64,
    /// What people call it, by language.
    #[sqlx(json)]
    pub name: Value,
    /// One sentence, by language.
    #[sqlx(json)]
    pub description: Value,
    /// Where it is written unless a policy pack says otherwise, by language.
    #[sqlx(json)]
    pub clause: Value,
    /// How grave it is unless a policy pack says otherwise.
    pub level: String,
    /// What an operator may answer.
    #[sqlx(json)]
    pub labels: Vec<String>,
}

impl Store {
    /// Every added version of every pack, in the order in which they were added.
    pub async fn added_packs(&self) -> Result<Vec<AddedPack>, StoreError> {
        rows!(
            fetch_all as AddedPack,
            self.reader().await?.link(),
            "select pack_id, version, body from policy_packs order by created_at, pack_id, version",
        )
    }

    /// Keeps a version of a pack; `false` when it is there already, which is then left as it is.
    pub async fn add_pack(&self, new: &AddedPack) -> Result<bool, StoreError> {
        let added = change!(
            self,
            "insert into policy_packs (pack_id, version, body, created_at) \
             values ($1, $2, $3, $4) on conflict (pack_id, version) do nothing",
            &new.pack_id,
            &new.version,
            &new.body,
            ts(self.now()),
        )?;
        Ok(added == 1)
    }

    /// Every definition, in the order of the taxonomy.
    pub async fn risk_definitions(&self) -> Result<Vec<RiskDefinition>, StoreError> {
        rows!(
            fetch_all as RiskDefinition,
            self.reader().await?.link(),
            "select code, area, category, ordinal, name, description, clause, level, labels \
             from risk_definitions order by ordinal, code",
        )
    }

    /// Every video whose last report is a machine's, oldest first: what may be judged again.
    pub async fn judged_videos(&self) -> Result<Vec<VideoId>, StoreError> {
        let found = rows!(
            fetch_all as (Id,),
            self.reader().await?.link(),
            "select distinct video_id from reports where video_id not in \
             (select video_id from reports where stage = 'final') order by video_id",
        )?;
        Ok(found.into_iter().map(|(id,)| id.into()).collect())
    }

    /// How often a provider was asked for a run, answered or not.
    pub async fn provider_calls(&self, execution_id: ExecutionId) -> Result<i64, StoreError> {
        let (calls,) = rows!(
            fetch_one as (i64,),
            self.reader().await?.link(),
            "select cast(coalesce(sum(attempts), 0) as bigint) from predictions \
             where execution_id = $1",
            id(execution_id),
        )?;
        Ok(calls)
    }

    /// Gives a folder another pack, for the videos to come.
    pub async fn set_project_policy(
        &self,
        project_id: ProjectId,
        policy_id: &str,
    ) -> Result<(), StoreError> {
        let found = change!(
            self,
            "update projects set policy_id = $2 where project_id = $1",
            id(project_id),
            policy_id,
        )?;
        match found {
            0 => Err(StoreError::missing("project", project_id)),
            _ => Ok(()),
        }
    }
}

impl Tx {
    /// Brings the definitions to those of this release; one that it does not know stays.
    pub async fn seed_risk_definitions(
        &mut self,
        definitions: &[RiskDefinition],
    ) -> Result<(), StoreError> {
        for new in definitions {
            execute!(
                self.link(),
                "insert into risk_definitions \
                 (code, area, category, ordinal, name, description, clause, level, labels) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                 on conflict (code) do update set area = excluded.area, \
                 category = excluded.category, ordinal = excluded.ordinal, name = excluded.name, \
                 description = excluded.description, clause = excluded.clause, \
                 level = excluded.level, labels = excluded.labels",
                &new.code,
                &new.area,
                &new.category,
                new.ordinal,
                Json(&new.name),
                Json(&new.description),
                Json(&new.clause),
                &new.level,
                Json(&new.labels),
            )?;
        }
        Ok(())
    }

    /// Gives a video another pack.
    pub async fn set_video_policy(
        &mut self,
        video_id: VideoId,
        policy_id: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "update videos set policy_id = $2 where video_id = $1",
            id(video_id),
            policy_id,
        )?;
        Ok(())
    }

    /// Writes another judgement of the same evidence into a report, which keeps its id: links and
    /// mails that name it lead to what holds now.
    pub async fn replace_report(&mut self, new: NewReport) -> Result<(), StoreError> {
        let changed = execute!(
            self.link(),
            "update reports set policy_id = $2, policy_version = $3, verdict = $4, body = $5, \
             json_key = $6, html_key = $7, seal = $8 \
             where report_id = $1 and stage = $9",
            id(new.report_id),
            &new.policy_id,
            &new.policy_version,
            &new.verdict,
            Json(&new.body),
            &new.json_key,
            &new.html_key,
            &new.seal,
            new.stage.as_str(),
        )?;
        match changed {
            0 => Err(StoreError::missing("report", new.report_id)),
            _ => Ok(()),
        }
    }
}
