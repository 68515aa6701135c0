//! What a person would hear, by machine.

use std::f32::consts::TAU;
use std::io::Cursor;
use std::time::Duration;

use super::*;

const SECOND: usize = RATE as usize;

fn sound(at_ms: u64, length_ms: u64, channel: u8, what: What) -> Sound {
    Sound {
        at: Duration::from_millis(at_ms),
        length: Duration::from_millis(length_ms),
        channel,
        what,
    }
}

fn speech(text: &str) -> What {
    What::Speech {
        text: text.to_owned(),
        voice: 0,
        language: "en-US".to_owned(),
    }
}

fn score(format: Format, channels: u8, length_ms: u64, sounds: Vec<Sound>) -> Score {
    Score {
        format,
        channels,
        length: Duration::from_millis(length_ms),
        sounds,
    }
}

/// The samples of each channel of a WAV file.
fn heard(file: &[u8]) -> Vec<Vec<f32>> {
    let mut reader = hound::WavReader::new(Cursor::new(file)).unwrap();
    let spec = reader.spec();
    assert_eq!((spec.sample_rate, spec.bits_per_sample), (RATE, 16));
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    assert_eq!(samples.len() % usize::from(spec.channels), 0);
    apart(
        samples
            .into_iter()
            .map(|sample| f32::from(sample) / 32767.0),
        spec.channels.into(),
    )
}

/// The samples of each channel of an MP3 file, by a decoder made by others.
fn decoded(file: &[u8]) -> Vec<Vec<f32>> {
    let decoded = nanomp3::decode_all::<f32>(file);
    assert_eq!((decoded.sample_rate, decoded.layer), (RATE, 3));
    assert_eq!(decoded.avg_bitrate_kbps, 32);
    let channels = if decoded.channels == Some(nanomp3::Channels::Mono) {
        1
    } else {
        2
    };
    apart(decoded.samples.into_iter(), channels)
}

fn apart(samples: impl Iterator<Item = f32>, channels: usize) -> Vec<Vec<f32>> {
    let mut apart = vec![Vec::new(); channels];
    for (at, sample) in samples.enumerate() {
        apart[at % channels].push(sample);
    }
    apart
}

/// How loud a tone is among samples (Goertzel): 1 for a full sine.
fn tone(samples: &[f32], hertz: u32) -> f32 {
    let factor = 2.0 * (TAU * hertz as f32 / RATE as f32).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + factor * last - before, last);
    }
    let power = last * last + before * before - factor * last * before;
    2.0 * power.max(0.0).sqrt() / samples.len() as f32
}

fn loudest(samples: &[f32]) -> f32 {
    samples
        .iter()
        .fold(0.0, |loudest, sample| loudest.max(sample.abs()))
}

/// Some of everything, at odd times, in any order, and past both ends.
fn medley() -> Vec<Sound> {
    let url = "https://music.example/hold.mp3".to_owned();
    vec![
        sound(1500, 700, 2, What::Key('#')),
        sound(0, 900, 0, speech("Good morning, who is there?")),
        sound(333, 2801, 1, What::Tune { url }),
        sound(100, 250, 9, What::Beep),
        sound(2600, 60_000, 0, What::Ringback),
        sound(90_000, 10, 0, What::Key('1')),
        sound(500, 0, 0, What::Beep),
    ]
}

#[test]
fn the_size_is_known_before_anything_is_rendered() {
    for format in [Format::Mp3, Format::Wav, Format::Ogg] {
        for channels in [0, 1, 2, 3, 32, 200] {
            for length in [0, 1, 35, 36, 37, 500, 1007, 1008, 1009, 2345] {
                let score = score(format, channels, length, medley());
                let rendered = score.render(Voice::Babble).len() as u64;
                assert_eq!(
                    rendered,
                    score.size(),
                    "{format:?}, {channels} channels, {length} ms"
                );
            }
        }
    }
}

#[test]
fn the_size_is_the_same_with_and_without_a_program_that_speaks() {
    for format in [Format::Mp3, Format::Wav] {
        let score = score(format, 1, 2345, medley());
        assert_eq!(score.render(Voice::Espeak).len() as u64, score.size());
    }
}

#[test]
fn an_hour_has_the_size_of_its_rate() {
    let hour = |format, channels| score(format, channels, 3_600_000, medley()).size();
    assert_eq!(hour(Format::Wav, 1), 44 + 3600 * 32_000);
    assert_eq!(hour(Format::Wav, 32), 68 + 3600 * 32 * 32_000);
    assert_eq!(hour(Format::Mp3, 1), 3600 * 4000);
    assert_eq!(hour(Format::Mp3, 2), 3600 * 4000);
}

#[test]
fn a_file_is_what_its_content_type_says() {
    for (format, channels, said, begins) in [
        (Format::Mp3, 1, "audio/mpeg", [0xff, 0xf3]),
        (Format::Mp3, 2, "audio/mpeg", [0xff, 0xf3]),
        (Format::Mp3, 3, "audio/wav", *b"RI"),
        (Format::Wav, 1, "audio/wav", *b"RI"),
        (Format::Ogg, 1, "audio/wav", *b"RI"),
    ] {
        let score = score(format, channels, 100, medley());
        assert_eq!(score.content_type(), said, "{format:?} of {channels}");
        assert_eq!(
            score.render(Voice::Babble)[..2],
            begins,
            "{format:?} of {channels}"
        );
    }
}

#[test]
fn a_wav_has_the_channels_and_the_length_it_was_asked_for() {
    for channels in [1, 2, 3, 8, 32] {
        let heard = heard(&score(Format::Wav, channels, 1234, medley()).render(Voice::Babble));
        assert_eq!(heard.len(), usize::from(channels));
        assert!(heard.iter().all(|channel| channel.len() == 1234 * 16));
    }
}

#[test]
fn the_same_score_sounds_the_same() {
    for format in [Format::Wav, Format::Mp3] {
        let score = score(format, 2, 3000, medley());
        assert_eq!(score.render(Voice::Babble), score.render(Voice::Babble));
    }
}

#[test]
fn silence_is_silent() {
    let wav = heard(&score(Format::Wav, 2, 1500, Vec::new()).render(Voice::Babble));
    let mp3 = decoded(&score(Format::Mp3, 1, 1500, Vec::new()).render(Voice::Babble));
    for channel in wav.iter().chain(&mp3) {
        assert_eq!(loudest(channel), 0.0);
    }
}

#[test]
fn a_key_is_its_two_tones_at_its_time_in_its_channel() {
    let rows = [697, 770, 852, 941];
    let columns = [1209, 1336, 1477, 1633];
    for (row, keys) in rows.iter().zip(["123A", "456B", "789C", "*0#D"]) {
        for (column, key) in columns.iter().zip(keys.chars()) {
            let score = score(
                Format::Wav,
                2,
                3000,
                vec![sound(1000, 1000, 1, What::Key(key))],
            );
            let heard = heard(&score.render(Voice::Babble));
            let pressed = &heard[1][SECOND..2 * SECOND];
            for hertz in rows.iter().chain(&columns) {
                let loud = tone(pressed, *hertz);
                let its = hertz == row || hertz == column;
                assert!(
                    if its { loud > 0.2 } else { loud < 0.01 },
                    "{key}: {hertz} Hz {loud}"
                );
            }
            assert_eq!(loudest(&heard[0]), 0.0, "{key}");
            assert_eq!(loudest(&heard[1][..SECOND]), 0.0, "{key}");
            assert_eq!(loudest(&heard[1][2 * SECOND..]), 0.0, "{key}");
        }
    }
}

#[test]
fn what_is_no_key_is_silent() {
    for key in ['p', 'E', ' ', '€'] {
        let score = score(Format::Wav, 1, 500, vec![sound(0, 500, 0, What::Key(key))]);
        assert_eq!(
            loudest(&heard(&score.render(Voice::Babble))[0]),
            0.0,
            "{key}"
        );
    }
}

#[test]
fn people_beyond_the_channels_share_the_last() {
    let sounds = vec![
        sound(0, 500, 7, What::Beep),
        sound(0, 500, 2, What::Key('1')),
    ];
    let heard = heard(&score(Format::Wav, 3, 500, sounds).render(Voice::Babble));
    assert!(tone(&heard[2], 1000) > 0.4 && tone(&heard[2], 697) > 0.2);
    assert_eq!(loudest(&heard[0]) + loudest(&heard[1]), 0.0);
}

#[test]
fn a_ring_is_two_seconds_of_six() {
    let heard = heard(
        &score(
            Format::Wav,
            1,
            9000,
            vec![sound(0, 9000, 0, What::Ringback)],
        )
        .render(Voice::Babble),
    );
    let rings = |second: usize| tone(&heard[0][second * SECOND..][..SECOND], 440) > 0.2;
    let found: Vec<bool> = (0..9).map(rings).collect();
    assert_eq!(
        found,
        [true, true, false, false, false, false, true, true, false]
    );
    assert_eq!(loudest(&heard[0][2 * SECOND..6 * SECOND]), 0.0);
}

#[test]
fn an_mp3_plays_what_its_wav_plays_when_its_wav_plays_it() {
    for channels in [1, 2] {
        let mut sounds = medley();
        sounds.push(sound(
            1200,
            900,
            0,
            speech("A voice has many tones, and all of them move."),
        ));
        let wav = heard(&score(Format::Wav, channels, 4000, sounds.clone()).render(Voice::Babble));
        let mp3 = decoded(&score(Format::Mp3, channels, 4000, sounds).render(Voice::Babble));
        assert_eq!(mp3.len(), wav.len());
        for (mp3, wav) in mp3.iter().zip(&wav) {
            assert_eq!(mp3.len(), wav.len().next_multiple_of(576));
            let power = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>();
            let noise: Vec<f32> = mp3.iter().zip(wav).map(|(mp3, wav)| mp3 - wav).collect();
            // The first two frames lack what a decoder would know from those before them.
            let from = 2 * 576;
            let share = power(&noise[from..]) / power(&wav[from..]);
            assert!(share < 0.01, "{channels} channels: noise is {share} of it");
        }
    }
}

#[test]
fn nothing_clicks() {
    // A step of more than a sixth of the range from one sample to the next is heard.
    let url = "https://music.example/1".to_owned();
    for what in [
        What::Tune { url },
        What::Ringback,
        What::Beep,
        What::Key('1'),
        speech("Yes, yes"),
    ] {
        let score = score(
            Format::Wav,
            1,
            2500,
            vec![sound(100, 2217, 0, what.clone())],
        );
        let heard = heard(&score.render(Voice::Babble));
        let begin = &heard[0][1600..1600 + 4];
        let end = &heard[0][2317 * 16 - 4..2317 * 16 + 1];
        for steps in [begin, end] {
            let step = steps
                .windows(2)
                .map(|pair| (pair[1] - pair[0]).abs())
                .fold(0.0, f32::max);
            assert!(step < 0.02, "{what:?}: {step}");
        }
    }
}

#[test]
fn sounds_too_loud_together_stay_within_range() {
    let sounds = vec![sound(0, 500, 0, What::Beep); 9];
    for format in [Format::Wav, Format::Mp3] {
        let file = score(format, 1, 500, sounds.clone()).render(Voice::Babble);
        let heard = if format == Format::Wav {
            heard(&file)
        } else {
            decoded(&file)
        };
        assert!(tone(&heard[0], 1000) > 1.0, "{format:?}");
    }
}

#[test]
fn speech_lasts_as_long_as_it_says() {
    for text in [
        "Hi.",
        "Welcome. All our agents are busy; please hold the line.",
        "Ключ под ковриком, как всегда",
        "您好，请稍等",
    ] {
        let length = speaking_time(text);
        for (voice, length) in [(0, length), (3, length * 2)] {
            let what = What::Speech {
                text: text.to_owned(),
                voice,
                language: "en-US".to_owned(),
            };
            let sounds = vec![Sound {
                at: Duration::from_secs(1),
                length,
                channel: 0,
                what,
            }];
            let whole = Duration::from_secs(2) + length;
            let score = score(Format::Wav, 1, whole.as_millis() as u64, sounds);
            let heard = heard(&score.render(Voice::Babble)).remove(0);
            let first = heard.iter().position(|sample| sample.abs() > 0.01).unwrap();
            let last = heard
                .iter()
                .rposition(|sample| sample.abs() > 0.01)
                .unwrap();
            let end = SECOND + samples(length) as usize;
            assert!(
                (SECOND..SECOND + SECOND / 5).contains(&first),
                "{text}: begins at {first}"
            );
            // The full stop at the end is a rest.
            assert!(
                (end - SECOND * 2 / 5..end).contains(&last),
                "{text}: ends at {last} of {end}"
            );
        }
    }
}

#[test]
fn who_is_interrupted_does_not_talk_faster() {
    let text = "One, two, three, four, five, six, seven, eight, nine.";
    let long = score(Format::Wav, 1, 1000, vec![sound(0, 3000, 0, speech(text))]);
    let cut = score(Format::Wav, 1, 1000, vec![sound(0, 500, 0, speech(text))]);
    assert!(speaking_time(text) > Duration::from_secs(3));
    let (long, cut) = (
        heard(&long.render(Voice::Babble)),
        heard(&cut.render(Voice::Babble)),
    );
    assert_eq!(long[0][..7900], cut[0][..7900]);
    assert_eq!(loudest(&cut[0][8000..]), 0.0);
    assert!(loudest(&long[0][8000..]) > 0.1);
}

#[test]
fn nobody_talks_during_a_break() {
    let text = "Hello there <break time='1s'/> again";
    let what = score(Format::Wav, 1, 3000, vec![sound(0, 3000, 0, speech(text))]);
    let heard = heard(&what.render(Voice::Babble)).remove(0);
    let talk = samples(speaking_time("Hello there")) as usize;
    // A text said in more time than it takes has longer breaks as well.
    let longer = 3.0 / speaking_time(text).as_secs_f32();
    let (from, to) = (talk as f32 * longer, (talk + SECOND) as f32 * longer);
    assert_eq!(loudest(&heard[from as usize + 1..to as usize - 1]), 0.0);
    assert!(loudest(&heard[..from as usize]) > 0.1 && loudest(&heard[to as usize..]) > 0.1);
}

#[test]
fn voices_differ_in_pitch() {
    let files: Vec<Vec<u8>> = (0..8)
        .map(|voice| {
            let what = What::Speech {
                text: "Good morning".to_owned(),
                voice,
                language: "en-US".to_owned(),
            };
            score(Format::Wav, 1, 500, vec![sound(0, 500, 0, what)]).render(Voice::Babble)
        })
        .collect();
    for (one, other) in (0..8).flat_map(|one| (0..one).map(move |other| (one, other))) {
        assert_ne!(files[one], files[other], "{one} and {other}");
    }
}

#[test]
fn a_tune_is_as_long_as_its_address_says() {
    for (url, seconds) in [
        ("https://a.example/x.mp3", 20),
        ("https://a.example/x.mp3#t=3", 3),
        ("https://a.example/x.mp3#t=1", 1),
        ("https://a.example/x.mp3#t=3600", 3600),
        ("https://a.example/x.mp3#t=3601", 20),
        ("https://a.example/x.mp3#t=0", 20),
        ("https://a.example/x.mp3#t=-4", 20),
        ("https://a.example/x.mp3#t=soon", 20),
        ("https://a.example/x.mp3?t=3", 20),
        ("", 20),
    ] {
        assert_eq!(tune_time(url), Duration::from_secs(seconds), "{url}");
    }
    let tune = heard(&tune("https://a.example/x.mp3#t=3")).remove(0);
    assert_eq!(tune.len(), 3 * SECOND);
    for second in 0..3 {
        let loud = loudest(&tune[second * SECOND..][..SECOND]);
        assert!((0.1..0.6).contains(&loud), "second {second}: {loud}");
    }
}

#[test]
fn two_pieces_of_music_sound_different() {
    let urls: Vec<String> = (0..12)
        .map(|number| format!("https://a.example/{number}.mp3#t=2"))
        .collect();
    let tunes: Vec<Vec<u8>> = urls.iter().map(|url| tune(url)).collect();
    for (one, other) in (0..12).flat_map(|one| (0..one).map(move |other| (one, other))) {
        assert_ne!(tunes[one], tunes[other], "{one} and {other}");
    }
    assert_eq!(tunes[0], tune(&urls[0]));
    // The length is no part of the music.
    assert_eq!(
        tune("https://a.example/0.mp3#t=3")[44..60_000],
        tunes[0][44..60_000]
    );
}

#[test]
fn chunks_are_the_file_in_pieces_of_a_second() {
    let score = score(Format::Wav, 2, 10_000, medley());
    fn body(chunks: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Vec<Vec<u8>> {
        chunks.collect()
    }
    let chunks = body(score.chunks(Voice::Babble));
    assert!(chunks.len() >= 10 && chunks.iter().all(|chunk| chunk.len() < 70_000));
    assert_eq!(chunks.concat(), score.render(Voice::Babble));
}
