//! What the commands work on: a board that runs, a board's folder while none runs, or a stack.

use super::Global;
use crate::board::{self, Address, BoardError};
use crate::cloud::Endpoints;
use crate::engines::Engines;
use crate::environment::Environment;
use crate::secrets::Secrets;
use anyhow::Context as _;
use aws_config::SdkConfig;
use std::path::Path;
use std::sync::Arc;
use switchboard_shared::archive::Archive;
use switchboard_shared::aws::{self, Waits};
use switchboard_shared::clock::Clock;
use switchboard_shared::config::Lookup;
use switchboard_shared::exchange::Exchange;
use switchboard_shared::job::JobQueue;
use switchboard_shared::plan::Plan;
use switchboard_shared::plans::Plans;
use switchboard_shared::store::{self, Store};
use switchboard_shared::vonage::Vonage;

/// What the commands work on.
pub(super) struct Desk {
    pub(super) store: Store,
    pub(super) archive: Archive,
    pub(super) place: Place,
}

/// Where that is.
pub(super) enum Place {
    /// A board that runs.
    Running {
        /// Its HTTP.
        url: String,
        /// Where recordings wait.
        archive_queue: JobQueue,
        /// Its owner's token.
        token: String,
    },
    /// A board's folder. The lock keeps a board from starting meanwhile.
    Asleep {
        engines: Box<Engines>,
        _lock: std::fs::File,
    },
    /// A deployed stack.
    Cloud {
        exchange: Box<Exchange>,
        archive_queue: JobQueue,
    },
}

impl Desk {
    pub(super) async fn open(global: &Global) -> anyhow::Result<Self> {
        if global.aws {
            Self::cloud().await
        } else {
            Self::board(&global.data).await
        }
    }

    async fn board(data: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(
            data.is_dir(),
            "there is no board in {}; `switchboard dev` makes one, or name its folder with --data",
            data.display()
        );
        let environment = Environment::of_process();
        match board::lock(data) {
            Ok(lock) => {
                let engines = Engines::open(data).await?;
                let endpoints = Endpoints::of(&engines, &environment);
                let sdk = endpoints.config(Waits::Nobody, &environment).await;
                let named =
                    |name: &str, own: &str| environment.get(name).unwrap_or_else(|| own.to_owned());
                let table = named("SWITCHBOARD_TABLE", "switchboard");
                store::create_table(&aws_sdk_dynamodb::Client::new(&sdk), &table).await?;
                Ok(Self {
                    store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), table),
                    archive: archive(&sdk, named("SWITCHBOARD_BUCKET", "switchboard-recordings")),
                    place: Place::Asleep {
                        engines: Box::new(engines),
                        _lock: lock,
                    },
                })
            }
            Err(BoardError::Running(_)) => {
                let path = data.join("board.json");
                let bytes = std::fs::read(&path).with_context(|| {
                    format!(
                        "the board is just starting or stopping: no {}",
                        path.display()
                    )
                })?;
                let address: Address = serde_json::from_slice(&bytes)
                    .with_context(|| format!("{} does not read", path.display()))?;
                let sdk = address.endpoints.config(Waits::Nobody, &environment).await;
                Ok(Self {
                    store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), address.table),
                    archive: archive(&sdk, address.bucket),
                    place: Place::Running {
                        url: address.url,
                        archive_queue: JobQueue::new(
                            aws_sdk_sqs::Client::new(&sdk),
                            address.archive_queue,
                        ),
                        token: Secrets::open(data)?.operator_token,
                    },
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn cloud() -> anyhow::Result<Self> {
        let sdk = aws::config(Waits::Nobody).await;
        let mut lookup = Lookup::from_environment(&sdk).await?;
        let store = Store::from_lookup(&mut lookup, &sdk);
        let archive = Archive::from_lookup(&mut lookup, &sdk);
        let plans = Arc::new(Plans::from_lookup(&lookup, store.clone()));
        let jobs = JobQueue::from_lookup(&mut lookup, &sdk, "SWITCHBOARD_DISPATCH_QUEUE_URL");
        let archive_queue =
            JobQueue::from_lookup(&mut lookup, &sdk, "SWITCHBOARD_ARCHIVE_QUEUE_URL");
        let vonage = Vonage::from_lookup(&mut lookup);
        let vonage = lookup.finish(vonage)?;
        let exchange = Exchange {
            store: store.clone(),
            plans,
            vonage,
            jobs,
            clock: Clock::default(),
        };
        Ok(Self {
            store,
            archive,
            place: Place::Cloud {
                exchange: Box::new(exchange),
                archive_queue,
            },
        })
    }

    /// The plan in force.
    pub(super) async fn plan(&self) -> anyhow::Result<Plan> {
        let text = self
            .store
            .plan(None)
            .await?
            .context("no plan was ever put in force here")?;
        Plan::parse(&text.text)
            .plan
            .context("the plan in force has faults")
    }

    /// Leaves everything as it should be.
    pub(super) async fn close(self) {
        if let Place::Asleep { engines, .. } = self.place {
            engines.close().await;
        }
    }
}

fn archive(sdk: &SdkConfig, bucket: String) -> Archive {
    Archive::new(aws::s3(sdk), bucket)
}
