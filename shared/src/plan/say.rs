//! What is said: text or SSML.

use super::fault::Wrong;

/// Longest text of one talk action, in characters, SSML tags not counted.
///
/// See [Vonage/NCCO reference/Talk](https://developer.vonage.com/en/voice/voice-api/ncco-reference#talk).
pub(super) const SAY_LENGTH_MAX: usize = 1500;

pub(super) fn parse(text: &str) -> Result<String, Wrong> {
    let spoken = spoken_length(text);
    if spoken == 0 {
        return Err(Wrong::new(
            "there is nothing to say",
            "write a sentence, or leave the key out where it is optional",
        ));
    }
    if spoken > SAY_LENGTH_MAX {
        return Err(Wrong::new(
            format!("the text has {spoken} characters, more than {SAY_LENGTH_MAX}"),
            "shorten it: Vonage says no more in one go",
        ));
    }
    Ok(text.to_owned())
}

/// Characters that are spoken: all of a text, and of SSML what stands outside its tags.
fn spoken_length(text: &str) -> usize {
    let text = text.trim();
    if !text.starts_with("<speak") {
        return text.chars().count();
    }
    let mut inside = false;
    let outside = |c: &char| {
        let tag = inside || *c == '<';
        inside = tag && *c != '>';
        !tag
    };
    text.chars().filter(outside).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_ssml_are_not_counted_and_others_are() {
        assert_eq!(
            spoken_length("<speak>Hello <break time='1s'/>you</speak>"),
            9
        );
        assert_eq!(spoken_length("a < b"), 5);
        assert_eq!(spoken_length(" é "), 1);
        assert_eq!(spoken_length("<speak></speak>"), 0);
    }

    #[test]
    fn the_limit_is_the_last_length_that_is_taken() {
        assert!(parse(&"é".repeat(SAY_LENGTH_MAX)).is_ok());
        assert!(parse(&"é".repeat(SAY_LENGTH_MAX + 1)).is_err());
        assert!(parse("  ").is_err());
    }
}
