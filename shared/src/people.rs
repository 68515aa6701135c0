//! Our people: who may say that an agent is free or away.
//!
//! Either a bearer token, of which only the hash is kept, or a link signed for one agent, which
//! serves where no header can be sent: a bookmark on a phone.

use crate::config::{Lookup, token_hash};
use crate::crypto;
use crate::plan::AgentName;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// How long a signed link works when nothing else is asked for: a working week with its weekend.
pub const LINK_WORKS: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Whose token it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Token {
    name: String,
    role: Role,
    sha256: String,
}

/// What a token's owner may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    /// Acts for every agent.
    Operator,
    /// Acts for the agent of that name.
    Agent,
}

/// Our people.
#[derive(Debug)]
pub struct People {
    tokens: Vec<Token>,
    link_keys: Vec<SecretString>,
}

impl People {
    /// Reads the settings named in the README. Links are signed with a key derived from the webhook
    /// secret, so that they rotate with it.
    pub fn from_lookup(lookup: &mut Lookup) -> Self {
        let tokens = lookup
            .read("SWITCHBOARD_API_TOKENS", |text| {
                let tokens: Vec<Token> = serde_json::from_str(text)
                    .map_err(|_| "not a JSON list of {name, role, sha256}".to_owned())?;
                let hex = |t: &Token| {
                    t.sha256.len() == 64 && t.sha256.bytes().all(|b| b.is_ascii_hexdigit())
                };
                match tokens.iter().find(|token| !hex(token)) {
                    Some(bad) => Err(format!("the sha256 of {} has not 64 hex digits", bad.name)),
                    None => Ok(tokens),
                }
            })
            .unwrap_or_default();
        let names = [
            "VONAGE_SIGNATURE_SECRET",
            "VONAGE_SIGNATURE_SECRET_PREVIOUS",
        ];
        let secrets = names.iter().filter_map(|name| lookup.optional(name));
        Self {
            tokens,
            link_keys: secrets.map(|secret| link_key(&secret)).collect(),
        }
    }

    /// Whether this bearer token may act for the agent.
    #[must_use]
    pub fn token_allows(&self, token: &str, agent: &AgentName) -> bool {
        let hash = token_hash(token);
        // Every token is compared, so the time tells nothing about which one fitted.
        self.tokens.iter().fold(false, |allowed, known| {
            let fits = crypto::same(
                known.sha256.to_ascii_lowercase().as_bytes(),
                hash.as_bytes(),
            );
            let may = known.role == Role::Operator || known.name == agent.as_str();
            allowed | (fits & may)
        })
    }

    /// Whether a link with this expiry and signature was made for the agent, and still works.
    #[must_use]
    pub fn link_allows(&self, link: &Link, agent: &AgentName, now: Timestamp) -> bool {
        let fits = self.link_keys.iter().fold(false, |fits, key| {
            fits | crypto::same(
                signature(key, agent, link.expires).as_bytes(),
                link.signature.as_bytes(),
            )
        });
        fits && now.as_second() < link.expires
    }

    /// Makes a link for an agent. `None` without a webhook secret to sign with.
    #[must_use]
    pub fn link(&self, agent: &AgentName, expires: Timestamp) -> Option<Link> {
        let expires = expires.as_second();
        let key = self.link_keys.first()?;
        Some(Link {
            expires,
            signature: signature(key, agent, expires),
        })
    }
}

/// The signed part of a link: `expires=…&signature=…`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Link {
    /// When it stops working, in seconds since 1970.
    pub expires: i64,
    /// Hex HMAC-SHA-256 over agent and expiry.
    pub signature: String,
}

fn link_key(secret: &str) -> SecretString {
    crypto::hmac_hex(secret.as_bytes(), b"switchboard agent links").into()
}

fn signature(key: &SecretString, agent: &AgentName, expires: i64) -> String {
    crypto::hmac_hex(
        key.expose_secret().as_bytes(),
        format!("{agent}\n{expires}").as_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(tokens: &str) -> People {
        let tokens = tokens.to_owned();
        let mut lookup = Lookup::new(move |name| match name {
            "SWITCHBOARD_API_TOKENS" => Some(tokens.clone()),
            "VONAGE_SIGNATURE_SECRET" => Some("secret".to_owned()),
            _ => None,
        });
        let people = People::from_lookup(&mut lookup);
        lookup.finish(Some(people)).unwrap()
    }

    fn agent(name: &str) -> AgentName {
        name.parse().unwrap()
    }

    #[test]
    fn an_operator_acts_for_all_and_an_agent_for_one() {
        let people = people(&format!(
            r#"[{{"name":"olga","role":"operator","sha256":"{}"}},{{"name":"alice","role":"agent","sha256":"{}"}}]"#,
            token_hash("o"),
            token_hash("a").to_uppercase()
        ));
        for (token, name, allowed) in [
            ("o", "alice", true),
            ("o", "bob", true),
            ("a", "alice", true),
            ("a", "bob", false),
            ("", "alice", false),
        ] {
            assert_eq!(
                people.token_allows(token, &agent(name)),
                allowed,
                "{token} for {name}"
            );
        }
    }

    #[test]
    fn a_link_works_for_its_agent_until_it_expires() {
        let people = people("[]");
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let link = people.link(&agent("alice"), now + LINK_WORKS).unwrap();
        assert!(people.link_allows(&link, &agent("alice"), now));
        assert!(!people.link_allows(&link, &agent("bob"), now));
        assert!(!people.link_allows(&link, &agent("alice"), now + LINK_WORKS));
        let longer = Link {
            expires: link.expires + 1,
            ..link
        };
        assert!(!people.link_allows(&longer, &agent("alice"), now));
    }

    #[test]
    fn tokens_that_do_not_read_are_a_fault_that_quotes_nothing() {
        for text in [
            "x",
            r#"[{"name":"a","role":"king","sha256":"00"}]"#,
            r#"[{"name":"a","role":"agent","sha256":"00"}]"#,
        ] {
            let mut lookup =
                Lookup::new(|name| (name == "SWITCHBOARD_API_TOKENS").then(|| text.to_owned()));
            People::from_lookup(&mut lookup);
            let error = lookup.finish(Some(())).unwrap_err().to_string();
            assert!(
                error.contains("SWITCHBOARD_API_TOKENS") && !error.contains("king"),
                "{error}"
            );
        }
    }
}
