//! Telling the server.

use serde_json::Value;

use super::object::Object;
use super::{Hook, Refused, line};
use crate::hook::path;

/// Tells the server that the script has come this far. Its reply may be another script.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#notify).
#[derive(Debug, Clone, PartialEq)]
pub struct Notify {
    /// An object, sent along as it is.
    pub payload: Value,
    /// Who is told. Required here.
    pub hook: Hook,
}

impl Notify {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        let payload = object.required("payload", object.object("payload")?)?;
        Ok(Self {
            payload: Value::Object(payload.fields().clone()),
            hook: object.required("eventUrl", Hook::read(object)?)?,
        })
    }

    pub(super) fn summary(&self) -> String {
        line::fit(&format!("asks {}", path(&self.hook.url)))
    }
}
