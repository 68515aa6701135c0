//! The stack's secret: a JSON object of settings in Secrets Manager. Names that we do not know are kept.
//!
//! It is written as a whole, from what was read before: two people who set up one stack at the same time
//! may undo one another.

use anyhow::{Context as _, bail};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use serde_json::{Map, Value};
use switchboard_shared::chain;

/// What a secret holds.
#[derive(Clone, Default, PartialEq)]
pub struct Entries(Map<String, Value>);

/// Names alone.
impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Entries {
    /// Reads the text of a secret; one that was never filled is empty.
    ///
    /// # Errors
    /// When it is no JSON object. The parser's words are left out: they could quote the secret.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        match serde_json::from_str(text) {
            Ok(Value::Object(entries)) => Ok(Self(entries)),
            _ if text.trim().is_empty() => Ok(Self::default()),
            _ => bail!("it is not a JSON object"),
        }
    }

    /// An entry as the setting it is; one set to nothing counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let text = match self.0.get(name)? {
            Value::String(text) => text.clone(),
            Value::Null => return None,
            other => other.to_string(),
        };
        (!text.trim().is_empty()).then_some(text)
    }

    /// Sets an entry.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Takes an entry out.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }
}

/// A secret, as it was read.
#[derive(Debug)]
pub struct StackSecret {
    client: Client,
    arn: String,
    /// What it holds.
    pub entries: Entries,
}

impl StackSecret {
    pub(super) async fn read(sdk: &SdkConfig, arn: String) -> anyhow::Result<Self> {
        let client = Client::new(sdk);
        let read = client.get_secret_value().secret_id(&arn).send().await;
        let text = match read {
            Ok(secret) => secret.secret_string.unwrap_or_default(),
            // There, and without any value yet.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetSecretValueError::is_resource_not_found_exception)
                    && chain(&error).contains("staging label") =>
            {
                String::new()
            }
            Err(error) => bail!("could not read the secret {arn}: {}", chain(&error)),
        };
        let entries =
            Entries::parse(&text).with_context(|| format!("could not use the secret {arn}"))?;
        Ok(Self {
            client,
            arn,
            entries,
        })
    }

    /// Every entry, as settings.
    pub fn settings(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let names = self.entries.0.keys();
        names.filter_map(|name| Some((name.clone(), self.entries.get(name)?)))
    }

    /// Writes what it is to hold from now on.
    ///
    /// # Errors
    /// When AWS does not take it.
    pub async fn write(&mut self, entries: Entries) -> anyhow::Result<()> {
        let text = Value::Object(entries.0.clone()).to_string();
        let put = self.client.put_secret_value().secret_id(&self.arn);
        let put = put.secret_string(text).send().await;
        put.map_err(|error| {
            anyhow::anyhow!("could not write the secret {}: {}", self.arn, chain(&error))
        })?;
        self.entries = entries;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_secret_holds_is_text_however_it_is_written() {
        let entries = Entries::parse(r#"{"A":"a","B":[{"name":"b"}],"C":null,"D":" "}"#).unwrap();
        assert_eq!(entries.get("A").as_deref(), Some("a"));
        assert_eq!(entries.get("B").as_deref(), Some(r#"[{"name":"b"}]"#));
        assert_eq!(
            entries.get("C").or(entries.get("D")).or(entries.get("E")),
            None
        );
    }

    #[test]
    fn an_empty_secret_is_filled_and_another_kind_is_refused_without_a_word_of_it() {
        assert_eq!(Entries::parse(" ").unwrap(), Entries::default());
        for text in ["hush", "[1]", r#"{"hush""#] {
            let refused = Entries::parse(text).unwrap_err().to_string();
            assert_eq!(refused, "it is not a JSON object");
        }
    }

    #[test]
    fn nobody_reads_an_entry_off_its_debug() {
        let mut entries = Entries::default();
        entries.set("A", json!("hush"));
        assert_eq!(format!("{entries:?}"), r#"{"A"}"#);
    }
}
