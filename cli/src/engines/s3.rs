use std::path::Path;

use axum::Router;
use axum::error_handling::HandleError;
use axum::http::StatusCode;
use s3s::HttpError;
use s3s::S3Error;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;

use super::loopback::{self, Loopback, Stop};
use super::{ACCESS_KEY_ID, EnginesError, SECRET_ACCESS_KEY};

/// Serves the buckets under `root`, which must exist: a directory per bucket,
/// a file per object, and beside them hidden files with what S3 keeps of each
/// object and with the parts of uploads under way.
pub(super) async fn serve(root: &Path, stop: Stop) -> Result<Loopback, EnginesError> {
    let files = FileSystem::new(root).map_err(|error| EnginesError::Objects {
        path: root.to_owned(),
        source: S3Error::from(error),
    })?;
    let mut service = S3ServiceBuilder::new(files);
    // Without it s3s answers 501 to every signed request.
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET_ACCESS_KEY));
    let router = Router::new().fallback_service(HandleError::new(service.build(), broken));
    Loopback::start(|listener, _| loopback::serve_router(listener, router, stop))
        .await
        .map_err(|source| EnginesError::Listen {
            engine: "S3",
            source,
        })
}

async fn broken(error: HttpError) -> StatusCode {
    let error: Box<dyn std::error::Error + Send + Sync> = error.into();
    tracing::error!(%error, "the S3 engine could not answer");
    StatusCode::INTERNAL_SERVER_ERROR
}
