//! ODPS 0.9 (read as 1.0), 1.0 and 1.1 to [`product::Document`], and the checks that a JSON Schema cannot express.

use std::collections::BTreeMap;

use domain::contract::{Classification, Wish};
use domain::name::Name;
use domain::product::{self, ContractReference, InputPort, Medallion, OutputPort};
use domain::version::Version;

use crate::code::Code;
use crate::node::Node;
use crate::odcs::classification;
use crate::reader::{At, Reader};

/// The custom properties that are settings.
const SETTINGS: &[&str] = &["slug", "classification", "medallion"];

/// The model of a product; `None` if something it needs could not be read, which then is a problem.
pub(crate) fn product(root: &Node, reader: &mut Reader) -> Option<product::Document> {
    const MODELLED: &[&str] =
        &["apiVersion", "domain", "id", "inputPorts", "kind", "name", "outputPorts", "status", "version"];
    let at = At::root(root);
    let settings = reader.about(Code::Setting, |reader| settings(&at, reader));
    let slug = reader.about(Code::Slug, |reader| slug(&at, settings.get("slug"), reader));
    let classified =
        settings.get("classification").and_then(|word| reader.about(Code::Setting, |reader| classified(word, reader)));
    let medallion =
        settings.get("medallion").and_then(|word| reader.about(Code::Setting, |reader| medallion(word, reader)));
    let domain = reader.domain(&at);
    let output_ports = reader.about(Code::Port, |reader| output_ports(&at, reader));
    let (documentary, other) = at.rest(MODELLED, SETTINGS);
    Some(product::Document {
        document_id: at.text_of("id")?,
        api_version: at.text_of("apiVersion")?,
        name: at.text_of("name"),
        slug: slug?,
        version: at.text_of("version"),
        wish: Wish::of(at.text_of("status").as_deref()),
        domain,
        classification: classified.unwrap_or(Classification::Internal),
        medallion,
        output_ports,
        input_ports: at.list("inputPorts").iter().map(input_port).collect(),
        documentary,
        other,
    })
}

/// The settings among the custom properties, by name.
fn settings<'a>(at: &At<'a>, reader: &mut Reader) -> BTreeMap<String, At<'a>> {
    let mut settings = BTreeMap::new();
    for (name, value) in at.custom_properties() {
        let Some(value) = value.filter(|_| SETTINGS.contains(&name.as_str())) else { continue };
        if settings.contains_key(&name) {
            reader.problem(&value, format!("duplicate setting `{name}`"));
        }
        settings.insert(name, value);
    }
    settings
}

fn classified(word: &At<'_>, reader: &mut Reader) -> Option<Classification> {
    if word.text().is_none() {
        reader.problem(word, "`classification` must be a word");
    }
    classification(word, reader)
}

fn medallion(word: &At<'_>, reader: &mut Reader) -> Option<Medallion> {
    let medallion = word.text().and_then(|word| word.parse::<Medallion>().ok());
    if medallion.is_none() {
        reader.problem(word, "`medallion` must be one of `bronze`, `silver`, `gold`");
    }
    medallion
}

/// The product's name in addresses.
fn slug(at: &At<'_>, setting: Option<&At<'_>>, reader: &mut Reader) -> Option<Name> {
    if let Some(setting) = setting {
        let Some(text) = setting.text() else {
            reader.problem(setting, "`slug` must be a name");
            return None;
        };
        return reader.keep(setting, text.parse());
    }
    let title = at.get("name").or_else(|| at.get("id"))?;
    match Name::slug(title.text()?) {
        Ok(name) => Some(name),
        Err(error) => {
            reader.problem(&title, format!("{error}; or set the custom property `slug`"));
            None
        }
    }
}

/// The output ports. A port of one name and major appears once.
fn output_ports(at: &At<'_>, reader: &mut Reader) -> Vec<OutputPort> {
    const MODELLED: &[&str] = &["id", "name", "version", "contractId", "type", "inputContracts"];
    let mut seen = BTreeMap::new();
    let mut ports = Vec::new();
    for port in at.list("outputPorts") {
        let name = port.get("name").and_then(|name| reader.keep(&name, Name::slug(name.text()?)));
        let version = match port.get("version") {
            Some(version) => version.text().and_then(|text| reader.keep(&version, text.parse())),
            None => Some(Version { major: 1, minor: 0, patch: 0 }),
        };
        let (Some(name), Some(version)) = (name, version) else { continue };
        if let Some(first) = seen.insert((name.clone(), version.major), port.pointer()) {
            let message = format!("major {} of port `{name}` is already defined at {first}", version.major);
            reader.problem(&port, message);
        }
        let (documentary, other) = port.rest(MODELLED, &[]);
        ports.push(OutputPort {
            name,
            version,
            contract_id: port.text_of("contractId"),
            kind: port.text_of("type"),
            input_contracts: port.list("inputContracts").iter().filter_map(contract_reference).collect(),
            documentary,
            other,
        });
    }
    ports
}

fn contract_reference(at: &At<'_>) -> Option<ContractReference> {
    Some(ContractReference { id: at.text_of("id")?, version: at.text_of("version")? })
}

fn input_port(at: &At<'_>) -> InputPort {
    let (documentary, other) = at.rest(&["id", "name", "version", "contractId"], &[]);
    InputPort {
        name: at.text_of("name").unwrap_or_default(),
        version: at.text_of("version"),
        contract_id: at.text_of("contractId"),
        documentary,
        other,
    }
}
