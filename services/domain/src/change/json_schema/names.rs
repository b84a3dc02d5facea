//! The differences between JSON Schemas: their names, whether they are compatible, and their messages.

use crate::change::message::Policy;

/// The name of a kind of difference.
#[derive(Debug)]
pub(super) struct Name {
    /// The word in Confluent's vocabulary.
    pub(super) word: &'static str,
    /// What it means, in one sentence.
    pub(super) sentence: &'static str,
    effect: Effect,
}

/// Whether a reader of the new schema goes on reading what was written under the old.
#[derive(Clone, Copy, Debug)]
enum Effect {
    /// Yes.
    Reads,
    /// Only if writers sent nothing that the old schema did not name: [`Policy::Lenient`].
    Hopes,
    /// No.
    Breaks,
}

impl Name {
    /// Whether the policy takes such a difference as compatible.
    pub(super) fn is_compatible(&self, policy: Policy) -> bool {
        match (self.effect, policy) {
            (Effect::Reads, _) | (Effect::Hopes, Policy::Lenient) => true,
            (Effect::Hopes, Policy::Strict) | (Effect::Breaks, _) => false,
        }
    }
}

/// The names for a limit that may be set, lifted and moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) keyword: &'static str,
    pub(super) added: &'static Name,
    pub(super) removed: &'static Name,
    pub(super) increased: &'static Name,
    pub(super) decreased: &'static Name,
}

/// The names for what holds of members that no other keyword names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    pub(super) keyword: &'static str,
    pub(super) added: &'static Name,
    pub(super) removed: &'static Name,
    pub(super) extended: &'static Name,
    pub(super) narrowed: &'static Name,
}

macro_rules! names {
    ($($name:ident $effect:ident $sentence:literal;)+) => {
        $(pub(super) static $name: Name =
            Name { word: stringify!($name), sentence: $sentence, effect: Effect::$effect };)+
    };
}

macro_rules! limits {
    ($($limit:ident $keyword:literal $added:ident $removed:ident $increased:ident $decreased:ident;)+) => {
        $(pub(super) static $limit: Limit = Limit {
            keyword: $keyword,
            added: &$added,
            removed: &$removed,
            increased: &$increased,
            decreased: &$decreased,
        };)+
    };
}

macro_rules! rests {
    ($($rest:ident $keyword:literal $added:ident $removed:ident $extended:ident $narrowed:ident;)+) => {
        $(pub(super) static $rest: Rest = Rest {
            keyword: $keyword,
            added: &$added,
            removed: &$removed,
            extended: &$extended,
            narrowed: &$narrowed,
        };)+
    };
}

rests! {
    ADDITIONAL_PROPERTIES "additionalProperties" ADDITIONAL_PROPERTIES_ADDED ADDITIONAL_PROPERTIES_REMOVED
        ADDITIONAL_PROPERTIES_EXTENDED ADDITIONAL_PROPERTIES_NARROWED;
    UNEVALUATED_PROPERTIES "unevaluatedProperties" UNEVALUATED_PROPERTIES_ADDED UNEVALUATED_PROPERTIES_REMOVED
        UNEVALUATED_PROPERTIES_EXTENDED UNEVALUATED_PROPERTIES_NARROWED;
    ADDITIONAL_ITEMS "additionalItems" ADDITIONAL_ITEMS_ADDED ADDITIONAL_ITEMS_REMOVED ADDITIONAL_ITEMS_EXTENDED
        ADDITIONAL_ITEMS_NARROWED;
    UNEVALUATED_ITEMS "unevaluatedItems" UNEVALUATED_ITEMS_ADDED UNEVALUATED_ITEMS_REMOVED UNEVALUATED_ITEMS_EXTENDED
        UNEVALUATED_ITEMS_NARROWED;
}

limits! {
    MAX_LENGTH "maxLength" MAX_LENGTH_ADDED MAX_LENGTH_REMOVED MAX_LENGTH_INCREASED MAX_LENGTH_DECREASED;
    MIN_LENGTH "minLength" MIN_LENGTH_ADDED MIN_LENGTH_REMOVED MIN_LENGTH_INCREASED MIN_LENGTH_DECREASED;
    MAXIMUM "maximum" MAXIMUM_ADDED MAXIMUM_REMOVED MAXIMUM_INCREASED MAXIMUM_DECREASED;
    MINIMUM "minimum" MINIMUM_ADDED MINIMUM_REMOVED MINIMUM_INCREASED MINIMUM_DECREASED;
    EXCLUSIVE_MAXIMUM "exclusiveMaximum" EXCLUSIVE_MAXIMUM_ADDED EXCLUSIVE_MAXIMUM_REMOVED
        EXCLUSIVE_MAXIMUM_INCREASED EXCLUSIVE_MAXIMUM_DECREASED;
    EXCLUSIVE_MINIMUM "exclusiveMinimum" EXCLUSIVE_MINIMUM_ADDED EXCLUSIVE_MINIMUM_REMOVED
        EXCLUSIVE_MINIMUM_INCREASED EXCLUSIVE_MINIMUM_DECREASED;
    MAX_PROPERTIES "maxProperties" MAX_PROPERTIES_ADDED MAX_PROPERTIES_REMOVED MAX_PROPERTIES_INCREASED
        MAX_PROPERTIES_DECREASED;
    MIN_PROPERTIES "minProperties" MIN_PROPERTIES_ADDED MIN_PROPERTIES_REMOVED MIN_PROPERTIES_INCREASED
        MIN_PROPERTIES_DECREASED;
    MAX_ITEMS "maxItems" MAX_ITEMS_ADDED MAX_ITEMS_REMOVED MAX_ITEMS_INCREASED MAX_ITEMS_DECREASED;
    MIN_ITEMS "minItems" MIN_ITEMS_ADDED MIN_ITEMS_REMOVED MIN_ITEMS_INCREASED MIN_ITEMS_DECREASED;
    MAX_CONTAINS "maxContains" MAX_CONTAINS_ADDED MAX_CONTAINS_REMOVED MAX_CONTAINS_INCREASED MAX_CONTAINS_DECREASED;
    MIN_CONTAINS "minContains" MIN_CONTAINS_ADDED MIN_CONTAINS_REMOVED MIN_CONTAINS_INCREASED MIN_CONTAINS_DECREASED;
}

names! {
    ID_CHANGED Reads "the schema has another identifier";
    DESCRIPTION_CHANGED Reads "the description changed";
    TITLE_CHANGED Reads "the title changed";
    DEFAULT_CHANGED Reads "the default changed";
    SCHEMA_ADDED Breaks "a schema is demanded where there was none";
    SCHEMA_REMOVED Reads "the schema is not demanded any more";
    TYPE_EXTENDED Reads "the type admits more values";
    TYPE_NARROWED Breaks "the type admits fewer values";
    TYPE_CHANGED Breaks "the type is another one";

    MAX_LENGTH_ADDED Breaks "a greatest length is demanded now";
    MAX_LENGTH_REMOVED Reads "a greatest length is not demanded any more";
    MAX_LENGTH_INCREASED Reads "longer texts are admitted";
    MAX_LENGTH_DECREASED Breaks "texts that were admitted are too long now";
    MIN_LENGTH_ADDED Breaks "a least length is demanded now";
    MIN_LENGTH_REMOVED Reads "a least length is not demanded any more";
    MIN_LENGTH_INCREASED Breaks "texts that were admitted are too short now";
    MIN_LENGTH_DECREASED Reads "shorter texts are admitted";
    PATTERN_ADDED Breaks "a pattern is demanded now";
    PATTERN_REMOVED Reads "a pattern is not demanded any more";
    PATTERN_CHANGED Breaks "the pattern is another one";

    MAXIMUM_ADDED Breaks "a greatest value is demanded now";
    MAXIMUM_REMOVED Reads "a greatest value is not demanded any more";
    MAXIMUM_INCREASED Reads "greater values are admitted";
    MAXIMUM_DECREASED Breaks "values that were admitted are too great now";
    MINIMUM_ADDED Breaks "a least value is demanded now";
    MINIMUM_REMOVED Reads "a least value is not demanded any more";
    MINIMUM_INCREASED Breaks "values that were admitted are too small now";
    MINIMUM_DECREASED Reads "smaller values are admitted";
    EXCLUSIVE_MAXIMUM_ADDED Breaks "values must stay below a bound now";
    EXCLUSIVE_MAXIMUM_REMOVED Reads "values need not stay below a bound any more";
    EXCLUSIVE_MAXIMUM_INCREASED Reads "greater values are admitted";
    EXCLUSIVE_MAXIMUM_DECREASED Breaks "values that were admitted are too great now";
    EXCLUSIVE_MINIMUM_ADDED Breaks "values must stay above a bound now";
    EXCLUSIVE_MINIMUM_REMOVED Reads "values need not stay above a bound any more";
    EXCLUSIVE_MINIMUM_INCREASED Breaks "values that were admitted are too small now";
    EXCLUSIVE_MINIMUM_DECREASED Reads "smaller values are admitted";
    MULTIPLE_OF_ADDED Breaks "values must be multiples of a number now";
    MULTIPLE_OF_REMOVED Reads "values need not be multiples of a number any more";
    MULTIPLE_OF_EXPANDED Breaks "values must be multiples of a greater number";
    MULTIPLE_OF_REDUCED Reads "the old multiples are multiples of the new number too";
    MULTIPLE_OF_CHANGED Breaks "values must be multiples of another number";

    REQUIRED_ATTRIBUTE_ADDED Breaks "the property must be there now";
    REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED Reads "the property must be there now and has a default";
    REQUIRED_ATTRIBUTE_REMOVED Reads "the property may be missing now";
    MAX_PROPERTIES_ADDED Breaks "a greatest number of properties is demanded now";
    MAX_PROPERTIES_REMOVED Reads "a greatest number of properties is not demanded any more";
    MAX_PROPERTIES_INCREASED Reads "more properties are admitted";
    MAX_PROPERTIES_DECREASED Breaks "objects that were admitted have too many properties now";
    MIN_PROPERTIES_ADDED Breaks "a least number of properties is demanded now";
    MIN_PROPERTIES_REMOVED Reads "a least number of properties is not demanded any more";
    MIN_PROPERTIES_INCREASED Breaks "objects that were admitted have too few properties now";
    MIN_PROPERTIES_DECREASED Reads "fewer properties are admitted";
    ADDITIONAL_PROPERTIES_ADDED Reads "properties that are not named are admitted now";
    ADDITIONAL_PROPERTIES_REMOVED Hopes "properties that are not named are refused now";
    ADDITIONAL_PROPERTIES_EXTENDED Reads "properties that are not named may be anything now";
    ADDITIONAL_PROPERTIES_NARROWED Hopes "properties that are not named must satisfy a schema now";
    UNEVALUATED_PROPERTIES_ADDED Reads "unevaluated properties are admitted now";
    UNEVALUATED_PROPERTIES_REMOVED Hopes "unevaluated properties are refused now";
    UNEVALUATED_PROPERTIES_EXTENDED Reads "unevaluated properties may be anything now";
    UNEVALUATED_PROPERTIES_NARROWED Hopes "unevaluated properties must satisfy a schema now";
    DEPENDENCY_ARRAY_ADDED Breaks "the property demands others now";
    DEPENDENCY_ARRAY_REMOVED Reads "the property demands no others any more";
    DEPENDENCY_ARRAY_EXTENDED Breaks "the property demands more others";
    DEPENDENCY_ARRAY_NARROWED Reads "the property demands fewer others";
    DEPENDENCY_ARRAY_CHANGED Breaks "the property demands others than before";
    DEPENDENCY_SCHEMA_ADDED Breaks "the property demands a schema of its object now";
    DEPENDENCY_SCHEMA_REMOVED Reads "the property demands no schema of its object any more";
    REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL Breaks
        "a required property was added where older objects may lack it or hold anything under its name";
    REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL Hopes
        "a required property with a default was added where older objects may hold anything under its name; \
         close the content model first (`additionalProperties: false`)";
    OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL Hopes
        "a property was added where older objects may hold anything under its name; \
         close the content model first (`additionalProperties: false`)";
    PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL Reads "a property was added that may be anything";
    REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL Breaks "a required property was added that older objects lack";
    REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL Reads "a required property with a default was added";
    OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL Reads "a property was added that older objects cannot hold";
    PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL Reads "a property was removed that objects may still hold";
    PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL Reads "a property was removed that no object could hold";
    PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL Hopes "a property was removed and objects may not hold it any more";
    PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Reads
        "a property was removed, and the schema for properties that are not named admits its values";
    PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Hopes
        "a property was removed, and the schema for properties that are not named refuses some of its values";
    PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Reads
        "a property was added that admits what its name could hold before";
    PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Hopes
        "a property was added that refuses some of what its name could hold before";

    MAX_ITEMS_ADDED Breaks "a greatest number of items is demanded now";
    MAX_ITEMS_REMOVED Reads "a greatest number of items is not demanded any more";
    MAX_ITEMS_INCREASED Reads "more items are admitted";
    MAX_ITEMS_DECREASED Breaks "arrays that were admitted have too many items now";
    MIN_ITEMS_ADDED Breaks "a least number of items is demanded now";
    MIN_ITEMS_REMOVED Reads "a least number of items is not demanded any more";
    MIN_ITEMS_INCREASED Breaks "arrays that were admitted have too few items now";
    MIN_ITEMS_DECREASED Reads "fewer items are admitted";
    MAX_CONTAINS_ADDED Breaks "a greatest number of matching items is demanded now";
    MAX_CONTAINS_REMOVED Reads "a greatest number of matching items is not demanded any more";
    MAX_CONTAINS_INCREASED Reads "more matching items are admitted";
    MAX_CONTAINS_DECREASED Breaks "arrays that were admitted have too many matching items now";
    MIN_CONTAINS_ADDED Breaks "a least number of matching items is demanded now";
    MIN_CONTAINS_REMOVED Reads "a least number of matching items is not demanded any more";
    MIN_CONTAINS_INCREASED Breaks "arrays that were admitted have too few matching items now";
    MIN_CONTAINS_DECREASED Reads "fewer matching items are admitted";
    UNIQUE_ITEMS_ADDED Breaks "items must be distinct now";
    UNIQUE_ITEMS_REMOVED Reads "items need not be distinct any more";
    ADDITIONAL_ITEMS_ADDED Reads "further items are admitted now";
    ADDITIONAL_ITEMS_REMOVED Breaks "further items are refused now";
    ADDITIONAL_ITEMS_EXTENDED Reads "further items may be anything now";
    ADDITIONAL_ITEMS_NARROWED Breaks "further items must satisfy a schema now";
    UNEVALUATED_ITEMS_ADDED Reads "unevaluated items are admitted now";
    UNEVALUATED_ITEMS_REMOVED Breaks "unevaluated items are refused now";
    UNEVALUATED_ITEMS_EXTENDED Reads "unevaluated items may be anything now";
    UNEVALUATED_ITEMS_NARROWED Breaks "unevaluated items must satisfy a schema now";
    ITEM_ADDED_TO_OPEN_CONTENT_MODEL Breaks
        "a position was added where older arrays may hold anything; close the content model first";
    ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL Reads "a position was added that may be anything";
    ITEM_ADDED_TO_CLOSED_CONTENT_MODEL Reads "a position was added that older arrays cannot hold";
    ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL Reads "a position was removed that arrays may still hold";
    ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL Reads "a position was removed that no array could hold";
    ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL Breaks "a position was removed and arrays may not hold it any more";
    ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Reads
        "a position was removed, and the schema for further items admits its values";
    ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Breaks
        "a position was removed, and the schema for further items refuses some of its values";
    ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Reads
        "a position was added that admits what it could hold before";
    ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Breaks
        "a position was added that refuses some of what it could hold before";

    ENUM_ARRAY_EXTENDED Reads "values were added to the enumeration";
    ENUM_ARRAY_NARROWED Breaks "values were removed from the enumeration";
    ENUM_ARRAY_CHANGED Breaks "the enumeration has other values";

    COMBINED_TYPE_EXTENDED Reads "the combination is a weaker one";
    COMBINED_TYPE_CHANGED Breaks "the combination is another one";
    COMBINED_TYPE_SUBSCHEMAS_CHANGED Breaks "schemas of the combination have no compatible counterpart";
    PRODUCT_TYPE_EXTENDED Breaks "one more schema must be satisfied";
    PRODUCT_TYPE_NARROWED Reads "one schema fewer must be satisfied";
    SUM_TYPE_EXTENDED Reads "there is one more alternative";
    SUM_TYPE_NARROWED Breaks "there is one alternative fewer";
    NOT_TYPE_EXTENDED Breaks "more values are excluded";
    NOT_TYPE_NARROWED Reads "no more values are excluded than before";
}
