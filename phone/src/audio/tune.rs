//! Music for any address.

use std::f32::consts::TAU;
use std::time::Duration;

use super::{Format, Score, Sound, Voice, Wave, What, hash, seconds};

/// How long one play is, unless its address says.
const USUAL: Duration = Duration::from_secs(20);
/// What an address may say, in seconds: longer than anybody holds, and no file grows past 115 MB.
const SAID: std::ops::RangeInclusive<u64> = 1..=3600;

/// Steps in semitones from the key to the root of each chord of a round, and the chord is major.
const ROUNDS: [[(i32, bool); 4]; 6] = [
    [(0, true), (9, false), (5, true), (7, true)],
    [(0, true), (5, true), (9, false), (7, true)],
    [(0, false), (8, true), (3, true), (10, true)],
    [(0, true), (4, false), (5, true), (7, true)],
    [(0, false), (5, false), (10, true), (3, true)],
    [(9, false), (5, true), (0, true), (7, true)],
];
/// The lowest key, in hertz: the G below middle C. It comes through a telephone well enough.
const LOWEST: f32 = 196.0;
const BEATS_OF_A_CHORD: u64 = 4;

/// How long one play of a streamed file takes. Nothing is fetched: 20 seconds, unless the address ends in
/// `#t=SECONDS`, a whole number from 1 to 3600.
pub fn tune_time(url: &str) -> Duration {
    url.rsplit_once("#t=")
        .and_then(|(_, seconds)| seconds.parse().ok())
        .filter(|seconds| SAID.contains(seconds))
        .map_or(USUAL, Duration::from_secs)
}

/// What is heard of a streamed file: a whole WAV file of one channel, as long as [`tune_time`], with soft
/// chords and a melody chosen by the address. The fragment chooses nothing.
pub fn tune(url: &str) -> Vec<u8> {
    let length = tune_time(url);
    Score {
        format: Format::Wav,
        channels: 1,
        length,
        sounds: vec![Sound {
            at: Duration::ZERO,
            length,
            channel: 0,
            what: What::Tune {
                url: url.to_owned(),
            },
        }],
    }
    .render(Voice::Babble)
}

/// The music of an address. It has no end.
pub(super) fn wave(url: &str) -> Wave {
    let name = url.split('#').next().unwrap_or_default().to_owned();
    let pick = |salt: u64, of: u64| hash(&name, salt) % of;
    let round = ROUNDS[pick(0, ROUNDS.len() as u64) as usize];
    let key = pick(1, 12) as i32;
    let beat_seconds = 0.4 + pick(2, 8) as f64 * 0.05;

    // The whole of a round of four chords, and of the next three: then it begins anew.
    let melody: Vec<i32> = (0..4 * 4 * BEATS_OF_A_CHORD)
        .map(|beat| {
            let (root, major) = round[(beat / BEATS_OF_A_CHORD % 4) as usize];
            let step = [0, third(major), 7, 12][(hash(&name, 100 + beat) % 4) as usize];
            key + root + step + 12
        })
        .collect();

    Box::new(move |at| {
        let beats = seconds(at) / beat_seconds;
        let beat = beats as u64;
        let (root, major) = round[(beat / BEATS_OF_A_CHORD % 4) as usize];

        let chord_beats = beats - (beat - beat % BEATS_OF_A_CHORD) as f64;
        let chord_seconds = (chord_beats * beat_seconds) as f32;
        let left = BEATS_OF_A_CHORD as f32 * beat_seconds as f32 - chord_seconds;
        let swell = (chord_seconds / 0.15).min(left / 0.25).clamp(0.0, 1.0);
        let chord: f32 = [0, third(major), 7]
            .iter()
            .map(|step| sine(key + root + step, chord_seconds))
            .sum();

        let note_beats = beats - beat as f64;
        let note_seconds = (note_beats * beat_seconds) as f32;
        let left = 1.0 - note_beats as f32;
        let pluck = (note_seconds / 0.015).min(1.0) * left * left;
        let note = melody[(beat % melody.len() as u64) as usize];
        let bell = sine(note, note_seconds) + 0.3 * sine(note + 12, note_seconds);

        0.08 * swell * chord + 0.18 * pluck * bell
    })
}

/// From the root of a chord to its middle note.
fn third(major: bool) -> i32 {
    if major { 4 } else { 3 }
}

/// A note so many semitones above the lowest key, so long after it began.
fn sine(semitones: i32, seconds: f32) -> f32 {
    let hertz = LOWEST * (semitones as f32 / 12.0).exp2();
    (TAU * hertz * seconds).sin()
}
