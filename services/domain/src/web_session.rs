//! Sessions of the web page, and the sign-in codes that they begin with.
//!
//! A session is a [`Token`](crate::token::Token) in another form: it is registered, listed and revoked like every token, but
//! its secret is in a cookie. It ends with the token that its code was made with at the latest, so it gives nothing that the
//! token did not give.

use std::fmt;
use std::time::Duration;

use crate::clock::{Random, Timestamp};
use crate::closed_set;
use crate::id::{PrincipalId, TokenId};
use crate::identity::PurposeCode;
use crate::token::Bearer;

/// The longest session.
pub const MAX_SESSION: Duration = Duration::from_secs(12 * 3_600);
/// How long a session stays valid without a request.
pub const MAX_IDLE: Duration = Duration::from_secs(30 * 60);
/// How exactly the last use of a session is stored: one in use is written at most this often.
pub const USE_PRECISION: Duration = Duration::from_secs(60);
/// How long a sign-in code is valid.
pub const CODE_VALID: Duration = Duration::from_secs(5 * 60);

closed_set! {
    /// Who vouched for the principal of a session when it began.
    Voucher {
        /// A token of the principal: a sign-in code was made with it.
        Token = "token",
    }
}

/// What a session has beyond other tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSession {
    /// Who vouched for its principal.
    pub vouched_by: Voucher,
    /// The token that its sign-in code was made with, if it is registered: the session is revoked with it.
    pub made_with: Option<TokenId>,
    /// Its last use, to [`USE_PRECISION`].
    pub last_used_at: Timestamp,
}

impl WebSession {
    /// The end that it has without a further request.
    pub fn idle_end(&self) -> Timestamp {
        self.last_used_at.plus(MAX_IDLE)
    }

    /// Whether a use at this moment is to be stored.
    pub fn is_use_due(&self, now: Timestamp) -> bool {
        now >= self.last_used_at.plus(USE_PRECISION)
    }
}

/// What is stored about the sign-in code of a principal. The code itself is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCode {
    /// Whose session it begins.
    pub principal_id: PrincipalId,
    /// The token that it was made with. Its end is the latest end of the session.
    pub made_with: Bearer,
    /// The only purpose of the session.
    pub purpose: Option<PurposeCode>,
    /// Its own end.
    pub expires_at: Timestamp,
}

/// The letters and digits of a code, without those that look alike (Crockford's Base32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The length of a code: 80 bits, which nothing guesses within [`CODE_VALID`].
const CODE_LENGTH: usize = 16;

/// A sign-in code. It is a secret: `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct SignInCode(String);

impl SignInCode {
    /// A new code.
    pub fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; CODE_LENGTH];
        random.fill(&mut bytes);
        Self(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
    }

    /// A code as a person typed it: in either case, with blanks and hyphens anywhere, and with the letters `O`, `I` and `L`
    /// for the digits that they look like. `None` for a text that is no code.
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = String::with_capacity(CODE_LENGTH);
        for c in text.chars().filter(|c| !matches!(c, ' ' | '-')) {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            if code.len() == CODE_LENGTH || !c.is_ascii() || !ALPHABET.contains(&u8::try_from(c).ok()?) {
                return None;
            }
            code.push(c);
        }
        (code.len() == CODE_LENGTH).then_some(Self(code))
    }

    /// The text to hand to its principal, once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignInCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInCode([redacted])")
    }
}
