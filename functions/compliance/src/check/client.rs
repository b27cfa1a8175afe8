//! The client's side of an upload, by the same doors that the page uses.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use futures::stream;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_domain::{ProjectId, Refusal, Step, VideoId, VideoUploaded};
use shared_objects::{Objects, ObjectsConfig};
use shared_runtime::hash_token;
use shared_store::{NewUser, Role, Store, StoreError, User};

use super::bars::Bars;
use crate::args::Check;
use crate::embedded::Embedded;
use crate::secrets::token;
use crate::serve::system_language;

/// Bytes that are read and sent at once.
const CHUNK: usize = 1 << 20;

/// Signed in as the person at this terminal.
pub(crate) struct Client {
    http: reqwest::Client,
    address: String,
    token: String,
    project_id: ProjectId,
    store: Store,
    objects: Objects,
}

impl Client {
    /// Opens a session that ends with the day; what is uploaded is judged by the policy.
    pub(crate) async fn sign_in(embedded: &Embedded, policy: &str) -> anyhow::Result<Self> {
        let store = embedded.shared.store.clone();
        let user = person(&store).await?;
        let project = store.ensure_project(user.user_id, "check").await?;
        store.set_project_policy(project.project_id, policy).await?;
        let token = token()?;
        let expires = store.now() + Duration::from_hours(24);
        store
            .open_session(user.user_id, &hash_token(&token), expires)
            .await?;
        let config = embedded.shared.read(ObjectsConfig::read)?;
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            address: embedded.address(),
            token,
            project_id: project.project_id,
            store,
            objects: Objects::connect(&config),
        })
    }

    /// Storage, for the finished files.
    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Uploads the file, or finds the video that an earlier check of the same bytes made.
    ///
    /// The inner error is what the door says to a person.
    pub(crate) async fn upload(
        &self,
        file: &Path,
        args: &Check,
        bars: &Bars,
    ) -> anyhow::Result<Result<VideoId, String>> {
        let hashing = (file.to_owned(), bars.hashing(file));
        let sha256 = tokio::task::spawn_blocking(move || hash(&hashing.0, &hashing.1)).await??;
        if !args.again
            && let Some(video) = self
                .store
                .video_by_checksum(self.project_id, &sha256)
                .await?
        {
            match (video.step, &video.refusal) {
                (Step::AwaitingUpload | Step::Expired, _) => {}
                (Step::Failed, Some(refusal)) if refusal.is_about_the_file() => {
                    return Ok(Ok(video.video_id));
                }
                (Step::Failed, Some(Refusal::Internal) | None) => {
                    self.retry(video.video_id).await?;
                    return Ok(Ok(video.video_id));
                }
                // The limits may be others now.
                (Step::Failed, Some(_)) => {}
                _ => return Ok(Ok(video.video_id)),
            }
        }
        let created = match self.create(file, &sha256, args).await? {
            Ok(created) => created,
            // Storage told of an earlier upload of the same bytes in this very moment: it is taken up.
            Err(refused) => {
                let found = self
                    .store
                    .video_by_checksum(self.project_id, &sha256)
                    .await?;
                let waits = [Step::AwaitingUpload, Step::Expired, Step::Failed];
                let arrived = found.filter(|video| !args.again && !waits.contains(&video.step));
                return Ok(arrived.map(|video| video.video_id).ok_or(refused));
            }
        };
        let video_id: VideoId = text(&created, "video_id").parse()?;
        self.put(file, &created["upload"], video_id, bars).await?;
        self.say(
            Method::POST,
            &format!("/functions/on-upload/{video_id}/complete"),
            None,
        )
        .await?;
        Ok(Ok(video_id))
    }

    async fn retry(&self, id: VideoId) -> anyhow::Result<()> {
        let mut tx = self.store.transaction().await?;
        tx.retry(id).await?;
        tx.send(&VideoUploaded::new(id)).await?;
        Ok(tx.commit().await?)
    }

    async fn create(
        &self,
        file: &Path,
        sha256: &str,
        args: &Check,
    ) -> anyhow::Result<Result<Value, String>> {
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let size_bytes = std::fs::metadata(file)?.len();
        let body = json!({ "project_id": self.project_id, "original_name": name, "size_bytes": size_bytes, "sha256": sha256 });
        let key = if args.again {
            token()?
        } else {
            sha256.to_owned()
        };
        let answer = self
            .request(Method::POST, "/functions/upload-signed-url")
            .header("idempotency-key", key)
            .json(&body)
            .send()
            .await?;
        if answer.status() == StatusCode::CREATED {
            return Ok(Ok(answer.json().await?));
        }
        Ok(Err(detail(answer).await))
    }

    async fn put(
        &self,
        file: &Path,
        upload: &Value,
        id: VideoId,
        bars: &Bars,
    ) -> anyhow::Result<()> {
        let size = std::fs::metadata(file)?.len();
        let bar = bars.upload(size);
        if upload["kind"] == "single" {
            self.put_range(file, 0..size, upload, &bar).await?;
        } else {
            let size_of_part = upload["part_size"]
                .as_u64()
                .context("the answer names no part size")?;
            let arrived = self.arrived(id).await?;
            for number in 1..=size.div_ceil(size_of_part) {
                let (start, end) = ((number - 1) * size_of_part, size.min(number * size_of_part));
                if arrived.contains(&number) {
                    bar.inc(end - start);
                    continue;
                }
                let path = format!("/functions/upload-signed-url/{id}/parts");
                let signed = self
                    .say(Method::POST, &path, Some(json!({ "numbers": [number] })))
                    .await?;
                self.put_range(file, start..end, &signed["parts"][0], &bar)
                    .await?;
            }
            self.say(
                Method::POST,
                &format!("/functions/upload-signed-url/{id}/complete"),
                None,
            )
            .await?;
        }
        bar.finish();
        Ok(())
    }

    async fn arrived(&self, id: VideoId) -> anyhow::Result<Vec<u64>> {
        let path = format!("/functions/upload-signed-url/{id}/parts");
        let answer = self.say(Method::GET, &path, None).await?;
        let parts = answer["parts"].as_array().cloned().unwrap_or_default();
        Ok(parts
            .iter()
            .filter_map(|part| part["number"].as_u64())
            .collect())
    }

    async fn put_range(
        &self,
        file: &Path,
        range: std::ops::Range<u64>,
        signed: &Value,
        bar: &indicatif::ProgressBar,
    ) -> anyhow::Result<()> {
        let mut request = self.http.put(text(signed, "url"));
        for (name, value) in signed["headers"].as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        let length = range.end - range.start;
        let body = reqwest::Body::wrap_stream(stream::iter(chunks(file, range, bar.clone())?));
        let answer = request
            .header("content-length", length)
            .body(body)
            .send()
            .await?;
        if !answer.status().is_success() {
            bail!("storage refused the upload with {}", answer.status());
        }
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let lang = system_language().as_str();
        self.http
            .request(method, format!("{}{path}", self.address))
            .bearer_auth(&self.token)
            .header("accept-language", lang)
    }

    async fn say(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await?;
        if answer.status().is_success() {
            return Ok(answer.json().await.unwrap_or_default());
        }
        bail!("{}", detail(answer).await)
    }
}

async fn person(store: &Store) -> anyhow::Result<User> {
    let email = "terminal@localhost";
    if let Some(user) = store.user_by_email(email).await? {
        return Ok(user);
    }
    let new = NewUser {
        email: email.into(),
        // No password has this hash: the account opens by the session alone.
        password_hash: "none".into(),
        role: Role::Admin,
        company_name: String::new(),
        balance_minutes: 0,
        language: system_language(),
    };
    match store.insert_user(new).await {
        Err(StoreError::Conflict { .. }) => store
            .user_by_email(email)
            .await?
            .context("the account vanished"),
        made => Ok(made?),
    }
}

async fn detail(answer: Response) -> String {
    let status = answer.status();
    let problem: Value = answer.json().await.unwrap_or_default();
    problem["detail"]
        .as_str()
        .map_or_else(|| status.to_string(), str::to_owned)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn hash(file: &Path, bar: &indicatif::ProgressBar) -> anyhow::Result<String> {
    let mut source =
        std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        let read = source.read(&mut chunk)?;
        if read == 0 {
            bar.finish_and_clear();
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(&chunk[..read]);
        bar.inc(read as u64);
    }
}

/// The bytes of a range, a chunk at a time: the file is never in memory as a whole.
fn chunks(
    file: &Path,
    range: std::ops::Range<u64>,
    bar: indicatif::ProgressBar,
) -> anyhow::Result<impl Iterator<Item = std::io::Result<Bytes>> + Send + use<>> {
    let mut source = std::fs::File::open(file)?;
    source.seek(SeekFrom::Start(range.start))?;
    let mut left = range.end - range.start;
    Ok(std::iter::from_fn(move || {
        let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        if want == 0 {
            return None;
        }
        let mut chunk = vec![0; want];
        if let Err(error) = source.read_exact(&mut chunk) {
            left = 0;
            return Some(Err(error));
        }
        left -= want as u64;
        bar.inc(want as u64);
        Some(Ok(Bytes::from(chunk)))
    }))
}
