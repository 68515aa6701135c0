//! Scripts: what Vonage takes, and what it refuses.
