//! MPEG-2 Layer III at 16 kHz and 32 kbit/s constant, of one channel or two.
//!
//! The steps are of `oxideav-mp3`: filter bank, count of bits, Huffman codes, headers. Its own loop round
//! them is not used: it takes five seconds for a minute of sound, and leaves the sound a fifteenth of a
//! second late. Here every frame stands for itself, all blocks are long and all scale factors are zero:
//! enough for tones and a voice.

use std::f32::consts::PI;
use std::sync::LazyLock;

use oxideav_mp3::alias::{alias_ca, alias_cs};
use oxideav_mp3::analysis::{AnalysisState, analyze_granule};
use oxideav_mp3::frame::{ChannelMode, Mp3FrameHeader};
use oxideav_mp3::huffman::emit_huffman;
use oxideav_mp3::inner_loop::{ExactBitCount, exact_bit_count_band_aligned, subdivide_bands};
use oxideav_mp3::scalefactors::MainDataWriter;
use oxideav_mp3::{make_silent_header, silent_side_info, write_header, write_side_info};

use super::RATE;

/// Samples of each channel in a frame.
pub(super) const FRAME: u64 = 576;
/// `144 = 576 / 16 kHz * 32 kbit/s / 8`.
const FRAME_BYTES: usize = 144;
const HEADER_BYTES: usize = 4;
const KBITS_A_SECOND: u32 = 32;

const LINES: usize = FRAME as usize;
const BANDS: usize = 32;
/// Frequency lines of a band, and its samples in a frame.
const BAND_LINES: usize = 18;

/// A decoder is late by 1057 samples: 481 for the filter banks of both sides, and a frame for their
/// overlap. So the first two frames are thrown away, and what they are longer than that is put before.
const FRAMES_AHEAD: u64 = 2;
const SILENCE_AHEAD: usize = 95;

/// As many frames of silence after a sound, and nothing of it is left in the filters.
const FORGETS: u32 = 3;

/// A third of a step of 16 bits. What is less in a band is nothing, and most bands of a voice are.
const INAUDIBLE: f32 = 1e-5;

/// The gain at which a line is written as it is; each four steps above double what one step is worth.
const EVEN_GAIN: i32 = 210;
/// Finer than this is below one step of 16 bits.
const FINEST_GAIN: i32 = 140;
const COARSEST_GAIN: i32 = 255;
/// The largest number that the codes can say.
const LARGEST: i32 = 8191 + 13;

/// The bytes of a whole file.
pub(super) fn size(samples: u64) -> u64 {
    samples.div_ceil(FRAME) * FRAME_BYTES as u64
}

/// Frames, as samples come in.
pub(super) struct Encoder {
    header: Mp3FrameHeader,
    channels: Vec<Channel>,
    /// Frames yet to throw away.
    ahead: u64,
    written: u64,
}

struct Channel {
    /// Samples not yet in a frame.
    pending: Vec<f32>,
    analysis: AnalysisState,
    /// The bands of the frame before.
    overlap: Box<[[f32; BAND_LINES]; BANDS]>,
    /// Frames of silence until now.
    silent: u32,
}

impl Encoder {
    pub(super) fn new(channels: u8) -> Self {
        let mode = if channels == 1 {
            ChannelMode::SingleChannel
        } else {
            ChannelMode::Stereo
        };
        let channel = || Channel {
            pending: vec![0.0; SILENCE_AHEAD],
            analysis: AnalysisState::new(),
            overlap: Box::new([[0.0; BAND_LINES]; BANDS]),
            silent: FORGETS,
        };
        Self {
            header: make_silent_header(KBITS_A_SECOND, RATE, mode)
                .expect("the standard has this rate of bits and of samples"),
            channels: (0..channels).map(|_| channel()).collect(),
            ahead: FRAMES_AHEAD,
            written: 0,
        }
    }

    /// Takes samples of each channel, and gives the frames that they fill.
    pub(super) fn encode(&mut self, channels: &[Vec<f32>]) -> Vec<u8> {
        for (channel, samples) in self.channels.iter_mut().zip(channels) {
            channel.pending.extend_from_slice(samples);
        }
        let mut out = Vec::new();
        while self.channels[0].pending.len() >= LINES {
            self.frame(&mut out);
        }
        out
    }

    /// The last frames of a recording of so many samples.
    pub(super) fn finish(&mut self, samples: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while self.written < samples.div_ceil(FRAME) {
            for channel in &mut self.channels {
                channel.pending.resize(LINES, 0.0);
            }
            self.frame(&mut out);
        }
        out
    }

    fn frame(&mut self, out: &mut Vec<u8>) {
        let lines: Vec<Option<[f32; LINES]>> =
            self.channels.iter_mut().map(Channel::lines).collect();
        if self.ahead > 0 {
            self.ahead -= 1;
            return;
        }
        self.written += 1;

        let mut side = silent_side_info(&self.header);
        let room = (FRAME_BYTES - HEADER_BYTES - side.byte_len()) * 8;
        // Who is silent leaves their room to the other.
        let each = room / lines.iter().flatten().count().max(1);
        let mut data = MainDataWriter::new();
        for (lines, about) in lines.iter().zip(&mut side.granules[0]) {
            let Some(lines) = lines else { continue };
            let Quantized {
                gain,
                values,
                count,
            } = quantize(lines, each, &self.header);
            let regions = subdivide_bands(RATE, self.header.version, count.split.big_pairs);
            about.part2_3_length = count.bits as u16;
            about.big_values = count.split.big_pairs as u16;
            about.global_gain = gain as u8;
            about.table_select = count.table_select;
            about.region0_count = regions.region0_count;
            about.region1_count = regions.region1_count;
            about.count1table_select = count.count1table_b;
            emit_huffman(
                &mut data,
                &values,
                count.split.big_pairs,
                count.region_ends,
                count.table_select,
                count.split.count1_quads,
                count.count1table_b,
            )
            .expect("the tables were chosen for these values");
        }

        let end = out.len() + FRAME_BYTES;
        out.extend(write_header(&self.header));
        out.extend(write_side_info(&side));
        out.extend(data.finish());
        out.resize(end, 0);
    }
}

impl Channel {
    /// The frequency lines of the next frame; `None` if it is silent.
    fn lines(&mut self) -> Option<[f32; LINES]> {
        let mut samples = [0.0; LINES];
        samples.copy_from_slice(&self.pending[..LINES]);
        self.pending.drain(..LINES);
        if samples.iter().all(|sample| *sample == 0.0) {
            self.silent += 1;
        } else {
            self.silent = 0;
        }
        if self.silent > FORGETS {
            return None;
        }

        let mut bands = analyze_granule(&samples, &mut self.analysis);
        let mut lines = [0.0; LINES];
        for (number, band) in bands.iter_mut().enumerate() {
            // Every other band comes out of the filter bank upside down.
            if number % 2 == 1 {
                for sample in band.iter_mut().skip(1).step_by(2) {
                    *sample = -*sample;
                }
            }
            let before = std::mem::replace(&mut self.overlap[number], *band);
            if before
                .iter()
                .chain(&*band)
                .all(|sample| sample.abs() < INAUDIBLE)
            {
                continue;
            }
            let lines = &mut lines[number * BAND_LINES..][..BAND_LINES];
            for (line, (early, late)) in lines.iter_mut().zip(TRANSFORM.iter()) {
                let early: f32 = early
                    .iter()
                    .zip(&before)
                    .map(|(factor, sample)| factor * sample)
                    .sum();
                let late: f32 = late
                    .iter()
                    .zip(&*band)
                    .map(|(factor, sample)| factor * sample)
                    .sum();
                *line = early + late;
            }
        }
        unalias(&mut lines);
        Some(lines)
    }
}

/// From the samples of a band, of the frame before and of this, to its lines: the window and the cosines.
static TRANSFORM: LazyLock<[([f32; BAND_LINES], [f32; BAND_LINES]); BAND_LINES]> =
    LazyLock::new(|| {
        let half = BAND_LINES as f32;
        let factor = |line: usize, sample: usize| {
            let sample = sample as f32;
            let window = (PI / (2.0 * half) * (sample + 0.5)).sin();
            let turn = PI / (4.0 * half) * (2.0 * sample + 1.0 + half) * (2 * line + 1) as f32;
            window * turn.cos() * 2.0 / half
        };
        std::array::from_fn(|line| {
            (
                std::array::from_fn(|sample| factor(line, sample)),
                std::array::from_fn(|sample| factor(line, BAND_LINES + sample)),
            )
        })
    });

/// Takes back what the decoder will do to the lines at each border of two bands.
fn unalias(lines: &mut [f32; LINES]) {
    let (cs, ca) = (alias_cs(), alias_ca());
    for border in (BAND_LINES..LINES).step_by(BAND_LINES) {
        for (step, (cs, ca)) in cs.iter().zip(ca).enumerate() {
            let (low, high) = (lines[border - 1 - step], lines[border + step]);
            lines[border - 1 - step] = low * cs + high * ca;
            lines[border + step] = high * cs - low * ca;
        }
    }
}

/// Lines as whole numbers, and how they are written.
struct Quantized {
    gain: i32,
    values: [i32; LINES],
    count: ExactBitCount,
}

/// The finest numbers that fit into so many bits.
fn quantize(lines: &[f32; LINES], bits: usize, header: &Mp3FrameHeader) -> Quantized {
    let powers = lines.map(|line| line.abs().powf(0.75));
    let side = silent_side_info(header);
    let attempt = |gain: i32| {
        let scale = (-0.1875 * (gain - EVEN_GAIN) as f32).exp2();
        let mut values = [0; LINES];
        for ((value, power), line) in values.iter_mut().zip(&powers).zip(lines) {
            // Rounded down rather than up, since the steps grow: as the standard says.
            let size = (power * scale + 0.4054) as i32;
            if size > LARGEST {
                return None;
            }
            *value = if *line < 0.0 { -size } else { size };
        }
        let count =
            exact_bit_count_band_aligned(&values, &side.granules[0][0], RATE, header.version)?;
        (count.bits <= bits).then_some(Quantized {
            gain,
            values,
            count,
        })
    };

    let (mut fine, mut coarse) = (FINEST_GAIN, COARSEST_GAIN);
    let mut best =
        attempt(coarse).expect("at the coarsest gain every line of a sample up to 1 is zero");
    while fine < coarse {
        let middle = i32::midpoint(fine, coarse);
        match attempt(middle) {
            Some(fits) => (best, coarse) = (fits, middle),
            None => fine = middle + 1,
        }
    }
    best
}
