//! The client of a site, who asks again what failed.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{EMAIL, LOOK, START};

/// Uses the doors as a program of a client's does: what failed is asked again under the same key.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
    project: String,
}

impl Client {
    pub(super) async fn sign_in(url: &str, password: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let login = json!({ "email": EMAIL, "password": password });
        let login = http.post(format!("{url}/api/auth/login/")).json(&login);
        let answer = login.send().await?.error_for_status()?;
        let cookie = answer.headers().get("set-cookie").context("no cookie")?;
        let token = cookie
            .to_str()?
            .split(['=', ';'])
            .nth(1)
            .context("no token")?;
        let mut client = Self {
            http,
            url: url.to_owned(),
            token: token.to_owned(),
            project: String::new(),
        };
        let projects = client.get("/api/projects/").await?;
        let project = projects["results"][0]["id"]
            .as_str()
            .context("no project")?;
        project.clone_into(&mut client.project);
        Ok(client)
    }

    /// Announces a file and puts it into storage; answers the video's id.
    pub(crate) async fn upload(&self, file: &Path) -> Result<String> {
        let bytes = fs::read(file)?;
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.context("a file without a name")?;
        let body =
            json!({ "project_id": self.project, "original_name": name, "size_bytes": bytes.len() });
        let path = format!("{}/functions/upload-signed-url", self.url);
        let create = self.http.post(path).bearer_auth(&self.token).json(&body);
        let created = self.again(create.header("idempotency-key", name)).await?;
        let mut put = self.http.put(text(&created["upload"], "url")?).body(bytes);
        for (name, value) in created["upload"]["headers"]
            .as_object()
            .into_iter()
            .flatten()
        {
            put = put.header(name, value.as_str().context("a header that is no text")?);
        }
        put.send().await?.error_for_status()?;
        Ok(text(&created, "video_id")?.to_owned())
    }

    /// `PROCESSING`, `VERIFICATION`, `FAILED`…
    pub(crate) async fn status(&self, video: &str) -> Result<String> {
        let video = self.get(&format!("/api/videos/{video}/")).await?;
        Ok(text(&video, "status")?.to_owned())
    }

    pub(crate) async fn report(&self, video: &str) -> Result<Value> {
        self.get(&format!("/api/videos/{video}/report/")).await
    }

    /// What Prometheus is told.
    pub(crate) async fn metrics(&self, token: &str) -> Result<String> {
        let request = self.http.get(format!("{}/metrics", self.url));
        let answer = request.bearer_auth(token).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// The session.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let request = self.http.get(format!("{}{path}", self.url));
        self.again(request.bearer_auth(&self.token)).await
    }

    /// The answer, when those behind the door are well again.
    async fn again(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let started = Instant::now();
        loop {
            let request = request.try_clone().context("a body that streams")?;
            let answer = request.send().await?;
            let status = answer.status();
            if !status.is_server_error() {
                let body = answer.text().await?;
                ensure!(status.is_success(), "{status}: {body}");
                return Ok(serde_json::from_str(&body)?);
            }
            ensure!(started.elapsed() < START, "{status} for {START:?}");
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name]
        .as_str()
        .with_context(|| format!("no {name} in {value}"))
}
