//! The Lambda function `archive`: recordings from the queue into S3.

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use switchboard_archive::Archiver;
use switchboard_shared::aws::{self, Waits};
use switchboard_shared::chain;
use switchboard_shared::config::Lookup;
use switchboard_shared::metric;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let sdk = aws::config(Waits::Nobody).await;
    let mut lookup = Lookup::from_environment(&sdk).await?;
    metric::begin(&mut lookup);
    let archive = Archiver::from_lookup(&mut lookup, &sdk);
    let archive = &lookup.finish(archive)?;
    let on_event = |event: LambdaEvent<Value>| async move {
        // Boxed: inside the runtime's, futures lie deeper in one another than the compiler follows.
        let taken = Box::pin(archive.take(event.payload)).await;
        taken.map_err(|error| lambda_runtime::Error::from(chain(&error)))
    };
    lambda_runtime::run(service_fn(on_event)).await
}
