//! The HTTP side.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::rules::{check_cors, check_lifecycle, check_notifications};
use super::{B2Mishap, Inner, Key, State as Held};

type Answer = Result<Json<Value>, Refusal>;
type Check = fn(&[Value]) -> Result<(), String>;

pub(super) fn router(inner: Arc<Inner>) -> Router {
    let call = |name: &str| format!("/b2api/v4/{name}");
    let get_rules = call("b2_get_bucket_notification_rules");
    let set_rules = call("b2_set_bucket_notification_rules");
    Router::new()
        .route(&call("b2_authorize_account"), get(authorize))
        .route(&call("b2_list_buckets"), post(list))
        .route(&call("b2_update_bucket"), post(update))
        .route(&get_rules, get(notifications))
        .route(&set_rules, post(set_notifications))
        .layer(middleware::from_fn_with_state(inner.clone(), dated))
        .with_state(inner)
}

async fn dated(State(inner): State<Arc<Inner>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let date = inner.state().date.clone();
    if let Some(date) = date.and_then(|date| HeaderValue::try_from(date).ok()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// An answer that is no success.
struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message) = (self.status, self.code, self.message);
        let body = json!({ "status": status, "code": code, "message": message });
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(body)).into_response()
    }
}

fn refuse(status: u16, code: &'static str, message: &str) -> Refusal {
    let message = message.to_owned();
    Refusal {
        status,
        code,
        message,
    }
}

async fn authorize(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    let mut state = inner.state();
    state.calls.push("b2_authorize_account".to_owned());
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let basic = |key: &&Key| {
        let pair = STANDARD.encode(format!("{}:{}", key.id, key.secret));
        given.is_some_and(|given| given == format!("Basic {pair}"))
    };
    let Some(key) = state.keys.iter().find(basic).cloned() else {
        let words = "The applicationKeyId and/or the applicationKey are wrong.";
        return refuse(401, "bad_auth_token", words).into_response();
    };
    state.given += 1;
    let token = format!("4_token-canary-{}", state.given);
    state.tokens.push((token.clone(), key.id));
    let body = json!({
        "accountId": state.bucket["accountId"],
        "authorizationToken": token,
        "applicationKeyExpirationTimestamp": null,
        "apiInfo": { "storageApi": {
            "apiUrl": state.api_url,
            "downloadUrl": state.api_url,
            "s3ApiUrl": state.api_url,
            "absoluteMinimumPartSize": 5_000_000,
            "recommendedPartSize": 100_000_000,
            "allowed": { "capabilities": key.capabilities, "buckets": null, "namePrefix": null },
        } },
    });
    Json(body).into_response()
}

impl Held {
    /// Lets a call in whose token holds and whose key may do it.
    fn admit(&mut self, call: &str, needs: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        self.calls.push(call.to_owned());
        if self.takes(B2Mishap::Expired) {
            self.tokens.clear();
        }
        if self.takes(B2Mishap::Busy) {
            return Err(refuse(503, "service_unavailable", "busy"));
        }
        if self.takes(B2Mishap::Cap) {
            let words = "Transaction cap exceeded. Please see the Caps and Alerts page";
            return Err(refuse(403, "transaction_cap_exceeded", words));
        }
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = self
            .tokens
            .iter()
            .find(|(token, _)| given == Some(token.as_str()));
        let Some((_, id)) = token else {
            return Err(refuse(
                401,
                "expired_auth_token",
                "Authorization token has expired",
            ));
        };
        let key = self.keys.iter().find(|key| key.id == *id);
        let may = |key: &Key| key.capabilities.iter().any(|has| has == needs);
        if key.is_some_and(may) {
            Ok(())
        } else {
            Err(refuse(
                401,
                "unauthorized",
                "unauthorized for application key",
            ))
        }
    }

    fn own(&self, body: &Value, field: &str) -> Result<(), Refusal> {
        if body[field] == self.bucket[field] {
            return Ok(());
        }
        Err(refuse(400, "bad_request", &format!("invalid {field}")))
    }
}

async fn list(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    inner.state().list(&headers, &body).into_response()
}

async fn update(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    inner.state().update(&headers, &body).into_response()
}

async fn notifications(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    inner
        .state()
        .notifications(&headers, &json!(query))
        .into_response()
}

async fn set_notifications(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    inner
        .state()
        .set_notifications(&headers, &body)
        .into_response()
}

impl Held {
    fn list(&mut self, headers: &HeaderMap, body: &Value) -> Answer {
        self.admit("b2_list_buckets", "listBuckets", headers)?;
        self.own(body, "accountId")?;
        let wanted = body.get("bucketName");
        let found = wanted.is_none_or(|name| *name == self.bucket["bucketName"]);
        let buckets: Vec<&Value> = found.then_some(&self.bucket).into_iter().collect();
        Ok(Json(json!({ "buckets": buckets })))
    }

    fn update(&mut self, headers: &HeaderMap, body: &Value) -> Answer {
        self.admit("b2_update_bucket", "writeBuckets", headers)?;
        self.own(body, "accountId")?;
        self.own(body, "bucketId")?;
        if self.takes(B2Mishap::Race) {
            self.touch();
        }
        let read = body.get("ifRevisionIs");
        if read.is_some_and(|read| *read != self.bucket["revision"]) {
            return Err(refuse(409, "conflict", "the bucket has another revision"));
        }
        let checked: [(&str, Check); 2] = [
            ("corsRules", check_cors),
            ("lifecycleRules", check_lifecycle),
        ];
        for (field, check) in checked {
            if let Some(rules) = body[field].as_array() {
                check(rules).map_err(|wrong| refuse(400, "bad_request", &wrong))?;
                self.bucket[field] = rules.clone().into();
            }
        }
        self.touch();
        Ok(Json(self.bucket.clone()))
    }

    fn notifications(&mut self, headers: &HeaderMap, query: &Value) -> Answer {
        let call = "b2_get_bucket_notification_rules";
        self.admit(call, "readBucketNotifications", headers)?;
        self.own(query, "bucketId")?;
        self.enabled()?;
        Ok(self.listed())
    }

    fn set_notifications(&mut self, headers: &HeaderMap, body: &Value) -> Answer {
        let call = "b2_set_bucket_notification_rules";
        self.admit(call, "writeBucketNotifications", headers)?;
        self.own(body, "bucketId")?;
        self.enabled()?;
        let rules = body["eventNotificationRules"].as_array();
        let mut rules = rules.cloned().unwrap_or_default();
        check_notifications(&rules).map_err(|wrong| refuse(400, "bad_request", &wrong))?;
        for rule in &mut rules {
            // Whatever was sent, these are B2's own to say.
            rule["isSuspended"] = false.into();
            rule["suspensionReason"] = "".into();
        }
        rules.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
        self.notifications = rules;
        Ok(self.listed())
    }

    fn enabled(&self) -> Result<(), Refusal> {
        if self.notifications_enabled {
            return Ok(());
        }
        let words = "Event Notifications are not enabled for this account";
        Err(refuse(403, "access_denied", words))
    }

    fn listed(&self) -> Json<Value> {
        Json(json!({
            "bucketId": self.bucket["bucketId"],
            "eventNotificationRules": self.notifications,
        }))
    }
}
