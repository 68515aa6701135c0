//! The tones a telephone makes by itself.

use std::f32::consts::TAU;

use super::{RATE, Wave, seconds};

/// A row and a column of the keypad have a tone each, in hertz: ITU-T Q.23.
const KEYS: [&str; 4] = ["123A", "456B", "789C", "*0#D"];
const ROWS: [u32; 4] = [697, 770, 852, 941];
const COLUMNS: [u32; 4] = [1209, 1336, 1477, 1633];

/// How loud one of two tones is.
const LOUD: f32 = 0.25;

/// A phone that rings, as heard in North America: two tones, two seconds of every six.
const RING: (u32, u32) = (440, 480);
const RING_SAMPLES: u64 = 2 * RATE as u64;
const RING_EVERY: u64 = 6 * RATE as u64;
/// Over which a ring rises and falls: 10 ms.
const RING_EDGE: u64 = 160;

/// A beep is one tone, twice.
const BEEP: (u32, u32) = (1000, 1000);

/// The tones of a key; silence for what is none.
pub(super) fn key(key: char) -> Wave {
    let key = key.to_ascii_uppercase();
    let found = KEYS.iter().zip(ROWS).find_map(|(keys, row)| {
        let column = keys.chars().position(|other| other == key)?;
        Some((row, COLUMNS[column]))
    });
    match found {
        Some(tones) => Box::new(move |at| pair(tones, at)),
        None => Box::new(|_| 0.0),
    }
}

/// A phone rings.
pub(super) fn ringback() -> Wave {
    Box::new(|at| {
        let at = at % RING_EVERY;
        let edge = at.min(RING_SAMPLES.saturating_sub(at)).min(RING_EDGE);
        if edge == 0 {
            return 0.0;
        }
        pair(RING, at) * edge as f32 / RING_EDGE as f32
    })
}

/// A recording begins.
pub(super) fn beep() -> Wave {
    Box::new(|at| pair(BEEP, at))
}

/// Two tones together, in whole hertz: each second is like the first, so an hour on they are as true.
fn pair((low, high): (u32, u32), at: u64) -> f32 {
    let second = seconds(at % u64::from(RATE)) as f32;
    let tone = |hertz: u32| (TAU * (hertz as f32 * second).fract()).sin();
    LOUD * (tone(low) + tone(high))
}
