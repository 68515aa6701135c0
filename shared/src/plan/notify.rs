//! Targets: who is told what happens.

use super::TargetName;
use crate::news::Topic;
use crate::notify::{TargetUrl, Words};
use crate::number::PhoneNumber;
use std::collections::BTreeMap;

/// Somebody who is told: a channel of a Slack workspace, or whatever takes JSON by HTTPS.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// What the operator calls it.
    pub name: TargetName,
    /// The form in which it is told.
    pub form: Form,
    /// Where.
    pub address: Address,
    /// What of, each kind once.
    pub topics: Vec<Topic>,
    /// Of which lines; of all where it is empty.
    pub lines: Vec<PhoneNumber>,
    /// In the operator's words, where they are not [`Words::usual`].
    pub words: BTreeMap<Topic, Words>,
}

/// The form in which somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A message of an incoming webhook.
    ///
    /// See [Slack/Sending messages using incoming webhooks](https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
    Slack,
    /// A flat JSON object, signed.
    Webhook,
}

/// Where a target is told. Whoever knows the address can write there, so it is a secret.
#[derive(Debug, Clone, PartialEq)]
pub enum Address {
    /// There.
    Url(TargetUrl),
    /// Where `SWITCHBOARD_NOTIFY_URLS` says, under the target's name.
    Setting,
}

impl Target {
    /// Whether it wants news of this kind about this line; `None` where none is known, or the news
    /// is about no line.
    #[must_use]
    pub fn wants(&self, topic: Topic, line: Option<&PhoneNumber>) -> bool {
        let its_line = match line {
            _ if self.lines.is_empty() || topic == Topic::StaffFailing => true,
            Some(line) => self.lines.contains(line),
            // It may be of a line that is none of theirs.
            None => false,
        };
        its_line && self.topics.contains(&topic)
    }

    /// The words it is told in.
    #[must_use]
    pub fn words(&self, topic: Topic) -> Words {
        let own = self.words.get(&topic).cloned();
        own.unwrap_or_else(|| Words::usual(topic))
    }
}
