//! Resolution of references: identifiers, anchors and JSON pointers of a schema and of the schemas passed in by name.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::Draft;

/// The base of a schema without an identifier, so that relative ones can be resolved. It is no address of anything.
const NO_BASE: &str = "schema:///";

/// A schema text among those that are read together.
#[derive(Debug)]
struct Document<'a> {
    root: &'a Value,
    draft: Draft,
    base: Rc<str>,
}

/// Where a value is: what its keywords mean and what relative references in it are relative to.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(super) draft: Draft,
    base: Rc<str>,
    document: usize,
}

/// All that references can lead to.
#[derive(Debug)]
pub(crate) struct Index<'a> {
    documents: Vec<Document<'a>>,
    /// By absolute URI without fragment, and by the names handed in.
    resources: HashMap<String, &'a Value>,
    /// By absolute URI with the anchor as fragment.
    anchors: HashMap<String, &'a Value>,
    /// The scope of each object, by its address. The texts are not touched while the index lives.
    scopes: HashMap<*const Value, Scope>,
}

impl<'a> Index<'a> {
    /// The index of a schema alone.
    pub(crate) fn new(root: &'a Value, draft: Draft) -> Self {
        let mut index =
            Self { documents: Vec::new(), resources: HashMap::new(), anchors: HashMap::new(), scopes: HashMap::new() };
        index.add_document(root, draft, NO_BASE);
        index
    }

    /// Adds a schema that is referred to by a name: the name as it is, and relative to the first schema's identifier.
    pub(crate) fn add(&mut self, name: &str, root: &'a Value, draft: Draft) {
        let base = resolve(&self.documents[0].base, name).unwrap_or_else(|| NO_BASE.to_owned());
        self.resources.entry(name.to_owned()).or_insert(root);
        for base in [&base, NO_BASE] {
            if let Some(uri) = resolve(base, name) {
                self.resources.entry(uri).or_insert(root);
            }
        }
        self.add_document(root, draft, &base);
    }

    fn add_document(&mut self, root: &'a Value, draft: Draft, base: &str) {
        let mut scope = Scope { draft, base: base.into(), document: self.documents.len() };
        self.resources.entry(base.to_owned()).or_insert(root);
        self.documents.push(Document { root, draft, base: Rc::clone(&scope.base) });
        self.walk(root, &scope, false);
        scope = self.scope(root, &scope);
        self.documents[scope.document].base = scope.base;
    }

    /// Notes the identifiers and anchors of a value and of all below. Below `properties` and the like names are free,
    /// and what keywords are called there are members.
    fn walk(&mut self, value: &'a Value, scope: &Scope, has_free_names: bool) {
        match value {
            Value::Object(members) if has_free_names => {
                self.scopes.insert(value, scope.clone());
                members.values().for_each(|member| self.walk(member, scope, false));
            }
            Value::Object(members) => {
                let scope = self.note_names(value, scope);
                for (keyword, member) in members {
                    match keyword.as_str() {
                        "enum" | "const" | "default" | "examples" => {}
                        "properties" | "patternProperties" | "$defs" | "definitions" | "dependencies"
                        | "dependentSchemas" => self.walk(member, &scope, true),
                        _ => self.walk(member, &scope, false),
                    }
                }
                self.scopes.insert(value, scope);
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, scope, false)),
            _ => {}
        }
    }

    /// Notes what a schema calls itself; the scope inside of it.
    fn note_names(&mut self, value: &'a Value, scope: &Scope) -> Scope {
        let mut scope = scope.clone();
        let named = |keyword| value.get(keyword).and_then(Value::as_str);
        if let Some(id) = named(scope.draft.id_keyword()) {
            let (uri, fragment) = split(id);
            if let Some(anchor) = fragment.filter(|anchor| scope.draft < Draft::Draft201909 && !anchor.is_empty()) {
                self.anchors.entry(format!("{}#{anchor}", scope.base)).or_insert(value);
            }
            if let Some(base) = Some(uri).filter(|uri| !uri.is_empty()).and_then(|uri| resolve(&scope.base, uri)) {
                self.resources.entry(base.clone()).or_insert(value);
                scope.base = base.into();
            }
        }
        for anchor in ["$anchor", "$dynamicAnchor"].into_iter().filter_map(named) {
            if scope.draft >= Draft::Draft201909 {
                self.anchors.entry(format!("{}#{anchor}", scope.base)).or_insert(value);
            }
        }
        scope
    }

    /// The scope of the first schema.
    pub(crate) fn root_scope(&self) -> Scope {
        let Document { draft, base, .. } = &self.documents[0];
        Scope { draft: *draft, base: Rc::clone(base), document: 0 }
    }

    /// The scope inside of a value that is found within another scope.
    pub(crate) fn scope(&self, value: &Value, around: &Scope) -> Scope {
        self.scopes.get(&std::ptr::from_ref(value)).unwrap_or(around).clone()
    }

    /// What a reference within a scope leads to, and the scope there.
    pub(crate) fn find(&self, reference: &str, scope: &Scope) -> Option<(&'a Value, Scope)> {
        let (uri, fragment) = split(reference);
        let fragment = percent_decoded(fragment.unwrap_or_default())?;
        let root = if uri.is_empty() {
            self.resources.get(scope.base.as_ref()).copied()
        } else {
            let absolute = resolve(&scope.base, uri);
            let by_uri = absolute.and_then(|uri| self.resources.get(&uri).copied());
            Some(by_uri.or_else(|| self.resources.get(uri.trim_start_matches("./")).copied())?)
        };
        let document = &self.documents[scope.document];
        let around = |root| match root {
            Some(root) => (root, self.scope(root, scope)),
            None => (document.root, self.scope(document.root, scope)),
        };
        let (root, root_scope) = around(root);
        let found = if fragment.is_empty() {
            Some(root)
        } else if fragment.starts_with('/') {
            // Pointers are meant from the resource; many are written from the document around it.
            pointed_at(root, &fragment).or_else(|| uri.is_empty().then(|| pointed_at(document.root, &fragment))?)
        } else {
            self.anchors.get(&format!("{}#{fragment}", root_scope.base)).copied()
        }?;
        Some((found, self.scope(found, &root_scope)))
    }
}

/// The value at a JSON pointer. As the Confluent Schema Registry does, what is not found under `$defs` is looked for
/// under `definitions`.
fn pointed_at<'a>(root: &'a Value, pointer: &str) -> Option<&'a Value> {
    let under_definitions = || root.pointer(&format!("/definitions/{}", pointer.strip_prefix("/$defs/")?));
    root.pointer(pointer).or_else(under_definitions)
}

/// A reference without its fragment, and the fragment.
fn split(reference: &str) -> (&str, Option<&str>) {
    match reference.split_once('#') {
        Some((uri, fragment)) => (uri, Some(fragment)),
        None => (reference, None),
    }
}

/// A URI reference made absolute (RFC 3986 section 5), without fragment; `None` where it is none.
fn resolve(base: &str, reference: &str) -> Option<String> {
    let base = jsonschema::uri::from_str(base).ok()?;
    let resolved = jsonschema::uri::resolve_against(&base.borrow(), reference).ok()?;
    Some(split(resolved.as_str()).0.to_owned())
}

/// A fragment with its `%XX` decoded; `None` if what comes out is not UTF-8.
fn percent_decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, behind @ ..] = rest {
        let code = behind.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).ok()
}
