//! What can be done to a leg while it is up.

use super::{RegionUrl, Repeat, Request, Vonage, VonageError};
use crate::id::LegId;
use crate::ncco::Ncco;
use http::Method;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

/// The leg an operation is about.
#[derive(Debug, Clone, Copy)]
pub struct Leg<'a> {
    /// Which one.
    pub id: &'a LegId,
    /// Where it lives. Asked about elsewhere, Vonage answers 404.
    pub region: Option<&'a RegionUrl>,
    /// When it began, if known. Within two seconds of that, a 400 is tried again.
    pub started: Option<Timestamp>,
}

/// How a hang-up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HungUp {
    /// We ended it.
    Now,
    /// It was over before we asked.
    Already,
}

/// Audio to play into a leg.
///
/// See [Vonage/Voice API reference/Play an audio file](https://developer.vonage.com/en/api/voice#startStream).
#[derive(Debug, Clone)]
pub struct Play {
    /// An mp3 or a 16-bit wav.
    pub url: Url,
    /// How often; 0 is for ever. Once, if absent.
    pub repeat: Option<u32>,
    /// Volume, from -1 to 1 in steps of 0.1. 0, if absent.
    pub level: Option<f32>,
}

/// Words to say into a leg.
///
/// See [Vonage/Voice API reference/Play text to speech](https://developer.vonage.com/en/api/voice#startTalk).
#[derive(Clone, Default)]
pub struct Talk {
    /// What to say, or SSML.
    pub text: String,
    /// BCP-47. `en-US`, if absent.
    pub language: Option<String>,
    /// Number of the voice in this language. 0, if absent.
    pub style: Option<u32>,
    /// Whether to use the better and dearer voices.
    pub premium: bool,
    /// How often; 0 is for ever. Once, if absent.
    pub repeat: Option<u32>,
    /// Volume, from -1 to 1 in steps of 0.1. 0, if absent.
    pub level: Option<f32>,
}

/// Each of these fails as [`VonageError`] says; `is_gone` means that the leg is over.
///
/// See [Vonage/Voice API reference/Modify an in-progress call](https://developer.vonage.com/en/api/voice#updateCall).
impl Vonage {
    /// Lets a leg go on with this script.
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn transfer(&self, leg: Leg<'_>, script: &Ncco) -> Result<(), VonageError> {
        let body =
            json!({ "action": "transfer", "destination": { "type": "ncco", "ncco": script } });
        self.put(leg, "transfer", &[], &body).await
    }

    /// Lets a leg go on with the script that Vonage gets from this URL. The URL is not called by us.
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn transfer_to_url(&self, leg: Leg<'_>, script: &Url) -> Result<(), VonageError> {
        let body = json!({ "action": "transfer", "destination": { "type": "ncco", "url": [script.as_str()] } });
        self.put(leg, "transfer", &[], &body).await
    }

    /// Ends a leg. One that Vonage does not know is over already, which is what was wanted.
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn hang_up(&self, leg: Leg<'_>) -> Result<HungUp, VonageError> {
        match self.act(leg, "hang up", "hangup").await {
            Ok(()) => Ok(HungUp::Now),
            Err(error) if error.is_gone() => Ok(HungUp::Already),
            Err(error) => Err(error),
        }
    }

    /// Makes a leg inaudible to the others.
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn mute(&self, leg: Leg<'_>) -> Result<(), VonageError> {
        self.act(leg, "mute", "mute").await
    }

    /// Takes back [`Vonage::mute`].
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn unmute(&self, leg: Leg<'_>) -> Result<(), VonageError> {
        self.act(leg, "unmute", "unmute").await
    }

    /// Lets a leg hear nothing.
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn earmuff(&self, leg: Leg<'_>) -> Result<(), VonageError> {
        self.act(leg, "earmuff", "earmuff").await
    }

    /// Takes back [`Vonage::earmuff`].
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn unearmuff(&self, leg: Leg<'_>) -> Result<(), VonageError> {
        self.act(leg, "unearmuff", "unearmuff").await
    }

    /// Plays audio into a leg, in place of what played before.
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn play(&self, leg: Leg<'_>, audio: &Play) -> Result<(), VonageError> {
        let mut body = json!({ "stream_url": [audio.url.as_str()] });
        set(&mut body, "loop", audio.repeat);
        set(&mut body, "level", audio.level.map(level));
        self.put(leg, "play audio to", &["stream"], &body).await
    }

    /// Stops [`Vonage::play`].
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn stop_playing(&self, leg: Leg<'_>) -> Result<(), VonageError> {
        self.delete(leg, "stop audio to", &["stream"]).await
    }

    /// Says something into a leg, in place of what was said before.
    ///
    /// # Errors
    /// See [`VonageError`]; a leg that was not answered yet refuses.
    pub async fn talk(&self, leg: Leg<'_>, talk: &Talk) -> Result<(), VonageError> {
        let mut body = json!({ "text": talk.text });
        set(&mut body, "language", talk.language.as_deref());
        set(&mut body, "style", talk.style);
        set(&mut body, "premium", talk.premium.then_some(true));
        set(&mut body, "loop", talk.repeat);
        set(&mut body, "level", talk.level.map(level));
        self.put(leg, "talk to", &["talk"], &body).await
    }

    /// Stops [`Vonage::talk`].
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn stop_talking(&self, leg: Leg<'_>) -> Result<(), VonageError> {
        self.delete(leg, "stop talking to", &["talk"]).await
    }

    /// Presses keys for a leg: `0` to `9`, `*`, `#`, and `p` for half a second's pause.
    ///
    /// Not repeated where it may have been done: a menu would hear the keys twice.
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn send_dtmf(&self, leg: Leg<'_>, digits: &str) -> Result<(), VonageError> {
        let mut request = self.request(leg, "send keys to", Method::PUT, &["dtmf"]);
        request.repeat = Repeat::Unsafe;
        self.send(&request.json(&json!({ "digits": digits })))
            .await
            .map(drop)
    }

    /// Has each key this leg presses sent to the URL, as an input event. Needs an `input` action in
    /// asynchronous mode.
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn subscribe_dtmf(&self, leg: Leg<'_>, event_url: &Url) -> Result<(), VonageError> {
        let body = json!({ "event_url": [event_url.as_str()] });
        self.put(leg, "subscribe to keys of", &["input", "dtmf"], &body)
            .await
    }

    /// Takes back [`Vonage::subscribe_dtmf`].
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn unsubscribe_dtmf(&self, leg: Leg<'_>) -> Result<(), VonageError> {
        self.delete(leg, "unsubscribe from keys of", &["input", "dtmf"])
            .await
    }

    async fn act(&self, leg: Leg<'_>, verb: &str, action: &str) -> Result<(), VonageError> {
        self.put(leg, verb, &[], &json!({ "action": action })).await
    }

    async fn put(
        &self,
        leg: Leg<'_>,
        verb: &str,
        path: &[&str],
        body: &Value,
    ) -> Result<(), VonageError> {
        let request = self.request(leg, verb, Method::PUT, path).json(body);
        self.send(&request).await.map(drop)
    }

    async fn delete(&self, leg: Leg<'_>, verb: &str, path: &[&str]) -> Result<(), VonageError> {
        self.send(&self.request(leg, verb, Method::DELETE, path))
            .await
            .map(drop)
    }

    pub(super) fn request(
        &self,
        leg: Leg<'_>,
        verb: &str,
        method: Method,
        path: &[&str],
    ) -> Request {
        let path = [&["v1", "calls", leg.id.as_str()], path].concat();
        let operation = format!("{verb} leg {}", leg.id);
        let request = Request::new(operation, method, self.url(leg.region, &path));
        Request {
            leg_started: leg.started,
            ..request
        }
    }
}

fn set(body: &mut Value, key: &str, value: Option<impl Serialize>) {
    if let Some(value) = value {
        body[key] = json!(value);
    }
}

/// The API wants a volume as text.
fn level(level: f32) -> String {
    format!("{level:.1}")
}

#[cfg(test)]
mod tests {
    use super::super::standin::{Standin, leg_id};
    use super::*;

    /// Checks what an operation sends: method, path below the leg, body.
    #[track_caller]
    fn check(standin: &Standin, (method, path, body): (&str, &str, Value)) {
        let sent = standin.taken();
        let path = format!("/v1/calls/{}{path}", leg_id());
        assert_eq!(sent.len(), 1);
        assert_eq!(
            (sent[0].method.as_str(), sent[0].uri.as_str()),
            (method, path.as_str())
        );
        assert_eq!(sent[0].json(), body);
        assert_eq!(sent[0].claims()["application_id"], "app");
    }

    #[tokio::test]
    async fn each_operation_sends_what_the_reference_asks_for() {
        let standin = Standin::start().await;
        let vonage = standin.client();
        let id = leg_id();
        let leg = Leg {
            id: &id,
            region: None,
            started: None,
        };
        let url = Url::parse("https://example.com/a?b=c").unwrap();

        let script = Ncco::default().then(crate::ncco::Talk::say("Hello"));
        vonage.transfer(leg, &script).await.unwrap();
        let body = json!({"action": "transfer", "destination": {"type": "ncco",
            "ncco": [{"action": "talk", "text": "Hello"}]}});
        check(&standin, ("PUT", "", body));

        vonage.transfer_to_url(leg, &url).await.unwrap();
        let body = json!({"action": "transfer", "destination": {"type": "ncco",
            "url": ["https://example.com/a?b=c"]}});
        check(&standin, ("PUT", "", body));

        assert_eq!(vonage.hang_up(leg).await.unwrap(), HungUp::Now);
        check(&standin, ("PUT", "", json!({"action": "hangup"})));
        vonage.mute(leg).await.unwrap();
        check(&standin, ("PUT", "", json!({"action": "mute"})));
        vonage.unmute(leg).await.unwrap();
        check(&standin, ("PUT", "", json!({"action": "unmute"})));
        vonage.earmuff(leg).await.unwrap();
        check(&standin, ("PUT", "", json!({"action": "earmuff"})));
        vonage.unearmuff(leg).await.unwrap();
        check(&standin, ("PUT", "", json!({"action": "unearmuff"})));
    }

    #[tokio::test]
    async fn each_sound_and_key_sends_what_the_reference_asks_for() {
        let standin = Standin::start().await;
        let vonage = standin.client();
        let id = leg_id();
        let leg = Leg {
            id: &id,
            region: None,
            started: None,
        };
        let url = Url::parse("https://example.com/a.mp3").unwrap();

        let mut play = Play {
            url: url.clone(),
            repeat: None,
            level: None,
        };
        vonage.play(leg, &play).await.unwrap();
        let body = json!({"stream_url": ["https://example.com/a.mp3"]});
        check(&standin, ("PUT", "/stream", body));
        // 0 is for ever, and not nothing.
        (play.repeat, play.level) = (Some(0), Some(-0.5));
        vonage.play(leg, &play).await.unwrap();
        let body = json!({"stream_url": ["https://example.com/a.mp3"], "loop": 0, "level": "-0.5"});
        check(&standin, ("PUT", "/stream", body));
        vonage.stop_playing(leg).await.unwrap();
        check(&standin, ("DELETE", "/stream", Value::Null));

        let mut talk = Talk {
            text: "Hi".into(),
            ..Talk::default()
        };
        vonage.talk(leg, &talk).await.unwrap();
        check(&standin, ("PUT", "/talk", json!({"text": "Hi"})));
        talk = Talk {
            language: Some("en-GB".into()),
            style: Some(0),
            premium: true,
            ..talk
        };
        talk = Talk {
            repeat: Some(0),
            level: Some(0.0),
            ..talk
        };
        vonage.talk(leg, &talk).await.unwrap();
        let body = json!({"text": "Hi", "language": "en-GB", "style": 0, "premium": true,
            "loop": 0, "level": "0.0"});
        check(&standin, ("PUT", "/talk", body));
        vonage.stop_talking(leg).await.unwrap();
        check(&standin, ("DELETE", "/talk", Value::Null));

        vonage.send_dtmf(leg, "1p#").await.unwrap();
        check(&standin, ("PUT", "/dtmf", json!({"digits": "1p#"})));
        vonage.subscribe_dtmf(leg, &url).await.unwrap();
        let body = json!({"event_url": ["https://example.com/a.mp3"]});
        check(&standin, ("PUT", "/input/dtmf", body));
        vonage.unsubscribe_dtmf(leg).await.unwrap();
        check(&standin, ("DELETE", "/input/dtmf", Value::Null));
    }

    #[tokio::test]
    async fn hanging_up_on_a_leg_that_is_over_is_what_was_wanted() {
        let standin = Standin::start().await;
        let (vonage, id) = (standin.client(), leg_id());
        let leg = Leg {
            id: &id,
            region: None,
            started: None,
        };
        standin.answer(404, r#"{"title":"Not Found"}"#);
        assert_eq!(vonage.hang_up(leg).await.unwrap(), HungUp::Already);
        standin.answer(404, "");
        let error = vonage.mute(leg).await.unwrap_err();
        assert!(error.is_gone() && !error.may_have_been_applied(), "{error}");
    }

    #[tokio::test]
    async fn keys_are_not_pressed_twice() {
        let standin = Standin::start().await;
        let (vonage, id) = (standin.client(), leg_id());
        let leg = Leg {
            id: &id,
            region: None,
            started: None,
        };
        standin.answer(503, "");
        let error = vonage.send_dtmf(leg, "1").await.unwrap_err();
        assert!(error.may_have_been_applied(), "{error}");
        assert_eq!(standin.taken().len(), 1);
    }

    #[tokio::test]
    async fn a_call_is_looked_for_in_its_region() {
        let (global, region) = (Standin::start().await, Standin::start().await);
        // Both stand-ins speak http, which only the configured origin may: the region is the client's own.
        let vonage = region.client();
        let id = leg_id();
        let url = RegionUrl::parse(&region.url(), vonage.trust()).unwrap();
        vonage
            .mute(Leg {
                id: &id,
                region: Some(&url),
                started: None,
            })
            .await
            .unwrap();
        assert_eq!(region.taken().len(), 1);
        // A region that another client trusts is no region to this one.
        let foreign = RegionUrl::parse(&global.url(), global.client().trust()).unwrap();
        let leg = Leg {
            id: &id,
            region: Some(&foreign),
            started: None,
        };
        let error = vonage.mute(leg).await.unwrap_err();
        assert!(matches!(error, VonageError::Refused { .. }), "{error}");
        assert!(global.taken().is_empty() && region.taken().is_empty());
    }
}
