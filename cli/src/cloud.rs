//! The AWS that the board talks to: its own engines, unless the environment names others.

use crate::engines::{ACCESS_KEY_ID, Engines, REGION, SECRET_ACCESS_KEY};
use crate::environment::Environment;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use serde::{Deserialize, Serialize};
use switchboard_shared::aws::{self, Waits};

/// Where the three engines listen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// DynamoDB.
    pub dynamodb: String,
    /// S3.
    pub s3: String,
    /// SQS.
    pub sqs: String,
    /// None of them is ours.
    pub foreign: bool,
}

impl Endpoints {
    /// The engines' own, each replaced where the environment names another.
    #[must_use]
    pub fn of(engines: &Engines, environment: &Environment) -> Self {
        let all = environment.get("AWS_ENDPOINT_URL");
        let named = |name: &str, own: &str| {
            environment
                .get(name)
                .or_else(|| all.clone())
                .unwrap_or_else(|| own.to_owned())
        };
        let (dynamodb, s3, sqs) = (
            named("AWS_ENDPOINT_URL_DYNAMODB", engines.dynamodb_url()),
            named("AWS_ENDPOINT_URL_S3", engines.s3_url()),
            named("AWS_ENDPOINT_URL_SQS", engines.sqs_url()),
        );
        let foreign = dynamodb != engines.dynamodb_url()
            && s3 != engines.s3_url()
            && sqs != engines.sqs_url();
        Self {
            dynamodb,
            s3,
            sqs,
            foreign,
        }
    }

    /// The SDK's configuration, timeouts and all as in Lambda.
    pub async fn config(&self, waits: Waits, environment: &Environment) -> SdkConfig {
        let or = |name: &str, own: &str| environment.get(name).unwrap_or_else(|| own.to_owned());
        // Credentials for AWS are none for our own engines, which know one key alone.
        let credentials = if self.foreign {
            Credentials::new(
                or("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
                or("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
                environment.get("AWS_SESSION_TOKEN"),
                None,
                "environment",
            )
        } else {
            Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "board")
        };
        let sdk = aws::loader(waits)
            .region(Region::new(or("AWS_REGION", REGION)))
            .credentials_provider(credentials)
            .load()
            .await;
        sdk.into_builder().service_config(self.clone()).build()
    }
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != "AWS_ENDPOINT_URL" {
            return None;
        }
        match key.service_id() {
            "DynamoDB" => Some(self.dynamodb.clone()),
            "S3" => Some(self.s3.clone()),
            "SQS" => Some(self.sqs.clone()),
            _ => None,
        }
    }
}
