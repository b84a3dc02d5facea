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

/// Whether a reader of the new schema still reads data written under the old one.
#[derive(Clone, Copy, Debug)]
enum Effect {
    /// Yes.
    Reads,
    /// Only if writers sent no undeclared properties: [`Policy::Lenient`].
    Hopes,
    /// No.
    Breaks,
}

impl Name {
    /// Whether the difference is compatible under the policy.
    pub(super) fn is_compatible(&self, policy: Policy) -> bool {
        match (self.effect, policy) {
            (Effect::Reads, _) | (Effect::Hopes, Policy::Lenient) => true,
            (Effect::Hopes, Policy::Strict) | (Effect::Breaks, _) => false,
        }
    }
}

/// The names for a limit that can be added, removed, increased and reduced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) keyword: &'static str,
    pub(super) added: &'static Name,
    pub(super) removed: &'static Name,
    pub(super) increased: &'static Name,
    pub(super) decreased: &'static Name,
}

/// The names for a keyword about the members that no other keyword names.
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
    ID_CHANGED Reads "the schema identifier changed";
    DESCRIPTION_CHANGED Reads "the description changed";
    TITLE_CHANGED Reads "the title changed";
    DEFAULT_CHANGED Reads "the default changed";
    SCHEMA_ADDED Breaks "a schema was added where there was none";
    SCHEMA_REMOVED Reads "the schema was removed";
    TYPE_EXTENDED Reads "the type allows more values";
    TYPE_NARROWED Breaks "the type allows fewer values";
    TYPE_CHANGED Breaks "the type changed";

    MAX_LENGTH_ADDED Breaks "a maximum length was added";
    MAX_LENGTH_REMOVED Reads "the maximum length was removed";
    MAX_LENGTH_INCREASED Reads "the maximum length was increased";
    MAX_LENGTH_DECREASED Breaks "the maximum length was reduced";
    MIN_LENGTH_ADDED Breaks "a minimum length was added";
    MIN_LENGTH_REMOVED Reads "the minimum length was removed";
    MIN_LENGTH_INCREASED Breaks "the minimum length was increased";
    MIN_LENGTH_DECREASED Reads "the minimum length was reduced";
    PATTERN_ADDED Breaks "a pattern was added";
    PATTERN_REMOVED Reads "the pattern was removed";
    PATTERN_CHANGED Breaks "the pattern changed";

    MAXIMUM_ADDED Breaks "a maximum was added";
    MAXIMUM_REMOVED Reads "the maximum was removed";
    MAXIMUM_INCREASED Reads "the maximum was increased";
    MAXIMUM_DECREASED Breaks "the maximum was reduced";
    MINIMUM_ADDED Breaks "a minimum was added";
    MINIMUM_REMOVED Reads "the minimum was removed";
    MINIMUM_INCREASED Breaks "the minimum was increased";
    MINIMUM_DECREASED Reads "the minimum was reduced";
    EXCLUSIVE_MAXIMUM_ADDED Breaks "an exclusive maximum was added";
    EXCLUSIVE_MAXIMUM_REMOVED Reads "the exclusive maximum was removed";
    EXCLUSIVE_MAXIMUM_INCREASED Reads "the exclusive maximum was increased";
    EXCLUSIVE_MAXIMUM_DECREASED Breaks "the exclusive maximum was reduced";
    EXCLUSIVE_MINIMUM_ADDED Breaks "an exclusive minimum was added";
    EXCLUSIVE_MINIMUM_REMOVED Reads "the exclusive minimum was removed";
    EXCLUSIVE_MINIMUM_INCREASED Breaks "the exclusive minimum was increased";
    EXCLUSIVE_MINIMUM_DECREASED Reads "the exclusive minimum was reduced";
    MULTIPLE_OF_ADDED Breaks "`multipleOf` was added";
    MULTIPLE_OF_REMOVED Reads "`multipleOf` was removed";
    MULTIPLE_OF_EXPANDED Breaks "`multipleOf` changed to a multiple of the old number";
    MULTIPLE_OF_REDUCED Reads "`multipleOf` changed to a divisor of the old number";
    MULTIPLE_OF_CHANGED Breaks "`multipleOf` changed to an unrelated number";

    REQUIRED_ATTRIBUTE_ADDED Breaks "the property is now required";
    REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED Reads "the property is now required and has a default";
    REQUIRED_ATTRIBUTE_REMOVED Reads "the property is no longer required";
    MAX_PROPERTIES_ADDED Breaks "a maximum number of properties was added";
    MAX_PROPERTIES_REMOVED Reads "the maximum number of properties was removed";
    MAX_PROPERTIES_INCREASED Reads "the maximum number of properties was increased";
    MAX_PROPERTIES_DECREASED Breaks "the maximum number of properties was reduced";
    MIN_PROPERTIES_ADDED Breaks "a minimum number of properties was added";
    MIN_PROPERTIES_REMOVED Reads "the minimum number of properties was removed";
    MIN_PROPERTIES_INCREASED Breaks "the minimum number of properties was increased";
    MIN_PROPERTIES_DECREASED Reads "the minimum number of properties was reduced";
    ADDITIONAL_PROPERTIES_ADDED Reads "undeclared properties are now allowed";
    ADDITIONAL_PROPERTIES_REMOVED Hopes "undeclared properties are no longer allowed";
    ADDITIONAL_PROPERTIES_EXTENDED Reads "the schema for undeclared properties was removed";
    ADDITIONAL_PROPERTIES_NARROWED Hopes "undeclared properties must now match a schema";
    UNEVALUATED_PROPERTIES_ADDED Reads "unevaluated properties are now allowed";
    UNEVALUATED_PROPERTIES_REMOVED Hopes "unevaluated properties are no longer allowed";
    UNEVALUATED_PROPERTIES_EXTENDED Reads "the schema for unevaluated properties was removed";
    UNEVALUATED_PROPERTIES_NARROWED Hopes "unevaluated properties must now match a schema";
    DEPENDENCY_ARRAY_ADDED Breaks "the property now requires other properties";
    DEPENDENCY_ARRAY_REMOVED Reads "the property no longer requires other properties";
    DEPENDENCY_ARRAY_EXTENDED Breaks "the property requires more other properties";
    DEPENDENCY_ARRAY_NARROWED Reads "the property requires fewer other properties";
    DEPENDENCY_ARRAY_CHANGED Breaks "the property requires different other properties";
    DEPENDENCY_SCHEMA_ADDED Breaks "the property now requires its object to match a schema";
    DEPENDENCY_SCHEMA_REMOVED Reads "the property no longer requires its object to match a schema";
    REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL Breaks
        "a required property was added; older objects may lack it or have any value under its name";
    REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL Hopes
        "a required property with a default was added; older objects may have any value under its name; \
         close the content model first (`additionalProperties: false`)";
    OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL Hopes
        "an optional property was added; older objects may have any value under its name; \
         close the content model first (`additionalProperties: false`)";
    PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL Reads "a property that allows any value was added";
    REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL Breaks "a required property was added; older objects lack it";
    REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL Reads "a required property with a default was added";
    OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL Reads
        "an optional property was added; older objects cannot have it";
    PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL Reads "a property was removed; objects may still have it";
    PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL Reads "a property that allowed no value was removed";
    PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL Hopes "a property was removed; objects may no longer have it";
    PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Reads
        "a property was removed; the schema for undeclared properties allows all its values";
    PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Hopes
        "a property was removed; the schema for undeclared properties does not allow all its values";
    PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Reads
        "a property was added; it allows all earlier values under its name";
    PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Hopes
        "a property was added; it does not allow all earlier values under its name";

    MAX_ITEMS_ADDED Breaks "a maximum number of items was added";
    MAX_ITEMS_REMOVED Reads "the maximum number of items was removed";
    MAX_ITEMS_INCREASED Reads "the maximum number of items was increased";
    MAX_ITEMS_DECREASED Breaks "the maximum number of items was reduced";
    MIN_ITEMS_ADDED Breaks "a minimum number of items was added";
    MIN_ITEMS_REMOVED Reads "the minimum number of items was removed";
    MIN_ITEMS_INCREASED Breaks "the minimum number of items was increased";
    MIN_ITEMS_DECREASED Reads "the minimum number of items was reduced";
    MAX_CONTAINS_ADDED Breaks "a maximum number of matching items was added";
    MAX_CONTAINS_REMOVED Reads "the maximum number of matching items was removed";
    MAX_CONTAINS_INCREASED Reads "the maximum number of matching items was increased";
    MAX_CONTAINS_DECREASED Breaks "the maximum number of matching items was reduced";
    MIN_CONTAINS_ADDED Breaks "a minimum number of matching items was added";
    MIN_CONTAINS_REMOVED Reads "the minimum number of matching items was removed";
    MIN_CONTAINS_INCREASED Breaks "the minimum number of matching items was increased";
    MIN_CONTAINS_DECREASED Reads "the minimum number of matching items was reduced";
    UNIQUE_ITEMS_ADDED Breaks "items must now be unique";
    UNIQUE_ITEMS_REMOVED Reads "items no longer need to be unique";
    ADDITIONAL_ITEMS_ADDED Reads "additional items are now allowed";
    ADDITIONAL_ITEMS_REMOVED Breaks "additional items are no longer allowed";
    ADDITIONAL_ITEMS_EXTENDED Reads "the schema for additional items was removed";
    ADDITIONAL_ITEMS_NARROWED Breaks "additional items must now match a schema";
    UNEVALUATED_ITEMS_ADDED Reads "unevaluated items are now allowed";
    UNEVALUATED_ITEMS_REMOVED Breaks "unevaluated items are no longer allowed";
    UNEVALUATED_ITEMS_EXTENDED Reads "the schema for unevaluated items was removed";
    UNEVALUATED_ITEMS_NARROWED Breaks "unevaluated items must now match a schema";
    ITEM_ADDED_TO_OPEN_CONTENT_MODEL Breaks
        "an item position was added; older arrays may have any value there; close the content model first";
    ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL Reads "an item position that allows any value was added";
    ITEM_ADDED_TO_CLOSED_CONTENT_MODEL Reads "an item position was added; older arrays cannot have it";
    ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL Reads "an item position was removed; arrays may still have it";
    ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL Reads "an item position that allowed no value was removed";
    ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL Breaks "an item position was removed; arrays may no longer have it";
    ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Reads
        "an item position was removed; the schema for additional items allows all its values";
    ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Breaks
        "an item position was removed; the schema for additional items does not allow all its values";
    ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Reads
        "an item position was added; it allows all earlier values there";
    ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL Breaks
        "an item position was added; it does not allow all earlier values there";

    ENUM_ARRAY_EXTENDED Reads "values were added to the enumeration";
    ENUM_ARRAY_NARROWED Breaks "values were removed from the enumeration";
    ENUM_ARRAY_CHANGED Breaks "the allowed values changed";

    COMBINED_TYPE_EXTENDED Reads "the combination allows more values";
    COMBINED_TYPE_CHANGED Breaks "the kind of combination changed";
    COMBINED_TYPE_SUBSCHEMAS_CHANGED Breaks "subschemas of the combination have no compatible counterpart";
    PRODUCT_TYPE_EXTENDED Breaks "one more schema must match";
    PRODUCT_TYPE_NARROWED Reads "one schema fewer must match";
    SUM_TYPE_EXTENDED Reads "an alternative was added";
    SUM_TYPE_NARROWED Breaks "an alternative was removed";
    NOT_TYPE_EXTENDED Breaks "more values are excluded";
    NOT_TYPE_NARROWED Reads "no additional values are excluded";
}
