//! Uncompressed audio: RIFF WAVE, PCM of 16 bits.

use super::RATE;

/// Up to two channels the plain format says enough.
const PLAIN_HEADER: u64 = 44;
/// Beyond them the extensible one is asked for, which says which loudspeaker a channel is for: none.
const EXTENSIBLE_HEADER: u64 = 68;
/// The tail that every extensible sub-format has behind its number.
const SUBFORMAT_TAIL: [u8; 14] = [
    0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71,
];
const PCM: u16 = 1;
const EXTENSIBLE: u16 = 0xfffe;
const SAMPLE_BYTES: u16 = 2;

/// The bytes of a whole file.
pub(super) fn size(samples: u64, channels: u8) -> u64 {
    header_size(channels.into()).saturating_add(data_size(samples, channels.into()))
}

/// What stands before the samples.
pub(super) fn header(samples: u64, channels: usize) -> Vec<u8> {
    let channels = channels as u16;
    let header = header_size(channels);
    let data = data_size(samples, channels);
    // Four bytes hold it up to an hour of 32 channels; players then read to the end of the file.
    let fits = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let frame = channels * SAMPLE_BYTES;
    let extensible = header == EXTENSIBLE_HEADER;

    let mut out = Vec::with_capacity(header as usize);
    out.extend(b"RIFF");
    out.extend(fits(data.saturating_add(header - 8)));
    out.extend(b"WAVEfmt ");
    out.extend(if extensible { 40_u32 } else { 16 }.to_le_bytes());
    out.extend(if extensible { EXTENSIBLE } else { PCM }.to_le_bytes());
    out.extend(channels.to_le_bytes());
    out.extend(RATE.to_le_bytes());
    out.extend((RATE * u32::from(frame)).to_le_bytes());
    out.extend(frame.to_le_bytes());
    out.extend((SAMPLE_BYTES * 8).to_le_bytes());
    if extensible {
        out.extend(22_u16.to_le_bytes());
        out.extend((SAMPLE_BYTES * 8).to_le_bytes());
        out.extend(0_u32.to_le_bytes());
        out.extend(PCM.to_le_bytes());
        out.extend(SUBFORMAT_TAIL);
    }
    out.extend(b"data");
    out.extend(fits(data));
    out
}

/// Appends samples: the first of each channel, then the second of each, and so on.
pub(super) fn encode(channels: &[Vec<f32>], out: &mut Vec<u8>) {
    let samples = channels.first().map_or(0, Vec::len);
    out.reserve(samples * channels.len() * usize::from(SAMPLE_BYTES));
    for at in 0..samples {
        for channel in channels {
            let sample = (channel[at] * f32::from(i16::MAX)).round() as i16;
            out.extend_from_slice(&sample.to_le_bytes());
        }
    }
}

/// Samples a second, and the samples, of a file of one channel. `None` for whatever else.
pub(super) fn decode(file: &[u8]) -> Option<(u32, Vec<i16>)> {
    let mut rest = file
        .strip_prefix(b"RIFF")?
        .get(4..)?
        .strip_prefix(b"WAVE")?;
    let mut rate = None;
    loop {
        let (head, body) = rest.split_at_checked(8)?;
        let (name, size) = head.split_at(4);
        let size = u32::from_le_bytes(size.try_into().ok()?) as usize;
        if name == b"data" {
            // Who writes to a pipe cannot know the size beforehand, and says too much.
            let data = &body[..size.min(body.len())];
            let (samples, _) = data.as_chunks::<2>();
            return Some((
                rate?,
                samples
                    .iter()
                    .map(|&pair| i16::from_le_bytes(pair))
                    .collect(),
            ));
        }
        if name == b"fmt " {
            let format: &[u8; 16] = body.first_chunk()?;
            if format[..4] != [1, 0, 1, 0] || format[14..] != [16, 0] {
                return None;
            }
            rate = Some(u32::from_le_bytes(format[4..8].try_into().ok()?));
        }
        rest = body.get(size.checked_add(size % 2)?..)?;
    }
}

fn header_size(channels: u16) -> u64 {
    if channels > 2 {
        EXTENSIBLE_HEADER
    } else {
        PLAIN_HEADER
    }
}

fn data_size(samples: u64, channels: u16) -> u64 {
    samples.saturating_mul(u64::from(channels * SAMPLE_BYTES))
}
