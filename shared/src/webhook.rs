//! What Vonage tells us: the answer webhook and every kind of event, in POST and GET form.
//!
//! Roomy on purpose. Unknown statuses and fields are kept, nulls are absences, numbers may be text
//! and text may be numbers. What cannot be kept under any id is refused.
//!
//! See [Vonage/Voice API/Webhook reference](https://developer.vonage.com/en/voice/voice-api/webhook-reference).

mod event;
mod fields;

pub use event::{CallStatus, Digits, Event, Kind, Notice};
pub use fields::Fields;

use crate::id::{ConversationId, IdError, LegId};
use serde_json::Value;

/// A webhook that does not read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The body is not JSON, or not UTF-8.
    #[error("the body is not JSON")]
    Json(#[source] serde_json::Error),
    /// JSON, but not an object.
    #[error("the body is not a JSON object")]
    Shape,
    /// A field that this webhook always has is missing.
    #[error("the field {0} is missing")]
    Missing(&'static str),
    /// An id that cannot be kept.
    #[error("the field {field} does not hold an id")]
    Id {
        /// Which.
        field: &'static str,
        /// Why.
        #[source]
        source: IdError,
    },
}

/// A call came in, or a leg that we created was answered: what should it hear?
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The number or user that was called, as it came.
    pub to: String,
    /// Who calls: a number, a SIP address, a Client SDK user, `anonymous`, or nothing.
    pub from: Option<String>,
    /// The caller's leg.
    pub leg: LegId,
    /// The conversation the leg is in.
    pub conversation: ConversationId,
    /// Base of REST calls about this leg, as it came; not yet trusted.
    pub region_url: Option<String>,
}

impl Answer {
    /// Reads an answer webhook.
    ///
    /// # Errors
    /// When `uuid` or `conversation_uuid` is missing or is no id. A missing `to` reads as empty text:
    /// it is no line of ours, and the caller is told so aloud.
    pub fn read(fields: &Fields) -> Result<Self, Unreadable> {
        Ok(Self {
            to: fields.text("to").unwrap_or_default(),
            from: fields.text("from").or_else(|| fields.text("from_user")),
            leg: fields
                .id("uuid", LegId::new)?
                .ok_or(Unreadable::Missing("uuid"))?,
            conversation: fields
                .id("conversation_uuid", ConversationId::new)?
                .ok_or(Unreadable::Missing("conversation_uuid"))?,
            region_url: fields.text("region_url"),
        })
    }
}

/// A value that Vonage writes as a number or as text, as text.
fn loose_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reads_alike_from_a_body_and_from_a_query() {
        let body = br#"{"to":"447700900000","from":"447700900123","uuid":"leg-1",
            "conversation_uuid":"CON-1","region_url":"https://api-eu-3.vonage.com","endpoint_type":"phone"}"#;
        let query = "to=447700900000&from=447700900123&uuid=leg-1&conversation_uuid=CON-1\
            &region_url=https%3A%2F%2Fapi-eu-3.vonage.com";
        let posted = Answer::read(&Fields::from_body(body).unwrap()).unwrap();
        assert_eq!(posted, Answer::read(&Fields::from_query(query)).unwrap());
        assert_eq!(
            posted.region_url.as_deref(),
            Some("https://api-eu-3.vonage.com")
        );
    }

    #[test]
    fn a_call_from_an_app_user_or_from_nobody_is_still_a_call() {
        let user = Fields::from_query("to=1&from_user=bob&uuid=a&conversation_uuid=b");
        assert_eq!(Answer::read(&user).unwrap().from.as_deref(), Some("bob"));
        let nobody =
            Fields::from_body(br#"{"to":null,"from":null,"uuid":"a","conversation_uuid":"b"}"#);
        let nobody = Answer::read(&nobody.unwrap()).unwrap();
        assert_eq!((nobody.from, nobody.to.as_str()), (None, ""));
    }

    #[test]
    fn an_answer_without_its_ids_is_unreadable() {
        for (query, why) in [
            ("to=1&conversation_uuid=b", "the field uuid is missing"),
            ("to=1&uuid=a", "the field conversation_uuid is missing"),
            (
                "to=1&uuid=a%23b&conversation_uuid=b",
                "the field uuid does not hold an id",
            ),
        ] {
            let error = Answer::read(&Fields::from_query(query)).unwrap_err();
            assert_eq!(error.to_string(), why, "{query}");
        }
    }
}
