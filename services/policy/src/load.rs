//! Loading of the embedded policies and of the files of a folder.
//!
//! Files of the folder may only forbid: everything that is permitted is in the embedded policies, and so in
//! `policies/matrix.txt`. All files are validated strictly, and warnings are errors: a policy that can never apply does
//! not do what its author expects.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use cedar_policy::{
    ActionConstraint, Authorizer, Effect, EntityUid, PolicyId, PolicySet, PolicySetError, Schema, ValidationMode,
    Validator,
};
use domain::error::Kind;
use miette::Diagnostic;
use sha2::{Digest, Sha256};

use crate::entities::Names;
use crate::{Action, Policy};

/// The maximum size of a policy file, in bytes.
const MAX_FILE_BYTES: u64 = 1_000_000;

const SCHEMA: (&str, &str) = ("charterhouse.cedarschema", include_str!("../../../policies/charterhouse.cedarschema"));

const EMBEDDED: &[(&str, &str)] = &[
    ("access.cedar", include_str!("../../../policies/access.cedar")),
    ("data.cedar", include_str!("../../../policies/data.cedar")),
    ("domains.cedar", include_str!("../../../policies/domains.cedar")),
    ("platform.cedar", include_str!("../../../policies/platform.cedar")),
    ("separation.cedar", include_str!("../../../policies/separation.cedar")),
    ("visibility.cedar", include_str!("../../../policies/visibility.cedar")),
];

/// The value of `@grants` on a policy whose permission replaces a grant.
const BY_ROLE: &str = "role";

/// A failure to load policies.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file of it cannot be read.
    #[error("cannot read policies from `{}`", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Files contain errors; all faults of all files.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<Fault>),
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unreadable { .. } => Kind::Unavailable,
            Self::Refused(_) => Kind::Invalid,
        }
    }
}

/// A fault in a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// Line and column in characters, both from 1, if known.
    pub position: Option<(usize, usize)>,
    /// The description.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl Policy {
    /// The embedded policies alone.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn embedded() -> Result<Self, Error> {
        Self::with_files(&[])
    }

    /// The embedded policies, and the `*.cedar` files of a folder, which may only forbid.
    ///
    /// # Errors
    /// [`Error::Unreadable`]; [`Error::Refused`] for a syntax error, a policy without an `@id` or with a duplicate one,
    /// a `permit` in the folder, a template, and every error or warning of strict validation.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            |source| Error::Unreadable { path, source }
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            if path.extension().is_none_or(|extension| extension != "cedar") {
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let size_bytes = path.metadata().map_err(unreadable(&path))?.len();
            if size_bytes > MAX_FILE_BYTES {
                let message = format!("the file is larger than {MAX_FILE_BYTES} bytes");
                return Err(Error::Refused(vec![Fault { file: name, position: None, message }]));
            }
            files.push((name, std::fs::read_to_string(&path).map_err(unreadable(&path))?));
        }
        files.sort_unstable();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Self::with_files(&files)
    }

    /// The embedded policies and further texts with their file names, which may only forbid.
    ///
    /// # Errors
    /// [`Error::Refused`], as [`Policy::load`].
    pub fn with_files(files: &[(&str, &str)]) -> Result<Self, Error> {
        Self::build(EMBEDDED, files)
    }

    fn build(permitting: &[(&str, &str)], forbidding: &[(&str, &str)]) -> Result<Self, Error> {
        let (schema, warnings) = Schema::from_cedarschema_str(SCHEMA.1)
            .map_err(|error| Error::Refused(vec![fault(SCHEMA.0, SCHEMA.1, &error)]))?;
        let mut faults: Vec<Fault> = warnings.map(|warning| fault(SCHEMA.0, SCHEMA.1, &warning)).collect();
        let names = Names::new().map_err(|error| Error::Refused(vec![fault(SCHEMA.0, SCHEMA.1, &*error)]))?;
        let mut reader = Reader { validator: Validator::new(schema), policies: Vec::new(), files: HashMap::new() };
        let mut digest = Sha256::new();
        frame(&mut digest, SCHEMA);
        for (folder, files) in [(Folder::Embedded, permitting), (Folder::Stewards, forbidding)] {
            for (name, text) in files {
                faults.extend(reader.read(folder, name, text));
                frame(&mut digest, (name, text));
            }
        }
        let schema = reader.validator.schema().clone();
        if let Some(group) = schema.action_groups().next() {
            let message = format!("{group} is a group: name the actions in the policies instead");
            faults.push(Fault { file: SCHEMA.0.to_owned(), position: None, message });
        }
        let mut by_action = Vec::with_capacity(Action::ALL.len());
        for action in Action::ALL {
            match reader.applicable_to(&names.action(*action)) {
                Ok(policies) => by_action.push(policies),
                Err(error) => faults.push(fault(SCHEMA.0, SCHEMA.1, &*error)),
            }
        }
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        let by_role = match reader.by_role() {
            Ok(policies) => policies,
            Err(error) => return Err(Error::Refused(vec![fault(SCHEMA.0, SCHEMA.1, &*error)])),
        };
        let mut ids: Vec<String> = reader.policies.iter().map(|policy| policy.id().to_string()).collect();
        ids.sort_unstable();
        let literals = reader.policies.iter().flat_map(cedar_policy::Policy::entity_literals);
        let named_products = literals.filter_map(|entity| names.product_of(&entity)).collect();
        Ok(Self {
            authorizer: Authorizer::new(),
            by_action,
            by_role,
            ids,
            named_products,
            schema,
            names,
            digest: hex::encode(digest.finalize()),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Folder {
    Embedded,
    Stewards,
}

struct Reader {
    validator: Validator,
    policies: Vec<cedar_policy::Policy>,
    /// The file of each id.
    files: HashMap<PolicyId, String>,
}

impl Reader {
    /// Adds the policies of a file and returns its faults.
    fn read(&mut self, folder: Folder, file: &str, text: &str) -> Vec<Fault> {
        let parsed = match text.parse::<PolicySet>() {
            Ok(parsed) => parsed,
            Err(errors) => return errors.iter().map(|error| fault(file, text, error)).collect(),
        };
        let result = self.validator.validate(&parsed, ValidationMode::Strict);
        let mut faults: Vec<Fault> = result.validation_errors().map(|error| fault(file, text, error)).collect();
        faults.extend(result.validation_warnings().map(|warning| fault(file, text, warning)));

        let mut refuse = |policy_text: &str, message| {
            let position = text.find(policy_text).map(|offset| position(text, offset));
            faults.push(Fault { file: file.to_owned(), position, message });
        };
        for template in parsed.templates() {
            refuse(&template.to_cedar(), "templates are not allowed".to_owned());
        }
        for policy in parsed.policies() {
            let policy_text = policy.to_cedar().unwrap_or_default();
            let Some(id) = policy.annotation("id").filter(|id| !id.is_empty()) else {
                refuse(&policy_text, "a policy needs an `@id`".to_owned());
                continue;
            };
            if folder == Folder::Stewards && policy.effect() == Effect::Permit {
                refuse(&policy_text, format!("`{id}` is a `permit`: files of this folder may only `forbid`"));
            }
            let grants = policy.annotation("grants");
            if grants.is_some_and(|by| by != BY_ROLE || policy.effect() == Effect::Forbid) {
                refuse(
                    &policy_text,
                    format!("`{id}`: only a `permit` has `@grants`, and it is `@grants(\"{BY_ROLE}\")`"),
                );
            }
            let id = PolicyId::new(id);
            if let Some(other) = self.files.insert(id.clone(), file.to_owned()) {
                refuse(&policy_text, format!("the id `{id}` is already used by a policy in {other}"));
            } else {
                self.policies.push(policy.new_id(id));
            }
        }
        faults
    }

    /// The policies that permit reading by a role.
    fn by_role(&self) -> Result<PolicySet, Box<PolicySetError>> {
        let by_role = self.policies.iter().filter(|policy| policy.annotation("grants") == Some(BY_ROLE));
        Ok(PolicySet::from_policies(by_role.cloned())?)
    }

    /// The policies whose scope includes the action. The others can neither apply nor fail.
    fn applicable_to(&self, action: &EntityUid) -> Result<PolicySet, Box<PolicySetError>> {
        let applies = |policy: &&cedar_policy::Policy| match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(it) => it == *action,
            ActionConstraint::In(them) => them.contains(action),
        };
        Ok(PolicySet::from_policies(self.policies.iter().filter(applies).cloned())?)
    }
}

fn fault(file: &str, text: &str, error: &(impl Diagnostic + ?Sized)) -> Fault {
    let offset = error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
    let position = offset.map(|offset| position(text, offset));
    let message = match error.help() {
        Some(help) => format!("{error}: {help}"),
        None => error.to_string(),
    };
    Fault { file: file.to_owned(), position, message }
}

/// Line and column, both from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.split('\n').count(), column)
}

/// Adds length-prefixed texts, so that moving text between files changes the digest.
fn frame(digest: &mut Sha256, (name, text): (&str, &str)) {
    for part in [name, text] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
}
