//! A deployed stack: where it is, by what its template puts out.

mod secret;

pub use secret::{Entries, StackSecret};

use crate::environment::Environment;
use anyhow::{Context as _, ensure};
use aws_config::SdkConfig;
use std::collections::BTreeMap;
use switchboard_shared::aws::{self, Waits};
use switchboard_shared::chain;
use url::Url;

/// The template's outputs, and the settings that have their values.
const SETTINGS: [(&str, &str); 6] = [
    ("BaseUrl", "SWITCHBOARD_BASE_URL"),
    ("Table", "SWITCHBOARD_TABLE"),
    ("Bucket", "SWITCHBOARD_BUCKET"),
    ("ArchiveQueueUrl", "SWITCHBOARD_ARCHIVE_QUEUE_URL"),
    ("DispatchQueueUrl", "SWITCHBOARD_DISPATCH_QUEUE_URL"),
    ("SecretArn", "SWITCHBOARD_SECRET_ARN"),
];

/// Dead letters of the two queues, which no function is told of.
const DEAD_LETTERS: [&str; 2] = ["ArchiveDeadLettersUrl", "DispatchDeadLettersUrl"];

/// A stack.
#[derive(Debug)]
pub struct Stack {
    /// AWS, as this process's variables and files say.
    pub sdk: SdkConfig,
    /// The settings that are in force: variables of this process, then the stack's outputs.
    pub environment: Environment,
    name: Option<String>,
    outputs: BTreeMap<String, String>,
}

/// Where Vonage reaches a stack.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Asked for a script.
    pub answer: Url,
    /// Asked when the other fails.
    pub fallback: Url,
    /// Told of every leg.
    pub event: Url,
}

impl Stack {
    /// Reads a stack's outputs; without a name, the process's variables alone say where things are.
    ///
    /// # Errors
    /// When AWS does not answer, or there is no such stack.
    pub async fn open(name: Option<&str>) -> anyhow::Result<Self> {
        let sdk = aws::config(Waits::Nobody).await;
        let mut stack = Self {
            environment: Environment::of_process(),
            name: name.map(str::to_owned),
            outputs: BTreeMap::new(),
            sdk,
        };
        if let Some(name) = name {
            stack.outputs = outputs(&stack.sdk, name).await?;
            for (output, setting) in SETTINGS {
                if let Some(value) = stack.outputs.get(output) {
                    stack.environment.or_set(setting, value);
                }
            }
        }
        Ok(stack)
    }

    /// The settings with what the stack's secret holds behind them, as its functions see them.
    ///
    /// # Errors
    /// When AWS does not answer, or there is no such stack or secret.
    pub async fn environment(name: Option<&str>) -> anyhow::Result<(SdkConfig, Environment)> {
        let mut stack = Self::open(name).await?;
        if stack.environment.get("SWITCHBOARD_SECRET_ARN").is_some() {
            let secret = stack.secret().await?;
            for (name, value) in secret.settings() {
                stack.environment.or_set(&name, value);
            }
        }
        Ok((stack.sdk, stack.environment))
    }

    /// Its name, if it was opened by one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Reads its secret.
    ///
    /// # Errors
    /// When it is not known, AWS does not give it, or it is no JSON object.
    pub async fn secret(&self) -> anyhow::Result<StackSecret> {
        let arn = self.setting("SWITCHBOARD_SECRET_ARN")?;
        StackSecret::read(&self.sdk, arn).await
    }

    /// A setting that must be known.
    ///
    /// # Errors
    /// When neither a variable nor an output has it.
    pub fn setting(&self, name: &str) -> anyhow::Result<String> {
        self.environment.get(name).with_context(|| {
            format!("{name} is not set: name the stack by `--stack NAME`, or set the variable")
        })
    }

    /// The URLs of its dead letters, as far as they are known.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<String> {
        let known = DEAD_LETTERS
            .iter()
            .filter_map(|name| self.outputs.get(*name));
        known.cloned().collect()
    }

    /// Where Vonage reaches it: by its outputs, else below its base URL.
    ///
    /// # Errors
    /// When it is not known, or no URL.
    pub fn webhooks(&self) -> anyhow::Result<Webhooks> {
        let url = |output: &str, path: &str| {
            let text = match self.outputs.get(output) {
                Some(text) => text.clone(),
                None => {
                    let base = self.setting("SWITCHBOARD_BASE_URL")?;
                    format!("{}/webhooks/{path}", base.trim_end_matches('/'))
                }
            };
            let url = Url::parse(&text).with_context(|| format!("{text} is not a URL"))?;
            let loopback = url.host_str().is_some_and(|host| host == "127.0.0.1");
            ensure!(
                url.scheme() == "https" || loopback,
                "{url} does not begin with https://: Vonage calls nothing else"
            );
            Ok(url)
        };
        Ok(Webhooks {
            answer: url("AnswerUrl", "answer")?,
            fallback: url("FallbackUrl", "fallback")?,
            event: url("EventUrl", "event")?,
        })
    }
}

async fn outputs(sdk: &SdkConfig, name: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let described = aws_sdk_cloudformation::Client::new(sdk)
        .describe_stacks()
        .stack_name(name)
        .send()
        .await
        .map_err(|error| {
            let region = sdk.region().map_or("no region", |region| region.as_ref());
            anyhow::anyhow!(
                "could not read the stack {name} in {region}; look at --stack, AWS_REGION and your \
                 AWS credentials: {}",
                chain(&error)
            )
        })?;
    let stack = described.stacks.unwrap_or_default().into_iter().next();
    let stack =
        stack.with_context(|| format!("there is no stack {name}; `make deploy` makes it"))?;
    let outputs = stack.outputs.unwrap_or_default().into_iter();
    Ok(outputs
        .filter_map(|output| Some((output.output_key?, output.output_value?)))
        .collect())
}
