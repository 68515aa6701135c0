//! `switchboard recordings get`: recordings as files, from the archive or straight from Vonage.
//!
//! What bears a recording's name is whole: it is written beside and renamed. What broke off stays
//! beside, and the next run goes on from there if it can make sure that it is the same audio.

use super::super::desk::{self, Desk};
use super::super::{Found, Global, show};
use super::word;
use anyhow::{Context as _, bail, ensure};
use futures_util::{StreamExt as _, stream};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ring::digest;
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use switchboard_shared::archive::Audio;
use switchboard_shared::crypto::{hex, sha256_hex};
use switchboard_shared::id::RecordingId;
use switchboard_shared::recording::{Recording, State};
use switchboard_shared::store::Listing;
use switchboard_shared::vonage::Vonage;

/// Downloads under way at a time. Vonage takes 15 requests a second; more than a few only share the
/// same line.
const AT_ONCE: usize = 4;

/// How often a download that breaks off is taken up again before it is left for the next run.
const TRIES: usize = 3;

/// Bytes at the end of what is there that are fetched again and compared, where nothing else says that
/// it is the same audio. A second of MP3, which no two recordings share.
const OVERLAP: u64 = 4096;

/// Bytes by which a file is told to be audio.
const HEAD: usize = 16;

/// What to fetch, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    /// A recording, by the recording_uuid of its notice.
    Id(RecordingId),
    /// All that were archived of the calls of a day.
    Day(Date),
    /// An address of Vonage's, as a notice has it.
    Url(String),
}

impl std::str::FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Ok(Self::Url(text.to_owned()));
        }
        if let Ok(day) = text.parse() {
            return Ok(Self::Day(day));
        }
        RecordingId::new(text)
            .map(Self::Id)
            .map_err(|error| format!("no recording's id, day or https address: {error}"))
    }
}

/// Something to fetch.
struct Target {
    /// What the file is called, without its ending. An id, so it climbs nowhere.
    name: RecordingId,
    source: Source,
}

enum Source {
    /// In our bucket.
    Archive {
        key: String,
        bytes: Option<u64>,
        sha256: Option<String>,
    },
    /// At Vonage.
    Vonage(String),
}

/// A file that is there now.
#[derive(Debug, Serialize)]
struct Fetched {
    recording: RecordingId,
    file: PathBuf,
    bytes: u64,
    sha256: String,
    /// What was said in it, where Vonage wrote it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    transcript: Option<PathBuf>,
}

/// Where recordings come from. Each is opened when something is to be had there.
struct Sources {
    desk: Option<Desk>,
    vonage: Option<Vonage>,
}

/// Fetches them all. What fails is said, and the others are fetched all the same.
pub(super) async fn get(global: &Global, wanted: &[Wanted], out: &Path) -> anyhow::Result<Found> {
    let mut sources = Sources {
        desk: None,
        vonage: None,
    };
    if wanted.iter().any(|one| !matches!(one, Wanted::Url(_))) {
        sources.desk = Some(Desk::open(global).await?);
    }
    let done = sources.get(global, wanted, out).await;
    if let Some(desk) = sources.desk {
        desk.close().await;
    }
    done
}

impl Sources {
    async fn get(
        &mut self,
        global: &Global,
        wanted: &[Wanted],
        out: &Path,
    ) -> anyhow::Result<Found> {
        if wanted.iter().any(|one| matches!(one, Wanted::Url(_))) {
            self.vonage = Some(desk::vonage(global).await?);
        }
        let mut targets = Vec::new();
        let mut failed = false;
        for one in wanted {
            match self.targets(one).await {
                Ok(found) => targets.extend(found),
                Err(error) => {
                    show::complain(&format!("{error:#}"));
                    failed = true;
                }
            }
        }
        // The same file must not be written twice at once.
        let mut names = BTreeSet::new();
        targets.retain(|target| names.insert(target.name.clone()));
        if !targets.is_empty() {
            std::fs::create_dir_all(out)
                .with_context(|| format!("could not make {}", out.display()))?;
        }
        // Drawn on standard error, and only if that is a terminal.
        let bars = MultiProgress::new();
        let fetching = stream::iter(&targets).map(|target| self.fetch(target, out, &bars));
        let mut fetching = fetching.buffered(AT_ONCE);
        let mut fetched = Vec::new();
        while let Some(one) = fetching.next().await {
            match one {
                Ok(mut one) => {
                    match self.transcript(&one.recording, out).await {
                        Ok(transcript) => one.transcript = transcript,
                        Err(error) => {
                            bars.suspend(|| show::complain(&format!("{error:#}")));
                            failed = true;
                        }
                    }
                    fetched.push(one);
                }
                Err(error) => {
                    bars.suspend(|| show::complain(&format!("{error:#}")));
                    failed = true;
                }
            }
        }
        match (wanted, fetched.as_slice()) {
            (_, []) if failed => {}
            // As it always was for one.
            ([Wanted::Id(_) | Wanted::Url(_)], [one]) if global.json => show::json(one),
            (_, all) if global.json => show::json(&all),
            (_, []) => show::say("no recording was archived on that day"),
            (_, all) => {
                let files = all
                    .iter()
                    .flat_map(|one| std::iter::once(&one.file).chain(&one.transcript));
                files.for_each(|file| show::line(&file.display().to_string()));
            }
        }
        Ok(if failed { Found::Problem } else { Found::Fine })
    }

    async fn targets(&self, wanted: &Wanted) -> anyhow::Result<Vec<Target>> {
        let desk = || self.desk.as_ref().context("there is no archive to ask");
        match wanted {
            Wanted::Id(id) => Ok(vec![archived(desk()?, id).await?]),
            Wanted::Day(day) => of_day(desk()?, *day).await,
            Wanted::Url(url) => {
                let vonage = self
                    .vonage
                    .as_ref()
                    .context("Vonage is not to be reached")?;
                // Nothing is asked of a host that must not see the token; and the address, which may
                // be a secret by itself, is not repeated.
                let read = vonage.trust().parse(url);
                let read = read.context("this address gets no token of Vonage's")?;
                let last = read.path_segments().and_then(|mut parts| parts.next_back());
                let own = last.and_then(|last| RecordingId::new(last).ok());
                let name = match own {
                    Some(name) => name,
                    None => RecordingId::new(&sha256_hex(url.as_bytes())[..32])?,
                };
                let source = Source::Vonage(url.clone());
                Ok(vec![Target { name, source }])
            }
        }
    }

    /// Writes what was said in a recording of the archive beside it, if it was written down.
    async fn transcript(&self, id: &RecordingId, out: &Path) -> anyhow::Result<Option<PathBuf>> {
        let Some(desk) = &self.desk else {
            return Ok(None);
        };
        let transcript = desk.store.transcript(id).await?;
        let Some(key) = transcript.and_then(|transcript| transcript.key) else {
            return Ok(None);
        };
        let broke = || format!("the transcript of {id} is not complete");
        let object = desk.archive.open(&key).await?;
        let text = object.body.collect().await.with_context(broke)?;
        let ending = if key.ends_with(".json") {
            "json"
        } else {
            "txt"
        };
        let path = out.join(format!("{id}.{ending}"));
        let partial = out.join(format!(".{id}.{ending}.part"));
        std::fs::write(&partial, text.into_bytes()).with_context(broke)?;
        std::fs::rename(&partial, &path).with_context(broke)?;
        Ok(Some(path))
    }

    async fn fetch(
        &self,
        target: &Target,
        out: &Path,
        bars: &MultiProgress,
    ) -> anyhow::Result<Fetched> {
        let name = &target.name;
        if let Some(there) = there(target, out)? {
            return Ok(there);
        }
        let partial = Partial::open(out, name)?;
        let bar = bars.add(bar(name));
        let done = self.complete(target, &partial, &bar).await;
        bar.finish_and_clear();
        if let Err(error) = done {
            let kept = partial.length().unwrap_or_default();
            let kept = match kept {
                0 => {
                    partial.discard();
                    String::new()
                }
                bytes => {
                    format!("; {bytes} bytes are kept, and the same command goes on from there")
                }
            };
            return Err(error.context(format!("recording {name} is not complete{kept}")));
        }
        partial.finish(target, out)
    }

    /// Fetches what is missing, and once more from the beginning where what was there turns out to be
    /// something else.
    async fn complete(
        &self,
        target: &Target,
        partial: &Partial,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        let mut tries = 0;
        loop {
            tries += 1;
            let fetched = match &target.source {
                Source::Archive { key, bytes, .. } => {
                    let desk = self.desk.as_ref().context("there is no archive to ask")?;
                    from_archive(desk, key, *bytes, partial, bar).await
                }
                Source::Vonage(url) => {
                    let vonage = self
                        .vonage
                        .as_ref()
                        .context("Vonage is not to be reached")?;
                    from_vonage(vonage, url, partial, bar).await
                }
            };
            match fetched {
                Ok(()) if partial.is_whole(target)? => return Ok(()),
                Ok(()) => {
                    // What was there before was other audio, or the archive holds what was not put there.
                    partial.restart()?;
                    ensure!(
                        tries < TRIES,
                        "what came is not what was written down when it was archived"
                    );
                }
                Err(Broken::Final(error)) => return Err(error),
                Err(Broken::Off(error)) if tries == TRIES => return Err(error),
                Err(Broken::Off(_)) => {}
            }
        }
    }
}

/// Why a download ended too early.
enum Broken {
    /// It may go on.
    Off(anyhow::Error),
    /// It may not: nothing there, or nothing for us.
    Final(anyhow::Error),
}

fn off(error: impl Into<anyhow::Error>) -> Broken {
    Broken::Off(error.into())
}

fn ours(error: impl Into<anyhow::Error>) -> Broken {
    Broken::Final(error.into())
}

/// From our bucket. The hash that was written down says at the end whether it is all one recording.
async fn from_archive(
    desk: &Desk,
    key: &str,
    bytes: Option<u64>,
    partial: &Partial,
    bar: &ProgressBar,
) -> Result<(), Broken> {
    let mut have = partial.length().map_err(ours)?;
    if bytes.is_none_or(|bytes| have > bytes) {
        partial.restart().map_err(ours)?;
        have = 0;
    }
    if have > 0 && bytes == Some(have) {
        return Ok(());
    }
    bar.set_length(bytes.unwrap_or_default());
    bar.set_position(have);
    let mut object = desk.archive.open_from(key, have).await.map_err(off)?;
    let mut file = partial.end().map_err(ours)?;
    while let Some(chunk) = object.body.try_next().await.map_err(off)? {
        file.write_all(&chunk)
            .context("could not write the recording")
            .map_err(ours)?;
        bar.inc(chunk.len() as u64);
    }
    Ok(())
}

/// From Vonage, which says neither size nor hash ahead: the end of what is there is fetched again, and
/// is to be the same.
async fn from_vonage(
    vonage: &Vonage,
    url: &str,
    partial: &Partial,
    bar: &ProgressBar,
) -> Result<(), Broken> {
    let have = partial.length().map_err(ours)?;
    let from = have.saturating_sub(OVERLAP);
    let asked = match vonage.download_from(url, from).await {
        // There are no such bytes: it was another recording, or more than one.
        Err(_) if from > 0 => vonage.download(url).await,
        asked => asked,
    };
    let mut download = asked.map_err(|error| {
        if error.is_refused() || error.is_gone() {
            ours(error)
        } else {
            off(error)
        }
    })?;
    let size = download.size.map(|size| size + download.from_byte);
    bar.set_length(size.unwrap_or_default());
    if download.from_byte != from || have == 0 {
        // From the beginning, whether it was asked to or not.
        if download.from_byte != 0 {
            download = vonage.download(url).await.map_err(off)?;
        }
        partial.restart().map_err(ours)?;
    } else {
        let tail = partial.tail(from).map_err(ours)?;
        let mut seen = 0;
        let mut same = true;
        let mut rest = None;
        while same && seen < tail.len() {
            let Some(chunk) = download.chunk().await.map_err(off)? else {
                // Shorter than what is there.
                same = false;
                break;
            };
            let compared = chunk.len().min(tail.len() - seen);
            same = chunk[..compared] == tail[seen..seen + compared];
            seen += compared;
            rest = Some(chunk.slice(compared..));
        }
        if same {
            bar.set_position(have);
            let mut file = partial.end().map_err(ours)?;
            if let Some(rest) = rest {
                file.write_all(&rest)
                    .context("could not write the recording")
                    .map_err(ours)?;
                bar.inc(rest.len() as u64);
            }
            return pour(&mut download, &mut file, bar).await;
        }
        partial.restart().map_err(ours)?;
        download = vonage.download(url).await.map_err(off)?;
    }
    bar.set_position(0);
    let mut file = partial.end().map_err(ours)?;
    pour(&mut download, &mut file, bar).await
}

async fn pour(
    download: &mut switchboard_shared::vonage::Download,
    file: &mut std::fs::File,
    bar: &ProgressBar,
) -> Result<(), Broken> {
    while let Some(chunk) = download.chunk().await.map_err(off)? {
        file.write_all(&chunk)
            .context("could not write the recording")
            .map_err(ours)?;
        bar.inc(chunk.len() as u64);
    }
    Ok(())
}

/// A recording in the archive, by its id.
async fn archived(desk: &Desk, id: &RecordingId) -> anyhow::Result<Target> {
    let recording = desk.store.recording(id).await?;
    let recording = recording.with_context(|| {
        format!(
            "no recording {id} was ever announced; `switchboard recordings` lists those that were"
        )
    })?;
    let Some(target) = target(&recording) else {
        let why = recording.reason.as_deref().unwrap_or("it is on its way");
        let next = match recording.state {
            State::Failed => format!("; `switchboard recordings retry {id}` takes it up again"),
            _ => String::new(),
        };
        bail!("recording {id} is {}: {why}{next}", word(recording.state));
    };
    Ok(target)
}

fn target(recording: &Recording) -> Option<Target> {
    let key = recording
        .key
        .clone()
        .filter(|_| recording.state == State::Archived)?;
    Some(Target {
        name: recording.notice.recording.clone(),
        source: Source::Archive {
            key,
            bytes: recording.bytes,
            sha256: recording.sha256.clone(),
        },
    })
}

/// The archived recordings announced on a day by this machine's clock.
async fn of_day(desk: &Desk, day: Date) -> anyhow::Result<Vec<Target>> {
    let local = TimeZone::system();
    let mut targets = Vec::new();
    // The archive is listed by days of UTC, of which a day here touches two.
    for near in [day.checked_sub(1.day())?, day, day.checked_add(1.day())?] {
        let recordings = desk.store.recordings_in(Listing::Archived(near)).await?;
        let own = recordings
            .iter()
            .filter(|recording| recording.at.to_zoned(local.clone()).date() == day);
        targets.extend(own.filter_map(target));
    }
    Ok(targets)
}

/// The file of a target, if it is there and whole. It was renamed when it was; of an archived one the
/// size and the hash are known besides.
fn there(target: &Target, out: &Path) -> anyhow::Result<Option<Fetched>> {
    let endings = match &target.source {
        Source::Archive { key, .. } => vec![ending_of(key)],
        Source::Vonage(_) => Audio::ALL.map(Audio::ending).to_vec(),
    };
    for ending in endings {
        let file = out.join(format!("{}.{ending}", target.name));
        if !file.is_file() {
            continue;
        }
        let (bytes, hash) = hash(&file)?;
        if let Source::Archive {
            sha256: Some(sha256),
            ..
        } = &target.source
        {
            ensure!(
                hash == *sha256,
                "{} is there and is not recording {}; move it away, or name another folder with --out",
                file.display(),
                target.name
            );
        }
        return Ok(Some(Fetched {
            recording: target.name.clone(),
            file,
            bytes,
            sha256: hash,
            transcript: None,
        }));
    }
    Ok(None)
}

/// The ending of a key of ours.
fn ending_of(key: &str) -> &'static str {
    let known = Audio::ALL.map(Audio::ending);
    let ending = key.rsplit('.').next().unwrap_or_default();
    known
        .into_iter()
        .find(|known| *known == ending)
        .unwrap_or(Audio::Other.ending())
}

/// Size and hex SHA-256 of a file.
fn hash(path: &Path) -> anyhow::Result<(u64, String)> {
    let told = || format!("could not read {}", path.display());
    let mut file = std::fs::File::open(path).with_context(told)?;
    let mut context = digest::Context::new(&digest::SHA256);
    let (mut chunk, mut bytes) = (vec![0; 64 * 1024], 0);
    loop {
        let read = file.read(&mut chunk).with_context(told)?;
        if read == 0 {
            return Ok((bytes, hex(context.finish().as_ref())));
        }
        context.update(&chunk[..read]);
        bytes += read as u64;
    }
}

/// What there is of a recording so far, beside where it will be. Locked, so that two commands do not
/// write the same one.
struct Partial {
    path: PathBuf,
    file: std::fs::File,
}

impl Partial {
    fn open(out: &Path, name: &RecordingId) -> anyhow::Result<Self> {
        let path = out.join(format!(".{name}.part"));
        let told = || format!("could not write {}", path.display());
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).with_context(told)?;
        if let Err(std::fs::TryLockError::WouldBlock) = file.try_lock() {
            bail!("another command is fetching recording {name} into the same folder");
        }
        Ok(Self { path, file })
    }

    fn length(&self) -> anyhow::Result<u64> {
        let told = || format!("could not read {}", self.path.display());
        Ok(self.file.metadata().with_context(told)?.len())
    }

    /// The file, to write on at its end.
    fn end(&self) -> anyhow::Result<std::fs::File> {
        let told = || format!("could not write {}", self.path.display());
        let mut file = self.file.try_clone().with_context(told)?;
        file.seek(SeekFrom::End(0)).with_context(told)?;
        Ok(file)
    }

    /// The bytes from one on.
    fn tail(&self, from: u64) -> anyhow::Result<Vec<u8>> {
        let told = || format!("could not read {}", self.path.display());
        let mut file = self.file.try_clone().with_context(told)?;
        file.seek(SeekFrom::Start(from)).with_context(told)?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail).with_context(told)?;
        Ok(tail)
    }

    fn restart(&self) -> anyhow::Result<()> {
        let told = || format!("could not write {}", self.path.display());
        self.file.set_len(0).with_context(told)
    }

    /// Nothing came: nothing is left lying about.
    fn discard(&self) {
        let _ = std::fs::remove_file(&self.path);
    }

    /// Whether it is what was archived, as far as that was written down.
    fn is_whole(&self, target: &Target) -> anyhow::Result<bool> {
        let Source::Archive { bytes, sha256, .. } = &target.source else {
            // An end that came too early is an error of the download.
            return Ok(true);
        };
        let (length, hash) = hash(&self.path)?;
        Ok(bytes.is_none_or(|bytes| bytes == length)
            && sha256.as_ref().is_none_or(|sha256| *sha256 == hash))
    }

    /// Gives it its name.
    fn finish(self, target: &Target, out: &Path) -> anyhow::Result<Fetched> {
        let told = || format!("could not write {}", self.path.display());
        self.file.sync_all().with_context(told)?;
        let ending = match &target.source {
            Source::Archive { key, .. } => ending_of(key),
            Source::Vonage(_) => {
                let mut head = Vec::new();
                let mut file = self.file.try_clone().with_context(told)?;
                file.seek(SeekFrom::Start(0)).with_context(told)?;
                file.take(HEAD as u64)
                    .read_to_end(&mut head)
                    .with_context(told)?;
                Audio::of(&head).ending()
            }
        };
        let path = out.join(format!("{}.{ending}", target.name));
        let (bytes, sha256) = hash(&self.path)?;
        std::fs::rename(&self.path, &path)
            .with_context(|| format!("could not write {}", path.display()))?;
        Ok(Fetched {
            recording: target.name.clone(),
            file: path,
            bytes,
            sha256,
            transcript: None,
        })
    }
}

fn bar(name: &RecordingId) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
    );
    ProgressBar::new(0)
        .with_style(style.expect("the template is a template"))
        .with_prefix(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_told_apart() {
        let id = |text: &str| Ok(Wanted::Id(text.parse().unwrap()));
        for (text, expected) in [
            (
                "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
                id("aaaaaaaa-bbbb-cccc-dddd-0123456789ab"),
            ),
            ("2026-11-28", Ok(Wanted::Day("2026-11-28".parse().unwrap()))),
            ("2026-11-99", id("2026-11-99")),
            (
                "https://api.nexmo.com/v1/files/x",
                Ok(Wanted::Url("https://api.nexmo.com/v1/files/x".to_owned())),
            ),
            (
                "file:///etc/passwd",
                Ok(Wanted::Url("file:///etc/passwd".to_owned())),
            ),
        ] {
            assert_eq!(text.parse::<Wanted>(), expected, "{text}");
        }
        for text in [
            "../../etc/passwd",
            "a/b",
            "..",
            ".hidden",
            "",
            "a b",
            "a\\b",
            "a\0b",
            "~/x%2f",
        ] {
            assert!(text.parse::<Wanted>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_key_gives_a_file_one_of_our_endings() {
        for (key, ending) in [
            ("recordings/x/2026/11/28/r-1.mp3", "mp3"),
            ("recordings/x/2026/11/28/r-1.wav", "wav"),
            ("recordings/x.sh", "bin"),
            ("recordings/r-1./../../etc/passwd", "bin"),
            ("", "bin"),
        ] {
            assert_eq!(ending_of(key), ending, "{key}");
        }
    }
}
