//! The HTTP client under the AWS SDK.

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::borrow::Cow;

/// HTTP, and HTTPS by rustls with ring.
///
/// The SDK's own client reads and parses the system's root certificates anew for every service's
/// client, and once more for the first request. Here the first request over TLS does it, once for
/// all clients, and one without TLS never.
pub(super) fn client() -> SharedHttpClient {
    SharedHttpClient::new(Schemes {
        http: Builder::new().build_http(),
        https: Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https(),
    })
}

/// A client per scheme. It does not pass on the validation in which the clients set themselves up.
#[derive(Debug, Clone)]
struct Schemes {
    http: SharedHttpClient,
    https: SharedHttpClient,
}

impl HttpClient for Schemes {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Chosen {
            clients: self.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some(Cow::Borrowed("1.x"))))
    }
}

/// Chooses by the request's URL.
#[derive(Debug)]
struct Chosen {
    clients: Schemes,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Chosen {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = if request.uri().starts_with("http:") {
            &self.clients.http
        } else {
            &self.clients.https
        };
        client
            .http_connector(&self.settings, &self.components)
            .call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::retry::RetryConfig;
    use aws_config::{BehaviorVersion, Region};
    use aws_sdk_dynamodb::config::{Config, Credentials};
    use tokio::net::TcpListener;

    /// The first byte of a TLS handshake.
    const HANDSHAKE: u8 = 0x16;

    #[tokio::test]
    async fn a_request_speaks_tls_where_its_endpoint_does() {
        for (scheme, first) in [("http", b'P'), ("https", HANDSHAKE)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = format!("{scheme}://{}", listener.local_addr().unwrap());
            let config = Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("eu-west-1"))
                .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
                .retry_config(RetryConfig::disabled())
                .endpoint_url(endpoint)
                .http_client(client())
                .build();
            let asking = aws_sdk_dynamodb::Client::from_conf(config)
                .list_tables()
                .send();
            let hearing = async {
                let (stream, _) = listener.accept().await.unwrap();
                let mut byte = [0];
                while stream.try_read(&mut byte).is_err() {
                    stream.readable().await.unwrap();
                }
                byte[0]
            };
            let (answer, heard) = tokio::join!(asking, hearing);
            assert!(answer.is_err(), "nobody answers");
            assert_eq!(heard, first, "{scheme}");
        }
    }
}
