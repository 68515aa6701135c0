//! Versions of the plan: the one in force, those that were, and who put each in force.
//!
//! The plan in force is an item of its own, which every function reads. Beside it lies the text of each
//! version, for the calls that began with it, and an entry for each time one was replaced. All of them
//! are numbered by the table, so their order is that in which they were in force, whatever the clocks of
//! two operators say.

use super::transact::{Expression, Transacted, Write};
use super::{Item, Key, Store, StoreError, expiry, from_item, key, key_of, text, to_item};
use crate::plan::flow::CALL_LENGTH_MAX;
use crate::plan::{Plan, TEXT_MAX, VERSION_LENGTH};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a version, and the entry of its having been in force, are kept after it was replaced. A
/// running call needs it for two hours; an operator who looks for last year's Christmas hours, for a
/// year and some weeks.
pub const VERSIONS_KEEP: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Longest note to a push, and longest name of who pushed, in characters: a sentence.
pub const NOTE_MAX: usize = 200;

/// Fewest digits that a version may be named by: as Git has it, fewer are hardly meant.
pub const PREFIX_MIN: usize = 4;

/// Largest item that DynamoDB takes, in bytes, names of attributes included.
///
/// See [AWS/Quotas in Amazon DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-items).
const ITEM_MAX: usize = 400 * 1024;

/// Room for all that is kept beside a plan's text, in bytes: a note and a name, of up to four bytes a
/// character, and some short values with their names.
const BESIDE: usize = 2 * 4 * NOTE_MAX + 1024;

// A plan that the checker takes fits into an item, and outlives every call that began with it.
const _: () = assert!(TEXT_MAX + BESIDE <= ITEM_MAX);
const _: () = assert!(VERSIONS_KEEP.as_secs() as u64 > CALL_LENGTH_MAX.as_secs());

/// A version of the plan, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanText {
    /// Its version.
    pub version: String,
    /// The TOML.
    pub text: String,
}

/// That a version was put in force.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Push {
    /// 1 for the first that this table had, one more for each that followed. 0 for one that was put
    /// there before pushes were counted.
    #[serde(default)]
    pub number: u64,
    /// The version.
    pub version: String,
    /// Since when it is in force, or was.
    pub pushed: Timestamp,
    /// Until when it was; none while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who pushed it, as their machine calls them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How many lines it has.
    #[serde(default)]
    pub lines: usize,
    /// How many flows.
    #[serde(default)]
    pub flows: usize,
    /// How many agents.
    #[serde(default)]
    pub agents: usize,
}

/// The plan in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// How it came to be.
    pub push: Push,
    /// The TOML.
    pub text: String,
}

/// Who puts a plan in force, and why. Each of at most [`NOTE_MAX`] characters; what is longer is cut
/// off.
#[derive(Debug, Clone, Default)]
pub struct Signed {
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub note: Option<String>,
}

/// What came of putting a plan in force.
#[derive(Debug)]
pub enum Pushed {
    /// It is.
    Done(Push),
    /// It was already; nothing is written.
    Already,
    /// What it was made over is no longer in force, but this, if anything. Nothing is changed.
    Overtaken(Option<Box<InForce>>),
}

/// The first digits of a version, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

/// What a [`Prefix`] stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// This version.
    One(PlanText),
    /// Nothing that is kept.
    None,
    /// More than one: these, and maybe others.
    Several(Vec<String>),
}

impl Prefix {
    /// Whether it stands for a version.
    #[must_use]
    pub fn is_of(&self, version: &str) -> bool {
        version.starts_with(&self.0)
    }
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that names no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is written with {PREFIX_MIN} to {VERSION_LENGTH} of the digits 0-9 and a-f")]
pub struct NoVersion;

impl std::str::FromStr for Prefix {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let text = text.to_ascii_lowercase();
        let fits = (PREFIX_MIN..=VERSION_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then_some(Self(text)).ok_or(NoVersion)
    }
}

impl Store {
    /// The plan in force, or a version that a running call began with.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn plan(&self, version: Option<&str>) -> Result<Option<PlanText>, StoreError> {
        let key = version.map_or(Key::CurrentPlan, Key::Plan);
        self.get("read the plan", key).await
    }

    /// The plan in force, with who put it there.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn plan_in_force(&self) -> Result<Option<InForce>, StoreError> {
        let item = self.get_raw("read the plan", Key::CurrentPlan).await?;
        item.map(in_force).transpose()
    }

    /// The version that a prefix stands for.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn plan_named(&self, prefix: &Prefix) -> Result<Named, StoreError> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :version)")
            .expression_attribute_values(":pk", text(key::PLAN))
            .expression_attribute_values(":version", text(Key::Plan(&prefix.0).sk()))
            .consistent_read(true)
            // A second one says that the prefix is too short.
            .limit(2)
            .send()
            .await
            .map_err(StoreError::unavailable("find a version of the plan"))?;
        let items = found.items.unwrap_or_default().into_iter();
        let kept = items.map(|item| from_item("a version of the plan", item));
        let mut kept: Vec<PlanText> = kept.collect::<Result<_, _>>()?;
        // One that has long been in force may have no text but there.
        let current = self.plan(None).await?;
        let current = current.filter(|current| {
            prefix.is_of(&current.version)
                && kept.iter().all(|plan| plan.version != current.version)
        });
        kept.extend(current);
        Ok(match (kept.pop(), kept.is_empty()) {
            (None, _) => Named::None,
            (Some(one), true) => Named::One(one),
            (Some(one), false) => {
                let mut versions: Vec<_> = kept.into_iter().map(|plan| plan.version).collect();
                versions.push(one.version);
                Named::Several(versions)
            }
        })
    }

    /// What was put in force, the newest first: at most so many.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn pushes(&self, limit: usize) -> Result<Vec<Push>, StoreError> {
        let Some(InForce { push, .. }) = self.plan_in_force().await? else {
            return Ok(Vec::new());
        };
        let mut replaced = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :push)")
            .expression_attribute_values(":pk", text(key::PLAN))
            .expression_attribute_values(":push", text(key::PUSH))
            .scan_index_forward(false)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut pushes = vec![push];
        while pushes.len() < limit
            && let Some(item) = replaced.next().await
        {
            let item = item.map_err(StoreError::unavailable("read the plan's history"))?;
            let push: Push = from_item("a push of the plan", item)?;
            // Whatever was pushed since the first reading is not told.
            if push.number < pushes[0].number {
                pushes.push(push);
            }
        }
        pushes.truncate(limit);
        Ok(pushes)
    }

    /// Puts a plan in force over the one that is, `None` where there is none yet. Both texts are kept
    /// for the calls that begin with them.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn push_plan(
        &self,
        plan: &Plan,
        over: Option<&InForce>,
        signed: Signed,
        now: Timestamp,
    ) -> Result<Pushed, StoreError> {
        if over.is_some_and(|over| over.push.version == plan.version()) {
            return Ok(Pushed::Already);
        }
        // The texts first: a call may ask for either as soon as the new one is in force.
        if let Some(over) = over {
            self.keep_plan(&over.push.version, &over.text, now).await?;
        }
        self.keep_plan(plan.version(), plan.text(), now).await?;
        let push = Push {
            number: over.map_or(0, |over| over.push.number) + 1,
            version: plan.version().to_owned(),
            pushed: now,
            until: None,
            by: signed.by.as_deref().map(cut),
            note: signed.note.as_deref().map(cut),
            lines: plan.lines().count(),
            flows: plan.flows().count(),
            agents: plan.agents().count(),
        };
        let mut item = key_of(Key::CurrentPlan);
        item.extend(to_item(&push));
        item.insert("text".to_owned(), text(plan.text()));
        let mut writes = vec![Write::put_when(&self.table, item, &stands(over))];
        writes.extend(over.map(|over| {
            let replaced = Push {
                until: Some(now),
                ..over.push.clone()
            };
            let mut item = key_of(Key::Push(replaced.number));
            item.extend(to_item(&replaced));
            item.insert(key::TTL.to_owned(), expiry(now, VERSIONS_KEEP));
            Write::put(&self.table, item)
        }));
        let Transacted::Refused(items) = self.transact("push a plan", writes).await? else {
            return Ok(Pushed::Done(push));
        };
        let stood = items.into_iter().next().flatten().unwrap_or_default();
        let stood = (!stood.is_empty()).then(|| in_force(stood)).transpose()?;
        Ok(match stood {
            Some(stood) if stood.push.version == plan.version() => Pushed::Already,
            stood => Pushed::Overtaken(stood.map(Box::new)),
        })
    }

    /// Keeps the text of a version, from now on for as long as one is kept. A version is made of its
    /// text: whoever writes it writes the same, so this needs no condition.
    async fn keep_plan(&self, version: &str, plan: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut item = key_of(Key::Plan(version));
        item.extend(to_item(&PlanText {
            version: version.to_owned(),
            text: plan.to_owned(),
        }));
        item.insert(key::TTL.to_owned(), expiry(now, VERSIONS_KEEP));
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(StoreError::unavailable("keep a version of the plan"))?;
        Ok(())
    }
}

/// The condition that what a push was made over is still in force. The number besides the version: what
/// went and came back was replaced, and whoever did it wants to know.
fn stands(over: Option<&InForce>) -> Expression {
    let Some(InForce { push, .. }) = over else {
        return Expression::new("", "attribute_not_exists(pk)");
    };
    let expression = match push.number {
        0 => Expression::new("", "#version = :version AND attribute_not_exists(#number)"),
        number => Expression::new("", "#version = :version AND #number = :number")
            .with(":number", AttributeValue::N(number.to_string())),
    };
    expression.with(":version", text(&push.version))
}

fn in_force(item: Item) -> Result<InForce, StoreError> {
    let PlanText { text, .. } = from_item("the plan in force", item.clone())?;
    let push = from_item("the plan in force", item)?;
    Ok(InForce { push, text })
}

fn cut(text: &str) -> String {
    text.chars().take(NOTE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_by_four_digits_or_more() {
        for text in ["ab12", "AB12", "0123456789ab"] {
            let prefix: Prefix = text.parse().unwrap();
            assert_eq!(prefix.to_string(), text.to_ascii_lowercase());
        }
        for text in ["", "ab1", "ab1g", "0123456789abc", "ab 1", "ab1#", "äb12"] {
            assert_eq!(text.parse::<Prefix>(), Err(NoVersion), "{text:?}");
        }
    }
}
