//! The local issuer: signs and checks the tokens of principals that no identity provider vouches for.
//!
//! Tokens are JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037). Nothing about them is negotiable: the header is
//! compared as a whole with the one that we write, issuer and audience are exact, every claim has one type, and a token
//! that lives longer than its kind may is refused even with a good signature. Time is handed in.
//!
//! The key pair lies in the data directory: [`KEY_FILE`] holds the private key (PKCS#8), readable by its owner alone;
//! [`OLD_KEYS_FILE`] the public keys (a JWK set, RFC 7517) of earlier ones whose tokens are still good. Whether a
//! principal still exists and whether a bootstrap token is spent are facts of the store, asked after [`Issuer::verify`].

mod keys;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use domain::clock::{Random, Timestamp};
use domain::closed_set;
use domain::id::TokenId;
use domain::identity::{LOCAL_ISSUER, MAX_SUBJECT_BYTES, PurposeCode, VerifiedToken, Verifier, VerifyError};
use domain::pending::Pending;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use self::keys::Keys;
pub use self::keys::{Error, KEY_FILE, OLD_KEYS_FILE};

/// The audience of our tokens.
pub const AUDIENCE: &str = "charterhouse-api";
/// How far another clock may be off.
pub const LEEWAY: Duration = Duration::from_secs(5);
/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1_024;
/// The subject of the bootstrap token. No principal has it.
pub const BOOTSTRAP_SUBJECT: &str = "bootstrap";

closed_set! {
    /// What a token is for.
    TokenKind {
        /// A person.
        User = "user",
        /// A service account.
        Service = "service",
        /// The first start: makes the first admin, once.
        Bootstrap = "bootstrap",
    }
}

impl TokenKind {
    /// How long such a token lives, and may live at most (docs/rules.md, Interfaces and limits).
    pub fn lifetime(self) -> Duration {
        match self {
            Self::User => Duration::from_secs(3_600),
            Self::Service => Duration::from_secs(90 * 24 * 3_600),
            Self::Bootstrap => Duration::from_secs(24 * 3_600),
        }
    }
}

/// What a token says. The issuer is always [`LOCAL_ISSUER`] and the audience [`AUDIENCE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The token's id.
    pub id: TokenId,
    /// Who it speaks for, at the local issuer.
    pub subject: String,
    /// What it is for.
    pub kind: TokenKind,
    /// The only purpose that data may be read for with it.
    pub purpose: Option<PurposeCode>,
    /// When it was issued, and the first moment it is good. Whole seconds.
    pub issued_at: Timestamp,
    /// The first moment it is not good any more. Whole seconds.
    pub expires_at: Timestamp,
}

impl Claims {
    /// The claims of a token issued now, for the lifetime of its kind.
    pub fn new(id: TokenId, subject: &str, kind: TokenKind, now: Timestamp) -> Self {
        let issued_at = Timestamp::from_seconds(now.seconds());
        let expires_at = issued_at.plus(kind.lifetime());
        Self { id, subject: subject.to_owned(), kind, purpose: None, issued_at, expires_at }
    }

    /// The claims of the one-time token of the first start.
    pub fn bootstrap(id: TokenId, now: Timestamp) -> Self {
        Self::new(id, BOOTSTRAP_SUBJECT, TokenKind::Bootstrap, now)
    }

    /// The claims as every issuer's tokens are described, with our leeway in the times.
    fn verified(self) -> VerifiedToken {
        VerifiedToken {
            id: Some(self.id),
            issued_at: self.issued_at,
            subject: self.subject,
            purpose: self.purpose,
            valid_from: self.issued_at.minus(LEEWAY),
            valid_until: self.expires_at.plus(LEEWAY),
        }
    }

    /// Whether the parts fit together: a subject of 1 to [`MAX_SUBJECT_BYTES`] bytes, the bootstrap subject for that kind
    /// alone, and a life that is neither empty nor longer than the kind's.
    fn is_sound(&self) -> bool {
        let subject_fits = !self.subject.is_empty() && self.subject.len() <= MAX_SUBJECT_BYTES;
        let bootstrap_fits = (self.kind == TokenKind::Bootstrap) == (self.subject == BOOTSTRAP_SUBJECT);
        let life_fits =
            self.issued_at < self.expires_at && self.expires_at.since(self.issued_at) <= self.kind.lifetime();
        subject_fits && bootstrap_fits && life_fits
    }
}

/// A signed token. It is a secret: `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The text to hand to its holder, once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

/// Signs and checks tokens.
pub struct Issuer {
    keys: Keys,
    validation: Validation,
}

impl Issuer {
    /// Opens the issuer of a data directory; makes its key pair if there is none.
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::LooseMode`], [`Error::NotAKey`].
    pub fn open(folder: &Path, random: &dyn Random) -> Result<Self, Error> {
        Ok(Self::new(Keys::open(folder, random)?))
    }

    /// Makes a new key pair. Tokens signed with the old one stay good until they expire.
    ///
    /// # Errors
    /// As [`Issuer::open`].
    pub fn rotate(folder: &Path, random: &dyn Random) -> Result<Self, Error> {
        Ok(Self::new(Keys::rotate(folder, random)?))
    }

    fn new(keys: Keys) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[LOCAL_ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // The crate would ask the machine's clock; `verify` asks the moment handed in.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { keys, validation }
    }

    /// Signs a token.
    ///
    /// # Errors
    /// [`Error::Claims`] if the subject is empty or too long, belongs to another kind, or the life is empty or longer
    /// than the kind's; [`Error::Signing`].
    pub fn issue(&self, claims: &Claims) -> Result<Token, Error> {
        if !claims.is_sound() {
            return Err(Error::Claims);
        }
        let wire = WireClaims {
            iss: LOCAL_ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: claims.subject.clone(),
            jti: claims.id.to_string(),
            iat: claims.issued_at.seconds(),
            nbf: claims.issued_at.seconds(),
            exp: claims.expires_at.seconds(),
            kind: claims.kind.as_str().to_owned(),
            purpose: claims.purpose.map(|purpose| purpose.as_str().to_owned()),
        };
        let current = self.keys.current();
        encode(&current.header, &wire, self.keys.signing()).map(Token).map_err(Error::Signing)
    }

    /// Checks a token at a moment, and says what it claims.
    ///
    /// # Errors
    /// [`VerifyError`], by the first thing that is not as it must be.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, VerifyError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(VerifyError::TooLong);
        }
        let header = decode_header(token).map_err(|_| VerifyError::Malformed)?;
        let key = header.kid.as_deref().and_then(|kid| self.keys.find(kid)).ok_or(VerifyError::UnknownKey)?;
        if header != key.header {
            return Err(VerifyError::Header);
        }
        let wire = decode::<WireClaims>(token, &key.decoding, &self.validation).map_err(refusal)?.claims;
        let claims = wire.read().ok_or(VerifyError::Claims)?;
        claims.clone().verified().check_time(now)?;
        Ok(claims)
    }
}

impl Verifier for Issuer {
    fn issuer(&self) -> &str {
        LOCAL_ISSUER
    }

    /// The one-time token of the first start has [`BOOTSTRAP_SUBJECT`], which no other token of this issuer can have.
    fn verify<'a>(&'a self, token: &'a str, now: Timestamp) -> Pending<'a, Result<VerifiedToken, VerifyError>> {
        Box::pin(std::future::ready(Self::verify(self, token, now).map(Claims::verified)))
    }
}

/// The claims as they are written. Each has one type; numbers are whole.
#[derive(Serialize, Deserialize)]
struct WireClaims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

impl WireClaims {
    /// The claims, if the parts fit together. Issuer and audience were compared before.
    fn read(self) -> Option<Claims> {
        let claims = Claims {
            id: self.jti.parse().ok()?,
            subject: self.sub,
            kind: self.kind.parse().ok()?,
            purpose: self.purpose.map(|purpose| purpose.parse()).transpose().ok()?,
            issued_at: Timestamp::from_seconds(self.iat),
            expires_at: Timestamp::from_seconds(self.exp),
        };
        (claims.is_sound() && self.nbf == self.iat).then_some(claims)
    }
}

fn refusal(error: jsonwebtoken::errors::Error) -> VerifyError {
    match error.kind() {
        ErrorKind::InvalidSignature => VerifyError::Signature,
        ErrorKind::InvalidIssuer => VerifyError::Issuer,
        ErrorKind::InvalidAudience => VerifyError::Audience,
        ErrorKind::InvalidAlgorithm => VerifyError::Header,
        ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_) => VerifyError::Claims,
        _ => VerifyError::Malformed,
    }
}
