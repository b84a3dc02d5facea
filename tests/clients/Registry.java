import io.confluent.kafka.schemaregistry.ParsedSchema;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.SchemaMetadata;
import io.confluent.kafka.schemaregistry.client.rest.RestService;
import io.confluent.kafka.schemaregistry.client.rest.entities.Config;
import io.confluent.kafka.schemaregistry.client.rest.entities.SchemaReference;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import io.confluent.kafka.schemaregistry.utils.JacksonMapper;
import io.confluent.kafka.serializers.KafkaAvroDeserializer;
import io.confluent.kafka.serializers.KafkaAvroSerializer;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;

/**
 * Speaks to the schema registry door as producers and consumers on the JVM do, with Confluent's unchanged client and Avro
 * serializers, and prints what they saw as one JSON line. The token comes from the environment, as CHARTER_TOKEN.
 *
 * <pre>java -cp CLIENT.jar Registry.java URL</pre>
 */
public final class Registry {
    private static final String ORDER = """
            {"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}""";
    private static final String GROWN = """
            {"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},\
            {"name":"note","type":["null","string"],"default":null}]}""";
    private static final String BROKEN = """
            {"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"}]}""";
    private static final String KEY = """
            {"type":"record","name":"OrderKey","namespace":"shop","fields":[{"name":"id","type":"long"}]}""";
    private static final String USER = """
            {"type":"record","name":"User","namespace":"shop","fields":[{"name":"name","type":"string"}]}""";
    private static final String TEAM = """
            {"type":"record","name":"Team","namespace":"shop","fields":[{"name":"lead","type":"shop.User"}]}""";

    private final String url;
    private final String token;

    private Registry(String url, String token) {
        this.url = url;
        this.token = token;
    }

    public static void main(String[] args) throws Exception {
        var registry = new Registry(args[0], System.getenv("CHARTER_TOKEN"));
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("registrations", registry.registrations());
        seen.put("references", registry.references());
        seen.put("settings", registry.settings());
        seen.put("deletions", registry.deletions());
        seen.put("messages", registry.messages());
        seen.put("sign_in", registry.signIn());
        System.out.println(JacksonMapper.INSTANCE.writeValueAsString(seen));
    }

    /** Versions, look-ups and refusals of one subject. */
    private Map<String, Object> registrations() throws Exception {
        var client = client();
        var rest = new RestService(url);
        // Clients keep what they have seen; the answers of the door are what is tested here.
        var fresh = client(rest);
        String subject = "jvm-events-value";
        int first = client.register(subject, new AvroSchema(ORDER));
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("types", new TreeSet<>(rest.getSchemaTypes()));
        seen.put("again", fresh.register(subject, new AvroSchema(ORDER)) == first);
        seen.put("compatible", fresh.testCompatibility(subject, new AvroSchema(GROWN)));
        seen.put("compatible_verbose", fresh.testCompatibilityVerbose(subject, new AvroSchema(GROWN)));
        seen.put("incompatible", fresh.testCompatibility(subject, new AvroSchema(BROKEN)));
        seen.put("told", errorTypes(fresh.testCompatibilityVerbose(subject, new AvroSchema(BROKEN))));
        seen.put("refused", refused(() -> fresh.register(subject, new AvroSchema(BROKEN))));
        var answer = fresh.registerWithResponse(subject, new AvroSchema(GROWN), false, false);
        int second = answer.getId();
        seen.put("newer", second != first);
        seen.put("versions", fresh.getAllVersions(subject));
        SchemaMetadata latest = fresh.getLatestSchemaMetadata(subject);
        seen.put("latest", List.of(latest.getVersion(), latest.getId() == second, latest.getSchemaType(),
                latest.getSchema().equals(new AvroSchema(GROWN).canonicalString())));
        seen.put("version_1", fresh.getSchemaMetadata(subject, 1).getId() == first);
        seen.put("by_version", fresh.getByVersion(subject, 2, false).getId() == second);
        seen.put("id", fresh.getId(subject, new AvroSchema(ORDER)) == first);
        seen.put("version", fresh.getVersion(subject, new AvroSchema(GROWN), true));
        seen.put("normalized", fresh.register(subject, new AvroSchema(ORDER.replace(",", " , ")), true) == first);
        ParsedSchema byId = client().getSchemaById(first);
        seen.put("by_id", byId.equals(new AvroSchema(ORDER)));
        seen.put("by_subject_and_id", client().getSchemaBySubjectAndId(subject, second).equals(new AvroSchema(GROWN)));
        seen.put("only_the_schema", rest.getOnlySchemaById(first).equals(new AvroSchema(ORDER).canonicalString()));
        seen.put("subjects_of_id", fresh.getAllSubjectsById(first));
        seen.put("versions_of_id", fresh.getAllVersionsById(first).stream()
                .map(found -> List.of(found.getSubject(), found.getVersion())).toList());
        seen.put("schemas", fresh.getSchemas(subject, false, true).equals(List.of(new AvroSchema(GROWN))));
        seen.put("by_prefix", fresh.getAllSubjectsByPrefix("jvm-"));
        seen.put("listed", fresh.getAllSubjects().contains(subject));
        seen.put("invalid", refused(() -> rest.registerSchema("{\"type\":\"odd\"}", subject)));
        seen.put("no_subject", refused(() -> fresh.getLatestSchemaMetadata("none-value")));
        seen.put("no_version", refused(() -> fresh.getSchemaMetadata(subject, 9)));
        seen.put("odd_version", refused(() -> fresh.getSchemaMetadata(subject, 0)));
        seen.put("no_schema", refused(() -> fresh.getId(subject, new AvroSchema(BROKEN))));
        seen.put("no_id", refused(() -> fresh.getSchemaById(999_999)));
        seen.put("server", fresh.getSchemaRegistryServerVersion().getVersion() != null && rest.getClusterId() != null);
        return seen;
    }

    /** A named type that another schema refers to, and a message of it. */
    private Map<String, Object> references() throws Exception {
        var rest = new RestService(url);
        var client = client(rest);
        client.register("jvm-user-value", new AvroSchema(USER));
        var user = new SchemaReference("shop.User", "jvm-user-value", 1);
        var team = new AvroSchema(TEAM, List.of(user), Map.of("shop.User", USER), null);
        int id = client.register("jvm-team-value", team);
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("kept", client().getSchemaById(id).references().stream()
                .map(each -> List.of(each.getName(), each.getSubject(), each.getVersion())).toList());
        seen.put("id", client().getId("jvm-team-value", team) == id);
        seen.put("referenced_by", rest.getReferencedBy("jvm-user-value", 1).equals(List.of(id)));
        seen.put("in_use", refused(() -> client.deleteSchemaVersion("jvm-user-value", "1")));
        var nowhere = new SchemaReference("shop.User", "none-value", 1);
        var missing = new AvroSchema(TEAM, List.of(nowhere), Map.of("shop.User", USER), null);
        seen.put("missing", refused(() -> client().register("jvm-team-value", missing)));

        Schema whole = team.rawSchema();
        var lead = new GenericData.Record(whole.getField("lead").schema());
        lead.put("name", "Ada");
        var record = new GenericData.Record(whole);
        record.put("lead", lead);
        // A producer that may not register takes what is there.
        byte[] message = serializer(false, Map.of("auto.register.schemas", false, "use.latest.version", true))
                .serialize("jvm-team", record);
        seen.put("message", List.of(idOf(message) == id, deserializer(false).deserialize("jvm-team", message).toString()));
        // One whose classes hold all types has no references to tell of.
        seen.put("whole", List.of(client().getId("jvm-team-value", new AvroSchema(whole)) == id,
                idOf(serializer(false, Map.of()).serialize("jvm-team", record)) == id,
                idOf(serializer(false, Map.of("auto.register.schemas", false)).serialize("jvm-team", record)) == id,
                client().getAllVersions("jvm-team-value").size()));
        return seen;
    }

    /** Levels and modes of a subject. */
    private Map<String, Object> settings() throws Exception {
        var client = client();
        String subject = "jvm-events-value";
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("global", client.getCompatibility(null));
        seen.put("none", refused(() -> client.getCompatibility(subject)));
        seen.put("set", client.updateCompatibility(subject, "FULL"));
        seen.put("level", client.getCompatibility(subject));
        seen.put("odd_level", refused(() -> client.updateCompatibility(subject, "ODD")));
        client.updateConfig(subject, new Config("NONE"));
        seen.put("config", client.getConfig(subject).getCompatibilityLevel());
        // Where nobody is protected, everything is let in.
        seen.put("let_in", client.register(subject, new AvroSchema(BROKEN)) > 0);
        client.deleteConfig(subject);
        seen.put("no_mode", refused(() -> client.getMode(subject)));
        seen.put("set_mode", client.setMode("READONLY", subject));
        seen.put("odd_mode", refused(() -> client.setMode("ODD", subject)));
        seen.put("read_only", List.of(client.getMode(subject),
                refused(() -> client.register(subject, new AvroSchema(ORDER.replace("Order", "Other"))))));
        client.deleteMode(subject);
        seen.put("global_mode", client.getMode());
        seen.put("contexts", client.getAllContexts());
        return seen;
    }

    /** Taking versions out of use, and removing them for good. */
    private Map<String, Object> deletions() throws Exception {
        var client = client();
        String subject = "jvm-events-value";
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("too_early", refused(() -> client.deleteSchemaVersion(subject, "3", true)));
        seen.put("version", client.deleteSchemaVersion(subject, "3"));
        seen.put("version_twice", refused(() -> client.deleteSchemaVersion(subject, "3")));
        seen.put("left", client.getAllVersions(subject));
        seen.put("left_deleted", client.getAllVersions(subject, true));
        seen.put("subject_too_early", refused(() -> client.deleteSubject(subject, true)));
        seen.put("subject", client.deleteSubject(subject));
        seen.put("twice", refused(() -> client.deleteSubject(subject)));
        seen.put("listed", client.getAllSubjects().contains(subject));
        seen.put("listed_deleted", client.getAllSubjects(true).contains(subject));
        seen.put("permanently", client.deleteSubject(subject, true));
        seen.put("gone", refused(() -> client.getAllVersions(subject)));
        return seen;
    }

    /** Keys and values of a topic that a contract names, registered on the way, and read by clients of their own. */
    private Map<String, Object> messages() throws Exception {
        Map<String, Object> seen = new LinkedHashMap<>();
        var key = record(KEY, Map.of("id", 7L));
        byte[] message = serializer(true, Map.of()).serialize("orders", key);
        seen.put("key", List.of(idOf(message) > 0, deserializer(true).deserialize("orders", message).equals(key)));
        var order = record(ORDER, Map.of("id", 7L));
        var serializer = serializer(false, Map.of());
        int first = idOf(serializer.serialize("orders", order));
        message = serializer.serialize("orders", record(GROWN, Map.of("id", 7L, "note", "seven")));
        seen.put("value", List.of(idOf(message) != first, deserializer(false).deserialize("orders", message).toString()));
        // A reader with the schema of before goes on reading.
        var older = deserializer(false).deserialize("orders", message, new Schema.Parser().parse(ORDER));
        seen.put("older", older.toString());
        seen.put("unchanged", idOf(serializer(false, Map.of("auto.register.schemas", false))
                .serialize("orders", order)) == first);
        seen.put("normalized", idOf(serializer(false, Map.of("normalize.schemas", true))
                .serialize("orders", order)) == first);
        seen.put("incompatible", refused(() -> serializer.serialize("orders", record(BROKEN, Map.of("id", "7")))));
        seen.put("unregistered", refused(() -> serializer(false, Map.of("auto.register.schemas", false))
                .serialize("none", order)));
        // Nobody's readers are broken by it, and those whom the contract protects are.
        String shrunk = GROWN.replace("{\"name\":\"id\",\"type\":\"long\"},", "");
        seen.put("against_the_contract", refused(() -> serializer.serialize("orders", record(shrunk, Map.of()))));
        return seen;
    }

    /** The ways to sign in, and what is said to those who did not. */
    private Map<String, Object> signIn() throws Exception {
        var bearer = new CachedSchemaRegistryClient(url, 10,
                Map.of("bearer.auth.credentials.source", "STATIC_TOKEN", "bearer.auth.token", token));
        String inUrl = url.replace("://", "://anybody:" + token + "@");
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("bearer", bearer.getAllSubjects().contains("jvm-user-value"));
        seen.put("url", new CachedSchemaRegistryClient(inUrl, 10, Map.of("basic.auth.credentials.source", "URL"))
                .getAllSubjects().contains("jvm-user-value"));
        seen.put("no_token", refused(() -> new CachedSchemaRegistryClient(url, 10).getAllSubjects()));
        seen.put("wrong_token", refused(() -> new CachedSchemaRegistryClient(url, 10,
                Map.of("basic.auth.credentials.source", "USER_INFO", "basic.auth.user.info", "anybody:nonsense"))
                .getAllSubjects()));
        return seen;
    }

    private Map<String, Object> configuration() {
        Map<String, Object> configuration = new HashMap<>();
        configuration.put("schema.registry.url", url);
        configuration.put("basic.auth.credentials.source", "USER_INFO");
        configuration.put("basic.auth.user.info", "anybody:" + token);
        return configuration;
    }

    private CachedSchemaRegistryClient client() {
        return client(new RestService(url));
    }

    private CachedSchemaRegistryClient client(RestService rest) {
        return new CachedSchemaRegistryClient(rest, 100, configuration());
    }

    private KafkaAvroSerializer serializer(boolean isKey, Map<String, ?> more) {
        var serializer = new KafkaAvroSerializer();
        var configuration = configuration();
        configuration.putAll(more);
        serializer.configure(configuration, isKey);
        return serializer;
    }

    private KafkaAvroDeserializer deserializer(boolean isKey) {
        var deserializer = new KafkaAvroDeserializer();
        deserializer.configure(configuration(), isKey);
        return deserializer;
    }

    private static GenericRecord record(String schema, Map<String, ?> values) {
        var record = new GenericData.Record(new Schema.Parser().parse(schema));
        values.forEach(record::put);
        return record;
    }

    /** The schema's id that a message begins with, in the wire format of Confluent's serializers. */
    private static int idOf(byte[] message) {
        var buffer = ByteBuffer.wrap(message);
        if (buffer.get() != 0) {
            throw new IllegalStateException("the message does not begin with the magic byte");
        }
        return buffer.getInt();
    }

    /** The names of the differences in a verbose answer. */
    private static List<String> errorTypes(List<String> messages) {
        return messages.stream().filter(message -> message.startsWith("{errorType:'"))
                .map(message -> message.split("'")[1]).toList();
    }

    /** The HTTP status and the error code that a call is refused with. */
    private static List<Object> refused(Callable<?> call) throws Exception {
        try {
            return List.of("not refused", String.valueOf(call.call()));
        } catch (Exception error) {
            Throwable cause = error;
            while (cause != null && !(cause instanceof RestClientException)) {
                cause = cause.getCause();
            }
            if (cause instanceof RestClientException refusal) {
                return List.of(refusal.getStatus(), refusal.getErrorCode());
            }
            throw error;
        }
    }
}
