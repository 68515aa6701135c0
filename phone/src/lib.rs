//! A Vonage Voice platform in a box: legs, conversations, NCCOs, webhooks, the REST API and
//! recordings, on a clock of its own. It rings a server as Vonage would, for tests and for a browser.
//!
//! It is a reading of Vonage's documents of its own, and depends on nothing of Switchboard's: what one
//! side misreads, the other does not mirror.
//!
//! [`Platform`] is the whole of it, without input or output.

mod account;
pub mod audio;
mod connect;
mod conversation;
mod disorder;
mod event;
mod hook;
mod input;
mod journal;
mod leg;
mod manner;
pub mod ncco;
mod page;
mod phone;
mod platform;
mod play;
mod recording;
mod rest;
mod settings;
mod token;

pub use account::{Account, Application};
pub use conversation::LEGS_MAX;
pub use disorder::Disorder;
pub use hook::{ATTEMPTS, Outcome, Outgoing};
pub use journal::{Entry, Heard, What};
pub use leg::{Direction, Ending, Leg, LegId, Status};
pub use manner::Manner;
pub use page::{Directory, ranged};
pub use phone::Phone;
pub use platform::{NotNow, Platform};
pub use recording::{KEPT, Recording};
pub use rest::{Answered, Asked, Content, EARLY};
pub use settings::{
    ANSWER_TIMEOUT, CONNECT_TIMEOUT, EVENT_TIMEOUT, LEGS_PER_SECOND, Method, REQUESTS_PER_SECOND,
    Settings, Webhook,
};
pub use token::{PublicKey, admits};
