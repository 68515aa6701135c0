use axum::{
    body::{Body, Bytes},
    http::{
        StatusCode,
        header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
};
use futures_util::stream;
use ring::digest;
use std::{collections::VecDeque, io, time::Duration};

/// Bytes sent at a time. Nothing more of a long recording is ever in memory here.
const CHUNK: usize = 64 * 1024;

/// How long a download that is to break off stands still before it does, so that what was sent so
/// far has left this process.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// The bytes of a recording.
#[derive(Clone)]
pub enum Content {
    /// These.
    Bytes(Bytes),
    /// Pseudo-random ones, made while they are sent: as long as you like at no cost in memory.
    Seeded {
        /// The same seed gives the same bytes.
        seed: u64,
        /// How many.
        length: u64,
    },
}

impl Content {
    /// How many bytes there are.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Seeded { length, .. } => *length,
        }
    }

    /// Their SHA-256, as lower-case hex digits.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        let mut at = 0;
        while at < self.length() {
            let chunk = self.chunk(at, self.length());
            at += chunk.len() as u64;
            context.update(&chunk);
        }
        crate::unique::hex(context.finish().as_ref())
    }

    /// The chunk at `at`, a multiple of [`CHUNK`], as far as `end`. Zeros where `end` lies behind
    /// the last byte.
    fn chunk(&self, at: u64, end: u64) -> Bytes {
        let length = usize::try_from(end - at).map_or(CHUNK, |left| left.min(CHUNK));
        let own = self.length().saturating_sub(at);
        let own = usize::try_from(own).map_or(length, |own| own.min(length));
        let mut chunk = match self {
            Self::Bytes(bytes) => {
                let at = usize::try_from(at).map_or(bytes.len(), |at| at.min(bytes.len()));
                let chunk = bytes.slice(at..at + own);
                if own == length {
                    return chunk;
                }
                chunk.to_vec()
            }
            Self::Seeded { seed, .. } => {
                let mut random = seed ^ at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut chunk = vec![0; own.next_multiple_of(8)];
                for word in chunk.chunks_exact_mut(8) {
                    word.copy_from_slice(&next_random(&mut random).to_le_bytes());
                }
                chunk.truncate(own);
                chunk
            }
        };
        chunk.resize(length, 0);
        chunk.into()
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

/// SplitMix64: eight good bytes for three multiplications.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What can go wrong with a download.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status and no recording, such as 404.
    Status(u16),
    /// The connection breaks after this many bytes; `Content-Length` had promised all of them.
    Cut(u64),
    /// A whole and well-formed answer of this many bytes, whatever the recording has: shorter, or
    /// padded with zeros.
    Length(u64),
    /// 302 to this URL.
    Redirect(String),
    /// All of it, with this pause before every 64 KiB.
    Slow(Duration),
    /// All of it without `Content-Length`.
    Chunked,
}

pub(super) struct Recording {
    content: Content,
    content_type: String,
    faults: VecDeque<(Fault, usize)>,
}

impl Recording {
    pub(super) fn new(content: Content, content_type: &str) -> Self {
        Self {
            content,
            content_type: content_type.to_owned(),
            faults: VecDeque::new(),
        }
    }

    pub(super) fn spoil(&mut self, fault: Fault, times: usize) {
        if times > 0 {
            self.faults.push_back((fault, times));
        }
    }

    /// `range`: what part was asked for, `bytes=7-`. Given of what is a part of it, unless something
    /// goes wrong.
    pub(super) fn serve(&mut self, range: Option<&str>) -> Response {
        let whole = self.content.length();
        let first = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        if let (Some(Ok(first)), Content::Bytes(bytes), None) = (
            first.map(str::parse::<u64>),
            &self.content,
            self.faults.front(),
        ) {
            let Some(part) = usize::try_from(first).ok().and_then(|at| bytes.get(at..)) else {
                return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            };
            let range = format!("bytes {first}-{}/{whole}", whole.saturating_sub(1));
            let head = [
                (CONTENT_TYPE, self.content_type.clone()),
                (CONTENT_RANGE, range),
            ];
            return (StatusCode::PARTIAL_CONTENT, head, bytes.slice_ref(part)).into_response();
        }
        let mut sending = Sending {
            content: self.content.clone(),
            at: 0,
            end: whole,
            cut: false,
            pause: Duration::ZERO,
        };
        let mut promised = Some(whole);
        match self.next_fault() {
            None => {}
            Some(Fault::Status(status)) => {
                return StatusCode::from_u16(status)
                    .expect("a test scripts a valid status")
                    .into_response();
            }
            Some(Fault::Redirect(url)) => {
                return (StatusCode::FOUND, [(LOCATION, url)]).into_response();
            }
            Some(Fault::Cut(after)) => {
                sending.end = after.min(whole);
                sending.cut = true;
            }
            Some(Fault::Length(length)) => {
                sending.end = length;
                promised = Some(length);
            }
            Some(Fault::Slow(pause)) => sending.pause = pause,
            Some(Fault::Chunked) => promised = None,
        }
        let mut response = (
            [(CONTENT_TYPE, self.content_type.clone())],
            sending.into_body(),
        )
            .into_response();
        if let Some(length) = promised {
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        response
    }

    fn next_fault(&mut self) -> Option<Fault> {
        let (fault, left) = self.faults.front_mut()?;
        let fault = fault.clone();
        *left -= 1;
        if *left == 0 {
            self.faults.pop_front();
        }
        Some(fault)
    }
}

/// A download under way.
struct Sending {
    content: Content,
    at: u64,
    end: u64,
    cut: bool,
    pause: Duration,
}

impl Sending {
    fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self, async |mut sending| {
            tokio::time::sleep(sending.pause).await;
            if sending.at < sending.end {
                let chunk = sending.content.chunk(sending.at, sending.end);
                sending.at += chunk.len() as u64;
                return Some((Ok(chunk), sending));
            }
            if !sending.cut {
                return None;
            }
            tokio::time::sleep(BEFORE_CUT).await;
            let broken = io::Error::from(io::ErrorKind::ConnectionReset);
            Some((Err(broken), sending))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_each_time_and_another_seed_others() {
        let length = CHUNK as u64 * 2 + 5;
        let content = Content::Seeded { seed: 1, length };
        let last = content.chunk(CHUNK as u64 * 2, length);
        assert_eq!(last.len(), 5);
        assert_ne!(
            content.chunk(0, length),
            content.chunk(CHUNK as u64, length)
        );
        assert_eq!(content.sha256(), content.sha256());
        assert_ne!(
            content.sha256(),
            Content::Seeded { seed: 2, length }.sha256()
        );
    }

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        assert_eq!(
            Content::from(&b"abc"[..]).sha256(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
