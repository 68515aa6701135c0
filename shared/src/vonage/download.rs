//! Fetching a recording.

use super::{Request, Vonage, VonageError};
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::header::{CONTENT_RANGE, CONTENT_TYPE};
use http::{Method, StatusCode};

const OPERATION: &str = "download a recording";

/// A recording on its way. `Debug` shows no URL.
pub struct Download {
    /// Bytes to come, where Vonage says so.
    pub size: Option<u64>,
    /// `audio/mpeg`, `audio/wav`, …, where Vonage says so.
    pub content_type: Option<String>,
    /// The byte it begins with: 0, unless it was asked for from a later one and comes from there.
    pub from_byte: u64,
    response: reqwest::Response,
}

impl Vonage {
    /// Begins to fetch a recording, with the token, from where its notice says it is.
    ///
    /// See [Vonage/Voice API/Recording](https://developer.vonage.com/en/voice/voice-api/concepts/recording).
    ///
    /// # Errors
    /// [`VonageError::Refused`] where the URL, or one it redirects to, is not Vonage's; then the token
    /// was not sent there. [`VonageError::NotFound`] where there is no such file, or not yet.
    pub async fn download(&self, recording_url: &str) -> Result<Download, VonageError> {
        self.download_from(recording_url, 0).await
    }

    /// The same from a byte on, where Vonage can do that; else from the first one, as
    /// [`Download::from_byte`] says.
    ///
    /// # Errors
    /// As of [`Vonage::download`]; and where there are no such bytes.
    pub async fn download_from(
        &self,
        recording_url: &str,
        from_byte: u64,
    ) -> Result<Download, VonageError> {
        let operation = OPERATION.to_owned();
        let url = match self.trust().parse(recording_url) {
            Ok(url) => url,
            Err(source) => return Err(VonageError::Refused { operation, source }),
        };
        let request = Request {
            streamed: true,
            from_byte,
            ..Request::new(operation, Method::GET, url)
        };
        let response = self.send(&request).await?.response;
        let Some(begins) = begins(&response).or((from_byte == 0).then_some(0)) else {
            // A part, and nobody says which: all of it, then.
            return Box::pin(self.download_from(recording_url, 0)).await;
        };
        let content_type = response.headers().get(CONTENT_TYPE);
        Ok(Download {
            size: response.content_length(),
            from_byte: begins,
            content_type: content_type
                .and_then(|it| it.to_str().ok())
                .map(str::to_owned),
            response,
        })
    }
}

/// The first byte of an answer: 0, unless it is a part. `None` where it does not say of what.
fn begins(response: &reqwest::Response) -> Option<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Some(0);
    }
    let range = response.headers().get(CONTENT_RANGE);
    let range = range.and_then(|it| it.to_str().ok()?.strip_prefix("bytes "));
    range?.split_once('-')?.0.parse().ok()
}

impl Download {
    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// [`VonageError::NoAnswer`] when it breaks off before its size is reached, or nothing comes for
    /// ten seconds.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, VonageError> {
        self.response
            .chunk()
            .await
            .map_err(|error| VonageError::transport(OPERATION, error))
    }

    /// All pieces. Fails as [`Download::chunk`] does, and ends there.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, VonageError>> + Send {
        stream::try_unfold(self, |mut download| async move {
            let chunk = download.chunk().await?;
            Ok(chunk.map(|chunk| (chunk, download)))
        })
    }
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("size", &self.size)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::UrlRefused;
    use super::super::standin::{Answer, Standin};
    use super::*;
    use futures_util::TryStreamExt;

    const PATH: &str = "/v1/files/aaaaaaaa-bbbb-cccc-dddd-0123456789ab";

    async fn whole(download: Download) -> Result<Vec<u8>, VonageError> {
        let chunks: Vec<Bytes> = download.into_stream().try_collect().await?;
        Ok(chunks.concat())
    }

    #[tokio::test]
    async fn a_recording_comes_whole_with_size_and_type() {
        let standin = Standin::start().await;
        let audio = vec![7; 300_000];
        standin.push(Answer::new(200, audio.clone()).header("content-type", "audio/mpeg"));
        let download = standin
            .client()
            .download(&format!("{}{PATH}", standin.url()))
            .await
            .unwrap();
        assert_eq!(download.size, Some(300_000));
        assert_eq!(download.content_type.as_deref(), Some("audio/mpeg"));
        assert!(!format!("{download:?}").contains("files"));
        assert!(whole(download).await.unwrap() == audio);
        let sent = standin.taken();
        assert_eq!(
            (sent[0].method.as_str(), sent[0].uri.as_str()),
            ("GET", PATH)
        );
        assert_eq!(sent[0].claims()["application_id"], "app");
    }

    #[tokio::test]
    async fn a_download_goes_on_from_a_byte_where_the_answer_says_so() {
        let standin = Standin::start().await;
        let url = format!("{}{PATH}", standin.url());
        for (status, range, from_byte) in [
            (206, Some("bytes 7-9/10"), 7),
            (206, Some("bytes 3-9/10"), 3),
            (200, Some("bytes 7-9/10"), 0),
            (200, None, 0),
        ] {
            let mut answer = Answer::new(status, "abc");
            if let Some(range) = range {
                answer = answer.header("content-range", range);
            }
            standin.push(answer);
            let client = standin.client();
            let download = client.download_from(&url, 7).await.unwrap();
            assert_eq!(download.from_byte, from_byte, "{status} {range:?}");
            assert_eq!(standin.taken()[0].headers["range"], "bytes=7-");
        }
    }

    #[tokio::test]
    async fn a_part_of_which_nobody_says_where_it_belongs_is_not_taken_for_the_whole() {
        let standin = Standin::start().await;
        let url = format!("{}{PATH}", standin.url());
        for range in [Some("nonsense"), Some("bytes */10"), None] {
            let mut answer = Answer::new(206, "hij");
            if let Some(range) = range {
                answer = answer.header("content-range", range);
            }
            standin.push(answer);
            standin.answer(200, "abcdefghij");
            let client = standin.client();
            let download = client.download_from(&url, 7).await.unwrap();
            assert_eq!(download.from_byte, 0, "{range:?}");
            assert_eq!(whole(download).await.unwrap(), b"abcdefghij");
            assert!(!standin.taken()[1].headers.contains_key("range"));
        }
    }

    #[tokio::test]
    async fn a_redirect_within_what_is_trusted_is_followed_with_the_token() {
        let standin = Standin::start().await;
        for (status, location) in [
            (302, "/v3/media/x".to_owned()),
            (307, format!("{}/y", standin.url())),
        ] {
            standin.push(Answer::new(status, "moved").header("location", &location));
        }
        standin.answer(200, "audio");
        let download = standin
            .client()
            .download(&format!("{}{PATH}", standin.url()))
            .await
            .unwrap();
        assert_eq!(whole(download).await.unwrap(), b"audio");
        let sent = standin.taken();
        let paths: Vec<_> = sent.iter().map(|request| request.uri.as_str()).collect();
        assert_eq!(paths, [PATH, "/v3/media/x", "/y"]);
        sent.iter()
            .for_each(|request| assert_eq!(request.claims()["application_id"], "app"));
    }

    #[tokio::test]
    async fn the_token_does_not_follow_a_redirect_to_anybody_else() {
        let (standin, other) = (Standin::start().await, Standin::start().await);
        for (location, why) in [
            (format!("{}/x", other.url()), UrlRefused::Scheme),
            (other.url().replace("http:", "https:"), UrlRefused::Host),
            (
                standin.url().replace("http://", "http://user@"),
                UrlRefused::UserInfo,
            ),
            ("//evilnexmo.com/x".to_owned(), UrlRefused::Scheme),
            (
                "https://nexmo.com.evil.example/x".to_owned(),
                UrlRefused::Host,
            ),
            ("/a b".to_owned(), UrlRefused::Character),
        ] {
            standin.push(Answer::new(302, "moved").header("location", &location));
            let url = format!("{}{PATH}", standin.url());
            match standin.client().download(&url).await.unwrap_err() {
                VonageError::Refused { source, .. } => assert_eq!(source, why, "{location}"),
                error => panic!("{location}: {error}"),
            }
            assert_eq!(standin.taken().len(), 1, "{location}");
        }
        assert!(other.taken().is_empty());
    }

    #[tokio::test]
    async fn a_circle_of_redirects_ends() {
        let standin = Standin::start().await;
        for _ in 0..10 {
            standin.push(Answer::new(302, "").header("location", "/again"));
        }
        let url = format!("{}{PATH}", standin.url());
        let error = standin.client().download(&url).await.unwrap_err();
        let source = UrlRefused::Redirects;
        assert!(matches!(error, VonageError::Refused { source: found, .. } if found == source));
        assert_eq!(standin.taken().len(), 4);
    }

    #[tokio::test]
    async fn a_recording_elsewhere_is_not_asked_for() {
        let (standin, other) = (Standin::start().await, Standin::start().await);
        let url = format!("{}/secret-path", other.url());
        let error = standin.client().download(&url).await.unwrap_err();
        assert!(matches!(
            error,
            VonageError::Refused {
                source: UrlRefused::Scheme,
                ..
            }
        ));
        assert!(!format!("{error} {error:?}").contains("secret-path"));
        assert!(other.taken().is_empty());
    }

    #[tokio::test]
    async fn a_recording_that_breaks_off_is_an_error() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await.unwrap();
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf";
            socket.write_all(head).await.unwrap();
        });
        let download = Standin::client_of(&url).download(&url).await.unwrap();
        server.await.unwrap();
        assert_eq!(download.size, Some(1000));
        let error = whole(download).await.unwrap_err();
        assert!(matches!(error, VonageError::NoAnswer { .. }), "{error}");
        assert!(!format!("{error:?}").contains("127.0.0.1"), "{error:?}");
    }
}
