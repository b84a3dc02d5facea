//! What problems of documents are about, and how serious they are: stable words for programs.

use domain::closed_set;

closed_set! {
    /// What a problem of a document is about.
    Code {
        /// The text cannot be read: not UTF-8, neither YAML nor JSON, or beyond a limit.
        Syntax = "syntax",
        /// The document does not follow its version of the standard.
        Standard = "standard",
        /// The version number cannot be read.
        Version = "version",
        /// The product has no usable name in addresses.
        Slug = "slug",
        /// An id is used twice.
        Id = "id",
        /// The domain is not the path of a domain.
        Domain = "domain",
        /// A setting of the gate, or of a product, is invalid.
        Setting = "setting",
        /// A server is one that no table can be served from.
        Server = "server",
        /// A schema object or a property contradicts itself or another one.
        Schema = "schema",
        /// A quality rule cannot be run.
        Quality = "quality",
        /// The query of an `sql` rule can never run.
        Sql = "sql",
        /// A foreign key does not lead to a column.
        Relationship = "relationship",
        /// A service level cannot be measured.
        ServiceLevel = "service_level",
        /// A classification is not one of the known words.
        Classification = "classification",
        /// An output port cannot be published.
        Port = "port",
    }
}

closed_set! {
    /// How serious a problem is.
    Severity {
        /// No command can use the document.
        Error = "error",
        /// The document can be compared and converted. The server may refuse it.
        Warning = "warning",
    }
}

impl Code {
    /// How serious it is where publishing refuses the document for it.
    pub fn severity(self) -> Severity {
        match self {
            Self::Syntax | Self::Standard | Self::Version | Self::Slug => Severity::Error,
            Self::Id
            | Self::Domain
            | Self::Setting
            | Self::Server
            | Self::Schema
            | Self::Quality
            | Self::Sql
            | Self::Relationship
            | Self::ServiceLevel
            | Self::Classification
            | Self::Port => Severity::Warning,
        }
    }
}
