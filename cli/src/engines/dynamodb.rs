use std::path::PathBuf;
use std::sync::Arc;

use dynoxide::Database;
use dynoxide::server::serve_with_shutdown;
use dynoxide::storage_backend;
use jiff::Timestamp;
use switchboard_shared::clock::Clock;

use super::EnginesError;
use super::loopback::{Loopback, Stop};

/// Where the table is kept.
pub(super) enum Keep {
    /// Nowhere: it ends with the engine.
    Nothing,
    /// In this SQLite file, with its log (`-wal`, `-shm`) beside it.
    In(PathBuf),
}

/// A table's engine, apart from its server.
#[derive(Clone)]
pub(crate) struct Table(Database);

impl Table {
    /// Deletes the items whose time is over, as DynamoDB does by itself within a day or two. One in
    /// memory goes by the board's clock, one in a file by this machine's.
    ///
    /// # Errors
    /// When SQLite does not do it.
    pub(crate) async fn expire(&self) -> Result<usize, dynoxide::DynoxideError> {
        let database = self.0.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl());
        swept.await.expect("a sweep does not panic")
    }
}

/// The board's clock, as the engine asks it.
struct Hand(Clock);

impl storage_backend::Clock for Hand {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0
            .now()
            .duration_since(Timestamp::UNIX_EPOCH)
            .as_secs_f64()
    }
}

/// Serves DynamoDB on SQLite.
///
/// Dynoxide sets the file to write-ahead logging and leaves `synchronous` at
/// SQLite's `FULL`: the log is synced before a write is answered, so what was
/// answered outlives a kill of the process and a loss of power.
pub(super) async fn serve(
    keep: &Keep,
    stop: Stop,
    clock: Clock,
) -> Result<(Loopback, Table), EnginesError> {
    let database = match keep {
        Keep::Nothing => Database::memory_with_clock(Arc::new(Hand(clock))),
        // Dynoxide takes the path as text. One that is not text cannot be
        // given to it unchanged, and opening another file would be worse.
        Keep::In(path) => match path.to_str() {
            Some(path) => Database::new(path),
            None => return Err(EnginesError::NotText { path: path.clone() }),
        },
    }
    .map_err(|source| EnginesError::Table {
        path: match keep {
            Keep::Nothing => PathBuf::from("memory"),
            Keep::In(path) => path.clone(),
        },
        source,
    })?;
    let table = Table(database.clone());
    let served = Loopback::start(|listener, _| async move {
        let asked = async move { stop.asked().await };
        if let Err(error) = serve_with_shutdown(listener, database, asked).await {
            tracing::error!(error, "the DynamoDB engine's server ended");
        }
    })
    .await
    .map_err(|source| EnginesError::Listen {
        engine: "DynamoDB",
        source,
    })?;
    Ok((served, table))
}
