//! The closed sets of search: what matched, where a hit stands, what is counted, and what a caller may do.

use domain::closed_set;

closed_set! {
    /// What a match was found in.
    MatchField {
        /// The address of the product, a table or a port.
        Address = "address",
        /// The product's name.
        Name = "name",
        /// The product's title.
        Title = "title",
        /// Another name of the product.
        Synonym = "synonym",
        /// A tag.
        Tag = "tag",
        /// The product's domain.
        Domain = "domain",
        /// An owner.
        Owner = "owner",
        /// An output port.
        Port = "port",
        /// A table.
        Table = "table",
        /// Another name of a table.
        TableSynonym = "table_synonym",
        /// A column.
        Column = "column",
        /// Another name of a column.
        ColumnSynonym = "column_synonym",
        /// The product's description.
        Description = "description",
        /// The description of a table.
        TableDescription = "table_description",
        /// The description of a column.
        ColumnDescription = "column_description",
        /// A product that matches is made from this one.
        Feeds = "feeds",
    }
}

closed_set! {
    /// How good the best match of a hit is. A hit of a later stage never comes before one of an earlier stage.
    Stage {
        /// The query is the address of the product, of a table or of a port.
        Address = "address",
        /// The query is the product's name, title or another name of it, with its domain or without.
        Name = "name",
        /// All words of the query are in the product's name, title or other names, some perhaps in its domain.
        Words = "words",
        /// The query is a column, a table, a tag, or another name of one.
        Term = "term",
        /// Words of the query are found anywhere.
        Text = "text",
        /// There is no query: everything is shown.
        All = "all",
    }
}

closed_set! {
    /// What hits are counted by and filtered by.
    Facet {
        /// The product's domain.
        Domain = "domain",
        /// The highest classification.
        Classification = "classification",
        /// The product's state.
        State = "state",
        /// The formats of its ports.
        Format = "format",
        /// Its layer.
        Layer = "layer",
        /// The newest verdict.
        Verdict = "verdict",
        /// What the caller may do.
        Access = "access",
    }
}

closed_set! {
    /// What a caller may do with a product that they may see.
    Access {
        /// They may know of it.
        Know = "know",
        /// They may ask for access.
        Request = "request",
        /// They can read it.
        Read = "read",
    }
}
