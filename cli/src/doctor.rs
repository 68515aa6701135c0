//! Whether calls come through: the whole chain from Vonage's account to the table, looked at link by
//! link. Changes nothing, rings nobody, leaves nothing in the ledger.

mod call;
mod cloud;
mod vonage;

use crate::account::{Account, AccountError};
use crate::stack::{Entries, Stack};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::time::Duration;
use switchboard_shared::plan::Plan;
use switchboard_shared::signature::ISSUED_WITHIN;

/// Longest that all may take. What waits for somebody who is away is a problem by then.
const PATIENCE: Duration = Duration::from_secs(45);

/// What to look at where AWS says no.
const ACCESS: &str = "look at your AWS credentials and region, and at the stack";

/// A link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What was found of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Ok {
        /// What was seen.
        found: String,
    },
    /// It does not.
    Problem {
        /// What was seen.
        found: String,
        /// What to do about it.
        todo: String,
    },
    /// It could not be looked at, for want of another.
    Skipped {
        /// Why not.
        found: String,
    },
}

impl Check {
    fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        let (name, found) = (name.into(), found.into());
        let verdict = Verdict::Ok { found };
        Self { name, verdict }
    }

    fn problem(name: impl Into<String>, found: impl Into<String>, todo: impl Into<String>) -> Self {
        let (name, found, todo) = (name.into(), found.into(), todo.into());
        let verdict = Verdict::Problem { found, todo };
        Self { name, verdict }
    }

    fn skipped(name: impl Into<String>, found: impl Into<String>) -> Self {
        let (name, found) = (name.into(), found.into());
        let verdict = Verdict::Skipped { found };
        Self { name, verdict }
    }

    /// Whether something is to be done about it.
    #[must_use]
    pub fn is_problem(&self) -> bool {
        matches!(self.verdict, Verdict::Problem { .. })
    }
}

/// What a stack is examined with.
#[derive(Debug)]
pub struct Doctor<'d> {
    /// The stack.
    pub stack: &'d Stack,
    /// The account; else why there is none.
    pub account: Result<Account, AccountError>,
    /// The plan file's; else why there is none.
    pub plan: anyhow::Result<Plan>,
}

/// What the stack's secret holds; else why that is not known.
type Secret = Result<Entries, String>;

impl Doctor<'_> {
    /// Looks at every link, all at once as far as none waits for another.
    pub async fn examine(&self) -> Vec<Check> {
        let secret = within(self.stack.secret()).await;
        let secret = match secret {
            None => Err("Secrets Manager does not answer in time".to_owned()),
            Some(read) => read
                .map(|secret| secret.entries)
                .map_err(|error| format!("{error:#}")),
        };
        let (vonage, call, cloud) = tokio::join!(
            within(self.vonage(&secret)),
            within(self.call(&secret)),
            within(self.cloud()),
        );
        let late = |name: &str| {
            let seconds = PATIENCE.as_secs();
            let check = Check::problem(
                name,
                format!("not done within {seconds} s"),
                "look at the network, and try again",
            );
            vec![check]
        };
        let mut checks = vec![match &secret {
            Ok(_) => Check::ok("secret", "reads"),
            Err(why) => Check::problem("secret", why.clone(), ACCESS),
        }];
        let (vonage, by_vonage) = vonage.unwrap_or_else(|| (late("vonage"), None));
        let (call, by_stack) = call.unwrap_or_else(|| (late("test call"), None));
        checks.extend(vonage);
        checks.extend(cloud.unwrap_or_else(|| late("aws")));
        checks.extend(call);
        checks.push(clocks(by_vonage, by_stack));
        checks
    }
}

async fn within<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, work).await.ok()
}

/// How far somebody's clock is ahead of ours.
type Ahead = SignedDuration;

/// A clock that somebody's answer told, beside ours at that moment.
fn ahead(told: Timestamp) -> Ahead {
    told.duration_since(Timestamp::now())
}

/// Webhooks are refused that are dated too far from the stack's clock, and our tokens by Vonage's.
fn clocks(vonage: Option<Ahead>, stack: Option<Ahead>) -> Check {
    let name = "clocks";
    let known = [("Vonage's", vonage), ("the stack's", stack)];
    let known = known
        .into_iter()
        .filter_map(|(whose, ahead)| Some((whose, ahead?)));
    let known: Vec<(&str, Ahead)> = known.collect();
    if known.is_empty() {
        return Check::skipped(name, "nobody told the time");
    }
    let words: Vec<_> = known
        .iter()
        .map(|(whose, ahead)| match ahead.as_secs() {
            // A date says seconds, and was on its way.
            -2..=2 => format!("{whose} is ours"),
            ahead @ 3.. => format!("{whose} is {ahead} s ahead of ours"),
            behind => format!("{whose} is {} s behind ours", behind.abs()),
        })
        .collect();
    let words = words.join(", ");
    let far = |ahead: Ahead| ahead.abs() >= ISSUED_WITHIN;
    let apart = vonage
        .zip(stack)
        .is_some_and(|(one, other)| far(one - other));
    if apart {
        let todo = "the stack refuses Vonage's webhooks while this lasts: tell AWS's support";
        Check::problem(name, words, todo)
    } else if known.iter().any(|(_, ahead)| far(*ahead)) {
        Check::problem(
            name,
            words,
            "set this machine's clock: what it signs is refused",
        )
    } else {
        Check::ok(name, words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_by_less_than_a_webhook_may_be_old() {
        let seconds = |seconds| Some(SignedDuration::from_secs(seconds));
        let far = |vonage, stack| clocks(vonage, stack).is_problem();
        assert!(!far(seconds(1), seconds(-1)));
        assert!(!far(seconds(299), None));
        assert!(far(seconds(300), None) && far(None, seconds(-300)));
        // Each is near ours, and they are far from one another.
        assert!(far(seconds(200), seconds(-200)));
        let told = clocks(seconds(0), seconds(-90));
        let found = "Vonage's is ours, the stack's is 90 s behind ours".to_owned();
        assert_eq!(told.verdict, Verdict::Ok { found });
        assert!(matches!(
            clocks(None, None).verdict,
            Verdict::Skipped { .. }
        ));
    }
}
