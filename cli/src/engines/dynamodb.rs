use std::path::PathBuf;

use dynoxide::Database;
use dynoxide::server::serve_with_shutdown;

use super::EnginesError;
use super::loopback::{Loopback, Stop};

/// Where the table is kept.
pub(super) enum Keep {
    /// Nowhere: it ends with the engine.
    Nothing,
    /// In this SQLite file, with its log (`-wal`, `-shm`) beside it.
    In(PathBuf),
}

/// Serves DynamoDB on SQLite.
///
/// Dynoxide sets the file to write-ahead logging and leaves `synchronous` at
/// SQLite's `FULL`: the log is synced before a write is answered, so what was
/// answered outlives a kill of the process and a loss of power.
pub(super) async fn serve(keep: &Keep, stop: Stop) -> Result<Loopback, EnginesError> {
    let database = match keep {
        Keep::Nothing => Database::memory(),
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
    Loopback::start(|listener, _| async move {
        let asked = async move { stop.asked().await };
        if let Err(error) = serve_with_shutdown(listener, database, asked).await {
            tracing::error!(error, "the DynamoDB engine's server ended");
        }
    })
    .await
    .map_err(|source| EnginesError::Listen {
        engine: "DynamoDB",
        source,
    })
}
