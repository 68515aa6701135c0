//! The application's private key, in whatever shape it survived an environment variable.

use crate::crypto;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::EncodingKey;
use std::io::Read;
use std::path::Path;

/// Bytes of a key file that are read. A PEM of 4096 bits, the longest key taken, has 3.3 kB.
const FILE_SIZE_MAX: u64 = 64 * 1024;

/// Longest text that is taken for a path, as Linux has it (`PATH_MAX`).
const PATH_LENGTH_MAX: usize = 4096;

/// An RSA private key that is known to sign. `Debug` does not show it.
///
/// See [Vonage/Authentication/JWT](https://developer.vonage.com/en/getting-started/concepts/authentication#json-web-tokens).
#[derive(Clone)]
pub struct PrivateKey(EncodingKey);

/// Why a text is no usable private key. Each message names the remedy; none repeats the text.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Nothing there.
    #[error(
        "the private key is empty: give the PEM that Vonage showed when the application was made, or a path to it"
    )]
    Empty,
    /// Not a PEM, so taken for a path, and not there.
    #[error(
        "the private key is neither a PEM nor a file that can be read: give the text from BEGIN to END, or a path to it"
    )]
    File {
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// No `-----BEGIN … -----` in it.
    #[error(
        "the private key is not a PEM: give all of the text, with the lines BEGIN PRIVATE KEY and END PRIVATE KEY"
    )]
    NotPem,
    /// The public half, or a certificate.
    #[error(
        "this is a public key: give the private one of the pair, which begins with BEGIN PRIVATE KEY"
    )]
    Public,
    /// Needs a password.
    #[error(
        "the private key is encrypted: take the password off with `openssl pkey -in KEY -out PLAIN`"
    )]
    Encrypted,
    /// Begins and does not end, or has lost something between.
    #[error("the private key is cut short or damaged: copy all of it again, from BEGIN to END")]
    Damaged,
    /// EC, Ed25519, OpenSSH's own format.
    #[error(
        "the private key is not an RSA key in PEM: Vonage signs with RS256, so make a pair with `openssl genrsa 2048`"
    )]
    NotRsa,
    /// Vonage and ring ask for 2048 bits.
    #[error("the private key has fewer than 2048 bits: make a pair with `openssl genrsa 2048`")]
    TooShort,
    /// ring signs with at most 4096 bits.
    #[error("the private key has more than 4096 bits: make a pair with `openssl genrsa 2048`")]
    TooLong,
}

impl PrivateKey {
    /// Reads a key: a PEM in PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`), with
    /// real newlines, CRLF, literal `\n` or none at all, in quotes or not; the base64 of such a PEM;
    /// or a path to a file that holds any of these.
    ///
    /// # Errors
    /// When it is none of these, or not an RSA key of 2048 to 4096 bits: see [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = plain(text);
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if let Some(pem) = find_pem(&text) {
            return read_pem(&pem);
        }
        if text.len() > PATH_LENGTH_MAX || text.contains('\n') {
            return Err(KeyError::NotPem);
        }
        let file = read_file(Path::new(&text)).map_err(|source| KeyError::File { source })?;
        read_pem(&find_pem(&plain(&file)).ok_or(KeyError::NotPem)?)
    }

    /// The public half, in the DER form of PKCS #1: what whoever checks our tokens is given.
    ///
    /// # Panics
    /// Never: the key is known to read.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        let pair = crypto::rsa_key_pair(self.0.as_bytes()).expect("the key was read before");
        pair.public().as_ref().to_vec()
    }

    pub(super) fn signing(&self) -> &EncodingKey {
        &self.0
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey([redacted])")
    }
}

/// Takes off what shells, dotenv files and consoles put around a text and between its lines.
fn plain(text: &str) -> String {
    let text = text.trim().trim_start_matches('\u{feff}');
    let text = text.trim_matches(['"', '\'']);
    text.replace("\\r", "")
        .replace("\\n", "\n")
        .replace('\r', "")
        .trim()
        .to_owned()
}

/// The PEM itself, or the one that the text is the base64 of.
fn find_pem(text: &str) -> Option<String> {
    const BEGIN: &str = "-----BEGIN";
    if text.contains(BEGIN) {
        return Some(text.to_owned());
    }
    let decoded = STANDARD.decode(squeeze(text)).ok()?;
    let decoded = plain(&String::from_utf8(decoded).ok()?);
    decoded.contains(BEGIN).then_some(decoded)
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect()
}

fn read_file(path: &Path) -> std::io::Result<String> {
    if !path.metadata()?.is_file() {
        // A device or a pipe could keep us waiting for ever.
        return Err(std::io::Error::other("not a regular file"));
    }
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(FILE_SIZE_MAX)
        .read_to_string(&mut text)?;
    Ok(text)
}

fn read_pem(pem: &str) -> Result<PrivateKey, KeyError> {
    let damaged = || KeyError::Damaged;
    let (_, rest) = pem.split_once("-----BEGIN ").ok_or_else(damaged)?;
    let (label, rest) = rest.split_once("-----").ok_or_else(damaged)?;
    match label.trim() {
        "PRIVATE KEY" | "RSA PRIVATE KEY" => {}
        "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
        label if label.ends_with("PUBLIC KEY") || label.ends_with("CERTIFICATE") => {
            return Err(KeyError::Public);
        }
        _ => return Err(KeyError::NotRsa),
    }
    if rest.contains("ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    let (base64, _) = rest.split_once("-----END ").ok_or_else(damaged)?;
    let der = STANDARD
        .decode(squeeze(base64))
        .map_err(|_| KeyError::Damaged)?;
    // Parsed here so that a bad key fails at start and not at the first call.
    crypto::rsa_key_pair(&der).map_err(|rejected| match rejected.to_string().as_str() {
        "TooSmall" => KeyError::TooShort,
        "TooLarge" => KeyError::TooLong,
        "WrongAlgorithm" => KeyError::NotRsa,
        _ => KeyError::Damaged,
    })?;
    Ok(PrivateKey(EncodingKey::from_rsa_der(&der)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    const RSA: &str = include_str!("../../fixtures/keys/rsa.pem");
    const RSA_PKCS1: &str = include_str!("../../fixtures/keys/rsa-pkcs1.pem");

    /// The key whose public half is `rsa-public.pem`.
    pub(crate) fn key() -> PrivateKey {
        PrivateKey::parse(RSA).unwrap()
    }

    fn read(text: &str) -> Result<Vec<u8>, KeyError> {
        PrivateKey::parse(text).map(|key| key.signing().as_bytes().to_vec())
    }

    #[test]
    fn a_key_is_read_in_every_shape_it_arrives_in() {
        for pem in [RSA, RSA_PKCS1] {
            let der = read(pem).unwrap();
            for (shape, text) in [
                ("literal newlines", pem.replace('\n', "\\n")),
                ("CRLF", pem.replace('\n', "\r\n")),
                ("literal CRLF", pem.replace('\n', "\\r\\n")),
                ("no last newline", pem.trim().to_owned()),
                ("double quotes", format!("\"{}\"", pem.replace('\n', "\\n"))),
                ("single quotes", format!("'{pem}'\n")),
                ("newlines became spaces", pem.replace('\n', " ")),
                ("newlines lost", pem.replace('\n', "")),
                ("indented", pem.replace('\n', "\n    ")),
                ("byte order mark", format!("\u{feff}{pem}")),
                ("base64", STANDARD.encode(pem)),
                ("base64 in quotes", format!("\"{}\"", STANDARD.encode(pem))),
                ("base64 of CRLF", STANDARD.encode(pem.replace('\n', "\r\n"))),
                (
                    "base64 in lines",
                    STANDARD.encode(pem).replace("LS", "LS\n").to_string(),
                ),
            ] {
                assert_eq!(read(&text).ok(), Some(der.clone()), "{shape}");
            }
        }
    }

    #[test]
    fn a_key_is_read_from_a_file() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys");
        assert!(read(&format!("{folder}/rsa.pem")).is_ok());
        assert!(read(&format!("'{folder}/rsa-pkcs1.pem'\n")).is_ok());
        let source = read(&format!("{folder}/keys.source"));
        assert!(matches!(source, Err(KeyError::NotPem)), "{source:?}");
        for path in [folder, "/no/such/file", "private.key", "/dev/zero"] {
            assert!(matches!(read(path), Err(KeyError::File { .. })), "{path}");
        }
    }

    #[track_caller]
    fn check(text: &str, remedy: &str) {
        let error = PrivateKey::parse(text).unwrap_err();
        assert!(error.to_string().contains(remedy), "{error}");
    }

    #[test]
    fn what_is_not_a_usable_key_is_refused_with_the_remedy() {
        check("", "is empty");
        check(" \n\"\" ", "is empty");
        check(
            include_str!("../../fixtures/keys/rsa-public.pem"),
            "a public key",
        );
        check(
            "-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----",
            "a public key",
        );
        check(
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "a public key",
        );
        check(
            include_str!("../../fixtures/keys/rsa-encrypted.pem"),
            "openssl pkey",
        );
        check(
            include_str!("../../fixtures/keys/rsa-pkcs1-encrypted.pem"),
            "openssl pkey",
        );
        check(include_str!("../../fixtures/keys/ec.pem"), "openssl genrsa");
        check(
            "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----",
            "openssl genrsa",
        );
        check(
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
            "genrsa",
        );
        check(
            include_str!("../../fixtures/keys/rsa-1024.pem"),
            "2048 bits",
        );
        check(&RSA[..600], "cut short");
        check(RSA.lines().next().unwrap(), "cut short");
        check("-----BEGIN", "cut short");
        let line = RSA.lines().nth(5).unwrap();
        check(&RSA.replace(line, ""), "cut short");
        check(
            &RSA_PKCS1.replace(RSA_PKCS1.lines().nth(5).unwrap(), ""),
            "cut short",
        );
        let inside: String = RSA.lines().filter(|line| !line.starts_with('-')).collect();
        check(&inside.replace(line, &format!("{line}\n")), "not a PEM");
    }

    #[test]
    fn no_message_and_no_debug_shows_the_key() {
        let secret = &RSA.lines().nth(3).unwrap()[..16];
        assert!(!format!("{:?}", key()).contains(secret));
        for text in [&RSA[..600], &RSA[28..400], &RSA.replace('-', "")] {
            let error = PrivateKey::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), cut in 0..1700_usize) {
            let _ = PrivateKey::parse(&text);
            let _ = PrivateKey::parse(&format!("-----BEGIN PRIVATE KEY-----{text}"));
            prop_assert!(PrivateKey::parse(&RSA[..cut.min(RSA.len() - 30)]).is_err());
        }
    }
}
