use super::*;

#[test]
fn a_language_that_is_a_path_is_not_asked_for() {
    for language in [
        "",
        "../../etc/passwd",
        "/tmp/voice",
        "en+f2",
        "en us",
        "-h\0",
    ] {
        assert_eq!(say("Hello", 0, language, 16_000), None, "{language:?}");
    }
}

#[test]
fn a_language_it_does_not_know_is_left_to_the_babble() {
    assert_eq!(say("Hello", 0, "xx-XX", 16_000), None);
}

/// Where the program is not installed there is nothing to test: that it is missing must not matter.
#[test]
fn what_is_said_fits_into_its_time_where_the_program_is_installed() {
    let text = "Please hold the line.";
    let Some(usual) = run(text, "en-US", USUAL_SPEED) else {
        assert_eq!(say(text, 0, "en-US", 16_000), None);
        return;
    };
    let usual = usual.len() as u64;
    for room in [usual / 2, usual * 3 / 4, usual, usual * 3 / 2] {
        let said = say(text, 0, "en-US", room).unwrap().len() as u64;
        assert!(
            (room * 3 / 4..room * 5 / 4).contains(&said),
            "{said} of {room}"
        );
    }
}

#[test]
fn samples_at_another_rate_last_as_long() {
    let second: Vec<i16> = (0..22_050).map(|at| at / 2).collect();
    let resampled = resample(&second, 22_050);
    assert_eq!(resampled.len(), 16_000);
    assert_eq!(
        (resampled[0], resampled[8000], resampled[15_999]),
        (0, 5512, 11_024)
    );
    assert_eq!(resample(&second[..16_000], RATE), &second[..16_000]);
}
