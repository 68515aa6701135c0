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
