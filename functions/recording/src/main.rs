//! The Lambda function `recording`: recording notices.

use switchboard_recording::{Recordings, router};
use switchboard_shared::aws::{self, Waits};
use switchboard_shared::config::Lookup;
use switchboard_shared::metric;
use switchboard_shared::web;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::tracing::init_default_subscriber();
    let sdk = aws::config(Waits::Caller).await;
    let mut lookup = Lookup::from_environment(&sdk).await?;
    metric::begin(&mut lookup);
    let recording = Recordings::from_lookup(&mut lookup, &sdk);
    let recording = lookup.finish(recording)?;
    lambda_http::run(web::whole(router(recording))).await
}
