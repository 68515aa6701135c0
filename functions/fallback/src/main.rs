//! The Lambda function `fallback`: a sentence when Vonage got no good answer from the others.

use switchboard_fallback::{Fallback, router};
use switchboard_shared::config::Lookup;
use switchboard_shared::web;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::tracing::init_default_subscriber();
    // The environment alone: a secret could be away with the rest.
    let mut lookup = Lookup::new(|name| std::env::var(name).ok());
    let fallback = Fallback::from_lookup(&mut lookup);
    let fallback = lookup.finish(Some(fallback))?;
    lambda_http::run(web::whole(router(fallback))).await
}
