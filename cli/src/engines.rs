//! DynamoDB, S3 and SQS in this process.
//!
//! Each engine speaks its AWS protocol over HTTP on a free loopback port, so
//! the real SDK clients use it from here and from child processes alike.
//!
//! | engine | is | kept in |
//! | --- | --- | --- |
//! | DynamoDB | `dynoxide-rs`, on SQLite | `table.sqlite`, synced at each commit |
//! | S3 | `s3s-fs`, on files | `bucket/`, one directory per bucket |
//! | SQS | `winterbaume-sqs`, in memory | nothing: messages end with the process |
//!
//! Messages are delayed and hidden by a clock of ours, so that nobody has to wait for them whose
//! clock can be moved.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder as HttpClientBuilder;
use switchboard_shared::clock::Clock;
use tempfile::TempDir;
use thiserror::Error;
use tokio::sync::watch;

use self::dynamodb::{Keep, Table};
use self::loopback::{Loopback, Stop};
use self::sqs::Queues;

pub(crate) mod dynamodb;
mod loopback;
mod s3;
mod sqs;
#[cfg(test)]
mod tests;

/// Region that clients sign for and that shows in the ARNs of queues. Any would
/// do: no engine compares it.
pub const REGION: &str = "us-east-1";

/// Access key id the engines accept. S3 checks signatures made with it,
/// DynamoDB only wants one to be there, and SQS does not look.
pub const ACCESS_KEY_ID: &str = "switchboard";

/// Secret of [`ACCESS_KEY_ID`]. Not a secret: it guards a loopback port.
pub const SECRET_ACCESS_KEY: &str = "switchboard-on-one-machine";

/// How long [`Engines::close`] waits for requests under way. The longest one
/// that matters is a part of a recording on its way to the disk.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// The three engines, running.
///
/// Dropping them stops them too, without waiting: what was answered is kept,
/// what was not answered may be lost. [`close`](Self::close) waits.
pub struct Engines {
    dynamodb: Loopback,
    table: Table,
    s3: Loopback,
    queues: Queues,
    sdk_config: SdkConfig,
    stop: watch::Sender<bool>,
    // Last, so that the files outlive whoever writes them.
    _scratch: Option<TempDir>,
}

impl std::fmt::Debug for Engines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engines")
            .field("dynamodb", &self.dynamodb_url())
            .finish_non_exhaustive()
    }
}

impl Engines {
    /// Opens the engines on what is kept under `data`, which is made if need be.
    ///
    /// Queues are not kept: the caller creates them anew and sends again what
    /// the table says is pending. `clock` says when a message is due.
    ///
    /// # Errors
    ///
    /// When `data` cannot be made or read or its path is not UTF-8, when
    /// `table.sqlite` in it is not a table of ours, or when no loopback port can
    /// be had.
    pub async fn open(data: &Path, clock: Clock) -> Result<Self, EnginesError> {
        Self::start(
            Keep::In(data.join("table.sqlite")),
            data.join("bucket"),
            None,
            clock,
        )
        .await
    }

    /// Opens engines that keep nothing: the table in memory, the objects in a
    /// temporary directory that goes with the engines.
    ///
    /// # Errors
    ///
    /// When no temporary directory or no loopback port can be had.
    pub async fn in_memory(clock: Clock) -> Result<Self, EnginesError> {
        let scratch = tempfile::tempdir().map_err(|source| EnginesError::Directory {
            path: std::env::temp_dir(),
            source,
        })?;
        let objects = scratch.path().join("bucket");
        Self::start(Keep::Nothing, objects, Some(scratch), clock).await
    }

    async fn start(
        keep: Keep,
        objects: PathBuf,
        scratch: Option<TempDir>,
        clock: Clock,
    ) -> Result<Self, EnginesError> {
        // `objects` lies in the data directory, so this makes both.
        std::fs::create_dir_all(&objects).map_err(|source| EnginesError::Directory {
            path: objects.clone(),
            source,
        })?;
        let (stop, stopped) = watch::channel(false);
        let stopped = Stop::new(stopped);
        let (dynamodb, table) = dynamodb::serve(&keep, stopped.clone(), clock.clone()).await?;
        Ok(Self {
            dynamodb,
            table,
            s3: s3::serve(&objects, stopped.clone()).await?,
            queues: Queues::serve(stopped, clock).await?,
            sdk_config: sdk_config(),
            stop,
            _scratch: scratch,
        })
    }

    /// The table's engine, to have it expire what DynamoDB would.
    pub(crate) fn table(&self) -> Table {
        self.table.clone()
    }

    /// Where DynamoDB answers, such as `http://127.0.0.1:40001`.
    pub fn dynamodb_url(&self) -> &str {
        self.dynamodb.url()
    }

    /// Where S3 answers, path style: `http://127.0.0.1:40002/BUCKET/KEY`.
    pub fn s3_url(&self) -> &str {
        self.s3.url()
    }

    /// Where SQS answers. Queue URLs begin with it.
    pub fn sqs_url(&self) -> &str {
        self.queues.url()
    }

    /// What all clients of the engines share: region, credentials and an HTTP
    /// client that cannot speak TLS, so that a client made without one of our
    /// endpoints fails here and never reaches AWS.
    ///
    /// It names no endpoint, for each engine has its own: prefer
    /// [`dynamodb_client`](Self::dynamodb_client) and its fellows.
    pub fn sdk_config(&self) -> SdkConfig {
        self.sdk_config.clone()
    }

    /// A client of this process's DynamoDB.
    pub fn dynamodb_client(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.sdk_config)
            .endpoint_url(self.dynamodb_url());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A client of this process's S3.
    pub fn s3_client(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.sdk_config)
            .endpoint_url(self.s3_url())
            .force_path_style(true);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// A client of this process's SQS.
    pub fn sqs_client(&self) -> aws_sdk_sqs::Client {
        let config =
            aws_sdk_sqs::config::Builder::from(&self.sdk_config).endpoint_url(self.sqs_url());
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    /// Counts the requests that put messages on a queue, from any process, and
    /// the moments at which delayed or hidden ones are free to take.
    ///
    /// A poller waits on `changed()` in place of asking again and again. Each
    /// receiver remembers what it has seen, so a message sent between looking
    /// and waiting still wakes it.
    pub fn sqs_sent(&self) -> watch::Receiver<u64> {
        self.queues.sent()
    }

    /// Whether a queue, named by its URL, has a message that a poller could take
    /// now. False of a queue that is not ours.
    pub fn sqs_has_free(&self, url: &str) -> bool {
        self.queues.has_free(url)
    }

    /// The environment that leads the AWS SDKs of a child process here.
    ///
    /// Nothing else is needed for S3: the Rust SDK turns to path style by itself
    /// when the endpoint's host is an address.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb_url()),
            ("AWS_ENDPOINT_URL_S3", self.s3_url()),
            ("AWS_ENDPOINT_URL_SQS", self.sqs_url()),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Stops taking requests, lets those under way finish and returns.
    ///
    /// A request that takes longer than 10 s is given up.
    pub async fn close(self) {
        self.stop.send_replace(true);
        let finished = async {
            tokio::join!(
                self.dynamodb.finished(),
                self.s3.finished(),
                self.queues.finished(),
            )
        };
        if tokio::time::timeout(CLOSE_WITHIN, finished).await.is_err() {
            tracing::warn!("gave up a request that would not end while closing the engines");
        }
    }
}

/// What keeps the engines from opening.
#[derive(Debug, Error)]
pub enum EnginesError {
    /// A directory is missing, and cannot be made.
    #[error("could not make the directory {}", path.display())]
    Directory {
        /// Which one.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The table's path cannot be given to SQLite.
    #[error("could not use a path that is not UTF-8: {}", path.display())]
    NotText {
        /// Which one.
        path: PathBuf,
    },
    /// The table is there, and cannot be used.
    #[error("could not open the table {}", path.display())]
    Table {
        /// Its file, or `memory`.
        path: PathBuf,
        /// Why not.
        #[source]
        source: dynoxide::DynoxideError,
    },
    /// The directory of the buckets is there, and cannot be used.
    #[error("could not open the buckets in {}", path.display())]
    Objects {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: s3s::S3Error,
    },
    /// No port can be had.
    #[error("could not listen on a loopback port for {engine}")]
    Listen {
        /// For which engine: `DynamoDB`, `S3` or `SQS`.
        engine: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

fn sdk_config() -> SdkConfig {
    let credentials = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "engines");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(HttpClientBuilder::new().build_http())
        .build()
}
