//! The plan in force, read once and looked at again.

use crate::call::Call;
use crate::config::Lookup;
use crate::metric::Metric;
use crate::plan::{Checked, Plan};
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How long a plan from the table is used before it is read again. An operator's push is in force
/// everywhere after this time, and a busy function pays one read in half a minute.
pub const FRESH: Duration = Duration::from_secs(30);

/// How long a plan in use may take to be read again, while a caller waits. A read takes 5 ms; past
/// this the plan at hand does better than silence, and the next look is in [`FRESH`].
pub(crate) const READ_AGAIN: Duration = Duration::from_millis(200);

/// Versions kept in memory for calls that began with them. A day of hourly changes.
const VERSIONS_KEPT: usize = 24;

/// No plan to answer by.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The table did not give it.
    #[error("could not read the plan")]
    Store(#[from] StoreError),
    /// The file did not give it.
    #[error("could not read the plan file {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The table took too long, and there is a plan to go on with.
    #[error("could not read the plan again in time")]
    Late,
    /// Nobody pushed one.
    #[error("there is no plan in the table; push one with `switchboard plan push`")]
    None,
    /// It has faults. The checker refuses such a plan, so it was put there by other means.
    #[error("the plan has {0} faults; see `switchboard plan check`")]
    Faulty(usize),
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Table,
}

#[derive(Debug)]
struct Current {
    plan: Arc<Plan>,
    read: Instant,
    changed: Option<SystemTime>,
}

/// The plans that calls are answered by.
#[derive(Debug)]
pub struct Plans {
    source: Source,
    store: Store,
    current: Mutex<Option<Current>>,
    versions: Mutex<HashMap<String, Arc<Plan>>>,
}

impl Plans {
    /// The plan in a file, read again when the file changes. `None` for the one in the table.
    #[must_use]
    pub fn new(file: Option<PathBuf>, store: Store) -> Self {
        let source = file.map_or(Source::Table, Source::File);
        Self {
            source,
            store,
            current: Mutex::default(),
            versions: Mutex::default(),
        }
    }

    /// The plan in the file that `SWITCHBOARD_PLAN` names, else the one in the table.
    #[must_use]
    pub fn from_lookup(lookup: &Lookup, store: Store) -> Self {
        Self::new(
            lookup.optional("SWITCHBOARD_PLAN").map(PathBuf::from),
            store,
        )
    }

    /// The plan in force. When it cannot be read again, the last one that was stays in force.
    ///
    /// # Errors
    /// When there never was one.
    pub async fn current(&self) -> Result<Arc<Plan>, PlanError> {
        if let Some(fresh) = self.fresh() {
            return Ok(fresh);
        }
        // Before the reading: a change that comes during it is seen next time.
        let changed = self.changed();
        let read = if self.has_one() {
            let read = tokio::time::timeout(READ_AGAIN, self.read()).await;
            read.unwrap_or(Err(PlanError::Late))
        } else {
            self.read().await
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match (read, current.as_mut()) {
            (Ok(plan), _) => {
                self.store.keeps(plan.keep());
                let plan = Arc::new(plan);
                self.keep(plan.clone());
                *current = Some(Current {
                    plan: plan.clone(),
                    read: Instant::now(),
                    changed,
                });
                Ok(plan)
            }
            (Err(error), Some(last)) => {
                tracing::error!(error = %crate::chain(&error), "the last good plan stays in force");
                last.read = Instant::now();
                last.changed = changed;
                Ok(last.plan.clone())
            }
            (Err(error), None) => {
                Metric::NoPlan.record(Timestamp::now());
                Err(error)
            }
        }
    }

    fn has_one(&self) -> bool {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.is_some()
    }

    async fn version(&self, version: &str) -> Result<Arc<Plan>, PlanError> {
        let kept = self
            .versions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(version)
            .cloned();
        if let Some(plan) = kept {
            return Ok(plan);
        }
        let current = self.current().await?;
        if current.version() == version {
            return Ok(current);
        }
        if let Some(text) = self.store.plan(Some(version)).await?
            && let Some(plan) = Plan::parse(&text.text).plan
        {
            let plan = Arc::new(plan);
            self.keep(plan.clone());
            return Ok(plan);
        }
        Ok(current)
    }

    /// The plan that a call began with; the one in force where that version is gone, or does not
    /// know the queue or the agent that the call has come to since.
    ///
    /// # Errors
    /// When there is neither.
    pub async fn of(&self, call: &Call) -> Result<Arc<Plan>, PlanError> {
        let plan = self.version(&call.plan).await?;
        let queue = call
            .place
            .as_ref()
            .is_none_or(|place| plan.queue(&place.queue).is_some());
        let agent = call
            .offer
            .as_ref()
            .is_none_or(|offer| plan.agent(&offer.agent).is_some());
        if queue && agent {
            Ok(plan)
        } else {
            self.current().await
        }
    }

    fn keep(&self, plan: Arc<Plan>) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if versions.len() >= VERSIONS_KEPT {
            versions.clear();
        }
        versions.insert(plan.version().to_owned(), plan);
    }

    fn changed(&self) -> Option<SystemTime> {
        match &self.source {
            Source::File(path) => std::fs::metadata(path)
                .and_then(|file| file.modified())
                .ok(),
            Source::Table => None,
        }
    }

    fn fresh(&self) -> Option<Arc<Plan>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let current = current.as_ref()?;
        let fresh = match &self.source {
            Source::File(_) => self.changed() == current.changed,
            Source::Table => current.read.elapsed() < FRESH,
        };
        fresh.then(|| current.plan.clone())
    }

    async fn read(&self) -> Result<Plan, PlanError> {
        let text = match &self.source {
            Source::File(path) => {
                std::fs::read_to_string(path).map_err(|source| PlanError::File {
                    path: path.clone(),
                    source,
                })?
            }
            Source::Table => self.store.plan(None).await?.ok_or(PlanError::None)?.text,
        };
        let Checked { plan, faults } = Plan::parse(&text);
        plan.ok_or(PlanError::Faulty(faults.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A DynamoDB of plans alone, in this process: the time that a test stops is its own.
    #[derive(Debug, Clone, Default)]
    struct Shelf {
        /// By sort key.
        texts: Arc<Mutex<HashMap<String, String>>>,
        asked: Arc<AtomicUsize>,
    }

    impl Shelf {
        fn plans(&self) -> Plans {
            let connector = SharedHttpConnector::new(self.clone());
            let config = Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("eu-west-1"))
                .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
                .http_client(http_client_fn(move |_, _| connector.clone()))
                .build();
            Plans::new(None, Store::new(Client::from_conf(config), "switchboard"))
        }

        /// Puts a plan in force, and keeps it.
        fn push(&self, plan: &Plan) {
            let mut texts = self.texts.lock().unwrap();
            texts.insert("CURRENT".to_owned(), plan.text().to_owned());
            texts.insert(
                format!("VERSION#{}", plan.version()),
                plan.text().to_owned(),
            );
        }

        /// How often it was asked.
        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    impl HttpConnector for Shelf {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let asked: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let key = asked["Key"]["sk"]["S"].as_str().unwrap();
            let answer = match self.texts.lock().unwrap().get(key) {
                Some(text) => {
                    let version = Plan::parse(text).plan.unwrap().version().to_owned();
                    json!({ "Item": { "version": { "S": version }, "text": { "S": text } } })
                }
                None => json!({}),
            };
            let body = SdkBody::from(answer.to_string());
            HttpConnectorFuture::ready(Ok(HttpResponse::new(200_u16.try_into().unwrap(), body)))
        }
    }

    fn plan(say: &str) -> Plan {
        let text = format!("[flow.closed]\ntype = \"message\"\nsay = \"{say}\"\n");
        Plan::parse(&text).plan.unwrap()
    }

    fn call(plan: &Plan) -> Call {
        Call::new(
            "leg-1".parse().unwrap(),
            "CON-1".parse().unwrap(),
            "447700900000".to_owned(),
            Timestamp::UNIX_EPOCH,
            "https://switchboard.example".to_owned(),
            plan,
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_pushed_plan_is_in_force_after_half_a_minute_and_not_asked_for_before() {
        let (shelf, [first, second]) = (Shelf::default(), ["First.", "Second."].map(plan));
        shelf.push(&first);
        let plans = shelf.plans();
        let current = async || plans.current().await.unwrap().version().to_owned();
        assert_eq!(current().await, first.version());
        shelf.push(&second);
        tokio::time::advance(FRESH - Duration::from_millis(1)).await;
        assert_eq!(
            (current().await.as_str(), shelf.asked()),
            (first.version(), 1)
        );
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(
            (current().await.as_str(), shelf.asked()),
            (second.version(), 2)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_running_call_keeps_the_version_it_began_with_in_every_function() {
        let (shelf, [first, second]) = (Shelf::default(), ["First.", "Second."].map(plan));
        shelf.push(&first);
        let began = call(&first);
        let (old, new) = (shelf.plans(), shelf.plans());
        old.current().await.unwrap();
        shelf.push(&second);
        tokio::time::advance(FRESH).await;
        for plans in [&old, &new] {
            let current = plans.current().await.unwrap();
            assert_eq!(current.version(), second.version());
            assert_eq!(plans.of(&began).await.unwrap().version(), first.version());
        }
        // A function that reads the new plan late has its calls from one that did not.
        let late = shelf.plans();
        shelf.push(&first);
        late.current().await.unwrap();
        shelf.push(&second);
        let of = late.of(&call(&second)).await.unwrap();
        assert_eq!(of.version(), second.version());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_version_is_gone_goes_on_by_the_plan_in_force() {
        let (shelf, [first, second]) = (Shelf::default(), ["First.", "Second."].map(plan));
        shelf.push(&second);
        let of = shelf.plans().of(&call(&first)).await.unwrap();
        assert_eq!(of.version(), second.version());
    }
}
