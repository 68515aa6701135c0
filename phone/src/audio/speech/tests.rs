use super::*;

#[test]
fn a_text_takes_as_long_as_its_words_and_breaks() {
    let letters = |number: usize| "x".repeat(number);
    for (text, milliseconds) in [
        ("", 0),
        ("  \n ", 0),
        ("<speak></speak>", 0),
        ("Hi", 500),
        (&letters(13), 1000),
        (&letters(130), 10_000),
        ("one two three four five six   \n seven eight.", 3076),
        (
            "<speak>one two three four five six <prosody rate='slow'>seven</prosody> eight.</speak>",
            3076,
        ),
        ("<speak><break time=\"2s\"/></speak>", 2000),
        ("<break time='1500ms' />", 1500),
        ("<break strength='x-strong'/>", 1000),
        ("<break time=\"1h\"/>", 0),
        ("<break time=\"99s\"/>", 10_000),
        ("<break time=\"-1s\"/>", 0),
        ("<break time=\"NaNs\"/>", 0),
        ("<break time=\"infs\"/>", 10_000),
        ("<break/><breakfast/>", 500),
        (
            &format!("{}<break time=\"0.5s\"/>{}", letters(13), letters(13)),
            2500,
        ),
        ("1 < 2 and 3 > 2, is it?", 1769),
        ("R&amp;D is where we are now", 1769),
        ("the end <", 692),
        ("您好请稍等", 1153),
    ] {
        assert_eq!(
            speaking_time(text),
            Duration::from_millis(milliseconds),
            "{text}"
        );
    }
}

#[test]
fn a_word_has_as_many_syllables_as_groups_of_vowels() {
    for (word, syllables) in [
        ("hello", 2),
        ("queue", 1),
        ("rhythm", 1),
        ("telephone", 4),
        ("2026", 4),
        ("请稍等", 3),
        ("Brr", 1),
        ("", 0),
    ] {
        let letters: Vec<char> = word.chars().collect();
        assert_eq!(vowels(&letters).len(), syllables, "{word}");
    }
}

#[test]
fn any_text_can_be_said() {
    for text in [
        "<",
        "<>",
        "</",
        "<break time=",
        "<break time=''/>",
        "<break time='é/>",
        "&",
        "&amp",
        "<!-- x",
        "\u{0}\u{301}",
        "...",
        "<break\u{a0}time=\u{a0}'s'/>",
    ] {
        let length = samples(speaking_time(text));
        let wave = wave(text, 255, "", length, Voice::Babble);
        for at in (0..length + 100).step_by(7) {
            assert!(wave(at).abs() <= 1.0, "{text:?} at {at}");
        }
    }
}
