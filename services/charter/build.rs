//! Registers the committed GraphQL schema, which the client code of the command line is generated from.

fn main() -> Result<(), cynic_codegen::registration::SchemaRegistrationError> {
    cynic_codegen::register_schema("charterhouse").from_sdl_file("../../schemas/charterhouse.graphql")?.as_default()?;
    Ok(())
}
