//! What the store, the archive and the queues rely on, asked of the engines
//! through the SDK clients.

mod dynamodb;
mod outside;
mod s3;
mod sqs;
