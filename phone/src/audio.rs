//! What a call sounds like.
