//! The phone in a browser: the page, what it shows, and what can be done on it.

mod ranged;
mod timeline;
mod view;

pub use ranged::ranged;
pub use view::Directory;

use crate::audio;
use crate::manner::Manner;
use crate::phone::Phone;
use crate::platform::NotNow;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Least time between two pictures of the state.
const PICTURES: Duration = Duration::from_millis(100);

/// When a phone that picks up by itself does so: late enough to be seen ringing.
const ANSWERS_AFTER: Duration = Duration::from_secs(3);

/// When a phone that declines by itself does so.
const DECLINES_AFTER: Duration = Duration::from_secs(2);

/// When a mailbox at the page picks up. Real ones take longer, and somebody watches.
const MAILBOX_AFTER: Duration = Duration::from_secs(5);

/// Nothing but what this server sends may run or be shown on the page.
const POLICY: &str =
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The page on a phone.
#[derive(Clone)]
struct Page {
    phone: Phone,
    directory: watch::Receiver<Arc<Directory>>,
}

impl Phone {
    /// The page and what it asks for, below `/phone`. Whoever serves it lets only people of this
    /// machine in. `directory`: whose numbers they are.
    pub fn page_router(&self, directory: watch::Receiver<Arc<Directory>>) -> Router {
        let page = Page {
            phone: self.clone(),
            directory,
        };
        let html = "text/html; charset=utf-8";
        let js = "text/javascript; charset=utf-8";
        Router::new()
            .route("/phone", asset(html, include_str!("../page/index.html")))
            .route(
                "/phone/phone.js",
                asset(js, include_str!("../page/phone.js")),
            )
            .route(
                "/phone/phone.css",
                asset("text/css; charset=utf-8", include_str!("../page/phone.css")),
            )
            // Browsers ask for one unasked, and a 404 is an error on the console of whoever looks.
            .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
            .route("/phone/events", get(events))
            .route("/phone/tune", get(tune))
            .route("/phone/calls", post(call))
            .route("/phone/legs/{leg}/{act}", post(act))
            .route("/phone/contacts/{id}/manner", post(manner))
            .with_state(page)
    }
}

fn asset(kind: &'static str, text: &'static str) -> axum::routing::MethodRouter<Page> {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    get(move || async move { (headers, text) })
}

async fn events(State(page): State<Page>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = page.phone.changes();
    let pictures = stream::unfold(
        (page, changes, true),
        |(mut page, mut changes, first)| async move {
            if !first {
                // Whoever keeps the directory goes when the server is to stop: then this ends, too.
                tokio::select! {
                    changed = changes.changed() => changed.ok()?,
                    changed = page.directory.changed() => changed.ok()?,
                }
                // What comes together is shown together.
                tokio::time::sleep(PICTURES).await;
                changes.mark_unchanged();
            }
            let directory = page.directory.borrow_and_update().clone();
            let view = page.phone.look(|platform| view::of(platform, &directory));
            let event = Event::default().data(view.to_string());
            Some((Ok(event), (page, changes, false)))
        },
    );
    Sse::new(pictures).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
struct TuneAsked {
    url: String,
}

async fn tune(headers: HeaderMap, Query(asked): Query<TuneAsked>) -> Response {
    let tune = tokio::task::spawn_blocking(move || audio::tune(&asked.url)).await;
    match tune {
        Ok(tune) => (
            [(header::CACHE_CONTROL, "max-age=86400")],
            ranged(&headers, "audio/wav", tune.into()),
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Something that cannot be done, in the form of all errors here.
struct Refused(StatusCode, &'static str, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.1, "message": self.2 } });
        (self.0, Json(body)).into_response()
    }
}

impl From<NotNow> for Refused {
    fn from(why: NotNow) -> Self {
        let (status, code) = match why {
            NotNow::NoLeg => (StatusCode::NOT_FOUND, "no-call"),
            NotNow::NoKey => (StatusCode::BAD_REQUEST, "no-key"),
            NotNow::NoNumber => (StatusCode::BAD_REQUEST, "no-number"),
            NotNow::NotRinging | NotNow::NotUp | NotNow::Over => (StatusCode::CONFLICT, "not-now"),
        };
        Self(status, code, why.to_string())
    }
}

impl From<JsonRejection> for Refused {
    fn from(why: JsonRejection) -> Self {
        Self(why.status(), "unreadable", why.body_text())
    }
}

#[derive(Deserialize)]
struct CallAsked {
    from: String,
    to: String,
}

async fn call(
    State(page): State<Page>,
    asked: Result<Json<CallAsked>, JsonRejection>,
) -> Result<Response, Refused> {
    let Json(asked) = asked?;
    let leg = page
        .phone
        .with(|platform| platform.call(asked.from.trim(), asked.to.trim()))?;
    Ok((StatusCode::CREATED, Json(json!({ "leg": leg }))).into_response())
}

#[derive(Default, Deserialize)]
struct ActAsked {
    #[serde(default)]
    keys: String,
    #[serde(default)]
    text: String,
}

async fn act(
    State(page): State<Page>,
    Path((leg, act)): Path<(String, String)>,
    asked: Result<Json<ActAsked>, JsonRejection>,
) -> Result<StatusCode, Refused> {
    // Asked for as JSON even where it says nothing: no form of another site can send that.
    let Json(asked) = asked?;
    page.phone.with(|platform| match act.as_str() {
        "answer" => Ok(platform.pick_up(&leg)?),
        "decline" => Ok(platform.decline(&leg)?),
        "busy" => Ok(platform.is_busy(&leg)?),
        "mailbox" => Ok(platform.mailbox(&leg)?),
        "hangup" => Ok(platform.hang_up(&leg)?),
        "press" => Ok(platform.press(&leg, &asked.keys)?),
        "say" => Ok(platform.say(&leg, asked.text.trim())?),
        _ => Err(Refused(
            StatusCode::NOT_FOUND,
            "no-act",
            "a phone cannot do that".to_owned(),
        )),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct MannerAsked {
    manner: String,
}

async fn manner(
    State(page): State<Page>,
    Path(id): Path<String>,
    asked: Result<Json<MannerAsked>, JsonRejection>,
) -> Result<StatusCode, Refused> {
    let Json(asked) = asked?;
    let manner = match asked.manner.as_str() {
        "ask" => Manner::Ask,
        "silent" => Manner::Silent,
        "declines" => Manner::Declines(DECLINES_AFTER),
        "busy" => Manner::Busy,
        "unreachable" => Manner::Unreachable,
        "no such number" => Manner::NoSuchNumber,
        "mailbox" => Manner::Mailbox(MAILBOX_AFTER),
        "answers" => Manner::answers(ANSWERS_AFTER, None),
        _ => {
            let message =
                "a phone asks, answers, declines, or is silent, busy, unreachable or a mailbox";
            return Err(Refused(
                StatusCode::BAD_REQUEST,
                "no-manner",
                message.to_owned(),
            ));
        }
    };
    page.phone
        .with(|platform| platform.set_manners(id, vec![manner]));
    Ok(StatusCode::NO_CONTENT)
}
