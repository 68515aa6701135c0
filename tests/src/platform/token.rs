use crate::{clock, fixtures, jwt, jwt::Fault};
use serde_json::Value;

/// Seconds a token lives that has no `exp`.
const LIFETIME_DEFAULT: u64 = 900;
/// Seconds between `iat` and `exp`, at most: 24 hours.
const LIFETIME_MAX: u64 = 86_400;
/// And at least.
const LIFETIME_MIN: u64 = 30;
/// Seconds by which `iat` may lie in the future. What Vonage allows is not known; clocks on one
/// machine do not differ, so a second is for rounding.
const SKEW: u64 = 1;

/// The claims of an application token, checked as Vonage checks them: RS256 by the application's
/// key, `application_id`, `iat`, `jti`, and the lifetime.
///
/// See [Vonage/Authentication](https://developer.vonage.com/en/getting-started/concepts/authentication).
pub(super) fn verify(token: Option<&str>) -> Result<Value, Fault> {
    let claims = jwt::verify_rs256(token.ok_or(Fault::Missing)?)?;
    let now = clock::epoch_seconds();
    if claims["application_id"] != fixtures::APPLICATION_ID {
        return Err(Fault::Claim("application_id"));
    }
    if claims["jti"].as_str().is_none_or(str::is_empty) {
        return Err(Fault::Claim("jti"));
    }
    let iat = claims["iat"].as_u64().ok_or(Fault::Claim("iat"))?;
    if iat > now + SKEW {
        return Err(Fault::Claim("iat"));
    }
    let exp = match &claims["exp"] {
        Value::Null => iat + LIFETIME_DEFAULT,
        exp => exp.as_u64().ok_or(Fault::Claim("exp"))?,
    };
    if !(LIFETIME_MIN..=LIFETIME_MAX).contains(&exp.saturating_sub(iat)) {
        return Err(Fault::Claim("exp"));
    }
    if exp <= now {
        return Err(Fault::Expired);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::Algorithm;
    use serde_json::json;

    fn check(changes: &Value, expected: Result<(), Fault>) {
        let mut claims = json!({
            "application_id": fixtures::APPLICATION_ID,
            "iat": clock::epoch_seconds(),
            "jti": "1",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = jwt::sign(Algorithm::Rs256, &claims);
        assert_eq!(verify(Some(&token)).map(|_| ()), expected, "{changes}");
    }

    #[test]
    fn claims_are_checked_as_vonage_checks_them() {
        let now = clock::epoch_seconds();
        check(&json!({}), Ok(()));
        check(&json!({"exp": now + 900}), Ok(()));
        check(
            &json!({"application_id": "other"}),
            Err(Fault::Claim("application_id")),
        );
        check(&json!({"jti": null}), Err(Fault::Claim("jti")));
        check(&json!({"iat": null}), Err(Fault::Claim("iat")));
        check(&json!({"iat": now + 100}), Err(Fault::Claim("iat")));
        check(&json!({"exp": now + 10}), Err(Fault::Claim("exp")));
        check(&json!({"exp": now + 100_000}), Err(Fault::Claim("exp")));
        check(&json!({"iat": now - 1000}), Err(Fault::Expired));
        check(
            &json!({"iat": now - 1000, "exp": now - 100}),
            Err(Fault::Expired),
        );
        assert_eq!(verify(None), Err(Fault::Missing));
    }
}
