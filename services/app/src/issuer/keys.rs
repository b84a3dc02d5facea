//! The issuer's key pair and the public keys before it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use domain::clock::Random;
use domain::error::Kind;
use jsonwebtoken::jwk::{Jwk, JwkSet, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};

/// The private key, in the data directory.
pub const KEY_FILE: &str = "issuer/key.der";
/// The public keys of earlier key pairs, in the data directory. Take one out to end its tokens at once.
pub const OLD_KEYS_FILE: &str = "issuer/old-keys.json";

/// The prefix of the 32 bytes of an Ed25519 private key in PKCS#8 (RFC 8410 section 7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// The most that is read of a file.
const MAX_FILE_BYTES: u64 = 1_000_000;

/// Why the issuer cannot be opened or cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("cannot read or write `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read or write the private key.
    #[error("the key in `{}` is accessible to other users (mode {mode:o}): create a new one, or set the mode to 600", path.display())]
    LooseMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file does not hold what it should.
    #[error("`{}` is not an Ed25519 key in the expected format", .0.display())]
    NotAKey(PathBuf),
    /// The claims do not fit together.
    #[error("the subject or the lifetime does not fit the kind of token")]
    Claims,
    /// The signature could not be made.
    #[error("the token could not be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Claims => Kind::Invalid,
            Self::Unreadable { .. } | Self::LooseMode { .. } | Self::NotAKey(_) | Self::Signing(_) => Kind::Internal,
        }
    }
}

/// A public key that tokens are checked with, and the one header that goes with it.
pub(super) struct Key {
    pub(super) header: Header,
    pub(super) decoding: DecodingKey,
    jwk: Jwk,
}

/// The key pair that signs, and the public keys that are accepted: the pair's own first.
pub(super) struct Keys {
    signing: EncodingKey,
    accepted: Vec<Key>,
}

impl Keys {
    pub(super) fn open(folder: &Path, random: &dyn Random) -> Result<Self, Error> {
        let path = folder.join(KEY_FILE);
        let signing = match read_private(&path)? {
            Some(der) => EncodingKey::from_ed_der(&der),
            None => make(&path, random)?,
        };
        let current = Jwk::from_encoding_key(&signing, Algorithm::EdDSA);
        let mut accepted = vec![Key::new(current, &path)?];
        let path = folder.join(OLD_KEYS_FILE);
        for jwk in old_keys(&path)?.keys {
            accepted.push(Key::new(Ok(jwk), &path)?);
        }
        Ok(Self { signing, accepted })
    }

    /// The old public key is written down before the new private key takes its place: a crash between the two leaves
    /// it there twice, which changes nothing.
    pub(super) fn rotate(folder: &Path, random: &dyn Random) -> Result<Self, Error> {
        let keys = Self::open(folder, random)?;
        let old_keys = JwkSet { keys: keys.accepted.into_iter().map(|key| key.jwk).collect() };
        let path = folder.join(OLD_KEYS_FILE);
        let text = serde_json::to_vec_pretty(&old_keys).map_err(|_| Error::NotAKey(path.clone()))?;
        replace(&path, &text)?;
        make(&folder.join(KEY_FILE), random)?;
        Self::open(folder, random)
    }

    pub(super) fn signing(&self) -> &EncodingKey {
        &self.signing
    }

    pub(super) fn current(&self) -> &Key {
        &self.accepted[0]
    }

    pub(super) fn find(&self, kid: &str) -> Option<&Key> {
        self.accepted.iter().find(|key| key.header.kid.as_deref() == Some(kid))
    }
}

impl Key {
    /// The key's id is its thumbprint (RFC 7638), whatever the file says.
    fn new(jwk: jsonwebtoken::errors::Result<Jwk>, path: &Path) -> Result<Self, Error> {
        let parts = jwk.and_then(|jwk| {
            let decoding = DecodingKey::from_jwk(&jwk)?;
            let jwk = Jwk::from_decoding_key(&decoding, Some(Algorithm::EdDSA))?;
            let kid = jwk.thumbprint(ThumbprintHash::SHA256)?;
            Ok((Header { kid: Some(kid), ..Header::new(Algorithm::EdDSA) }, decoding, jwk))
        });
        match parts {
            Ok((header, decoding, jwk)) if decoding.family() == Algorithm::EdDSA.family() => {
                Ok(Self { header, decoding, jwk })
            }
            _ => Err(Error::NotAKey(path.to_owned())),
        }
    }
}

fn make(path: &Path, random: &dyn Random) -> Result<EncodingKey, Error> {
    let mut der = [0; PKCS8_PREFIX.len() + 32];
    let (prefix, secret) = der.split_at_mut(PKCS8_PREFIX.len());
    prefix.copy_from_slice(&PKCS8_PREFIX);
    random.fill(secret);
    replace(path, &der)?;
    Ok(EncodingKey::from_ed_der(&der))
}

/// The private key's bytes, whatever they are; `None` if there is no file.
fn read_private(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let Some(mut file) = open(path)? else { return Ok(None) };
    let metadata = file.metadata().map_err(unreadable(path))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::LooseMode { path: path.to_owned(), mode });
    }
    read(&mut file, path).map(Some)
}

fn old_keys(path: &Path) -> Result<JwkSet, Error> {
    let Some(mut file) = open(path)? else { return Ok(JwkSet::default()) };
    let bytes = read(&mut file, path)?;
    serde_json::from_slice(&bytes).map_err(|_| Error::NotAKey(path.to_owned()))
}

fn open(path: &Path) -> Result<Option<File>, Error> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path)(error)),
    }
}

fn read(file: &mut File, path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(unreadable(path))?;
    Ok(bytes)
}

/// Writes a file whole and durably, for its owner alone: after a crash there is the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let temporary = path.with_extension("new");
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(unreadable(path))
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Unreadable { path, source }
}
