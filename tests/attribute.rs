//! The attribute
