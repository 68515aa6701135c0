//! A number that the account rents, and which application its calls go to.

use super::{Account, AccountError, PAGE_SIZE, PAGES_MAX, Request};
use http::Method;
use serde_json::{Map, Value};
use switchboard_shared::number::PhoneNumber;

/// What Vonage tells of a number and takes back as it is. An update may drop what it leaves out: that is
/// not documented. A voice callback of type `app`, the old way to link a number, is not taken back.
const KEPT: [&str; 5] = [
    "moHttpUrl",
    "moSmppSysType",
    "voiceStatusCallback",
    "messagesCallbackType",
    "messagesCallbackValue",
];

/// A number.
#[derive(Debug, Clone)]
pub struct Number {
    /// The number itself.
    pub number: PhoneNumber,
    country: String,
    fields: Map<String, Value>,
}

impl Number {
    /// Reads what the Numbers API shows of one.
    pub(crate) fn read(value: Value) -> Option<Self> {
        let Value::Object(fields) = value else {
            return None;
        };
        Some(Self {
            number: PhoneNumber::parse(fields.get("msisdn")?.as_str()?).ok()?,
            country: fields.get("country")?.as_str()?.to_owned(),
            fields,
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        let text = self.fields.get(name)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// The application it is linked to.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        let old = || match self.text("voiceCallbackType") {
            Some("app") => self.text("voiceCallbackValue"),
            _ => None,
        };
        self.text("app_id").or_else(old)
    }

    /// Whether its calls go to a telephone or a SIP address, whatever it is linked to: `tel` or `sip`.
    #[must_use]
    pub fn forwards(&self) -> Option<&str> {
        let kind = self.text("voiceCallbackType")?;
        matches!(kind, "tel" | "sip").then_some(kind)
    }

    /// Whether it can be called. What Vonage does not say is taken for a yes.
    #[must_use]
    pub fn takes_calls(&self) -> bool {
        let features = self.fields.get("features").and_then(Value::as_array);
        features.is_none_or(|features| features.iter().any(|one| one == "VOICE"))
    }

    /// What is sent to link it.
    fn form<'f>(&'f self, application: &'f str) -> Vec<(&'f str, &'f str)> {
        let mut form = vec![
            ("country", self.country.as_str()),
            ("msisdn", self.number.as_str()),
            ("app_id", application),
        ];
        form.extend(
            KEPT.iter()
                .filter_map(|name| Some((*name, self.text(name)?))),
        );
        if self.forwards().is_some() {
            let both = ["voiceCallbackType", "voiceCallbackValue"];
            form.extend(
                both.iter()
                    .filter_map(|name| Some((*name, self.text(name)?))),
            );
        }
        form
    }
}

impl Account {
    /// Every number of the account.
    ///
    /// # Errors
    /// When Vonage does not answer.
    pub async fn numbers(&self) -> Result<Vec<Number>, AccountError> {
        let mut all = Vec::new();
        for index in 1..=PAGES_MAX {
            let mut url = Self::below(&self.rest_url, &["account", "numbers"]);
            url.set_query(Some(&format!("size={PAGE_SIZE}&index={index}")));
            let request = Request::new("list the numbers", Method::GET, url);
            // An account without numbers is answered with an empty object.
            let mut list: Value = self.ask(request).await?;
            let Some(Value::Array(numbers)) = list.get_mut("numbers").map(Value::take) else {
                break;
            };
            let whole = numbers.len() == PAGE_SIZE;
            all.extend(numbers.into_iter().filter_map(Number::read));
            if !whole {
                break;
            }
        }
        Ok(all)
    }

    /// Links a number to an application, and leaves what else is set for it as it is.
    ///
    /// # Errors
    /// When Vonage refuses it, or does not answer.
    pub async fn link(&self, number: &Number, application: &str) -> Result<(), AccountError> {
        let url = Self::below(&self.rest_url, &["number", "update"]);
        let operation = format!("link {}", number.number);
        let request = Request::new(operation, Method::POST, url);
        self.send(request.form(&number.form(application))).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn number(more: &Value) -> Number {
        let mut fields = json!({ "country": "GB", "msisdn": "447700900000" });
        let more = more.as_object().unwrap().clone();
        fields.as_object_mut().unwrap().extend(more);
        Number::read(fields).unwrap()
    }

    #[test]
    fn what_is_set_for_a_number_stays_when_it_is_linked() {
        let number = number(&json!({
            "moHttpUrl": "https://sms.example", "features": ["VOICE"], "type": "landline",
            "voiceCallbackType": "tel", "voiceCallbackValue": "447700900001",
            "messagesCallbackType": "app", "messagesCallbackValue": "b",
        }));
        assert_eq!(
            number.form("a"),
            [
                ("country", "GB"),
                ("msisdn", "447700900000"),
                ("app_id", "a"),
                ("moHttpUrl", "https://sms.example"),
                ("messagesCallbackType", "app"),
                ("messagesCallbackValue", "b"),
                ("voiceCallbackType", "tel"),
                ("voiceCallbackValue", "447700900001"),
            ]
        );
    }

    #[test]
    fn a_number_is_linked_in_the_new_way_or_the_old_one() {
        assert_eq!(number(&json!({})).application(), None);
        assert_eq!(number(&json!({ "app_id": "" })).application(), None);
        assert_eq!(number(&json!({ "app_id": "a" })).application(), Some("a"));
        let old = number(&json!({ "voiceCallbackType": "app", "voiceCallbackValue": "b" }));
        assert_eq!((old.application(), old.forwards()), (Some("b"), None));
        assert_eq!(old.form("a").len(), 3);
        let forwarded =
            number(&json!({ "voiceCallbackType": "sip", "voiceCallbackValue": "sip:a@b" }));
        assert_eq!(
            (forwarded.application(), forwarded.forwards()),
            (None, Some("sip"))
        );
    }

    #[test]
    fn a_number_for_messages_alone_takes_no_calls() {
        assert!(number(&json!({})).takes_calls());
        assert!(number(&json!({ "features": ["SMS", "VOICE"] })).takes_calls());
        assert!(!number(&json!({ "features": ["SMS"] })).takes_calls());
    }
}
