//! The AWS clients, built once at start.

mod connect;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_types::service_config::ServiceConfigKey;
use std::time::Duration;

/// Time for a connection. Within a region it takes 2 ms; a second try beats a long wait.
const CONNECT: Duration = Duration::from_millis(500);

/// Time for one attempt of a webhook's request. DynamoDB answers in 5 ms; a hundred times that is a
/// lost packet.
const WEBHOOK_ATTEMPT: Duration = Duration::from_millis(700);

/// Time for all attempts of one webhook's request: room for a second one, and for what is to be done
/// when that fails, too, before the webhook's own time is up.
pub(crate) const WEBHOOK_ALL: Duration = Duration::from_millis(1_000);

/// Time for one attempt of work that nobody on the phone waits for: a part of a recording on a slow
/// day.
const BACKGROUND_ATTEMPT: Duration = Duration::from_secs(60);

/// Who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// A caller, through a webhook.
    Caller,
    /// Nobody.
    Nobody,
}

/// The AWS configuration of this process: credentials, region and endpoints as every AWS SDK reads
/// them.
pub async fn config(waits: Waits) -> SdkConfig {
    let loader = loader(waits);
    // Where the environment has credentials, as in Lambda, they win anyway. Said at once, it spares
    // the start the building of everybody else who might have had some.
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    let loader = if set("AWS_ACCESS_KEY_ID") && set("AWS_SECRET_ACCESS_KEY") {
        loader.credentials_provider(EnvironmentVariableCredentialsProvider::new())
    } else {
        loader
    };
    loader.load().await
}

/// The same before it is loaded, for whoever brings credentials of their own. TLS by rustls with
/// ring.
#[must_use]
pub fn loader(waits: Waits) -> ConfigLoader {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT);
    let timeouts = match waits {
        Waits::Caller => timeouts
            .operation_attempt_timeout(WEBHOOK_ATTEMPT)
            .operation_timeout(WEBHOOK_ALL),
        Waits::Nobody => timeouts.operation_attempt_timeout(BACKGROUND_ATTEMPT),
    };
    let retries = match waits {
        Waits::Caller => RetryConfig::standard()
            .with_max_attempts(2)
            .with_initial_backoff(Duration::from_millis(50)),
        // Nobody listens; but between a caller on hold and a free agent may lie a job.
        Waits::Nobody => RetryConfig::standard().with_initial_backoff(Duration::from_millis(100)),
    };
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(connect::client())
        .timeout_config(timeouts.build())
        .retry_config(retries)
}

/// A client for S3. Path style where an endpoint is set: a local S3 has no host name per bucket.
#[must_use]
pub fn s3(sdk: &SdkConfig) -> aws_sdk_s3::Client {
    let endpoint = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .expect("all three are set");
    let local = sdk.endpoint_url().is_some()
        || sdk
            .service_config()
            .is_some_and(|config| config.load_config(endpoint).is_some());
    let config = aws_sdk_s3::config::Builder::from(sdk)
        .force_path_style(local)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}
