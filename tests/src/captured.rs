//! Requests that were captured on the wire, read back from files.

use std::{fs, path::Path, path::PathBuf};

/// The environment variable that names a folder of captured requests.
pub const FOLDER_VARIABLE: &str = "SWITCHBOARD_CAPTURED";

/// One captured HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// The file's name without `.http`.
    pub name: String,
    /// As written, such as `POST`.
    pub method: String,
    /// Up to the `?`, not decoded.
    pub path: String,
    /// After the `?`, not decoded; empty where there is none.
    pub query: String,
    /// Name and value as written, in their order.
    pub headers: Vec<(String, String)>,
    /// All that follows the empty line, to the byte. `Content-Length` is not looked at: it counts
    /// the body as it was before the numbers in it were replaced.
    pub body: Vec<u8>,
}

impl Captured {
    /// The first header of this name, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

/// The folder that [`FOLDER_VARIABLE`] names, if it is set.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER_VARIABLE)
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
}

/// Every `*.http` file of a folder, by name.
///
/// # Panics
/// When the folder cannot be read, holds no such file, or one does not read as a request.
#[must_use]
pub fn load(dir: &Path) -> Vec<Captured> {
    let entries =
        fs::read_dir(dir).unwrap_or_else(|fault| panic!("cannot read {}: {fault}", dir.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder's entry can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "http")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no *.http file in {}", dir.display());
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Captured {
    let shown = file.display();
    let raw = fs::read(file).unwrap_or_else(|fault| panic!("cannot read {shown}: {fault}"));
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    parse(&name, &raw).unwrap_or_else(|fault| panic!("{shown} is no request: {fault}"))
}

/// Reads one raw request: request line, headers, empty line, body. Lines end in LF or CRLF. Without
/// an empty line there is no body.
///
/// # Errors
/// A sentence, when the request line or a header does not read.
pub fn parse(name: &str, raw: &[u8]) -> Result<Captured, String> {
    let mut rest = raw;
    let mut next_line = || {
        let end = rest.iter().position(|&byte| byte == b'\n');
        let (line, after) = end.map_or((rest, &rest[rest.len()..]), |end| {
            (&rest[..end], &rest[end + 1..])
        });
        rest = after;
        let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line));
        line.map_err(|fault| format!("the head is not UTF-8: {fault}"))
    };
    let request_line = next_line()?;
    let [method, target, version] = request_line.split(' ').collect::<Vec<_>>()[..] else {
        return Err(format!("not three words: {request_line}"));
    };
    if !version.starts_with("HTTP/") || !target.starts_with('/') {
        return Err(format!("not a request line: {request_line}"));
    }
    let mut headers = Vec::new();
    loop {
        let line = next_line()?;
        if line.is_empty() {
            break;
        }
        let (header, value) = line
            .split_once(':')
            .ok_or_else(|| format!("not a header: {line}"))?;
        headers.push((header.trim().to_owned(), value.trim().to_owned()));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(Captured {
        name: name.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: rest.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str = "POST /webhooks/event?a=1 HTTP/1.1\nContent-Type: application/json\nX-Two: a:b\n\n{\"status\":\n\n\"answered\"}\n";

    #[test]
    fn a_request_reads_the_same_with_either_line_end() {
        let body = "{\"status\":\n\n\"answered\"}\n";
        let head = POST.strip_suffix(body).unwrap();
        let crlf = format!("{}{body}", head.replace('\n', "\r\n"));
        for raw in [POST, &crlf] {
            let captured = parse("event", raw.as_bytes()).unwrap();
            assert_eq!(captured.method, "POST");
            assert_eq!(captured.path, "/webhooks/event");
            assert_eq!(captured.query, "a=1");
            assert_eq!(captured.headers.len(), 2);
            assert_eq!(captured.header("content-type"), Some("application/json"));
            assert_eq!(captured.header("x-two"), Some("a:b"));
            assert_eq!(captured.body, body.as_bytes());
        }
    }

    #[test]
    fn a_request_may_end_with_its_headers() {
        let captured = parse(
            "answer",
            b"GET /webhooks/answer HTTP/1.1\r\nHost: example.com",
        )
        .unwrap();
        assert_eq!(captured.header("host"), Some("example.com"));
        assert_eq!((captured.query.as_str(), captured.body.len()), ("", 0));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for raw in [
            "",
            "GET /",
            "GET / HTTP/1.1\nno header here\n\n",
            "a b c\n\n",
        ] {
            assert!(parse("x", raw.as_bytes()).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn a_folder_is_loaded_by_name_and_other_files_are_left() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.http", "a.http", "SOURCE.md"] {
            fs::write(folder.path().join(name), POST).unwrap();
        }
        let names: Vec<String> = load(folder.path())
            .into_iter()
            .map(|one| one.name)
            .collect();
        assert_eq!(names, ["a", "b"]);
    }
}
