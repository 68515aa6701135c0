//! Files of the corpus, and what may become of them on the way.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::fs;
use std::path::{Path, PathBuf};

/// Nesting that a reader must refuse rather than follow: beyond the stack of a test's thread.
const DEEP: usize = 10_000;

/// Longest input that comes of changes. What is special about longer ones has tests of its own.
const LENGTH_MAX: usize = 64 * 1024;

/// The files of one target, with the words that matter to it.
#[derive(Debug, Clone)]
pub(crate) struct Corpus {
    files: Vec<(PathBuf, Vec<u8>)>,
    words: Vec<Vec<u8>>,
}

/// One thing that becomes of a file.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A bit is turned over.
    Flip(Index, u8),
    /// A byte becomes another.
    Set(Index, u8),
    /// A word stands there, too.
    Insert(Index, Vec<u8>),
    /// A word stands there in place of what did.
    Overwrite(Index, Vec<u8>),
    /// A part is missing.
    Cut(Index, Index),
    /// It ends early.
    Truncate(Index),
    /// It goes on as another file does.
    Splice(Index, Index, Vec<u8>),
    /// A line is there once more, somewhere else.
    RepeatLine(Index, Index),
    /// A line is missing.
    DropLine(Index),
    /// A member of a JSON object is there twice: what stands between two commas.
    RepeatMember(Index),
    /// It lies in so many brackets or braces.
    Nest(bool, usize),
    /// Bytes which are no text.
    Garble(Index),
    /// A part comes very often.
    Flood(Index, u8, u16),
}

impl Corpus {
    /// Reads a folder of files, and the words of a dictionary of libFuzzer.
    pub(crate) fn read(folder: &Path, dictionaries: &Path, name: &str) -> Self {
        let entries = fs::read_dir(folder).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        // In whatever order the file system tells them.
        files.sort();
        let text =
            fs::read_to_string(dictionaries.join(format!("{name}.dict"))).unwrap_or_default();
        let words = text.lines().filter_map(word).collect();
        Self { files, words }
    }

    pub(crate) fn files(&self) -> &[(PathBuf, Vec<u8>)] {
        &self.files
    }

    /// A file, and what becomes of it.
    pub(crate) fn changed(&self) -> impl Strategy<Value = (Vec<u8>, Vec<Change>)> + use<> {
        let files: Vec<Vec<u8>> = self.files.iter().map(|(_, data)| data.clone()).collect();
        let mut words = self.words.clone();
        words.extend(HOSTILE.iter().map(|word| word.to_vec()));
        let changes = prop::collection::vec(a_change(words, files.clone()), 1..6);
        (select(files), changes)
    }
}

/// Words that readers stumble over, whatever they read.
const HOSTILE: [&[u8]; 16] = [
    b"null",
    b"-1",
    b"1e400",
    b"18446744073709551616",
    b"\"\"",
    b"\\u0000",
    b"\\ud800",
    b"[]",
    b"{}",
    b"\r\n",
    b"\0",
    b"\xef\xbb\xbf",
    b"%00",
    b"%FF",
    b"=&=",
    "\u{202e}\u{1F4DE}".as_bytes(),
];

/// `name="word"` or `"word"`, with `\\`, `\"` and `\xNN`.
fn word(line: &str) -> Option<Vec<u8>> {
    let line = line.trim();
    let (_, rest) = line.split_once('"').filter(|_| !line.starts_with('#'))?;
    let quoted = rest.strip_suffix('"')?;
    let mut word = Vec::new();
    let mut bytes = quoted.bytes();
    while let Some(byte) = bytes.next() {
        let escaped = if byte == b'\\' { bytes.next() } else { None };
        word.push(match escaped {
            Some(b'x') => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            Some(other) => other,
            None => byte,
        });
    }
    Some(word)
}

fn a_change(words: Vec<Vec<u8>>, files: Vec<Vec<u8>>) -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let nest = prop_oneof![Just(1), Just(127), Just(129), Just(DEEP)];
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        4 => (at(), select(words.clone())).prop_map(|(at, word)| Change::Insert(at, word)),
        4 => (at(), select(words)).prop_map(|(at, word)| Change::Overwrite(at, word)),
        4 => (at(), at()).prop_map(|(from, to)| Change::Cut(from, to)),
        2 => at().prop_map(Change::Truncate),
        4 => (at(), at(), select(files)).prop_map(|(here, there, file)| Change::Splice(here, there, file)),
        4 => (at(), at()).prop_map(|(from, to)| Change::RepeatLine(from, to)),
        2 => at().prop_map(Change::DropLine),
        4 => at().prop_map(Change::RepeatMember),
        1 => (any::<bool>(), nest).prop_map(|(braces, depth)| Change::Nest(braces, depth)),
        1 => at().prop_map(Change::Garble),
        1 => (at(), any::<u8>(), 1..2_000_u16).prop_map(|(at, length, times)| Change::Flood(at, length, times)),
    ]
}

/// What became of a file.
pub(crate) fn change(file: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut data = file.to_vec();
    for change in changes {
        apply(&mut data, change);
        data.truncate(LENGTH_MAX);
    }
    data
}

fn apply(data: &mut Vec<u8>, change: &Change) {
    // One place more than bytes: the end is a place, too.
    let place = |at: &Index, data: &Vec<u8>| at.index(data.len() + 1);
    match change {
        Change::Flip(..) | Change::Set(..) if data.is_empty() => {}
        Change::Flip(at, bit) => {
            let at = at.index(data.len());
            data[at] ^= 1 << bit;
        }
        Change::Set(at, byte) => {
            let at = at.index(data.len());
            data[at] = *byte;
        }
        Change::Insert(at, word) => {
            let at = place(at, data);
            data.splice(at..at, word.iter().copied());
        }
        Change::Overwrite(at, word) => {
            let at = place(at, data);
            let end = data.len().min(at + word.len());
            data.splice(at..end, word.iter().copied());
        }
        Change::Cut(from, to) => {
            let (from, to) = (place(from, data), place(to, data));
            data.drain(from.min(to)..from.max(to));
        }
        Change::Truncate(at) => data.truncate(place(at, data)),
        Change::Splice(here, there, file) => {
            data.truncate(place(here, data));
            data.extend_from_slice(&file[place(there, file)..]);
        }
        Change::RepeatLine(from, to) => {
            let mut lines: Vec<&[u8]> = data.split(|&byte| byte == b'\n').collect();
            let line = lines[from.index(lines.len())];
            lines.insert(to.index(lines.len() + 1), line);
            *data = lines.join(&b'\n');
        }
        Change::DropLine(at) => {
            let mut lines: Vec<&[u8]> = data.split(|&byte| byte == b'\n').collect();
            lines.remove(at.index(lines.len()));
            *data = lines.join(&b'\n');
        }
        Change::RepeatMember(at) => {
            let mut members: Vec<&[u8]> = data.split(|&byte| byte == b',').collect();
            let at = at.index(members.len());
            members.insert(at, members[at]);
            *data = members.join(&b',');
        }
        Change::Nest(braces, depth) => {
            let (open, close) = if *braces {
                (&b"{\"a\":"[..], &b"}"[..])
            } else {
                (&b"["[..], &b"]"[..])
            };
            let inside = std::mem::take(data);
            data.extend(open.repeat(*depth));
            data.extend(inside);
            data.extend(close.repeat(*depth));
        }
        Change::Garble(at) => {
            let at = place(at, data);
            data.splice(at..at, [0xc3, 0x28, 0xff, 0xed, 0xa0, 0x80]);
        }
        Change::Flood(at, length, times) => {
            let at = place(at, data);
            let end = data.len().min(at + usize::from(*length));
            let part = data[at..end].to_vec();
            let room = LENGTH_MAX / part.len().max(1);
            data.splice(at..at, part.repeat(usize::from(*times).min(room)));
        }
    }
}
