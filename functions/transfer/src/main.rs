//! The Lambda function `transfer`: agents say free and away.

use switchboard_shared::aws::{self, Waits};
use switchboard_shared::config::Lookup;
use switchboard_shared::metric;
use switchboard_shared::web;
use switchboard_transfer::{Transfer, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::tracing::init_default_subscriber();
    let sdk = aws::config(Waits::Caller).await;
    let mut lookup = Lookup::from_environment(&sdk).await?;
    metric::begin(&mut lookup);
    let transfer = Transfer::from_lookup(&mut lookup, &sdk);
    let transfer = lookup.finish(transfer)?;
    // Reads the plan, and opens the connection that the first caller would wait for.
    transfer.warm().await;
    lambda_http::run(web::whole(router(transfer))).await
}
