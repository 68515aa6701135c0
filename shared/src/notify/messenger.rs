//! The HTTP client that tells targets. It asks nobody but them: no proxy, no redirect, no address that
//! is not public; and what it has to say of a failure holds neither address nor answer.

use super::address::{TargetUrl, is_public};
use super::notification::NotificationId;
use super::seal::Seal;
use crate::config::Lookup;
use crate::crypto;
use crate::plan::notify::{Address, Form};
use crate::plan::{Target, TargetName};
use crate::secret::Derived;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use reqwest::dns::{Name, Resolve, Resolving};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::{Origin, Url};

/// Longest that one attempt may take, from the look-up of the name to the end of the answer. Those who
/// take hooks answer within a second or two and work later; longer than this a slot is better given to
/// somebody else's news.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for a connection: two round trips across an ocean, and a lost packet.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a connection may lie idle and be used again.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Bytes of an answer that are read, so that its connection can be used again. They are not looked at.
const ANSWER_MAX: usize = 16 * 1024;

/// Tells targets.
#[derive(Debug)]
pub struct Messenger {
    /// Origins that are told though they are not public.
    allowed: Vec<Origin>,
    /// URLs of the targets whose plan says that the settings have them.
    urls: HashMap<TargetName, TargetUrl>,
    seal: Derived<Seal>,
    /// Made by the first one to be told: most batches tell nobody.
    public: OnceLock<reqwest::Client>,
    local: OnceLock<reqwest::Client>,
}

/// What came of an attempt. The reasons name no address and quote no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The far side has it.
    Told,
    /// Not now.
    Later {
        /// Why.
        reason: String,
        /// How long the target asks to be left alone.
        asked: Option<Duration>,
    },
    /// Never like this: somebody has to change something.
    Never {
        /// Why.
        reason: String,
    },
}

impl Messenger {
    /// Reads `SWITCHBOARD_NOTIFY_URLS`, a JSON object of targets' names and their URLs, and
    /// `SWITCHBOARD_NOTIFY_ALLOW`, origins with commas between them which are told though they are
    /// not public.
    pub fn from_lookup(lookup: &mut Lookup) -> Self {
        let urls = lookup.read("SWITCHBOARD_NOTIFY_URLS", read_urls);
        let allowed = lookup.read("SWITCHBOARD_NOTIFY_ALLOW", |text| {
            text.split(',')
                .map(|origin| match Url::parse(origin.trim()) {
                    Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url.origin()),
                    _ => Err("not a list of origins like http://127.0.0.1:8080"),
                })
                .collect::<Result<Vec<_>, _>>()
        });
        Self {
            allowed: allowed.unwrap_or_default(),
            urls: urls.unwrap_or_default(),
            seal: Derived::from_lookup(lookup, |lookup| Seal::from_lookup(lookup)),
            public: OnceLock::new(),
            local: OnceLock::new(),
        }
    }

    /// Tells a target once. `at`: the time, for the signature.
    pub async fn tell(
        &self,
        target: &Target,
        id: &NotificationId,
        body: &str,
        at: Timestamp,
    ) -> Outcome {
        let never = |reason: &str| Outcome::Never {
            reason: reason.to_owned(),
        };
        let url = match &target.address {
            Address::Url(url) => url,
            Address::Setting => match self.urls.get(&target.name) {
                Some(url) => url,
                None => return never("SWITCHBOARD_NOTIFY_URLS has no URL of its name"),
            },
        };
        let allowed = self.allowed.contains(&url.url().origin());
        if !allowed && url.is_of_this_machine() {
            return never("its address is not public");
        }
        let client = match self.client(allowed) {
            Ok(client) => client,
            Err(reason) => {
                return Outcome::Later {
                    reason,
                    asked: None,
                };
            }
        };
        let id = id.to_string();
        let mut request = client
            .post(url.url().clone())
            .timeout(ATTEMPT_TIMEOUT)
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", &id);
        if target.form == Form::Webhook {
            request = request
                .header("webhook-id", &id)
                .header("webhook-timestamp", at.as_second());
            let seal = self.seal.fresh().await;
            if let Some(signature) = seal.sign(&target.name, &id, at, body) {
                request = request.header("webhook-signature", signature);
            }
        }
        match request.body(body.to_owned()).send().await {
            Ok(mut answer) => {
                let outcome = outcome(answer.status(), answer.headers());
                let mut left = ANSWER_MAX;
                // What the status says counts, whether or not the rest of the answer comes.
                while let Ok(Some(chunk)) = answer.chunk().await {
                    match left.checked_sub(chunk.len()) {
                        Some(rest) => left = rest,
                        None => break,
                    }
                }
                outcome
            }
            Err(error) => failure(&error),
        }
    }

    fn client(&self, allowed: bool) -> Result<&reqwest::Client, String> {
        let kept = if allowed { &self.local } else { &self.public };
        if let Some(client) = kept.get() {
            return Ok(client);
        }
        let tls = crypto::tls().map_err(|error| crate::chain(&error))?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy();
        let client = if allowed {
            client
        } else {
            client.dns_resolver(Arc::new(PublicNames))
        };
        let client = client.build().map_err(|error| crate::chain(&error))?;
        Ok(kept.get_or_init(|| client))
    }
}

fn read_urls(text: &str) -> Result<HashMap<TargetName, TargetUrl>, String> {
    // Not the parser's words: they could quote a URL.
    let urls: HashMap<String, String> =
        serde_json::from_str(text).map_err(|_| "not a JSON object of names and URLs".to_owned())?;
    let read = urls.into_iter().map(|(name, url)| {
        let name = TargetName::new(name).map_err(|why| why.to_string())?;
        let url = TargetUrl::parse(&url).map_err(|why| format!("the URL of {name}: {why}"))?;
        Ok((name, url))
    });
    read.collect()
}

/// What an answer means.
fn outcome(status: StatusCode, headers: &HeaderMap) -> Outcome {
    let code = status.as_u16();
    match code {
        200..=299 => Outcome::Told,
        300..=399 => Outcome::Never {
            reason: format!("it answered {code}: redirects are not followed"),
        },
        // Asked too slowly, too early, too often; or the target's own trouble.
        408 | 425 | 429 | 500.. => Outcome::Later {
            reason: format!("it answered {code}"),
            asked: asked(headers),
        },
        _ => Outcome::Never {
            reason: format!("it answered {code}"),
        },
    }
}

/// The seconds of `Retry-After`. Its other form, a date, is left to our own waits.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// What it means that there is no answer.
fn failure(error: &reqwest::Error) -> Outcome {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<NotPublic>() {
            return Outcome::Never {
                reason: NotPublic.to_string(),
            };
        }
        cause = error.source();
    }
    // Not the client's words: they name the URL.
    let reason = if error.is_timeout() {
        format!("no answer within {} s", ATTEMPT_TIMEOUT.as_secs())
    } else if error.is_connect() {
        "no connection could be made".to_owned()
    } else {
        "the connection broke off".to_owned()
    };
    Outcome::Later {
        reason,
        asked: None,
    }
}

/// Looks names up, and gives away public addresses alone. The address that was looked at is the one
/// that is connected to: there is no second look-up between the two that could say something else.
#[derive(Debug)]
struct PublicNames;

/// A name has addresses, and none is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its address is not public")]
struct NotPublic;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public = public_of(&found)?;
            Ok(Box::new(public.into_iter()) as _)
        })
    }
}

fn public_of(found: &[SocketAddr]) -> Result<Vec<SocketAddr>, NotPublic> {
    let public = |address: &&SocketAddr| -> bool {
        let ip: IpAddr = address.ip();
        is_public(ip)
    };
    let public: Vec<_> = found.iter().filter(public).copied().collect();
    if public.is_empty() {
        return Err(NotPublic);
    }
    Ok(public)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;

    /// A messenger with these settings.
    fn messenger(settings: &[(&'static str, String)]) -> Messenger {
        let settings: HashMap<_, _> = settings.iter().cloned().collect();
        let mut lookup = Lookup::new(move |name| settings.get(name).cloned());
        let messenger = Messenger::from_lookup(&mut lookup);
        lookup.finish(Some(messenger)).unwrap()
    }

    fn target(line: &str) -> Target {
        let text = format!(
            "[[line]]\nnumber = \"447700900000\"\nname = \"L\"\nflow = \"f\"\n\
             [flow.f]\ntype = \"message\"\nsay = \"x\"\n[[notify]]\nname = \"team\"\n{line}"
        );
        let checked = Plan::parse(&text);
        let plan = checked
            .plan
            .unwrap_or_else(|| panic!("{:?}", checked.faults));
        plan.targets().next().unwrap().clone()
    }

    async fn tell(messenger: &Messenger, target: &Target) -> Outcome {
        let id = "missed:leg:team".parse().unwrap();
        messenger
            .tell(target, &id, "{}", Timestamp::UNIX_EPOCH)
            .await
    }

    async fn served(router: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn not_public() -> Outcome {
        Outcome::Never {
            reason: "its address is not public".to_owned(),
        }
    }

    #[test]
    fn the_status_says_whether_to_try_again() {
        let none = HeaderMap::new();
        for (status, word) in [
            (200, "Told"),
            (202, "Told"),
            (204, "Told"),
            (301, "Never"),
            (302, "Never"),
            (307, "Never"),
            (400, "Never"),
            (401, "Never"),
            (403, "Never"),
            (404, "Never"),
            (408, "Later"),
            (410, "Never"),
            (425, "Later"),
            (429, "Later"),
            (500, "Later"),
            (503, "Later"),
            (599, "Later"),
        ] {
            let outcome = outcome(StatusCode::from_u16(status).unwrap(), &none);
            assert!(
                format!("{outcome:?}").starts_with(word),
                "{status}: {outcome:?}"
            );
        }
    }

    #[test]
    fn a_wait_that_is_asked_for_is_read_and_nonsense_is_none() {
        for (text, wait) in [
            ("30", Some(30)),
            (" 5 ", Some(5)),
            ("18446744073709551615", Some(u64::MAX)),
            ("-1", None),
            ("99999999999999999999999", None),
            ("Fri, 31 Dec 1999 23:59:59 GMT", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(asked(&headers), wait.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn of_a_names_addresses_the_public_ones_are_asked_and_of_others_none() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            let parse = |ip: &&str| SocketAddr::new(ip.parse().unwrap(), 0);
            texts.iter().map(parse).collect()
        };
        let mixed = addresses(&["10.0.0.1", "1.1.1.1", "::1"]);
        assert_eq!(public_of(&mixed), Ok(addresses(&["1.1.1.1"])));
        let private = addresses(&["169.254.169.254", "fd00:ec2::254", "::ffff:127.0.0.1"]);
        assert_eq!(public_of(&private), Err(NotPublic));
        assert_eq!(public_of(&[]), Err(NotPublic));
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
        // As another name with a private address would be: past every look at the URL.
        let client = messenger(&[]);
        let client = client.client(false).unwrap();
        let url = served(Router::new())
            .await
            .replace("127.0.0.1", "localhost");
        let error = client.post(url).send().await.unwrap_err();
        assert_eq!(failure(&error), not_public());
    }

    #[tokio::test]
    async fn this_machine_is_told_only_where_the_settings_allow_it() {
        let router = Router::new().route("/x", post(|| async {}));
        let url = served(router).await;
        let target = target(&format!("webhook = \"{url}/x\""));
        assert_eq!(tell(&messenger(&[]), &target).await, not_public());
        let other = messenger(&[("SWITCHBOARD_NOTIFY_ALLOW", "http://127.0.0.1:1".to_owned())]);
        assert_eq!(tell(&other, &target).await, not_public());
        let two = format!("https://a.example, {url}");
        let allowing = messenger(&[("SWITCHBOARD_NOTIFY_ALLOW", two)]);
        assert_eq!(tell(&allowing, &target).await, Outcome::Told);
    }

    #[tokio::test]
    async fn a_url_of_the_settings_is_told_under_the_targets_name() {
        let router = Router::new().route("/x", post(|| async {}));
        let url = served(router).await;
        let target = target("slack = \"setting\"");
        let allow = ("SWITCHBOARD_NOTIFY_ALLOW", url.clone());
        let of = |name: &str| {
            let urls = format!("{{\"{name}\": \"{url}/x\"}}");
            messenger(&[allow.clone(), ("SWITCHBOARD_NOTIFY_URLS", urls)])
        };
        assert_eq!(tell(&of("team"), &target).await, Outcome::Told);
        let Outcome::Never { reason } = tell(&of("other"), &target).await else {
            panic!("it was told");
        };
        assert!(reason.contains("SWITCHBOARD_NOTIFY_URLS"), "{reason}");
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed_and_nobody_listening_is_tried_again() {
        let followed = Router::new()
            .route(
                "/x",
                post(|| async { (StatusCode::TEMPORARY_REDIRECT, [("location", "/y")]) }),
            )
            .route("/y", post(|| async {}));
        let url = served(followed).await;
        let allowing = messenger(&[(
            "SWITCHBOARD_NOTIFY_ALLOW",
            format!("{url},http://127.0.0.1:1"),
        )]);
        let told = tell(&allowing, &target(&format!("webhook = \"{url}/x\""))).await;
        let reason = "it answered 307: redirects are not followed".to_owned();
        assert_eq!(told, Outcome::Never { reason });
        let told = tell(&allowing, &target("webhook = \"http://127.0.0.1:1/x\"")).await;
        let reason = "no connection could be made".to_owned();
        assert_eq!(
            told,
            Outcome::Later {
                reason,
                asked: None
            }
        );
    }

    #[test]
    fn urls_that_do_not_read_are_a_fault_that_quotes_none() {
        for text in [
            "https://hooks.example.com/secret",
            r#"{"team": "http://hooks.example.com/secret"}"#,
            r#"{"team": {"url": "https://hooks.example.com/secret"}}"#,
            r#"{"Team!": "https://hooks.example.com/secret"}"#,
        ] {
            let mut lookup =
                Lookup::new(|name| (name == "SWITCHBOARD_NOTIFY_URLS").then(|| text.to_owned()));
            Messenger::from_lookup(&mut lookup);
            let error = lookup.finish(Some(())).unwrap_err().to_string();
            assert!(
                error.contains("SWITCHBOARD_NOTIFY_URLS") && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
