//! The application the tests pretend to be.

/// PKCS#8 PEM of the application's private key: what tests set as `VONAGE_PRIVATE_KEY`.
pub const PRIVATE_KEY: &str = include_str!("fixtures/application.key.pem");

/// PEM of the public half (SubjectPublicKeyInfo), as Vonage keeps it.
pub const PUBLIC_KEY: &str = include_str!("fixtures/application.pub.pem");

/// The application id that [`crate::platform::Platform`] takes tokens of: what tests set as
/// `VONAGE_APPLICATION_ID`.
pub const APPLICATION_ID: &str = "1c2a5b6e-3f40-4d8a-9b1d-7e6f5a4b3c2d";
