//! The Lambda function `answer`: webhooks that want an NCCO.

use switchboard_answer::{Answer, router};
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
    let answer = Answer::from_lookup(&mut lookup, &sdk);
    let answer = lookup.finish(answer)?;
    // Reads the plan, and opens the connection that the first caller would wait for.
    answer.warm().await;
    lambda_http::run(web::whole(router(answer))).await
}
