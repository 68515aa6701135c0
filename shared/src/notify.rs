//! Telling people what happened on their lines: whom, in which words, where, and when again.
//!
//! | file | noun |
//! | --- | --- |
//! | `address.rs` | where a target is told, and which addresses are public |
//! | `words.rs` | the operator's words, and the usual ones |
//! | `facts.rs` | what is known of news, as words and as JSON |
//! | `notification.rs` | news for one target, and how far the telling got |
//! | `schedule.rs` | when it is tried again |
//! | `seal.rs` | the signature of what is sent |
//! | `messenger.rs` | the HTTP client |

mod address;
mod facts;
mod messenger;
mod notification;
mod schedule;
mod seal;
mod words;

pub use address::{TargetUrl, TargetUrlError, URL_LENGTH_MAX, is_public};
pub use facts::{Facts, caller_shown, lasting};
pub use messenger::{ATTEMPT_TIMEOUT, Messenger, Outcome};
pub use notification::{Notification, NotificationId, NotificationIdError, State};
pub use schedule::{ATTEMPTS, DELAYS, RETRY_AFTER_MAX, delay};
pub use seal::Seal;
pub use words::{Escape, WORDS_LENGTH_MAX, WRITTEN_MAX, Words, WordsError};
