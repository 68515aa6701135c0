//! What a caller hears when Vonage got no good answer from the other functions.
//!
//! It shares nothing with what it backs up: no table, no queue, no secret. So it cannot check who
//! signed the request either, and tells nobody anything that is not told to every caller.
//!
//! See [Vonage/Webhooks/Retries](https://api.support.vonage.com/hc/en-us/articles/115016024247).

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;
use switchboard_shared::config::Lookup;
use switchboard_shared::cue::{AGAIN_MAX, Cue};
use switchboard_shared::ncco::limits::TALK_TEXT_MAX;
use switchboard_shared::ncco::{Connect, Ncco, Phone, Talk};
use switchboard_shared::number::PhoneNumber;
use switchboard_shared::script;
use switchboard_shared::web::{self, Failure};
use switchboard_shared::webhook::Fields;
use url::Url;

/// How long the emergency phone rings. Longer than a plan's agents: there is nobody after it.
const RINGS: Duration = Duration::from_secs(60);

/// Why Vonage asks us, in its own words. Others are not logged: anybody may have written them.
const REASONS: [&str; 5] = [
    "Connection closed.",
    "Connection reset.",
    "Socket timeout.",
    "Invalid NCCO.",
    "Invalid response code.",
];

/// What the function works with; built once.
#[derive(Debug)]
pub struct Fallback {
    say: Talk,
    emergency: Option<PhoneNumber>,
    base: Option<String>,
}

impl Fallback {
    /// Reads the settings. All may be absent.
    pub fn from_lookup(lookup: &mut Lookup) -> Self {
        let say = lookup.read("SWITCHBOARD_FALLBACK_SAY", |text| {
            if text.chars().count() <= TALK_TEXT_MAX {
                Ok(text.to_owned())
            } else {
                Err(format!(
                    "longer than the {TALK_TEXT_MAX} characters that Vonage speaks"
                ))
            }
        });
        let language = lookup.optional("SWITCHBOARD_FALLBACK_LANGUAGE");
        Self {
            say: Talk {
                language: Some(language.unwrap_or_else(|| script::OWN_LANGUAGE.to_owned())),
                ..Talk::say(say.unwrap_or_else(|| script::SORRY.to_owned()))
            },
            emergency: lookup.read("SWITCHBOARD_EMERGENCY_NUMBER", PhoneNumber::parse),
            base: web::base_url(lookup),
        }
    }

    /// The script for a call whose webhook failed.
    ///
    /// A call that had come further than its answer is not given up for one reply: it is asked about
    /// again, at the base where its own webhooks are.
    #[must_use]
    pub fn script(&self, failed: Option<&Fields>, asked_at: &str) -> Ncco {
        let url = failed.and_then(original);
        let cue = failed.and_then(|fields| cue(fields, url.as_ref()));
        if let Some(cue) = cue.filter(|cue| cue.again < AGAIN_MAX) {
            let origin = url.map(|url| url.origin().ascii_serialization());
            let base = self.base.clone().or(origin);
            return script::ask_again(cue, base.as_deref().unwrap_or(asked_at));
        }
        let ncco = Ncco::default().then(self.say.clone());
        let agents = url.is_some_and(|url| url.path().starts_with("/webhooks/answer/agent/"));
        // An agent who picked up is no caller in need.
        let Some(emergency) = self.emergency.as_ref().filter(|_| !agents) else {
            return ncco;
        };
        let line = failed.and_then(|fields| PhoneNumber::parse(&fields.text("to")?).ok());
        ncco.then(Connect {
            // A real phone is rung from one of the account's own numbers: the one that was called.
            random_from_number: line.is_none().then_some(true),
            from: line,
            timeout: Some(RINGS),
            ..Connect::to(Phone::of(emergency.clone()))
        })
        // Nobody picked up there.
        .then(self.say.clone())
    }
}

/// The routes.
pub fn router(fallback: Fallback) -> Router {
    Router::new()
        .route("/webhooks/fallback", get(on_fallback).post(on_fallback))
        .with_state(Arc::new(fallback))
}

async fn on_fallback(
    State(fallback): State<Arc<Fallback>>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let body = web::read_body(&parts.headers, body).await?;
    let fields = if body.is_empty() {
        Some(Fields::from_query(parts.uri.query().unwrap_or_default()))
    } else {
        Fields::from_body(&body).ok()
    };
    let said = fields.as_ref().and_then(|fields| fields.text("reason"));
    let reason = REASONS
        .into_iter()
        .find(|reason| said.as_deref() == Some(reason));
    tracing::error!(
        reason = reason.unwrap_or("none that we know"),
        "Vonage fell back: another webhook of ours failed"
    );
    let asked_at = web::base_of(&parts.uri, &parts.headers);
    Ok(web::say(&fallback.script(fields.as_ref(), &asked_at)))
}

/// The URL of the webhook that failed.
fn original(fields: &Fields) -> Option<Url> {
    let url = fields.value("original_request")?.get("url")?.as_str()?;
    Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// What that webhook was about: the payload of a `notify`, or the event URL's query.
fn cue(fields: &Fields, url: Option<&Url>) -> Option<Cue> {
    let payload = fields.value("payload").and_then(Cue::from_payload);
    payload.or_else(|| Cue::from_query(url?.query()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn fallback(settings: &'static [(&str, &str)]) -> Fallback {
        let mut lookup = Lookup::new(|name| {
            let found = settings.iter().find(|(one, _)| *one == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let fallback = Fallback::from_lookup(&mut lookup);
        lookup.finish(Some(fallback)).unwrap()
    }

    fn script(fallback: &Fallback, failed: &Value) -> Value {
        let fields = Fields::from_body(failed.to_string().as_bytes()).unwrap();
        let ncco = fallback.script(Some(&fields), "https://f.lambda-url.example");
        assert!(ncco.check().is_empty(), "{:?}", ncco.check());
        serde_json::to_value(ncco).unwrap()
    }

    const OFFICE: &[(&str, &str)] = &[
        ("SWITCHBOARD_FALLBACK_SAY", "Wir sind gleich wieder da."),
        ("SWITCHBOARD_FALLBACK_LANGUAGE", "de-DE"),
        ("SWITCHBOARD_EMERGENCY_NUMBER", "447700900099"),
    ];

    #[test]
    fn a_caller_hears_the_operators_words_and_is_put_through_to_the_emergency_phone() {
        let failed = json!({
            "to": "447700900000", "from": "447700900123",
            "original_request": { "url": "https://a.example/webhooks/answer", "type": "answer" },
        });
        let say = json!({
            "action": "talk", "text": "Wir sind gleich wieder da.", "language": "de-DE",
        });
        let connect = json!({
            "action": "connect", "from": "447700900000", "timeout": 60,
            "endpoint": [{ "type": "phone", "number": "447700900099" }],
        });
        assert_eq!(
            script(&fallback(OFFICE), &failed),
            json!([say, connect, say])
        );
    }

    #[test]
    fn without_settings_a_caller_hears_an_apology() {
        let heard = script(&fallback(&[]), &json!({}));
        let say = json!({ "action": "talk", "text": script::SORRY, "language": "en-GB" });
        assert_eq!(heard, json!([say]));
        let unread = fallback(&[]).script(None, "https://f.example");
        assert_eq!(serde_json::to_value(unread).unwrap(), heard);
    }

    #[test]
    fn an_agents_leg_does_not_ring_the_emergency_phone() {
        let url = "https://a.example/webhooks/answer/agent/CON-1/leg-1?call=leg-1";
        let failed = json!({ "to": "447700900001", "original_request": { "url": url } });
        let heard = script(&fallback(OFFICE), &failed);
        assert_eq!(heard.as_array().unwrap().len(), 1, "{heard}");
    }

    #[test]
    fn a_call_without_a_line_rings_the_emergency_phone_from_any_number_of_the_account() {
        let heard = script(&fallback(OFFICE), &json!({ "to": "sip:desk@example.com" }));
        assert_eq!(heard[1]["randomFromNumber"], true);
        assert_eq!(heard[1].get("from"), None);
    }

    #[test]
    fn a_call_on_hold_is_asked_about_again_where_its_own_webhooks_are() {
        let mut failed = json!({
            "payload": { "call": "leg-1", "flow": "support", "hold": "3" },
            "original_request": { "url": "https://a.example/webhooks/event", "type": "event" },
        });
        let fallback = fallback(OFFICE);
        for _ in 0..AGAIN_MAX {
            let heard = script(&fallback, &failed);
            assert_eq!(heard[2]["action"], "notify", "{heard}");
            assert_eq!(heard[2]["eventUrl"][0], "https://a.example/webhooks/event");
            failed["payload"] = heard[2]["payload"].clone();
        }
        let heard = script(&fallback, &failed);
        assert_eq!(
            heard[1]["action"], "connect",
            "asked for long enough: {heard}"
        );
    }

    #[test]
    fn settings_that_do_not_read_are_named() {
        let mut lookup = Lookup::new(|name| match name {
            "SWITCHBOARD_FALLBACK_SAY" => Some("a".repeat(TALK_TEXT_MAX + 1)),
            "SWITCHBOARD_EMERGENCY_NUMBER" => Some("0800".to_owned()),
            _ => None,
        });
        let fallback = Fallback::from_lookup(&mut lookup);
        let error = lookup.finish(Some(fallback)).unwrap_err().to_string();
        for name in ["SWITCHBOARD_FALLBACK_SAY", "SWITCHBOARD_EMERGENCY_NUMBER"] {
            assert!(error.contains(name), "{error}");
        }
    }
}
