//! `switchboard sign`, `link`, `token`: what a person needs to try a board by hand.

use super::{Found, Global, show};
use crate::board;
use crate::environment::Environment;
use crate::secrets::Secrets;
use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use switchboard_shared::people::{LINK_WORKS, People};
use switchboard_shared::plan::AgentName;
use switchboard_shared::signature;

/// Sign a webhook as Vonage would, to try the board with curl. Prints the value of the Authorization
/// header.
#[derive(Debug, clap::Args)]
pub(super) struct Sign {
    /// Body of the POST to sign; without it a GET is signed.
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
    /// Query of the GET to sign.
    #[arg(
        long,
        value_name = "QUERY",
        conflicts_with = "body",
        default_value = ""
    )]
    query: String,
}

impl Sign {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let environment = settings(global).await?;
        let secret = environment
            .get("VONAGE_SIGNATURE_SECRET")
            .context("VONAGE_SIGNATURE_SECRET is not set")?;
        let application = environment.get("VONAGE_APPLICATION_ID").unwrap_or_default();
        let key = environment.get("VONAGE_API_KEY");
        let key = key.as_deref();
        let now = Timestamp::now();
        let token = match &self.body {
            Some(body) => {
                signature::sign_post(&secret.into(), &application, key, body.as_bytes(), now)
            }
            None => signature::sign_get(&secret.into(), &application, key, &self.query, now),
        };
        show::one(global, "authorization", &token);
        Ok(Found::Fine)
    }
}

/// Make the link by which an agent says "free" from a phone.
#[derive(Debug, clap::Args)]
pub(super) struct Link {
    /// The agent's name in the plan.
    agent: AgentName,
    /// How many days the link works.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=365))]
    days: Option<u16>,
}

impl Link {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let environment = settings(global).await?;
        let mut lookup = board::lookup(&environment);
        let people = People::from_lookup(&mut lookup);
        let people = lookup.finish(Some(people))?;
        let works = self.days.map_or(LINK_WORKS, |days| {
            SignedDuration::from_hours(24 * i64::from(days))
        });
        let link = people
            .link(&self.agent, Timestamp::now() + works)
            .context("VONAGE_SIGNATURE_SECRET is not set")?;
        let base = match environment.get("SWITCHBOARD_BASE_URL") {
            Some(base) => base.trim_end_matches('/').to_owned(),
            None => match board::running(&global.data).await {
                Some(address) => address.url,
                None => "http://127.0.0.1:9000".to_owned(),
            },
        };
        let agent = &self.agent;
        let (expires, signature) = (link.expires, link.signature);
        let link =
            format!("{base}/agentfree?agent={agent}&expires={expires}&signature={signature}");
        show::one(global, "link", &link);
        Ok(Found::Fine)
    }
}

/// Print the token by which the board's owner acts as operator.
#[derive(Debug, clap::Args)]
pub(super) struct Token {}

impl Token {
    pub(super) fn run(self, global: &Global) -> anyhow::Result<Found> {
        if global.is_cloud() {
            bail!("a stack keeps only hashes of its tokens; whoever made one has it");
        }
        show::one(
            global,
            "token",
            &Secrets::open(&folder(global)?)?.operator_token,
        );
        Ok(Found::Fine)
    }
}

fn folder(global: &Global) -> anyhow::Result<std::path::PathBuf> {
    std::fs::create_dir_all(&global.data)
        .with_context(|| format!("could not make {}", global.data.display()))?;
    Ok(global.data.clone())
}

/// The board's settings, or a stack's.
pub(super) async fn settings(global: &Global) -> anyhow::Result<Environment> {
    if global.is_cloud() {
        return Ok(global.cloud().await?.1);
    }
    let mut environment = Environment::of_process();
    let secrets = Secrets::open(&folder(global)?)?;
    board::settle(&mut environment, &secrets, Path::new("switchboard.toml"));
    Ok(environment)
}
