//! What kind of audio a recording is.

/// The formats Vonage records in, and whatever else may come.
///
/// See [Vonage/NCCO reference/Record](https://developer.vonage.com/en/voice/voice-api/ncco-reference#record).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audio {
    /// MPEG layer 3.
    Mp3,
    /// RIFF WAVE.
    Wav,
    /// Ogg.
    Ogg,
    /// None of these: kept as it is.
    Other,
}

impl Audio {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mp3, Self::Wav, Self::Ogg, Self::Other];

    /// Tells by the first bytes, which cannot be mistaken, and not by what the download calls it.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'A',
                b'V',
                b'E',
                ..,
            ] => Self::Wav,
            [b'O', b'g', b'g', b'S', ..] => Self::Ogg,
            [b'I', b'D', b'3', ..] => Self::Mp3,
            // Eleven set bits begin an MPEG frame; a layer of 00 would be reserved.
            [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0 => Self::Mp3,
            _ => Self::Other,
        }
    }

    /// Content type of the object.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
            Self::Ogg => "audio/ogg",
            Self::Other => "application/octet-stream",
        }
    }

    /// Ending of the key and of a file made of it.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
            Self::Ogg => "ogg",
            Self::Other => "bin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell() {
        for (head, audio) in [
            (&b"RIFF\x24\0\0\0WAVEfmt "[..], Audio::Wav),
            (b"RIFF\x24\0\0\0AVI ", Audio::Other),
            (b"OggS\0", Audio::Ogg),
            (b"ID3\x04", Audio::Mp3),
            (b"\xff\xfb\x90", Audio::Mp3),
            (b"\xff\xf3", Audio::Mp3),
            (b"\xff\xff\xff\xff", Audio::Mp3),
            (b"\xff\xf8", Audio::Other),
            (b"<html>", Audio::Other),
            (b"", Audio::Other),
        ] {
            assert_eq!(Audio::of(head), audio, "{head:?}");
        }
    }
}
