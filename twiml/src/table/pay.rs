//! Payments: <https://www.twilio.com/docs/voice/twiml/pay>.

use super::{
    elements,
    voice::{Parameter, Pause, Play, Say},
};
use crate::values::{
    BankAccount, CardType, Count, LanguageTag, List, Method, PayInput, PaymentMethod, PromptError,
    PromptFor, Seconds, TokenType, Url,
};

elements! {
    /// Takes the caller's payment data, which the app never sees.
    Pay = "Pay", "https://www.twilio.com/docs/voice/twiml/pay" {
        fn new();
        "input" => input: PayInput,
        "action" => action: Url,
        "bankAccountType" => bank_account_type: BankAccount,
        "statusCallback" => status_callback: Url,
        "statusCallbackMethod" => status_callback_method: Method,
        "timeout" => timeout: Seconds<1>,
        "maxAttempts" => max_attempts: Count<1>,
        "securityCode" => security_code: bool,
        /// `true`, `false`, or the code itself.
        "postalCode" => postal_code: String,
        "minPostalCodeLength" => min_postal_code_length: Count<0>,
        "paymentConnector" => payment_connector: String,
        "paymentMethod" => payment_method: PaymentMethod,
        "tokenType" => token_type: TokenType,
        /// A decimal number. Above 0 it is charged, otherwise Twilio returns a token.
        "chargeAmount" => charge_amount: String,
        "currency" => currency: String,
        "description" => description: String,
        "validCardTypes" => valid_card_types: List<CardType>,
        "language" => language: LanguageTag,
        [Prompt, Parameter]
    }

    /// What the caller hears at a step of a payment.
    Prompt = "Prompt", "https://www.twilio.com/docs/voice/twiml/pay/prompt" {
        fn new("for" => step: PromptFor);
        "errorType" => error_type: List<PromptError>,
        "cardType" => card_type: List<CardType>,
        "attempt" => attempt: List<Count<1>>,
        "requireMatchingInputs" => require_matching_inputs: bool,
        [Say, Play, Pause]
    }
}
