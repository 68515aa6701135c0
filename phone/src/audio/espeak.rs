//! Real speech, where the program `espeak-ng` is installed: <https://github.com/espeak-ng/espeak-ng>.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use super::{RATE, wav};

const PROGRAM: &str = "espeak-ng";
/// Words a minute: its own default, and what it is able to.
const USUAL_SPEED: u64 = 175;
const SPEEDS: std::ops::RangeInclusive<u64> = 80..=450;
/// Variants of a language's voice, to tell people apart.
const VARIANTS: [&str; 8] = ["", "+f2", "+m3", "+f4", "+m7", "+f3", "+m1", "+f1"];
/// A sentence takes it some hundredths of a second. Past this it hangs.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest text of a talk action, said as slowly as possible, is about half of it.
const MOST_BYTES: u64 = 32 << 20;
/// What is kept for the next time, in samples: 64 MB. Then all is forgotten.
const KEPT: usize = 32 << 20;

/// A text, its voice and its speed.
type Asked = (String, String, u64);
/// What was said; `None` if that failed, which is not tried again.
type Said = Option<Arc<[i16]>>;

static SAID: LazyLock<Mutex<HashMap<Asked, Said>>> = LazyLock::new(Mutex::default);

/// Says a plain text in about so many samples of [`RATE`]; longer ones are to be cut. `None` if the
/// program is not there, does not know the language, or fails.
pub(super) fn say(text: &str, who: u8, language: &str, room: u64) -> Said {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    // It takes the path of a file for a voice as well.
    if language.is_empty() || !language.chars().all(plain) {
        return None;
    }
    let voice = format!("{language}{}", VARIANTS[usize::from(who) % VARIANTS.len()]);
    let usual = remembered(text, &voice, USUAL_SPEED)?;
    let takes = usual.len() as u64;
    // A tenth more or less nobody hears.
    if takes <= room && takes * 10 >= room * 9 {
        return Some(usual);
    }
    let speed = (USUAL_SPEED * takes).div_ceil(room.max(1));
    let speed = speed.clamp(*SPEEDS.start(), *SPEEDS.end());
    remembered(text, &voice, speed).or(Some(usual))
}

fn remembered(text: &str, voice: &str, speed: u64) -> Said {
    let asked = (text.to_owned(), voice.to_owned(), speed);
    let lock = || SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(said) = lock().get(&asked) {
        return said.clone();
    }
    let said = run(text, voice, speed).map(Arc::from);
    let mut all = lock();
    let kept: usize = all.values().flatten().map(|said| said.len()).sum();
    if kept > KEPT {
        all.clear();
    }
    // Who asked at the same time hears the same.
    all.entry(asked).or_insert(said).clone()
}

fn run(text: &str, voice: &str, speed: u64) -> Option<Vec<i16>> {
    let mut child = Command::new(PROGRAM)
        .args(["--stdin", "--stdout", "-b", "1", "-v", voice, "-s"])
        .arg(speed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    let output = child.stdout.take()?;
    let text = text.to_owned();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut file = Vec::new();
        let written = input.write_all(text.as_bytes());
        drop(input);
        let read = output.take(MOST_BYTES).read_to_end(&mut file);
        // Nobody listens any more if this took too long.
        let _ = tell.send(written.and(read).ok().map(|_| file));
    });
    let file = told.recv_timeout(PATIENCE).ok().flatten();
    if file.is_none() {
        // It may have ended by itself.
        let _ = child.kill();
    }
    let ended = child.wait().ok()?;
    let (rate, samples) = wav::decode(&file?)?;
    (ended.success() && !samples.is_empty()).then(|| resample(&samples, rate))
}

/// From another rate to [`RATE`], in straight lines from sample to sample.
fn resample(samples: &[i16], rate: u32) -> Vec<i16> {
    let length = samples.len() as u64 * u64::from(RATE) / u64::from(rate.max(1));
    (0..length)
        .map(|at| {
            let position = at as f64 * f64::from(rate) / f64::from(RATE);
            let here = samples[position as usize];
            let next = samples.get(position as usize + 1).copied().unwrap_or(here);
            let between = position.fract();
            (f64::from(here) * (1.0 - between) + f64::from(next) * between) as i16
        })
        .collect()
}

#[cfg(test)]
mod tests;
