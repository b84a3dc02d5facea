"""Speaks to the schema registry door as producers and consumers do, with the unchanged `confluent-kafka` clients, and prints
what they saw as one JSON line. The token comes from the environment, as CHARTER_TOKEN.

    registry.py URL
"""

import json
import os
import struct
import sys

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.common.schema_registry_client import ConfigCompatibilityLevel, ServerConfig
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [{"name": "id", "type": "long"}]}
GROWN = {**ORDER, "fields": [*ORDER["fields"], {"name": "note", "type": ["null", "string"], "default": None}]}
BROKEN = {**ORDER, "fields": [{"name": "id", "type": "string"}]}


def avro(schema, references=()):
    return Schema(json.dumps(schema), "AVRO", references=list(references))


def refused(call, *args, **options):
    """The HTTP status and the error code that a call is refused with."""
    try:
        return ["not refused", repr(call(*args, **options))]
    except SchemaRegistryError as error:
        return [error.http_status_code, error.error_code]


def id_of(message):
    """The schema's id that a message begins with, in the wire format of Confluent's serializers."""
    magic, number = struct.unpack(">bI", message[:5])
    assert magic == 0, message
    return number


def messages(url, token):
    """Each format's message, serialized with its schema registered on the way, and deserialized by a client of its own."""
    writer, reader = client(url, token), client(url, token)
    seen = {}

    context = SerializationContext("orders", MessageField.VALUE)
    order = {"id": 7, "note": "seven"}
    message = AvroSerializer(writer, json.dumps(GROWN))(order, context)
    back = AvroDeserializer(reader)(message, context)
    # A reader with the schema of before goes on reading.
    older = AvroDeserializer(reader, json.dumps(ORDER))(message, context)
    seen["avro"] = {"id": id_of(message), "back": back, "older": older}

    context = SerializationContext("customers", MessageField.VALUE)
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Customer", "type": "object",
              "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["name"]}
    customer = {"name": "Ada", "age": 36}
    message = JSONSerializer(json.dumps(schema), writer)(customer, context)
    back = JSONDeserializer(None, schema_registry_client=reader)(message, context)
    seen["json"] = {"id": id_of(message), "back": back}

    context = SerializationContext("parcels", MessageField.VALUE)
    parcel_type = protobuf_type()
    parcel = parcel_type(number=12)
    parcel.address.street = "Main Street"
    message = ProtobufSerializer(parcel_type, writer, {"use.deprecated.format": False})(parcel, context)
    back = ProtobufDeserializer(parcel_type, {"use.deprecated.format": False}, reader)(message, context)
    registered = reader.get_latest_version("parcels-value")
    references = [[reference.name, reference.subject, reference.version] for reference in registered.schema.references]
    seen["protobuf"] = {"id": id_of(message), "number": back.number, "street": back.address.street,
                        "references": references, "type": registered.schema.schema_type}
    return seen


def protobuf_type():
    """A message that imports another file's, as `protoc` would have made it."""
    pool = descriptor_pool.DescriptorPool()
    field = descriptor_pb2.FieldDescriptorProto
    address = descriptor_pb2.FileDescriptorProto(name="shop/address.proto", package="shop", syntax="proto3")
    address.message_type.add(name="Address").field.add(name="street", number=1, type=field.TYPE_STRING,
                                                       label=field.LABEL_OPTIONAL)
    parcel = descriptor_pb2.FileDescriptorProto(name="shop/parcel.proto", package="shop", syntax="proto3",
                                                dependency=["shop/address.proto"])
    message = parcel.message_type.add(name="Parcel")
    message.field.add(name="number", number=1, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL)
    message.field.add(name="address", number=2, type=field.TYPE_MESSAGE, type_name=".shop.Address",
                      label=field.LABEL_OPTIONAL)
    pool.Add(address)
    pool.Add(parcel)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Parcel"))


def registrations(registry):
    """Versions, look-ups and refusals of one subject."""
    subject = "events-value"
    first = registry.register_schema(subject, avro(ORDER))
    seen = {"types": sorted(registry.get_schema_types()),
            "again": registry.register_schema(subject, avro(ORDER)) == first,
            "compatible": registry.test_compatibility(subject, avro(GROWN)),
            "incompatible": registry.test_compatibility(subject, avro(BROKEN)),
            "incompatible_with_all": registry.test_compatibility_all_versions(subject, avro(BROKEN)),
            "refused": refused(registry.register_schema, subject, avro(BROKEN))}
    second = registry.register_schema(subject, avro(GROWN))
    spaced = Schema(json.dumps(ORDER, indent=4), "AVRO")
    latest = registry.get_latest_version(subject)
    seen |= {"newer": second != first,
             "versions": registry.get_versions(subject),
             "latest": [latest.version, latest.schema_id == second, json.loads(latest.schema.schema_str) == GROWN],
             "version_1": registry.get_version(subject, 1).schema_id == first,
             "lookup": registry.lookup_schema(subject, spaced).version,
             "normalized": registry.register_schema(subject, spaced, normalize_schemas=True) == first,
             "by_id": json.loads(registry.get_schema(first).schema_str) == ORDER,
             "subjects_of_id": registry.get_subjects_by_schema_id(first),
             "versions_of_id": [[found.subject, found.version] for found in registry.get_schema_versions(first)],
             "invalid": refused(registry.register_schema, subject, Schema('{"type":"odd"}', "AVRO")),
             "no_subject": refused(registry.get_latest_version, "none-value"),
             "no_version": refused(registry.get_version, subject, 9),
             "no_schema": refused(registry.lookup_schema, subject, avro(BROKEN)),
             "no_id": refused(registry.get_schema, 999_999)}
    return seen


def references(registry):
    """A named type of Avro that another schema refers to."""
    registry.register_schema("user-value", avro({"type": "record", "name": "User", "namespace": "shop",
                                                 "fields": [{"name": "name", "type": "string"}]}))
    team = avro({"type": "record", "name": "Team", "namespace": "shop",
                 "fields": [{"name": "lead", "type": "shop.User"}]}, [SchemaReference("shop.User", "user-value", 1)])
    number = registry.register_schema("team-value", team)
    found = registry.get_schema(number)
    missing = avro({"type": "record", "name": "Team", "fields": [{"name": "lead", "type": "User"}]},
                   [SchemaReference("User", "none-value", 1)])
    return {"kept": [[each.name, each.subject, each.version] for each in found.references],
            "referenced_by": registry.get_referenced_by("user-value", 1) == [number],
            "in_use": refused(registry.delete_version, "user-value", 1),
            "missing": refused(registry.register_schema, "team-value", missing)}


def settings(registry):
    """Levels and modes of a subject."""
    subject = "events-value"
    seen = {"global": registry.get_config().compatibility_level,
            "none": refused(registry.get_config, subject),
            "set": registry.set_compatibility(subject, "FULL")["compatibility"],
            "level": registry.get_compatibility(subject)}
    registry.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel.NONE))
    seen["config"] = registry.get_config(subject).compatibility_level
    # Where nobody is protected, everything is let in.
    seen["let_in"] = registry.register_schema(subject, avro(BROKEN)) > 0
    registry.delete_config(subject)
    registry.update_mode(subject, "READONLY")
    seen["read_only"] = [registry.get_mode(subject), refused(registry.register_schema, subject,
                                                             avro({**ORDER, "doc": "another"}))]
    registry.delete_mode(subject)
    seen["global_mode"] = registry.get_global_mode()
    seen["contexts"] = registry.get_contexts()
    return seen


def deletions(registry):
    """Taking versions out of use, and removing them for good."""
    subject = "events-value"
    seen = {"too_early": refused(registry.delete_version, subject, 3, permanent=True),
            "version": registry.delete_version(subject, 3),
            "left": registry.get_versions(subject),
            "subject": registry.delete_subject(subject),
            "twice": refused(registry.delete_subject, subject)}
    seen["listed"] = subject in registry.get_subjects()
    seen["listed_deleted"] = subject in registry.get_subjects(deleted=True)
    seen["permanently"] = registry.delete_subject(subject, permanent=True)
    seen["gone"] = refused(registry.get_versions, subject)
    return seen


def client(url, token):
    return SchemaRegistryClient({"url": url, "basic.auth.user.info": f"anybody:{token}"})


def main():
    url, token = sys.argv[1], os.environ["CHARTER_TOKEN"]
    registry = client(url, token)
    # Clients keep what they have seen; the answers of the door are what is tested here.
    fresh = lambda: client(url, token)
    bearer = SchemaRegistryClient({"url": url, "bearer.auth.credentials.source": "STATIC_TOKEN",
                                   "bearer.auth.token": token, "bearer.auth.logical.cluster": "lsrc-1",
                                   "bearer.auth.identity.pool.id": "pool-1"})
    stranger = SchemaRegistryClient({"url": url, "basic.auth.user.info": "anybody:nonsense"})
    seen = {"registrations": registrations(registry), "references": references(fresh()), "settings": settings(fresh()),
            "deletions": deletions(fresh()), "messages": messages(url, token),
            "bearer": "user-value" in bearer.get_subjects(),
            "no_token": refused(SchemaRegistryClient({"url": url}).get_subjects),
            "wrong_token": refused(stranger.get_subjects)}
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
