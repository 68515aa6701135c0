//! HS256 and RS256 for the `jsonwebtoken` crate, which brings no algorithms of its own here.

use ::signature::{Error, Signer, Verifier};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use ring::{hmac, rand};
use std::sync::Once;

/// Makes `jsonwebtoken` use ring in this process. May be called as often as one likes.
///
/// Everything in this crate that signs or verifies calls it, so nobody else has to.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It fails where a provider stands already, and then that one is as good.
        let _ = PROVIDER.install_default();
    });
}

/// Vonage signs webhooks with HS256 and wants RS256 from us. All else is refused.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Box::new(Hs256(hmac::Key::new(
            hmac::HMAC_SHA256,
            key.as_bytes(),
        )))),
        (Algorithm::RS256, AlgorithmFamily::Rsa) => {
            let pair = rsa_key_pair(key.as_bytes())
                .map_err(|reason| new_error(ErrorKind::InvalidRsaKey(reason.to_string())))?;
            Ok(Box::new(Rs256Signer(pair)))
        }
        _ => Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    }
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Box::new(Hs256(hmac::Key::new(
            hmac::HMAC_SHA256,
            key.try_get_as_bytes()?,
        )))),
        (Algorithm::RS256, AlgorithmFamily::Rsa) => Ok(Box::new(Rs256Verifier(key.clone()))),
        _ => Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    }
}

/// Reads an RSA private key in DER, whichever of the two wrappings it has.
pub(crate) fn rsa_key_pair(
    der: &[u8],
) -> std::result::Result<RsaKeyPair, ring::error::KeyRejected> {
    // The reason worth telling is that of PKCS#8 unless the key is PKCS#1 inside and out.
    RsaKeyPair::from_pkcs8(der).or_else(|pkcs8| match RsaKeyPair::from_der(der) {
        Err(pkcs1) if pkcs1.to_string() == "InvalidEncoding" => Err(pkcs8),
        read => read,
    })
}

struct Hs256(hmac::Key);

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

struct Rs256Signer(RsaKeyPair);

impl Signer<Vec<u8>> for Rs256Signer {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &rand::SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| Error::new())?;
        Ok(signature)
    }
}

impl JwtSigner for Rs256Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

struct Rs256Verifier(DecodingKey);

impl Verifier<Vec<u8>> for Rs256Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        match self.0.kind() {
            DecodingKeyKind::SecretOrDer(der) => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).verify(message, signature)
            }
            DecodingKeyKind::RsaModulusExponent { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        }
        .map_err(|_| Error::new())
    }
}

impl JwtVerifier for Rs256Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::crypto::{sign, verify};

    const PUBLIC: &str = include_str!("../../fixtures/keys/rsa-public.pem");
    const OTHER: &str = include_str!("../../fixtures/keys/other-public.pem");

    #[test]
    fn hs256_is_the_published_hmac() {
        install();
        install();
        // RFC 7515, appendix A.1.
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let signing = EncodingKey::from_urlsafe_base64_secret(&format!("{key}==")).unwrap();
        assert_eq!(
            sign(message.as_bytes(), &signing, Algorithm::HS256).unwrap(),
            signature
        );
        let checking = DecodingKey::from_secret(signing.as_bytes());
        assert!(verify(signature, message.as_bytes(), &checking, Algorithm::HS256).unwrap());
        assert!(!verify(signature, b"else", &checking, Algorithm::HS256).unwrap());
    }

    #[test]
    fn rs256_made_from_either_wrapping_is_verified_with_its_own_public_key_only() {
        install();
        for pem in [
            include_str!("../../fixtures/keys/rsa.pem"),
            include_str!("../../fixtures/keys/rsa-pkcs1.pem"),
        ] {
            let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
            let signature = sign(b"message", &key, Algorithm::RS256).unwrap();
            let check = |public: &str, message: &[u8]| {
                let public = DecodingKey::from_rsa_pem(public.as_bytes()).unwrap();
                verify(&signature, message, &public, Algorithm::RS256).unwrap()
            };
            assert!(check(PUBLIC, b"message"));
            assert!(!check(PUBLIC, b"another"));
            assert!(!check(OTHER, b"message"));
        }
    }

    #[test]
    fn any_other_algorithm_is_refused() {
        install();
        let secret = EncodingKey::from_secret(b"secret");
        for algorithm in [
            Algorithm::HS384,
            Algorithm::HS512,
            Algorithm::RS256,
            Algorithm::ES256,
        ] {
            assert!(sign(b"m", &secret, algorithm).is_err(), "{algorithm:?}");
            let key = DecodingKey::from_secret(b"secret");
            assert!(
                verify("AAAA", b"m", &key, algorithm).is_err(),
                "{algorithm:?}"
            );
        }
        let public = DecodingKey::from_rsa_pem(PUBLIC.as_bytes()).unwrap();
        assert!(
            verify("AAAA", b"m", &public, Algorithm::HS256).is_err(),
            "key confusion"
        );
        assert!(verify("AAAA", b"m", &public, Algorithm::PS256).is_err());
    }
}
