#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod document;
mod element;
#[cfg(feature = "lint")]
mod lint;
#[cfg(feature = "lint")]
mod parsed;
#[cfg(feature = "actix-web")]
mod responder;
#[cfg(all(test, feature = "lint"))]
mod samples;
mod table;
mod values;

pub mod attributes {
    //! The types of attributes.

    pub use crate::values::*;
}

/// How text is pronounced: what is inside of [`Say`].
pub mod ssml {
    pub use crate::table::ssml::*;
}

#[cfg(feature = "walk")]
pub mod walk;

#[cfg(feature = "lint")]
pub use self::lint::{Channel, Finding, FindingKind, check, check_answer, check_for};
#[cfg(feature = "lint")]
pub use self::parsed::Parsed;
pub use self::{
    document::{CONTENT_TYPE, MAX_BYTES, MAX_MESSAGE, Twiml},
    element::{ChildOf, Element, HoldsText, Node},
    table::{connect::*, dial::*, messaging::*, pay::*, voice::*},
};
