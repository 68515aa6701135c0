//! Menus: the caller chooses what comes next.

use super::{FlowName, Key};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How often a menu may be read before `otherwise`.
pub const TRIES: RangeInclusive<i64> = 1..=10;

/// Readings of a menu where the plan does not say: one to find the phone's keys, one to listen, one
/// to press.
pub const TRIES_DEFAULT: u8 = 3;

/// How long a key or a word is waited for: at least a second, and at most what Vonage allows for
/// `dtmf.timeOut`.
///
/// See [Vonage/NCCO reference/Input](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
pub const TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(10);

/// How long it is waited where the plan does not say.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);

/// Menus read to one caller in one call, whichever they are and however often; then the caller goes
/// where `otherwise` leads. So nobody goes round for ever, though menus may lead back to menus. A
/// reading of 1500 characters takes two minutes, so thirty take half of what Vonage lets a call last;
/// and five menus below one another, each read three times, are fifteen.
pub const READINGS_MAX: u8 = 30;

/// Words and phrases of one menu: each is a hint to the recogniser, in the same NCCO.
pub const PHRASES_MAX: usize = 100;

/// Longest phrase, in characters: the longest that Google's recogniser takes as a hint.
///
/// See [Google/Speech-to-Text/Quotas](https://cloud.google.com/speech-to-text/quotas).
pub const PHRASE_LENGTH_MAX: usize = 100;

/// Languages beside the flow's own in which a menu is read: each makes every caller wait longer.
pub const ALSO_MAX: usize = 5;

/// Lets the caller choose by a key or a word, and may be interrupted while it is read. Who presses
/// nothing, or something else, is told so and hears it again, `tries` times in all, and then goes on
/// to `otherwise`.
///
/// Keys: `say`, `also-say`, `keys`, `speech`, `no-input`, `wrong-input`, `tries`, `timeout`,
/// `otherwise`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// What there is to choose from.
    pub say: String,
    /// The same in other languages, said behind it: language and text. At most [`ALSO_MAX`].
    pub also_say: Vec<(String, String)>,
    /// Where keys lead.
    pub keys: BTreeMap<Key, FlowName>,
    /// Where words lead. Empty: speech is not listened to. Not empty where there are no keys.
    pub speech: Vec<Phrase>,
    /// Said to who pressed and said nothing, before it is read again.
    pub no_input: Option<String>,
    /// Said to who pressed or said something else, before it is read again.
    pub wrong_input: Option<String>,
    /// How often it is read. Within [`TRIES`].
    pub tries: u8,
    /// How long a key or a word is waited for. Within [`TIMEOUT`].
    pub timeout: Duration,
    /// What comes when nothing was chosen.
    pub otherwise: FlowName,
}

/// Words that lead somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The words in small letters, without punctuation: `["opening", "hours"]`. At least one; no two
    /// phrases of a menu have the same.
    pub words: Vec<String>,
    /// Where they lead.
    pub flow: FlowName,
}

/// The words of a text, in small letters and without punctuation.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

impl Menu {
    /// Where a key leads.
    #[must_use]
    pub fn by_key(&self, keys: &str) -> Option<&FlowName> {
        self.keys.get(&Key::parse(keys)?)
    }

    /// Where what was said leads: the phrase of most words in it, of equals the one said first. A
    /// digit that was said is a key that was pressed.
    #[must_use]
    pub fn by_words(&self, said: &str) -> Option<&FlowName> {
        let said = words(said);
        let found = self.speech.iter().filter_map(|phrase| {
            let length = phrase.words.len();
            let at = said.windows(length).position(|part| part == phrase.words)?;
            Some(((length, std::cmp::Reverse(at)), &phrase.flow))
        });
        let found = found.max_by_key(|(rank, _)| *rank).map(|(_, flow)| flow);
        found.or_else(|| match said.as_slice() {
            [digit] => self.by_key(digit),
            _ => None,
        })
    }

    /// Where it leads by the caller's choice, each as the plan names it.
    #[must_use]
    pub fn choices(&self) -> Vec<(&'static str, &FlowName)> {
        let keys = self.keys.iter().map(|(key, flow)| (key.as_str(), flow));
        let said = self.speech.iter().map(|phrase| ("speech", &phrase.flow));
        let mut choices: Vec<_> = keys.chain(said).collect();
        choices.dedup();
        choices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu() -> Menu {
        let flow = |name: &str| FlowName::new(name).unwrap();
        let phrase = |text: &str, name| Phrase {
            words: words(text),
            flow: flow(name),
        };
        Menu {
            say: "Choose.".to_owned(),
            also_say: Vec::new(),
            keys: BTreeMap::from([
                (Key::parse("1").unwrap(), flow("sales")),
                (Key::HASH, flow("end")),
            ]),
            speech: vec![
                phrase("sales", "sales"),
                phrase("buy", "sales"),
                phrase("help", "support"),
                phrase("Opening hours", "hours"),
                phrase("hours", "end"),
            ],
            no_input: None,
            wrong_input: None,
            tries: 3,
            timeout: TIMEOUT_DEFAULT,
            otherwise: flow("end"),
        }
    }

    #[test]
    fn words_and_keys_lead_where_the_plan_says() {
        for (said, flow) in [
            ("sales", Some("sales")),
            ("I'd like to BUY something, please.", Some("sales")),
            ("salesman", None),
            ("help sales", Some("support")),
            ("your opening hours", Some("hours")),
            ("the hours of opening", Some("end")),
            ("1", Some("sales")),
            ("1 2", None),
            ("", None),
            ("...", None),
        ] {
            let menu = menu();
            let found = menu.by_words(said).map(FlowName::as_str);
            assert_eq!(found, flow, "{said}");
        }
        for (keys, flow) in [
            ("1", Some("sales")),
            ("#", Some("end")),
            ("11", None),
            ("", None),
        ] {
            assert_eq!(menu().by_key(keys).map(FlowName::as_str), flow, "{keys}");
        }
    }

    #[test]
    fn choices_are_told_once_each_in_order() {
        let menu = menu();
        let choices: Vec<_> = menu
            .choices()
            .into_iter()
            .map(|(key, flow)| format!("{key} {flow}"))
            .collect();
        assert_eq!(
            choices,
            [
                "1 sales",
                "# end",
                "speech sales",
                "speech support",
                "speech hours",
                "speech end"
            ]
        );
    }
}
