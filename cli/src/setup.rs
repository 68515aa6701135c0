//! What is to be done so that a stack takes the calls of its plan: steps, from what there is and what
//! there should be. Pure; `work` does them.
//!
//! The steps stand in an order that can be broken off anywhere. The private key is kept before any
//! application has its other half, so an application that was made, and whose id was then lost, is
//! found again by its key. Whatever was done already is no step any more.

mod work;

pub use work::{Done, Work, new_token};

use crate::account::{Application, Difference, Number, Region, Voice};
use crate::key_pair;
use crate::stack::{Entries, Webhooks};
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use switchboard_shared::chain;
use switchboard_shared::number::PhoneNumber;
use switchboard_shared::vonage::PrivateKey;

/// Names of a secret's entries, as the functions look them up.
pub mod entry {
    /// The application's id.
    pub const APPLICATION_ID: &str = "VONAGE_APPLICATION_ID";
    /// The account's key.
    pub const API_KEY: &str = "VONAGE_API_KEY";
    /// Signs our requests.
    pub const PRIVATE_KEY: &str = "VONAGE_PRIVATE_KEY";
    /// The key before, until the application knows the new one.
    pub const PREVIOUS_KEY: &str = "VONAGE_PRIVATE_KEY_PREVIOUS";
    /// Signs webhooks.
    pub const SIGNATURE: &str = "VONAGE_SIGNATURE_SECRET";
    /// The secret before, until Vonage signs with the new one.
    pub const PREVIOUS_SIGNATURE: &str = "VONAGE_SIGNATURE_SECRET_PREVIOUS";
    /// Hashes of our people's tokens.
    pub const TOKENS: &str = "SWITCHBOARD_API_TOKENS";
}

/// What is to be exchanged for something new, besides what a setup does anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotate {
    /// Another key pair.
    Key,
    /// Another signature secret, beside the one there is.
    Signature,
    /// No more beside the new signature secret.
    FinishSignature,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Found {
    /// What the stack's secret holds.
    pub entries: Entries,
    /// The application that the secret names, or that has its key.
    pub application: Option<Application>,
    /// Every number of the account.
    pub numbers: Vec<Number>,
}

/// What there should be.
#[derive(Debug)]
pub struct Wanted {
    /// Where Vonage reaches the stack.
    pub webhooks: Webhooks,
    /// What the application is called; `None`: `otherwise`, if it is to be made.
    pub name: Option<String>,
    /// What a new application is called.
    pub otherwise: String,
    /// Where its calls live; `None`: where they live already, else near the stack.
    pub region: Option<Region>,
    /// Near the stack.
    pub near: Region,
    /// Numbers of the plan's lines, and what the lines are called.
    pub lines: Vec<(PhoneNumber, String)>,
    /// Numbers that may be taken from another application.
    pub take: Vec<PhoneNumber>,
    /// The account's key.
    pub api_key: String,
    /// The signature secret, where the operator gave one.
    pub signature: Option<SecretString>,
    /// What is to be exchanged.
    pub rotate: Option<Rotate>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Change entries of the stack's secret, all at once.
    Store(Vec<Change>),
    /// Make the application.
    Create {
        /// What it is called.
        name: String,
    },
    /// Change the application.
    Change {
        /// Its id.
        id: String,
        /// What is not as it should be.
        differences: Vec<Difference>,
        /// Whether its key is not ours, too.
        key: bool,
    },
    /// Store the application's id in the secret.
    StoreId,
    /// Link a number to the application.
    Link {
        /// The number.
        number: PhoneNumber,
        /// What the line is called.
        line: String,
        /// The application it is taken from.
        from: Option<String>,
    },
}

/// A change of an entry of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Make a key pair, and keep its private half.
    MakeKey,
    /// The same, and keep the one before beside it.
    RotateKey,
    /// The account's key.
    ApiKey,
    /// The signature secret that the operator gave.
    Signature,
    /// The same, and keep the one before beside it.
    RotateSignature,
    /// Make an operator's token, and keep its hash.
    MakeToken,
    /// Forget the key before.
    ForgetKey,
    /// Forget the signature secret before.
    ForgetSignature,
}

/// What stands in the way, and what to do about it. Nothing of it is done for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The key in the secret is none.
    Key(String),
    /// Nobody gave the signature secret.
    NoSignature,
    /// A rotation of the signature secret was not finished.
    UnderWay,
    /// The new signature secret is the one there is.
    SameSignature,
    /// The account does not rent the number.
    NotOwned(PhoneNumber),
    /// The number is linked to another application.
    Taken(PhoneNumber, String),
    /// Calls to the number go elsewhere, whatever it is linked to.
    Forwarded(PhoneNumber, String),
    /// The number takes no calls.
    NoVoice(PhoneNumber),
}

/// What is to be done, in this order, and what stands in the way.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Todo {
    /// The steps.
    pub steps: Vec<Step>,
    /// The problems.
    pub problems: Vec<Problem>,
}

/// What is to be done.
#[must_use]
pub fn todo(found: &Found, wanted: &Wanted) -> Todo {
    let mut todo = Todo::default();
    let entries = &found.entries;
    let key = entries.get(entry::PRIVATE_KEY);
    let key = match key.as_deref().map(PrivateKey::parse) {
        Some(Err(error)) => {
            // Nothing can be built on it, and nobody throws away a key that may be mended.
            todo.problems.push(Problem::Key(chain(&error)));
            return todo;
        }
        key => key.and_then(Result::ok),
    };
    let (changes, rotates) = changes(found, wanted, key.is_some(), &mut todo.problems);
    if !changes.is_empty() {
        todo.steps.push(Step::Store(changes));
    }
    match &found.application {
        None => todo.steps.push(Step::Create {
            name: wanted
                .name
                .clone()
                .unwrap_or_else(|| wanted.otherwise.clone()),
        }),
        Some(application) => {
            let public = key.as_ref().map(key_pair::public_pem);
            let voice = wanted.voice(Some(application), public.clone().unwrap_or_default());
            let differences = application.differences(&voice);
            let key = rotates || !public.is_some_and(|public| application.has_key(&public));
            if key || !differences.is_empty() {
                let id = application.id.clone();
                todo.steps.push(Step::Change {
                    id,
                    differences,
                    key,
                });
            }
        }
    }
    let id = found
        .application
        .as_ref()
        .map(|application| application.id.as_str());
    if id.is_none() || id != entries.get(entry::APPLICATION_ID).as_deref() {
        todo.steps.push(Step::StoreId);
    }
    if rotates || entries.get(entry::PREVIOUS_KEY).is_some() {
        todo.steps.push(Step::Store(vec![Change::ForgetKey]));
    }
    for (number, line) in &wanted.lines {
        link(found, wanted, id, number, line, &mut todo);
    }
    todo
}

impl Wanted {
    /// How the application is to handle its calls.
    #[must_use]
    pub fn voice(&self, application: Option<&Application>, public_key: String) -> Voice {
        let lives = application.and_then(Application::region).is_some();
        Voice {
            answer: self.webhooks.answer.clone(),
            fallback: self.webhooks.fallback.clone(),
            event: self.webhooks.event.clone(),
            region: self.region.or((!lives).then_some(self.near)),
            name: match application {
                Some(_) => self.name.clone(),
                None => Some(self.name.clone().unwrap_or_else(|| self.otherwise.clone())),
            },
            public_key,
        }
    }
}

/// What of the secret changes before the application does, and whether another key is among it.
fn changes(
    found: &Found,
    wanted: &Wanted,
    has_key: bool,
    problems: &mut Vec<Problem>,
) -> (Vec<Change>, bool) {
    let entries = &found.entries;
    let mut changes = Vec::new();
    // A rotation that was broken off goes on, and none is begun within it.
    let rotates =
        wanted.rotate == Some(Rotate::Key) && has_key && entries.get(entry::PREVIOUS_KEY).is_none();
    if !has_key {
        changes.push(Change::MakeKey);
    } else if rotates {
        changes.push(Change::RotateKey);
    }
    if entries.get(entry::API_KEY).as_deref() != Some(wanted.api_key.as_str()) {
        changes.push(Change::ApiKey);
    }
    let previous = entries.get(entry::PREVIOUS_SIGNATURE).is_some();
    match (
        entries.get(entry::SIGNATURE),
        &wanted.signature,
        wanted.rotate,
    ) {
        (_, _, Some(Rotate::FinishSignature)) if previous => changes.push(Change::ForgetSignature),
        (Some(_), _, Some(Rotate::Signature)) if previous => problems.push(Problem::UnderWay),
        (Some(_), None, Some(Rotate::Signature)) | (None, None, _) => {
            problems.push(Problem::NoSignature);
        }
        (Some(now), Some(given), Some(Rotate::Signature)) => {
            if now == given.expose_secret() {
                problems.push(Problem::SameSignature);
            } else {
                changes.push(Change::RotateSignature);
            }
        }
        (None, Some(_), _) => changes.push(Change::Signature),
        (Some(_), _, _) => {}
    }
    let tokens = entries.get(entry::TOKENS);
    if tokens.is_none_or(|tokens| tokens.trim() == "[]") {
        changes.push(Change::MakeToken);
    }
    (changes, rotates)
}

/// What a line's number needs.
fn link(
    found: &Found,
    wanted: &Wanted,
    id: Option<&str>,
    line: &PhoneNumber,
    name: &str,
    todo: &mut Todo,
) {
    let number = found.numbers.iter().find(|number| number.number == *line);
    let Some(number) = number else {
        todo.problems.push(Problem::NotOwned(line.clone()));
        return;
    };
    if !number.takes_calls() {
        todo.problems.push(Problem::NoVoice(line.clone()));
    }
    if let Some(kind) = number.forwards() {
        todo.problems
            .push(Problem::Forwarded(line.clone(), kind.to_owned()));
    }
    let from = number.application();
    if id.is_some() && from == id {
        return;
    }
    match from {
        Some(from) if !wanted.take.contains(line) => {
            todo.problems
                .push(Problem::Taken(line.clone(), from.to_owned()));
        }
        from => todo.steps.push(Step::Link {
            number: line.clone(),
            line: name.to_owned(),
            from: from.map(str::to_owned),
        }),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MakeKey => "a key pair, made here; only its public half leaves for Vonage",
            Self::RotateKey => {
                "another key pair; the key before stays until the application has this one"
            }
            Self::ApiKey => "the account's key",
            Self::Signature => "the signature secret",
            Self::RotateSignature => {
                "the new signature secret; webhooks signed with the one before are let in, too"
            }
            Self::MakeToken => "the hash of an operator's token, which is shown once",
            Self::ForgetKey => "the key before is taken out",
            Self::ForgetSignature => "the signature secret before is taken out",
        })
    }
}

impl Step {
    /// What it is about, in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Store(_) | Self::StoreId => "store",
            Self::Create { .. } => "create",
            Self::Change { .. } => "change",
            Self::Link { .. } => "link",
        }
    }
}

/// What is done, as what follows the word.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(changes) => {
                let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
                write!(f, "in the stack's secret: {}", changes.join("\n"))
            }
            Self::StoreId => f.write_str("in the stack's secret: the application's id"),
            Self::Create { name } => write!(
                f,
                "the application {name:?}: POST webhooks, signed, nothing learnt from callers"
            ),
            Self::Change {
                id,
                differences,
                key,
            } => {
                let mut words: Vec<_> = differences.iter().map(ToString::to_string).collect();
                if *key {
                    words.push("public key → ours".to_owned());
                }
                write!(f, "the application {id}: {}", words.join("\n"))
            }
            Self::Link { number, line, from } => {
                write!(f, "{number} ({line}) to the application")?;
                from.iter()
                    .try_for_each(|from| write!(f, ", taken from {from}"))
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(why) => write!(
                f,
                "{} in the stack's secret does not read ({why}): mend it there, or take it out to have \
                 another pair made",
                entry::PRIVATE_KEY
            ),
            Self::NoSignature => write!(
                f,
                "the signature secret is not known: set {} to what Vonage's dashboard shows under API \
                 settings, or run this at a terminal to be asked for it",
                entry::SIGNATURE
            ),
            Self::UnderWay => f.write_str(
                "a rotation of the signature secret is under way: once Vonage signs with the new one, \
                 end it by `--rotate signature --finish`",
            ),
            Self::SameSignature => write!(
                f,
                "{} is the secret that is in use already: give the new one",
                entry::SIGNATURE
            ),
            Self::NotOwned(number) => write!(
                f,
                "the account does not rent {number}: rent it in Vonage's dashboard, or take its line out \
                 of the plan"
            ),
            Self::Taken(number, application) => write!(
                f,
                "{number} is linked to the application {application}: `--take {number}` takes it from there"
            ),
            Self::Forwarded(number, kind) => write!(
                f,
                "calls to {number} are forwarded ({kind}) before any application is asked: in Vonage's \
                 dashboard, edit the number and clear its forwarding"
            ),
            Self::NoVoice(number) => write!(
                f,
                "{number} takes no calls: rent another that has VOICE among its features"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
