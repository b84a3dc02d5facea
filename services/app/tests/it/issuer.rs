//! The local issuer against the hostile tokens of its trade: most are signed with the right key, so that the check
//! meant is the one that refuses.

#![expect(clippy::unwrap_used, reason = "a test whose facts cannot be built has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use app::issuer::{
    AUDIENCE, BOOTSTRAP_SUBJECT, Claims, Error, Issuer, KEY_FILE, LEEWAY, MAX_TOKEN_BYTES, OLD_KEYS_FILE, TokenKind,
};
use domain::clock::{Random, Timestamp};
use domain::error::Kind;
use domain::id::TokenId;
use domain::identity::{MAX_SUBJECT_BYTES, PurposeCode, VerifyError};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use tempfile::TempDir;

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
const MICROSECOND: Duration = Duration::from_micros(1);

/// Other bytes at each call.
struct Counter(AtomicU8);

impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

/// An issuer, and somebody who has its private key.
struct Forger {
    folder: TempDir,
    random: Counter,
    issuer: Issuer,
    kid: String,
}

impl Forger {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = Counter(AtomicU8::new(1));
        let issuer = Issuer::open(folder.path(), &random).unwrap();
        let token = issuer.issue(&claims(TokenKind::User)).unwrap();
        let kid = jsonwebtoken::decode_header(token.expose()).unwrap().kid.unwrap();
        Self { folder, random, issuer, kid }
    }

    fn header(&self) -> String {
        format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{}"}}"#, self.kid)
    }

    fn key(&self) -> EncodingKey {
        EncodingKey::from_ed_der(&fs::read(self.folder.path().join(KEY_FILE)).unwrap())
    }

    /// Any header and any claims under a good signature.
    fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = crypto::sign(message.as_bytes(), &self.key(), Algorithm::EdDSA).unwrap();
        format!("{message}.{signature}")
    }

    fn verify(&self, token: &str) -> Result<Claims, VerifyError> {
        self.issuer.verify(token, NOW)
    }
}

fn claims(kind: TokenKind) -> Claims {
    let id = TokenId::random(&Counter(AtomicU8::new(7)));
    let subject = if kind == TokenKind::Bootstrap { BOOTSTRAP_SUBJECT } else { "ada" };
    Claims::new(id, subject, kind, NOW)
}

const JTI: &str = "07070707-0707-4707-8707-070707070707";

/// Claims in JSON, with some fields set to other JSON (`None` takes one out).
fn json(changes: &[(&str, Option<&str>)]) -> String {
    let mut fields = vec![
        ("iss", r#""charterhouse""#.to_owned()),
        ("aud", format!(r#""{AUDIENCE}""#)),
        ("sub", r#""ada""#.to_owned()),
        ("jti", format!(r#""{JTI}""#)),
        ("iat", "1700000000".to_owned()),
        ("nbf", "1700000000".to_owned()),
        ("exp", "1700003600".to_owned()),
        ("kind", r#""user""#.to_owned()),
    ];
    for (name, value) in changes {
        fields.retain(|(field, _)| field != name);
        fields.extend(value.map(|value| (*name, value.to_owned())));
    }
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    format!("{{{}}}", fields.join(","))
}

#[test]
fn what_was_issued_is_read_back() {
    let forger = Forger::new();
    for kind in TokenKind::ALL {
        for purpose in [None, Some(PurposeCode::MachineLearning)] {
            let claims = Claims { purpose, ..claims(*kind) };
            let token = forger.issuer.issue(&claims).unwrap();
            assert_eq!(forger.verify(token.expose()), Ok(claims));
        }
    }
    assert_eq!(TokenKind::User.lifetime(), Duration::from_secs(3_600));
    assert_eq!(TokenKind::Service.lifetime(), Duration::from_secs(90 * 24 * 3_600));
    assert_eq!(TokenKind::Bootstrap.lifetime(), Duration::from_secs(24 * 3_600));
    assert_eq!(Claims::bootstrap(claims(TokenKind::User).id, NOW), claims(TokenKind::Bootstrap));
}

#[test]
fn the_forger_can_sign_what_the_issuer_would() {
    // Without this, every refusal below could have another reason than the one meant.
    let forger = Forger::new();
    assert_eq!(forger.verify(&forger.sign(&forger.header(), &json(&[]))), Ok(claims(TokenKind::User)));
    let token = forger.issuer.issue(&claims(TokenKind::User)).unwrap();
    assert_eq!(token.expose(), forger.sign(&forger.header(), &json(&[])));
}

#[test]
fn a_token_shows_nothing_of_itself() {
    let token = Forger::new().issuer.issue(&claims(TokenKind::User)).unwrap();
    assert_eq!(format!("{token:?}"), "Token([redacted])");
}

#[test]
fn a_token_is_good_from_its_first_moment_to_its_end_and_five_seconds_around() {
    assert_eq!(LEEWAY, Duration::from_secs(5));
    let forger = Forger::new();
    for kind in TokenKind::ALL {
        let claims = claims(*kind);
        let token = forger.issuer.issue(&claims).unwrap();
        let end = NOW.plus(kind.lifetime());
        let check = |now, expected| assert_eq!(forger.issuer.verify(token.expose(), now).map(|_| ()), expected);
        check(NOW.minus(LEEWAY).minus(MICROSECOND), Err(VerifyError::NotYet));
        check(NOW.minus(LEEWAY), Ok(()));
        check(end.minus(MICROSECOND), Ok(()));
        check(end.plus(LEEWAY).minus(MICROSECOND), Ok(()));
        check(end.plus(LEEWAY), Err(VerifyError::Expired));
        check(Timestamp(i64::MAX), Err(VerifyError::Expired));
        check(Timestamp(i64::MIN), Err(VerifyError::NotYet));
    }
}

#[test]
fn moments_are_whole_seconds_whatever_the_clock_says() {
    let forger = Forger::new();
    let id = claims(TokenKind::User).id;
    let claims = Claims::new(id, "ada", TokenKind::User, NOW.plus(Duration::from_millis(999)));
    assert_eq!(claims.issued_at, NOW);
    let token = forger.issuer.issue(&claims).unwrap();
    assert_eq!(forger.verify(token.expose()), Ok(claims));
}

#[test]
fn a_header_that_is_not_ours_is_refused() {
    let forger = Forger::new();
    let kid = &forger.kid;
    let check = |header: String, expected| {
        let token = forger.sign(&header, &json(&[]));
        assert_eq!(forger.verify(&token), Err(expected), "{header}");
        // The same without a signature.
        let unsigned = &token[..=token.rfind('.').unwrap()];
        assert_eq!(forger.verify(unsigned), Err(expected), "{header}");
    };
    for algorithm in ["none", "None", "nOnE", "NONE", "", "ED25519", "eddsa", "HS1"] {
        check(format!(r#"{{"typ":"JWT","alg":"{algorithm}","kid":"{kid}"}}"#), VerifyError::Malformed);
    }
    for algorithm in ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256"] {
        check(format!(r#"{{"typ":"JWT","alg":"{algorithm}","kid":"{kid}"}}"#), VerifyError::Header);
    }
    for algorithm in ["null", "1", r#"["EdDSA"]"#] {
        check(format!(r#"{{"typ":"JWT","alg":{algorithm},"kid":"{kid}"}}"#), VerifyError::Malformed);
    }
    check(format!(r#"{{"typ":"JWT","kid":"{kid}"}}"#), VerifyError::Malformed);

    for other in ["", "../../dev/null", "/etc/passwd", "x' OR '1'='1", "https://evil.example/key", "issuer/key.der"] {
        check(format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{other}"}}"#), VerifyError::UnknownKey);
    }
    check(r#"{"typ":"JWT","alg":"EdDSA"}"#.to_owned(), VerifyError::UnknownKey);
    check(format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{kid}="}}"#), VerifyError::UnknownKey);
    check(format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{}"}}"#, kid.to_uppercase()), VerifyError::UnknownKey);
    check(format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":["{kid}"]}}"#), VerifyError::Malformed);
    check(format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"other","kid":"{kid}"}}"#), VerifyError::Malformed);

    for field in [
        r#""typ":"at+jwt""#,
        r#""typ":"JWT","crit":["exp"]"#,
        r#""typ":"JWT","jku":"https://evil.example/keys""#,
        r#""typ":"JWT","x5u":"https://evil.example/cert""#,
        r#""typ":"JWT","jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        r#""typ":"JWT","b64":false"#,
        r#""typ":"JWT","zip":"DEF""#,
    ] {
        check(format!(r#"{{{field},"alg":"EdDSA","kid":"{kid}"}}"#), VerifyError::Header);
    }
    check(format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#), VerifyError::Header);
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let forger = Forger::new();
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&forger.key(), Algorithm::EdDSA).unwrap();
    let public = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let secret = EncodingKey::from_secret(public.try_get_as_bytes().unwrap());
    let header = format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{}"}}"#, forger.kid);
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(json(&[]).as_bytes()));
    let signature = crypto::sign(message.as_bytes(), &secret, Algorithm::HS256).unwrap();
    assert_eq!(forger.verify(&format!("{message}.{signature}")), Err(VerifyError::Header));
}

#[test]
fn claims_that_are_not_ours_are_refused() {
    let forger = Forger::new();
    let check = |changes: &[(&str, Option<&str>)], expected| {
        let claims = json(changes);
        assert_eq!(forger.verify(&forger.sign(&forger.header(), &claims)), Err(expected), "{claims}");
    };
    let no_numbers = [
        None,
        Some("null"),
        Some(r#""1700003600""#),
        Some("1700003600.0"),
        Some("1.7000036e9"),
        Some("1e400"),
        Some("-1e400"),
        Some("9223372036854775808"),
        Some("true"),
        Some("[1700003600]"),
        Some("{}"),
    ];
    for moment in ["exp", "nbf", "iat"] {
        for value in no_numbers {
            check(&[(moment, value)], VerifyError::Claims);
        }
    }
    for text in ["iss", "aud", "sub", "jti", "kind"] {
        for value in [None, Some("null"), Some("1"), Some("{}")] {
            check(&[(text, value)], VerifyError::Claims);
        }
    }

    // Another issuer or audience, however alike.
    for issuer in ["charterhouse/", "Charterhouse", "charterhous", "charterhouse ", "", "https://charterhouse"] {
        check(&[("iss", Some(&format!("\"{issuer}\"")))], VerifyError::Issuer);
    }
    for audience in
        ["charterhouse", "charterhouse-ap", "charterhouse-api2", "CHARTERHOUSE-API", "charterhouse-api/", ""]
    {
        check(&[("aud", Some(&format!("\"{audience}\"")))], VerifyError::Audience);
    }
    for several in [r#"["charterhouse-api"]"#, r#"["charterhouse-api","other"]"#, "[]"] {
        check(&[("aud", Some(several))], VerifyError::Claims);
    }
    check(&[("iss", Some(r#"["charterhouse"]"#))], VerifyError::Claims);

    // Lives that are too long, empty or backwards.
    check(&[("exp", Some("1700003601"))], VerifyError::Claims);
    check(&[("exp", Some("9223372036854775807"))], VerifyError::Claims);
    check(&[("exp", Some("4102444800"))], VerifyError::Claims);
    check(&[("exp", Some("1700000000"))], VerifyError::Claims);
    check(&[("exp", Some("-1"))], VerifyError::Claims);
    check(&[("exp", Some("-9223372036854775808"))], VerifyError::Claims);
    check(&[("nbf", Some("1699999999"))], VerifyError::Claims);
    check(&[("iat", Some("1699999999"))], VerifyError::Claims);
    let service = [("kind", Some(r#""service""#)), ("exp", Some("1707776001"))];
    check(&service, VerifyError::Claims);
    let bootstrap = [("kind", Some(r#""bootstrap""#)), ("sub", Some(r#""bootstrap""#)), ("exp", Some("1700086401"))];
    check(&bootstrap, VerifyError::Claims);

    // Parts that do not fit together.
    check(&[("sub", Some(r#""""#))], VerifyError::Claims);
    check(&[("sub", Some(&format!("\"{}\"", "a".repeat(MAX_SUBJECT_BYTES + 1))))], VerifyError::Claims);
    check(&[("sub", Some(r#""bootstrap""#))], VerifyError::Claims);
    check(&[("kind", Some(r#""bootstrap""#))], VerifyError::Claims);
    check(&[("kind", Some(r#""User""#))], VerifyError::Claims);
    check(&[("jti", Some(r#""1""#))], VerifyError::Claims);
    check(&[("jti", Some(&format!("\"{{{JTI}}}\"")))], VerifyError::Claims);
    check(&[("purpose", Some(r#""curiosity""#))], VerifyError::Claims);
    check(&[("purpose", Some(r#"["analytics"]"#))], VerifyError::Claims);

    let twice = json(&[]).replacen('{', r#"{"sub":"admin","#, 1);
    assert_eq!(forger.verify(&forger.sign(&forger.header(), &twice)), Err(VerifyError::Claims));
    for nonsense in ["", "null", "[]", "{", "{}", "\"a\"", &"[".repeat(2_000)] {
        assert_eq!(forger.verify(&forger.sign(&forger.header(), nonsense)), Err(VerifyError::Claims), "{nonsense}");
    }
}

#[test]
fn a_signature_covers_every_character() {
    let forger = Forger::new();
    let token = forger.issuer.issue(&claims(TokenKind::User)).unwrap();
    let token = token.expose();
    for (index, old) in token.char_indices() {
        for new in ['A', 'B', '.', '=', ' ', '+'] {
            if new != old {
                let changed = format!("{}{new}{}", &token[..index], &token[index + 1..]);
                assert!(forger.verify(&changed).is_err(), "character {index} as {new:?}");
            }
        }
    }
    let (message, signature) = token.rsplit_once('.').unwrap();
    for changed in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        message.to_owned(),
        format!("{message}."),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!("{token}=="),
        format!("{token}\n"),
        format!(" {token}"),
        format!("{message}.{}", base64url(&[0; 64])),
        "é.é.é".to_owned(),
    ] {
        assert!(forger.verify(&changed).is_err(), "{changed:?}");
    }
    assert_eq!(forger.verify(&format!("{message}.{}", base64url(&[0; 64]))), Err(VerifyError::Signature));
}

#[test]
fn another_installations_token_is_refused() {
    let (ours, theirs) = (Forger::new(), tempfile::tempdir().unwrap());
    let theirs = Issuer::open(theirs.path(), &Counter(AtomicU8::new(99))).unwrap();
    let token = theirs.issue(&claims(TokenKind::User)).unwrap();
    assert_eq!(ours.verify(token.expose()), Err(VerifyError::UnknownKey));
    // With our key's id in the header, too.
    let (message, signature) = token.expose().rsplit_once('.').unwrap();
    let (_, payload) = message.split_once('.').unwrap();
    let renamed = format!("{}.{payload}.{signature}", base64url(ours.header().as_bytes()));
    assert_eq!(ours.verify(&renamed), Err(VerifyError::Signature));
}

#[test]
fn a_token_that_is_too_long_is_not_looked_at() {
    let forger = Forger::new();
    let of_length = |length: usize| "a".repeat(length);
    assert_eq!(forger.verify(&of_length(MAX_TOKEN_BYTES)), Err(VerifyError::Malformed));
    assert_eq!(forger.verify(&of_length(MAX_TOKEN_BYTES + 1)), Err(VerifyError::TooLong));
    let padded = json(&[("padding", Some(&format!("\"{}\"", of_length(MAX_TOKEN_BYTES))))]);
    assert_eq!(forger.verify(&forger.sign(&forger.header(), &padded)), Err(VerifyError::TooLong));
    assert_eq!(VerifyError::TooLong.kind(), Kind::Unauthenticated);
}

#[test]
fn claims_that_would_be_refused_are_not_issued() {
    let forger = Forger::new();
    let good = claims(TokenKind::User);
    let later = |duration| good.issued_at.plus(duration);
    for claims in [
        Claims { subject: String::new(), ..good.clone() },
        Claims { subject: "a".repeat(MAX_SUBJECT_BYTES + 1), ..good.clone() },
        Claims { subject: BOOTSTRAP_SUBJECT.to_owned(), ..good.clone() },
        Claims { kind: TokenKind::Bootstrap, ..good.clone() },
        Claims { expires_at: good.issued_at, ..good.clone() },
        Claims { expires_at: later(TokenKind::User.lifetime() + Duration::from_secs(1)), ..good.clone() },
    ] {
        assert!(matches!(forger.issuer.issue(&claims), Err(Error::Claims)), "{claims:?}");
    }
    let short = Claims { expires_at: later(Duration::from_secs(60)), ..good };
    assert_eq!(forger.verify(forger.issuer.issue(&short).unwrap().expose()), Ok(short));
}

#[test]
fn the_key_is_made_once_and_is_its_owners_alone() {
    let forger = Forger::new();
    let path = forger.folder.path().join(KEY_FILE);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);

    let token = forger.issuer.issue(&claims(TokenKind::Service)).unwrap();
    let again = Issuer::open(forger.folder.path(), &forger.random).unwrap();
    assert_eq!(again.verify(token.expose(), NOW), Ok(claims(TokenKind::Service)));

    for loose in [0o640, 0o604, 0o620, 0o660, 0o644, 0o666, 0o610, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(loose)).unwrap();
        let opened = Issuer::open(forger.folder.path(), &forger.random);
        assert!(matches!(opened, Err(Error::LooseMode { mode, .. }) if mode == loose), "{loose:o}");
    }
    for tight in [0o600, 0o400] {
        fs::set_permissions(&path, fs::Permissions::from_mode(tight)).unwrap();
        assert!(Issuer::open(forger.folder.path(), &forger.random).is_ok(), "{tight:o}");
    }
}

#[test]
fn a_file_that_holds_no_key_is_refused_and_kept() {
    let forger = Forger::new();
    let path = forger.folder.path().join(KEY_FILE);
    let good = fs::read(&path).unwrap();
    let mut other_algorithm = good.clone();
    other_algorithm[11] ^= 1;
    for bad in [Vec::new(), good[..47].to_vec(), [good.clone(), vec![0]].concat(), other_algorithm, vec![0; 48]] {
        fs::write(&path, &bad).unwrap();
        assert!(matches!(Issuer::open(forger.folder.path(), &forger.random), Err(Error::NotAKey(_))), "{bad:?}");
        assert_eq!(fs::read(&path).unwrap(), bad);
    }
    fs::write(&path, good).unwrap();
    let old_keys = forger.folder.path().join(OLD_KEYS_FILE);
    for bad in
        ["", "{}", r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#, r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}"#]
    {
        fs::write(&old_keys, bad).unwrap();
        assert!(matches!(Issuer::open(forger.folder.path(), &forger.random), Err(Error::NotAKey(_))), "{bad}");
    }
}

#[test]
fn after_a_rotation_old_tokens_are_good_until_their_key_is_taken_out() {
    let forger = Forger::new();
    let folder = forger.folder.path();
    let token = |issuer: &Issuer| issuer.issue(&claims(TokenKind::Service)).unwrap();
    let first = token(&forger.issuer);
    let second = token(&Issuer::rotate(folder, &forger.random).unwrap());
    let third = token(&Issuer::rotate(folder, &forger.random).unwrap());
    let kids = [&first, &second, &third].map(|token| jsonwebtoken::decode_header(token.expose()).unwrap().kid);
    assert!(kids[0] != kids[1] && kids[1] != kids[2] && kids[0] != kids[2]);

    let issuer = Issuer::open(folder, &forger.random).unwrap();
    for token in [&first, &second, &third] {
        assert_eq!(issuer.verify(token.expose(), NOW), Ok(claims(TokenKind::Service)));
    }
    assert_eq!(jsonwebtoken::decode_header(token(&issuer).expose()).unwrap().kid, kids[2]);

    fs::remove_file(folder.join(OLD_KEYS_FILE)).unwrap();
    let issuer = Issuer::open(folder, &forger.random).unwrap();
    assert_eq!(issuer.verify(first.expose(), NOW), Err(VerifyError::UnknownKey));
    assert_eq!(issuer.verify(second.expose(), NOW), Err(VerifyError::UnknownKey));
    assert_eq!(issuer.verify(third.expose(), NOW), Ok(claims(TokenKind::Service)));
}

/// RFC 4648 section 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(group >> (18 - 6 * index) & 63) as usize]));
        }
    }
    text
}
