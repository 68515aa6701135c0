//! The Lambda function `dispatch`: jobs from the queue, and the sweep.

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use std::time::Duration;
use switchboard_dispatch::Dispatch;
use switchboard_shared::aws::{self, Waits};
use switchboard_shared::chain;
use switchboard_shared::config::Lookup;
use switchboard_shared::metric;

/// Time for reading the plan at the start. It takes 20 ms with a new connection.
const WARM: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let sdk = aws::config(Waits::Nobody).await;
    let mut lookup = Lookup::from_environment(&sdk).await?;
    metric::begin(&mut lookup);
    let dispatch = Dispatch::from_lookup(&mut lookup, &sdk);
    let dispatch = &lookup.finish(dispatch)?;
    // Opens the connection: between a caller on hold and a free agent may lie the first job. Where the
    // table is away the job waits for it, and the start does not.
    let _ = tokio::time::timeout(WARM, dispatch.warm()).await;
    let on_event = |event: LambdaEvent<Value>| async move {
        let taken = dispatch.take(event.payload).await;
        taken.map_err(|error| lambda_runtime::Error::from(chain(&error)))
    };
    lambda_runtime::run(service_fn(on_event)).await
}
