//! What the commands work on: a board that runs, a board's folder while none runs, or a stack.

use super::Global;
use crate::board::{self, Address, BoardError};
use crate::cloud::Endpoints;
use crate::engines::Engines;
use crate::environment::Environment;
use crate::secrets::Secrets;
use crate::stack::Stack;
use anyhow::Context as _;
use aws_config::SdkConfig;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use switchboard_shared::archive::Archive;
use switchboard_shared::aws::{self, Waits};
use switchboard_shared::clock::Clock;
use switchboard_shared::exchange::Exchange;
use switchboard_shared::job::JobQueue;
use switchboard_shared::plan::Plan;
use switchboard_shared::plans::Plans;
use switchboard_shared::store::{self, Store};
use switchboard_shared::vonage::Vonage;

/// How long a command waits for another one, or for a board to start or stop.
const PATIENCE: Duration = Duration::from_secs(10);

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
        /// Where everything else waits.
        jobs: JobQueue,
        /// Its owner's token.
        token: String,
        /// The plan file it goes by.
        plan: PathBuf,
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
        if global.is_cloud() {
            Self::cloud(global).await
        } else {
            Self::board(&global.data).await
        }
    }

    async fn board(data: &Path) -> anyhow::Result<Self> {
        // Secrets are the first thing a board makes: a folder without them is somebody else's.
        anyhow::ensure!(
            data.join("secrets.json").is_file(),
            "there is no board in {}; `switchboard dev` makes one, or name its folder with --data; \
             --aws works on a stack",
            data.display()
        );
        let environment = Environment::of_process();
        let until = Instant::now() + PATIENCE;
        loop {
            match board::lock(data) {
                Ok(lock) => return Self::asleep(data, lock, &environment).await,
                Err(BoardError::Running(_)) => {}
                Err(error) => return Err(error.into()),
            }
            // A board; or another command, which is done in a moment.
            if let Some(address) = board::running(data).await {
                return Self::running(data, address, &environment).await;
            }
            anyhow::ensure!(
                Instant::now() < until,
                "the board in {} is starting or stopping; try again in a moment, or look at its log \
                 in the terminal of `switchboard dev`",
                data.display()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn asleep(
        data: &Path,
        lock: std::fs::File,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let engines = Engines::open(data, Clock::default()).await?;
        let endpoints = Endpoints::of(&engines, environment);
        let sdk = endpoints.config(Waits::Nobody, environment).await;
        let named = |name: &str, own: &str| environment.get(name).unwrap_or_else(|| own.to_owned());
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

    async fn running(
        data: &Path,
        address: Address,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let sdk = address.endpoints.config(Waits::Nobody, environment).await;
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        Ok(Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), address.table),
            archive: archive(&sdk, address.bucket),
            place: Place::Running {
                url: address.url,
                archive_queue: JobQueue::new(sqs.clone(), address.archive_queue),
                jobs: JobQueue::new(sqs, address.dispatch_queue),
                token: Secrets::open(data)?.operator_token,
                plan: address.plan,
            },
        })
    }

    async fn cloud(global: &Global) -> anyhow::Result<Self> {
        let (sdk, environment) = global.cloud().await?;
        let mut lookup = board::lookup(&environment);
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
            .context("no plan was ever put in force here; `switchboard dev` does it")?;
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

/// What the commands about versions of the plan work on: the table alone. Whoever pushes plans to a
/// stack need not be able to read its secrets.
pub(super) struct Shelf {
    pub(super) store: Store,
    /// Where that is; none for a deployed stack.
    pub(super) board: Option<Place>,
}

impl Shelf {
    pub(super) async fn open(global: &Global) -> anyhow::Result<Self> {
        if !global.is_cloud() {
            let Desk { store, place, .. } = Desk::board(&global.data).await?;
            let board = Some(place);
            return Ok(Self { store, board });
        }
        let stack = Stack::open(global.stack.as_deref()).await?;
        let mut lookup = board::lookup(&stack.environment);
        let store = Store::from_lookup(&mut lookup, &stack.sdk);
        Ok(Self {
            store: lookup.finish(Some(store))?,
            board: None,
        })
    }

    /// Leaves everything as it should be.
    pub(super) async fn close(self) {
        if let Some(Place::Asleep { engines, .. }) = self.board {
            engines.close().await;
        }
    }
}

/// Vonage, as the variables of this process name it; of a stack, as its secret does.
pub(super) async fn vonage(global: &Global) -> anyhow::Result<Vonage> {
    let environment = if global.is_cloud() {
        global.cloud().await?.1
    } else {
        Environment::of_process()
    };
    let mut lookup = board::lookup(&environment);
    let vonage = Vonage::from_lookup(&mut lookup);
    Ok(lookup.finish(vonage)?)
}

fn archive(sdk: &SdkConfig, bucket: String) -> Archive {
    Archive::new(aws::s3(sdk), bucket)
}
