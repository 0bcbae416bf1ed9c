//! The options of one attribute, as a type.
//!
//! An attribute can't add an item beside every function: there is no place for a type in an `impl`. The type of the
//! handler's argument can be written everywhere, so it carries the options themselves.

use std::{
    any::TypeId,
    collections::BTreeMap,
    marker::PhantomData,
    sync::{PoisonError, RwLock},
};

use actix_web::HttpRequest;

use twilio_signature::{ConfigError, url::PublicUrl};

use super::{Policy, TwilioConfig};

/// The policy of a handler whose attribute has options: the app's configuration, except for these settings.
///
/// Each parameter is an option's `Literal`, in the order of the macro's list of options. For an option that is not
/// set, which is `()`, the app's setting counts.
#[derive(Debug)]
pub struct RouteOptions<Base, Whole, TokenEnv>(PhantomData<(Base, Whole, TokenEnv)>);

/// A text as a type.
pub trait Literal: 'static {
    /// Appends the text.
    fn append_to(text: &mut Vec<u8>);
}

/// The end of a text.
impl Literal for () {
    fn append_to(_: &mut Vec<u8>) {}
}

/// The next 64 bytes of a text, the last ones filled up with NUL, which no option contains.
#[derive(Debug)]
pub struct Text<const A: u128, const B: u128, const C: u128, const D: u128, Rest = ()>(
    PhantomData<fn() -> Rest>,
);

impl<const A: u128, const B: u128, const C: u128, const D: u128, Rest: Literal> Literal
    for Text<A, B, C, D, Rest>
{
    fn append_to(text: &mut Vec<u8>) {
        let bytes = [A, B, C, D].into_iter().flat_map(u128::to_be_bytes);
        text.extend(bytes.filter(|byte| *byte != 0));
        Rest::append_to(text);
    }
}

/// Returns the value of an option, or `None` if it is not set. No value is empty.
///
/// The value stays in memory, so this must be called once for each type.
fn value<L: Literal>() -> Option<&'static str> {
    let mut text = Vec::new();
    L::append_to(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    (!text.is_empty()).then(|| &*text.leak())
}

/// A set of options, and the configurations that were made with it.
struct Route {
    public_url: Option<&'static str>,
    url: Option<&'static str>,
    auth_token_env: Option<&'static str>,
    /// What the check at the start found. Each worker asks for it.
    checked: Option<Result<(), ConfigError>>,
    /// The app's configuration, and the one that was made from it.
    made: Vec<(Option<TwilioConfig>, TwilioConfig)>,
}

/// How many configurations are kept for each set of options: for different apps and scopes, and for each worker if they
/// are made in the closure of `HttpServer::new`.
const KEPT: usize = 128;

static ROUTES: RwLock<BTreeMap<TypeId, Route>> = RwLock::new(BTreeMap::new());

impl<Base: Literal, Whole: Literal, TokenEnv: Literal> Policy
    for RouteOptions<Base, Whole, TokenEnv>
{
    fn config(req: &HttpRequest) -> Result<TwilioConfig, ConfigError> {
        let base = TwilioConfig::in_app_data(req)?;
        let options = TypeId::of::<Self>();
        let routes = ROUTES.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = routes.get(&options).and_then(|route| route.made_from(base)) {
            return Ok(config.clone());
        }
        drop(routes);
        Self::in_routes(|route| route.make_from(base))
    }

    /// Checks the options alone: the app's configuration is known only when there is a request.
    fn check() -> Result<(), ConfigError> {
        Self::in_routes(Route::check)
    }
}

impl<Base: Literal, Whole: Literal, TokenEnv: Literal> RouteOptions<Base, Whole, TokenEnv> {
    fn in_routes<R>(run: impl FnOnce(&mut Route) -> R) -> R {
        let mut routes = ROUTES.write().unwrap_or_else(PoisonError::into_inner);
        run(routes.entry(TypeId::of::<Self>()).or_insert_with(|| Route {
            public_url: value::<Base>(),
            url: value::<Whole>(),
            auth_token_env: value::<TokenEnv>(),
            checked: None,
            made: Vec::new(),
        }))
    }
}

/// Returns the configuration of a route with the option `url`, for tests that make up URLs.
///
/// # Errors
///
/// Returns an error if the URL is not one that Twilio can request.
pub fn config_with_url(base: &TwilioConfig, url: &str) -> Result<TwilioConfig, ConfigError> {
    TwilioConfig::derive(Some(base), Some(PublicUrl::parse_whole(url)?), None)
}

impl Route {
    fn made_from(&self, base: Option<&TwilioConfig>) -> Option<&TwilioConfig> {
        let (_, config) = self.made.iter().find(|(from, _)| match (from, base) {
            (Some(from), Some(base)) => from.is(base),
            (None, None) => true,
            _ => false,
        })?;
        Some(config)
    }

    fn make_from(&mut self, base: Option<&TwilioConfig>) -> Result<TwilioConfig, ConfigError> {
        // Another request may have made it meanwhile.
        if let Some(config) = self.made_from(base) {
            return Ok(config.clone());
        }
        let public_url = self.parsed_url()?;
        let config = TwilioConfig::derive(base, public_url, self.auth_token_env)?;
        if self.made.len() == KEPT {
            self.made.remove(0);
        }
        self.made.push((base.cloned(), config.clone()));
        Ok(config)
    }

    fn parsed_url(&self) -> Result<Option<PublicUrl>, ConfigError> {
        match (self.public_url, self.url) {
            (Some(url), _) => PublicUrl::parse_base(url).map(Some),
            (None, Some(url)) => PublicUrl::parse_whole(url).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn check(&mut self) -> Result<(), ConfigError> {
        if self.checked.is_none() {
            let tokens = match self.auth_token_env {
                Some(name) => TwilioConfig::tokens_of_route(name).map(drop),
                None => Ok(()),
            };
            self.checked = Some(tokens.and_then(|()| self.parsed_url().map(drop)));
        }
        self.checked.clone().unwrap_or(Ok(()))
    }
}
