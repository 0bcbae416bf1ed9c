//! Servers of a single worker, on a free port of the loopback.

use std::{fmt::Debug, io, net::SocketAddr};

use actix_http::{Request, Response};
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use actix_web::{
    Error, HttpServer,
    body::MessageBody,
    dev::{AppConfig, ServerHandle},
    rt::{spawn, task::JoinHandle},
};

/// Where servers are bound: a free port of the loopback.
pub const LOOPBACK: (&str, u16) = ("127.0.0.1", 0);

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// Its address.
    pub address: SocketAddr,
    /// By which it is stopped.
    pub handle: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Serves an app.
    #[track_caller]
    pub fn start<F, I, S, B>(app: F) -> Self
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<Error>,
        S::InitError: Debug,
        S::Response: Into<Response<B>>,
        S::Service: 'static,
        <S::Service as Service<Request>>::Future: 'static,
        B: MessageBody + 'static,
    {
        Self::start_with(app, |server| server.bind(LOOPBACK))
    }

    /// Serves an app, with settings, and bound as the function says.
    #[track_caller]
    pub fn start_with<F, I, S, B>(
        app: F,
        set_up: impl FnOnce(HttpServer<F, I, S, B>) -> io::Result<HttpServer<F, I, S, B>>,
    ) -> Self
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<Error>,
        S::InitError: Debug,
        S::Response: Into<Response<B>>,
        S::Service: 'static,
        <S::Service as Service<Request>>::Future: 'static,
        B: MessageBody + 'static,
    {
        let server = set_up(HttpServer::new(app).workers(1).disable_signals()).unwrap();
        let address = *server.addrs().first().unwrap();
        let server = server.run();
        let handle = server.handle();
        Self {
            address,
            handle,
            running: spawn(server),
        }
    }

    /// Returns the URL of a target.
    #[must_use]
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// Stops it at once.
    pub async fn stop(self) {
        self.handle.stop(false).await;
        self.running.await.unwrap().unwrap();
    }
}
