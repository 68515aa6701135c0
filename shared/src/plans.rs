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
use std::time::{Duration, Instant, SystemTime};

/// How long a plan from the table is used before it is read again. An operator's push is in force
/// everywhere after this time, and a busy function pays one read in half a minute.
const FRESH: Duration = Duration::from_secs(30);

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
