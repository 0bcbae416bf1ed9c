//! Nobody but the library makes a proof.

use actix_twilio::{Proof, Validated};

fn main() {
    let _by_fields = Proof {};
    let _by_default = Proof::default();
    let _by_hand = Proof(std::sync::Arc::new(()));
    let _validated = Validated::<()> {
        inner: (),
        proof: None,
    };
}
