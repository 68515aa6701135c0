//! RSA key pairs, made on this machine, and their public halves as Vonage is given them.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use switchboard_shared::vonage::PrivateKey;

/// Characters to a line of PEM ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468#section-2)).
const LINE: usize = 64;

/// The name of RSA, as a public key carries it
/// ([RFC 3279](https://www.rfc-editor.org/rfc/rfc3279#section-2.3.1)).
const RSA: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// What begins a sequence and a string of bits in DER.
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// No key pair could be made.
#[derive(Debug, thiserror::Error)]
#[error("could not make a key pair")]
pub struct NoKeyPair;

/// Makes a pair of 2048 bits, as Vonage does, and gives its private half as a PEM.
///
/// # Errors
/// When the system gives no randomness.
pub fn make() -> Result<SecretString, NoKeyPair> {
    let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| NoKeyPair)?;
    let der = key.as_der().map_err(|_| NoKeyPair)?;
    Ok(pem("PRIVATE KEY", der.as_ref()).into())
}

/// The public half of a key, as an application is given it.
#[must_use]
pub fn public_pem(key: &PrivateKey) -> String {
    pem("PUBLIC KEY", &subject_public_key_info(&key.public_key()))
}

/// Whether two PEMs are of one key, however their lines are broken.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    let plain = |pem: &str| {
        let lines = pem.lines().map(str::trim);
        lines
            .filter(|line| !line.starts_with("-----"))
            .collect::<String>()
    };
    plain(one) == plain(other)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(LINE)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// A PKCS #1 key with the name of its algorithm before it
/// ([RFC 5280](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)).
fn subject_public_key_info(key: &[u8]) -> Vec<u8> {
    // No bit of the last byte is left unused.
    let bits = der(BIT_STRING, &[&[0], key].concat());
    der(SEQUENCE, &[&RSA, bits.as_slice()].concat())
}

fn der(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut head = vec![kind];
    match length.as_slice() {
        [short] if *short < 0x80 => head.push(*short),
        bytes => {
            head.push(0x80 | u8::try_from(bytes.len()).expect("a length has eight bytes at most"));
            head.extend(bytes);
        }
    }
    [&head, content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn the_public_half_is_what_the_library_says_it_is() {
        let made = make().unwrap();
        let key = PrivateKey::parse(made.expose_secret()).unwrap();
        let base64: String = made
            .expose_secret()
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let pair = KeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
        let der = aws_lc_rs::signature::KeyPair::public_key(&pair)
            .as_der()
            .unwrap();
        assert_eq!(public_pem(&key), pem("PUBLIC KEY", der.as_ref()));
    }

    #[test]
    fn a_key_is_the_same_however_its_lines_are_broken() {
        let pem = pem("PUBLIC KEY", &[7; 300]);
        assert!(same(&pem, &pem.replace('\n', "\r\n")));
        assert!(same(&pem, pem.trim_end()));
        assert!(!same(&pem, &super::pem("PUBLIC KEY", &[8; 300])));
    }
}
