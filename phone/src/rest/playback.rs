//! What is played into a call, and keys.

use super::body::Body;
use super::{Content, Done, Refusal};
use crate::audio;
use crate::input::KEY;
use crate::leg::{Audio, LegId};
use crate::ncco::{self, Method, Times};
use crate::platform::Platform;
use serde_json::json;

impl Platform {
    pub(super) fn start_stream(&mut self, id: &str, bytes: &[u8]) -> Done {
        let leg = self.live(id)?;
        let mut body = Body::read(bytes)?;
        let url = body.url("stream_url");
        if url.is_none() && body.get("stream_url").is_none() {
            body.fault("stream_url", "is missing");
        }
        let times = times(&mut body);
        body.level();
        body.finish()?;
        self.up(&leg)?;
        let url = url.unwrap_or_default();
        self.lay_over(&leg, Audio::Stream { url }, times);
        Ok(said(&leg, "Stream started"))
    }

    pub(super) fn start_talk(&mut self, id: &str, bytes: &[u8]) -> Done {
        let leg = self.live(id)?;
        let mut body = Body::read(bytes)?;
        let text = body.text("text");
        let language = body.text("language").unwrap_or_else(|| "en-US".to_owned());
        match &text {
            None if body.get("text").is_none() => body.fault("text", "is missing"),
            // What a script may say, and in which language, may be said here.
            Some(text) => {
                let talk = json!([{ "action": "talk", "text": text, "language": language }]);
                if let Err(refused) = ncco::read(&talk) {
                    let name = refused.pointer.trim_start_matches("/0/");
                    body.fault(name, refused.reason);
                }
            }
            None => {}
        }
        body.number("style", 0..=u64::from(u32::MAX));
        body.flag("premium");
        let times = times(&mut body);
        body.level();
        body.finish()?;
        self.up(&leg)?;
        let text = text.unwrap_or_default();
        self.lay_over(&leg, Audio::Talk { text, language }, times);
        Ok(said(&leg, "Talk started"))
    }

    /// Stops what REST plays.
    pub(super) fn stop(&mut self, id: &str, word: &'static str) -> Done {
        let leg = self.live(id)?;
        self.up(&leg)?;
        self.hush(&leg);
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.overlay = None;
        }
        self.listen(&leg);
        Ok(said(&leg, word))
    }

    pub(super) fn send_dtmf(&mut self, id: &str, bytes: &[u8]) -> Done {
        let leg = self.live(id)?;
        let mut body = Body::read(bytes)?;
        let digits = body.text("digits");
        let keys = digits.as_deref().unwrap_or_default();
        if keys.is_empty() || !keys.chars().all(|key| "0123456789*#p".contains(key)) {
            body.fault("digits", "must be keys: 0 to 9, *, # and p for a pause");
        }
        body.finish()?;
        self.up(&leg)?;
        for key in keys.chars().filter(|key| *key != 'p') {
            let sound = audio::What::Key(key);
            self.sound(&leg, None, KEY, &sound);
        }
        Ok(said(&leg, "DTMF sent"))
    }

    /// Each key goes to this URL as an event, where an asynchronous `input` has let it.
    pub(super) fn subscribe(&mut self, id: &str, bytes: &[u8]) -> Done {
        let leg = self.live(id)?;
        let mut body = Body::read(bytes)?;
        let url = body.url("event_url");
        if url.is_none() && body.get("event_url").is_none() {
            body.fault("event_url", "is missing");
        }
        body.finish()?;
        self.up(&leg)?;
        let found = self.legs.get_mut(&leg).filter(|leg| leg.keys_open);
        let Some(found) = found else {
            return Err(Refusal::Early("no asynchronous input"));
        };
        found.keys = url.map(|url| (url, Method::Post));
        Ok((200, Content::Nothing))
    }

    pub(super) fn unsubscribe(&mut self, id: &str) -> Done {
        let leg = self.live(id)?;
        self.up(&leg)?;
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.keys = None;
        }
        Ok((200, Content::Nothing))
    }
}

fn times(body: &mut Body) -> Times {
    let max = u64::from(u32::MAX);
    match body.number("loop", 0..=max) {
        Some(0) => Times::Forever,
        Some(times) => Times::Count(u32::try_from(times).unwrap_or(u32::MAX)),
        None => Times::Count(1),
    }
}

fn said(leg: &LegId, message: &str) -> (u16, Content) {
    let body = json!({ "message": message, "uuid": leg });
    (200, Content::Json(body))
}
