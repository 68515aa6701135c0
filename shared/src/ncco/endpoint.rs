//! Who can be rung.

mod app;
mod phone;
mod sip;
mod vbc;
mod websocket;

pub use app::App;
pub use phone::{OnAnswer, Phone};
pub use sip::{Sip, SipAddress, StandardHeaders};
pub use vbc::Vbc;
pub use websocket::{Authorization, ContentType, Websocket};

use serde::{Deserialize, Serialize};

/// Where a leg can be connected. On the wire an object whose `type` names the kind.
///
/// See [Vonage/Voice API/NCCO reference/Connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Endpoint {
    /// A phone on the public network.
    Phone(Phone),
    /// A user of Vonage's client SDK.
    App(App),
    /// A websocket, for audio in and out.
    Websocket(Websocket),
    /// A SIP address or trunk.
    Sip(Sip),
    /// An extension of Vonage Business Communications.
    Vbc(Vbc),
}
