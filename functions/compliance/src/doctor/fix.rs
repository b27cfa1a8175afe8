//! `--fix`: the bucket's rules are set where they do not do what they should. Rules of others stay, and
//! nothing is written where nothing has to be.

use serde_json::Value;
use shared_objects::native::{NativeError, Rules};

use super::finding::{Finding, Said, State};
use super::native::{Known, judged, open};
use super::rules::{cors_of, lifecycle_of, notifications_of};
use super::site::Site;
use super::{Deploy, wanted};

/// How often a bucket is read again that somebody else changes at the same moment.
const ATTEMPTS: usize = 3;

/// What was done for a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub(crate) check: Deploy,
    /// False when it had to be done and could not be.
    pub(crate) done: bool,
    pub(crate) said: Said,
}

/// Sets what is wrong; says nothing of what was right.
pub(super) async fn fix(site: &Site, checks: &[Deploy]) -> Vec<Fixed> {
    let fixable = [
        Deploy::BucketCors,
        Deploy::BucketLifecycle,
        Deploy::BucketNotifications,
    ];
    let mut fixed = Vec::new();
    // Without the bucket there is nothing to set; the checks tell why.
    let Ok(mut known) = open(site).await else {
        return fixed;
    };
    for check in fixable.into_iter().filter(|check| checks.contains(check)) {
        let (done, said) = match one(site, &mut known, check).await {
            Ok(None) => continue,
            Ok(Some(said)) => (true, said),
            Err(finding) => (false, finding.said),
        };
        fixed.push(Fixed { check, done, said });
    }
    fixed
}

async fn one(site: &Site, known: &mut Known, check: Deploy) -> Result<Option<Said>, Finding> {
    match check {
        Deploy::BucketCors => {
            let ours = wanted::cors(site)?;
            let judge = |there: &[Value]| {
                let merged = wanted::merged(there, &ours, "corsRuleName");
                (cors_of(there, &ours), merged)
            };
            let said = Said::new("правило CORS поставлено", "the CORS rule was set");
            set(known, Rules::Cors, judge, said).await
        }
        Deploy::BucketLifecycle => {
            let judge = |there: &[Value]| {
                let ours = wanted::lifecycle(there);
                let merged = wanted::merged(there, &ours, "fileNamePrefix");
                (lifecycle_of(there), merged)
            };
            let said = Said::new("правило хранения поставлено", "the lifecycle rule was set");
            set(known, Rules::Lifecycle, judge, said).await
        }
        Deploy::BucketNotifications => notify(site, known).await,
        _ => Ok(None),
    }
}

/// Writes on the revision that was read, so that nobody's change is lost.
async fn set(
    known: &mut Known,
    which: Rules,
    judge: impl Fn(&[Value]) -> (Finding, Vec<Value>),
    said: Said,
) -> Result<Option<Said>, Finding> {
    let mut lost = NativeError::Conflict;
    for _ in 0..ATTEMPTS {
        let Some(there) = known.bucket.rules(which) else {
            return Ok(None);
        };
        let (finding, merged) = judge(there);
        if finding.state == State::Ok || merged == there {
            return Ok(None);
        }
        match known.native.set_rules(&known.bucket, which, &merged).await {
            Ok(bucket) => {
                known.bucket = bucket;
                return Ok(Some(said));
            }
            Err(NativeError::Conflict) => again(known).await?,
            Err(error) => {
                lost = error;
                break;
            }
        }
    }
    Err(judged(&lost))
}

async fn again(known: &mut Known) -> Result<(), Finding> {
    let name = known.bucket.name.clone();
    let bucket = known.native.bucket(&name).await;
    if let Some(bucket) = bucket.map_err(|error| judged(&error))? {
        known.bucket = bucket;
    }
    Ok(())
}

async fn notify(site: &Site, known: &Known) -> Result<Option<Said>, Finding> {
    let ours = wanted::notifications(site)?;
    let there = match known.native.notification_rules(&known.bucket).await {
        Ok(there) => there,
        // The check tells of it.
        Err(error) if error.is_not_enabled() => return Ok(None),
        Err(error) => return Err(judged(&error)),
    };
    let rules = wanted::writable(&wanted::merged(&there, &ours, "name"));
    if notifications_of(&there, &ours).state == State::Ok {
        return Ok(None);
    }
    let set = known.native.set_notification_rules(&known.bucket, &rules);
    set.await.map_err(|error| judged(&error))?;
    Ok(Some(Said::new(
        "правило уведомлений поставлено",
        "the rule of notifications was set",
    )))
}
