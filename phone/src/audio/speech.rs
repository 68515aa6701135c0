//! Somebody talks.

use std::f32::consts::TAU;
use std::time::Duration;

use super::{RATE, Wave, espeak, hash, samples};

/// Characters said in a second. `espeak-ng` says 15 to 18 of an announcement at its usual 175 words a
/// minute; the voices of browsers are slower, and a page must not cut the last word off.
const CHARACTERS_A_SECOND: u64 = 13;
/// A character of Chinese, Japanese or Korean is a syllable, and takes as long as three letters.
const FIRST_SYLLABIC: char = '\u{2e80}';
const SYLLABIC_WEIGHT: u64 = 3;
/// The least time that anything said takes.
const SHORTEST: Duration = Duration::from_millis(500);
/// The longest pause of a `<break/>`: the engines behind Vonage's voices cut others to it.
const LONGEST_BREAK: Duration = Duration::from_secs(10);

/// Hertz of each voice's pitch.
const PITCHES: [f32; 8] = [118.0, 205.0, 96.0, 180.0, 140.0, 228.0, 108.0, 164.0];

/// The vowels, and the three pitches in hertz at which a throat lets them ring.
const VOWELS: [(char, [f32; 3]); 5] = [
    ('a', [730.0, 1090.0, 2440.0]),
    ('e', [530.0, 1840.0, 2480.0]),
    ('i', [270.0, 2290.0, 3010.0]),
    ('o', [570.0, 840.0, 2410.0]),
    ('u', [300.0, 870.0, 2240.0]),
];
const RING_LOUD: [f32; 3] = [1.0, 0.5, 0.2];
const RING_WIDE: f32 = 130.0;
/// A telephone lets nothing through above.
const HIGHEST: f32 = 3400.0;
/// How loud speech is.
const LOUD: f32 = 0.5;

/// One turn of a voice's cords, in samples of the table.
const TURN: usize = 256;

/// Who says what is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// A babble: as many syllables as the text has, in the pitch of who speaks. Always the same.
    Babble,
    /// The program `espeak-ng`, run for each text once; the babble where it is missing or fails.
    Espeak,
}

/// How long a sentence takes to say. SSML tags take no time, except a `<break time="2s"/>`, which takes
/// what it says, up to ten seconds. At least half a second; none for an empty text.
pub fn speaking_time(text: &str) -> Duration {
    let time: Duration = parts(text).iter().map(Part::time).sum();
    if time.is_zero() {
        time
    } else {
        time.max(SHORTEST)
    }
}

/// What is heard of a text that takes so many samples. Where that is less than [`speaking_time`] the
/// speaker was cut off; where it is more they take their time.
pub(super) fn wave(text: &str, who: u8, language: &str, length: u64, voice: Voice) -> Wave {
    let parts = parts(text);
    let plain: Duration = parts.iter().map(Part::time).sum();
    let slower = samples(speaking_time(text)).max(length) as f64 / samples(plain).max(1) as f64;

    let mut from = 0;
    let mut said = Vec::new();
    for part in &parts {
        let room = (samples(part.time()) as f64 * slower) as u64;
        if let Part::Say(text) = part
            && from < length
        {
            let spoken = match voice {
                Voice::Babble => None,
                Voice::Espeak => espeak::say(text, who, language, room),
            };
            let wave: Wave = match spoken {
                Some(spoken) => Box::new(move |at| {
                    let sample = spoken.get(at as usize).copied().unwrap_or(0);
                    f32::from(sample) / f32::from(i16::MAX)
                }),
                None => babble(text, who, room),
            };
            said.push((from, from + room, wave));
        }
        from += room;
    }
    Box::new(move |at| {
        let next = said.partition_point(|(_, to, _)| *to <= at);
        said.get(next)
            .filter(|(from, _, _)| *from <= at)
            .map_or(0.0, |(from, _, wave)| wave(at - from))
    })
}

/// What a text is made of.
#[derive(Debug, PartialEq)]
enum Part {
    /// Plain words, one space between them.
    Say(String),
    Pause(Duration),
}

impl Part {
    fn time(&self) -> Duration {
        match self {
            Self::Say(text) => {
                let weight: u64 = text.chars().map(weight).sum();
                Duration::from_millis(weight * 1000 / CHARACTERS_A_SECOND)
            }
            Self::Pause(time) => *time,
        }
    }
}

fn weight(letter: char) -> u64 {
    if letter < FIRST_SYLLABIC {
        1
    } else {
        SYLLABIC_WEIGHT
    }
}

/// Takes SSML apart, and plain text as it is: `<` and `&` begin something only where something follows.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut words = String::new();
    let mut rest = text;
    let end = |words: &mut String, parts: &mut Vec<Part>| {
        let said = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if !said.is_empty() {
            parts.push(Part::Say(said));
        }
        words.clear();
    };
    while let Some(first) = rest.chars().next() {
        if let Some((tag, after)) = tag(rest) {
            if let Some(time) = pause(tag) {
                end(&mut words, &mut parts);
                parts.push(Part::Pause(time));
            }
            rest = after;
        } else if let Some((letter, after)) = entity(rest) {
            words.push(letter);
            rest = after;
        } else {
            words.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    end(&mut words, &mut parts);
    parts
}

/// The inside of the tag that a text begins with, and what follows it.
fn tag(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?;
    if !inside.starts_with(|first: char| first.is_ascii_alphabetic() || "/!?".contains(first)) {
        return None;
    }
    inside.split_once('>')
}

fn entity(text: &str) -> Option<(char, &str)> {
    let named = [
        ("&amp;", '&'),
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&apos;", '\''),
    ];
    named
        .iter()
        .find_map(|(name, letter)| Some((*letter, text.strip_prefix(name)?)))
}

/// How long the tag `break` has everybody wait; `None` if it is another tag.
fn pause(tag: &str) -> Option<Duration> {
    let about = tag.strip_prefix("break")?.trim_end_matches('/');
    if !about.is_empty() && !about.starts_with(char::is_whitespace) {
        return None;
    }
    let attribute = |name: &str| {
        let (_, value) = about.split_once(name)?;
        let value = value.trim_start().strip_prefix('=')?.trim_start();
        let quote = value
            .chars()
            .next()
            .filter(|first| "\"'".contains(*first))?;
        value[1..].split(quote).next()
    };
    if let Some(time) = attribute("time") {
        let (number, unit) = match time.strip_suffix("ms") {
            Some(number) => (number, 0.001),
            None => (time.strip_suffix('s').unwrap_or_default(), 1.0),
        };
        let time = number.trim().parse::<f64>().unwrap_or(0.0) * unit;
        let time = time.clamp(0.0, LONGEST_BREAK.as_secs_f64());
        return Some(Duration::try_from_secs_f64(time).unwrap_or_default());
    }
    // Like the pauses that commas, sentences and paragraphs make.
    Some(Duration::from_millis(match attribute("strength") {
        Some("none") => 0,
        Some("x-weak" | "weak") => 150,
        Some("strong") => 600,
        Some("x-strong") => 1000,
        _ => 300,
    }))
}

/// A syllable of the babble.
struct Syllable {
    from: f32,
    length: f32,
    /// Hertz where it begins; it falls a little.
    pitch: f32,
    vowel: usize,
}

/// Syllables in the rhythm of the text's words, over so many samples.
fn babble(text: &str, who: u8, room: u64) -> Wave {
    let pitch = PITCHES[usize::from(who) % PITCHES.len()];
    let turns = VOWELS.map(|(_, rings)| turn(pitch, rings));
    let syllables = syllables(text, pitch, room);
    Box::new(move |at| {
        let at = at as f32;
        let next = syllables.partition_point(|syllable| syllable.from <= at);
        let Some(syllable) = next.checked_sub(1).map(|last| &syllables[last]) else {
            return 0.0;
        };
        let since = at - syllable.from;
        let share = since / syllable.length;
        if share >= 1.0 {
            return 0.0;
        }
        let second = since / RATE as f32;
        let turns_made = syllable.pitch * second * (1.0 - 0.04 * share);
        let position = turns_made.fract() * TURN as f32;
        let (sample, between) = (position as usize, position.fract());
        let turn = &turns[syllable.vowel];
        let value = turn[sample % TURN] * (1.0 - between) + turn[(sample + 1) % TURN] * between;
        // Up fast, down slowly.
        let loud = (share / 0.15).min((1.0 - share) / 0.45).min(1.0);
        LOUD * loud * value
    })
}

fn syllables(text: &str, pitch: f32, room: u64) -> Vec<Syllable> {
    let weights: u64 = text.chars().map(weight).sum();
    let scale = room as f32 / weights.max(1) as f32;
    let asks = text.ends_with('?');
    let mut syllables = Vec::new();
    let mut at = 0;
    for (number, word) in text.split(' ').enumerate() {
        let length: u64 = word.chars().map(weight).sum();
        // A full stop or comma is a rest at the word's end.
        let spelt = word.trim_end_matches(|last: char| !last.is_alphanumeric());
        let sounding: u64 = spelt.chars().map(weight).sum();
        let sounds: Vec<char> = spelt
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .collect();
        let vowels = vowels(&sounds);
        let each = sounding as f32 * scale / vowels.len().max(1) as f32;
        for (place, vowel) in vowels.into_iter().enumerate() {
            let dice = hash(word, (number * 32 + place) as u64);
            let so_far = at as f32 / weights as f32;
            // A sentence sinks; a question rises at last.
            let tune = if asks && so_far > 0.6 {
                0.7 + 0.5 * so_far
            } else {
                1.06 - 0.12 * so_far
            };
            syllables.push(Syllable {
                from: at as f32 * scale + each * place as f32,
                length: each,
                pitch: pitch * tune * (0.94 + (dice % 13) as f32 * 0.01),
                vowel: vowel.unwrap_or((dice / 13 % 5) as usize),
            });
        }
        at += length + 1;
    }
    syllables
}

/// The vowel of each syllable of a word; `None` where the spelling does not tell.
fn vowels(word: &[char]) -> Vec<Option<usize>> {
    let mut vowels = Vec::new();
    let mut inside = false;
    for &letter in word {
        let plain = if letter == 'y' {
            'i'
        } else {
            letter.to_ascii_lowercase()
        };
        let vowel = VOWELS.iter().position(|(vowel, _)| *vowel == plain);
        let alone = letter.is_numeric() || letter >= FIRST_SYLLABIC;
        if alone || (vowel.is_some() && !inside) {
            vowels.push(vowel);
        }
        inside = vowel.is_some();
    }
    if vowels.is_empty() && !word.is_empty() {
        vowels.push(None);
    }
    vowels
}

/// One turn of the cords at a pitch, as a throat colours it: the overtones near where it rings. Its
/// highest point is 1.
fn turn(pitch: f32, rings: [f32; 3]) -> [f32; TURN] {
    let mut turn = [0.0; TURN];
    for overtone in 1..(HIGHEST / pitch) as usize {
        let hertz = overtone as f32 * pitch;
        let loud: f32 = rings
            .iter()
            .zip(RING_LOUD)
            .map(|(ring, loud)| loud * (-((hertz - ring) / RING_WIDE).powi(2)).exp())
            .sum();
        let loud = loud + 0.1 / overtone as f32;
        for (at, sample) in turn.iter_mut().enumerate() {
            *sample += loud * (TAU * (overtone * at % TURN) as f32 / TURN as f32).sin();
        }
    }
    let highest = turn
        .iter()
        .fold(0.01_f32, |highest, sample| highest.max(sample.abs()));
    turn.map(|sample| sample / highest)
}

#[cfg(test)]
mod tests;
