//! Notifications and how far the telling got.

use super::{Item, Key, Listing, Noted, Store, StoreError, expiry, key, key_of, text, to_item};
use crate::notify::{Notification, NotificationId, State};
use crate::plan::Keep;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

impl Store {
    /// Keeps a notification that is to be told. Of the same news told again the first is kept.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn keep_notification(
        &self,
        notification: &Notification,
    ) -> Result<Noted, StoreError> {
        let put = self
            .client
            .put_item()
            .set_item(Some(notification_item(notification, self.keep())))
            .condition_expression("attribute_not_exists(pk)");
        let new = self.put_if("keep a notification", put).await?;
        Ok(if new { Noted::First } else { Noted::Again })
    }

    /// A notification.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn notification(
        &self,
        id: &NotificationId,
    ) -> Result<Option<Notification>, StoreError> {
        self.get("read a notification", Key::Notification(id)).await
    }

    /// Begins an attempt, until when nobody else does: of several jobs about one notification, one
    /// gets to tell. False when another was faster.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn begin_telling(
        &self,
        notification: &mut Notification,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let due = std::mem::replace(&mut notification.due, until);
        notification.attempts += 1;
        let put = self
            .client
            .put_item()
            .set_item(Some(notification_item(notification, self.keep())))
            .condition_expression("#state = :pending AND #due = :due AND #attempts = :attempts")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#due", "due")
            .expression_attribute_names("#attempts", "attempts")
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":due", text(due.to_string()))
            .expression_attribute_values(
                ":attempts",
                AttributeValue::N((notification.attempts - 1).to_string()),
            );
        self.put_if("begin to tell", put).await
    }

    /// Writes what came of an attempt. What was told stays told; and a failure that comes when
    /// another attempt has begun changes nothing. False in those cases.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn end_telling(&self, notification: &Notification) -> Result<bool, StoreError> {
        let mut put = self
            .client
            .put_item()
            .set_item(Some(notification_item(notification, self.keep())))
            .expression_attribute_names("#state", "state");
        put = if notification.state == State::Told {
            put.condition_expression("#state <> :told")
                .expression_attribute_values(":told", text("told"))
        } else {
            put.condition_expression("#state = :pending AND #attempts = :attempts")
                .expression_attribute_names("#attempts", "attempts")
                .expression_attribute_values(":pending", text("pending"))
                .expression_attribute_values(
                    ":attempts",
                    AttributeValue::N(notification.attempts.to_string()),
                )
        };
        self.put_if("write what came of telling", put).await
    }

    /// Takes a notification up again: due now, and with all its attempts before it. False when it
    /// was told meanwhile.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn take_up_notification(
        &self,
        notification: &mut Notification,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        notification.state = State::Pending;
        notification.attempts = 0;
        notification.due = now;
        let put = self
            .client
            .put_item()
            .set_item(Some(notification_item(notification, self.keep())))
            .condition_expression("#state <> :told")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":told", text("told"));
        self.put_if("take a notification up again", put).await
    }

    /// The notifications under a listing, oldest first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn notifications_in(
        &self,
        listing: Listing,
    ) -> Result<Vec<Notification>, StoreError> {
        self.list("a notification", listing).await
    }
}

fn notification_item(notification: &Notification, keep: Keep) -> Item {
    let mut item = key_of(Key::Notification(&notification.id));
    item.extend(to_item(notification));
    let listing = match notification.state {
        State::Pending => Some(Listing::Untold),
        State::Failed => Some(Listing::GivenUp),
        // Listed nowhere, and so written once less.
        State::Told => None,
    };
    if let Some(listing) = listing {
        item.insert(key::LISTING.to_owned(), text(listing.pk()));
        let listed = format!("{}#{}", notification.since, notification.id);
        item.insert(key::LISTED.to_owned(), text(listed));
    }
    // For as long as its webhooks could come once more.
    item.insert(key::TTL.to_owned(), expiry(notification.since, keep.ledger));
    item
}
