//! Languages that Vonage speaks.

/// Codes in Vonage's reference at the time of writing. More may come, so another code is only
/// warned of.
///
/// See [Vonage/Voice API/Text to speech](https://developer.vonage.com/en/voice/voice-api/concepts/text-to-speech).
pub(super) const KNOWN: [&str; 48] = [
    "ar",
    "ca-ES",
    "cmn-CN",
    "cmn-TW",
    "cs-CZ",
    "cy-GB",
    "da-DK",
    "de-DE",
    "el-GR",
    "en-AU",
    "en-GB",
    "en-GB-WLS",
    "en-IN",
    "en-US",
    "en-ZA",
    "es-ES",
    "es-MX",
    "es-US",
    "eu-ES",
    "fi-FI",
    "fil-PH",
    "fr-CA",
    "fr-FR",
    "he-IL",
    "hi-IN",
    "hu-HU",
    "id-ID",
    "is-IS",
    "it-IT",
    "ja-JP",
    "ko-KR",
    "lt-LT",
    "mr-IN",
    "nb-NO",
    "nl-NL",
    "no-NO",
    "pl-PL",
    "pt-BR",
    "pt-PT",
    "ro-RO",
    "ru-RU",
    "sk-SK",
    "sv-SE",
    "th-TH",
    "tr-TR",
    "uk-UA",
    "vi-VN",
    "yue-CN",
];

/// What Vonage speaks where nothing is said: the default of `talk.language`.
pub(super) const DEFAULT: &str = "en-US";

/// Whether a text has the shape of a BCP-47 code: `en`, `en-GB`, `cmn-CN`, `en-GB-WLS`.
pub(super) fn is_code(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
        && text.len() <= 35
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_code_has_the_shape_of_one() {
        assert!(KNOWN.iter().all(|code| is_code(code)));
        for text in ["", "english", "EN-GB", "en_GB", "en-", "e", "en-G B", "-"] {
            assert!(!is_code(text), "{text:?}");
        }
    }
}
