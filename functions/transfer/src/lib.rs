//! Agents say free and away; callers are moved to them.

use aws_config::SdkConfig;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use std::sync::Arc;
use switchboard_shared::chain;
use switchboard_shared::config::Lookup;
use switchboard_shared::exchange::{Exchange, ExchangeError, Outcome};
use switchboard_shared::job::JobQueue;
use switchboard_shared::people::{Link, People};
use switchboard_shared::plan::AgentName;
use switchboard_shared::plans::Plans;
use switchboard_shared::secret::{Derived, SecretAway};
use switchboard_shared::store::Store;
use switchboard_shared::vonage::Vonage;
use switchboard_shared::web::{self, Failure};

mod page;

pub use page::sentence;

/// What the function works with; built once.
#[derive(Debug)]
pub struct Transfer {
    people: Derived<People>,
    exchange: Exchange,
}

impl Transfer {
    /// Reads the settings.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig) -> Option<Self> {
        let store = Store::from_lookup(lookup, sdk);
        let people = Derived::from_lookup(lookup, People::from_lookup);
        let plans = Arc::new(Plans::from_lookup(lookup, store.clone()));
        let jobs = JobQueue::from_lookup(lookup, sdk, "SWITCHBOARD_DISPATCH_QUEUE_URL");
        let vonage = Vonage::from_lookup(lookup)?;
        Some(Self {
            people,
            exchange: Exchange {
                store,
                plans,
                vonage,
                jobs,
                clock: lookup.clock(),
            },
        })
    }

    /// Reads the plan ahead of the first request.
    pub async fn warm(&self) {
        if let Err(error) = self.exchange.plans.current().await {
            tracing::error!(error = %chain(&error), "no plan yet");
        }
    }
}

/// The routes.
pub fn router(transfer: Transfer) -> Router {
    Router::new()
        .route("/agents/{name}/free", post(on_free))
        .route("/agents/{name}/away", post(on_away))
        .route("/agentfree", get(show_page).post(on_page))
        .with_state(Arc::new(transfer))
}

/// What an agent says.
#[derive(Debug, Clone, Copy)]
enum Says {
    Free,
    Away,
}

/// Everything a request may carry besides its path.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    agent: Option<String>,
    expires: Option<i64>,
    signature: Option<String>,
    /// Only ever typed into the page: a token in an address would end in logs and histories.
    #[serde(skip)]
    token: Option<String>,
}

/// What the page's form posts.
#[derive(Debug, Default, Deserialize)]
struct Typed {
    agent: Option<String>,
    token: Option<String>,
}

impl Asked {
    fn link(&self) -> Option<Link> {
        Some(Link {
            expires: self.expires?,
            signature: self.signature.clone()?,
        })
    }
}

impl Transfer {
    /// Lets our people in: by token in the header or typed into the page, or by signed link. Who has a
    /// token that nobody here knows of may have got it a minute ago.
    async fn allows(
        &self,
        headers: &HeaderMap,
        asked: &Asked,
        agent: &AgentName,
    ) -> Result<bool, SecretAway> {
        let header = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let bearer = header.and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let token = bearer.or(asked.token.as_deref());
        let (link, now) = (asked.link(), self.exchange.clock.now());
        let fits = |people: &People| {
            token.is_some_and(|token| people.token_allows(token, agent))
                || link
                    .as_ref()
                    .is_some_and(|link| people.link_allows(link, agent, now))
        };
        // A token that was taken away is to be forgotten some time, too.
        let people = self.people.fresh().await;
        if fits(&people) {
            return Ok(true);
        }
        if token.is_none() && link.is_none() {
            return Ok(false);
        }
        let others = self.people.instead_of(&people).await?;
        Ok(others.is_some_and(|people| fits(&people)))
    }

    async fn act(
        &self,
        says: Says,
        agent: &str,
        headers: &HeaderMap,
        asked: &Asked,
    ) -> Result<Outcome, Response> {
        // Who is not let in learns nothing about which agents there are.
        let refused = || Failure::Unknown.into_response();
        let agent = agent.parse().map_err(|_| refused())?;
        match self.allows(headers, asked, &agent).await {
            Ok(true) => {}
            Ok(false) => return Err(refused()),
            Err(away) => return Err(Failure::Later(Box::new(away)).into_response()),
        }
        let outcome = match says {
            Says::Free => self.exchange.free(&agent).await,
            Says::Away => self.exchange.away(&agent).await,
        };
        outcome.map_err(|error| refuse(&error))
    }
}

fn refuse(error: &ExchangeError) -> Response {
    let (status, code, message) = match error {
        ExchangeError::NoAgent(_) => (
            StatusCode::NOT_FOUND,
            "no-agent",
            "the plan has no agent of that name",
        ),
        ExchangeError::Vonage(_) => (
            StatusCode::BAD_GATEWAY,
            "vonage",
            "Vonage did not move the caller, who keeps the place; say free again",
        ),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "later",
            "something we need is away; say it again",
        ),
    };
    tracing::error!(error = %chain(error), "an agent was refused with {status}");
    web::refusal(status, code, message)
}

async fn on_free(
    State(transfer): State<Arc<Transfer>>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    on_agent(&transfer, Says::Free, name, request).await
}

async fn on_away(
    State(transfer): State<Arc<Transfer>>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    on_agent(&transfer, Says::Away, name, request).await
}

async fn on_agent(
    transfer: &Transfer,
    says: Says,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // A name that is no text is nobody's, and refused like one.
    let Path(name) = name.unwrap_or_else(|_| Path(String::new()));
    let asked = asked(request.uri());
    match transfer.act(says, &name, request.headers(), &asked).await {
        Ok(outcome) => told(&name, &outcome),
        Err(refused) => refused,
    }
}

/// What happened, as JSON.
fn told(agent: &str, outcome: &Outcome) -> Response {
    let mut told = serde_json::to_value(outcome).expect("an outcome is always JSON");
    told["agent"] = agent.into();
    told["message"] = sentence(agent, outcome).into();
    Json(told).into_response()
}

fn asked(uri: &Uri) -> Asked {
    let query = uri.query().unwrap_or_default();
    serde_urlencoded::from_str(query).unwrap_or_default()
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Shows a button and does nothing: mail programs and messengers fetch links on their own.
async fn show_page(
    State(transfer): State<Arc<Transfer>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = asked(&uri);
    let agent = asked.agent.clone().unwrap_or_default();
    let Ok(name) = agent.parse::<AgentName>() else {
        let message = "say which agent: /agentfree?agent=NAME";
        return web::refusal(StatusCode::BAD_REQUEST, "no-agent", message);
    };
    let known = transfer.allows(&headers, &asked, &name).await;
    let known = known.unwrap_or_default();
    Html(page::button(&name, known)).into_response()
}

async fn on_page(State(transfer): State<Arc<Transfer>>, request: Request) -> Response {
    let mut asked = asked(request.uri());
    let (parts, body) = request.into_parts();
    let body = match web::read_body(&parts.headers, body).await {
        Ok(body) => body,
        Err(failure) => return failure.into_response(),
    };
    let typed: Typed = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    asked.agent = asked.agent.or(typed.agent);
    asked.token = typed.token;
    let agent = asked.agent.clone().unwrap_or_default();
    let outcome = transfer
        .act(Says::Free, &agent, &parts.headers, &asked)
        .await;
    match outcome {
        Ok(outcome) if wants_page(&parts.headers) => {
            Html(page::told(&agent, &outcome)).into_response()
        }
        Ok(outcome) => told(&agent, &outcome),
        Err(refused) if wants_page(&parts.headers) => {
            (refused.status(), Html(page::refused(&agent))).into_response()
        }
        Err(refused) => refused,
    }
}
