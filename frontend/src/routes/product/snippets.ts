import type { TableFormat } from "../../gen/graphql";

/** Clients whose programs are those of `charter credentials --format`, which the journeys of the command line run. */
export const clients = ["polars", "deltalake", "pyarrow", "shell"] as const;
export type Client = (typeof clients)[number];

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  endpoint: string;
  region: string;
  tableUri: string;
  allowHttp: boolean;
}

const environment = `import os

names = [
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION",
    "AWS_ALLOW_HTTP", "CHARTER_TABLE_URI",
]
credentials = {name: os.environ[name] for name in names}
`;

const reading: Record<Exclude<Client, "shell">, Record<TableFormat, string | undefined>> = {
  polars: {
    DELTA: `import polars

uri = credentials.pop("CHARTER_TABLE_URI")
table = polars.scan_delta(uri, storage_options=credentials).collect()`,
    PARQUET: `import polars

uri = credentials.pop("CHARTER_TABLE_URI").rstrip("/")
table = polars.scan_parquet(f"{uri}/**/*.parquet", storage_options=credentials).collect()`,
  },
  deltalake: {
    DELTA: `from deltalake import DeltaTable

uri = credentials.pop("CHARTER_TABLE_URI")
table = DeltaTable(uri, storage_options=credentials).to_pyarrow_table()`,
    PARQUET: undefined,
  },
  pyarrow: {
    DELTA: `from deltalake import DeltaTable

uri = credentials.pop("CHARTER_TABLE_URI")
table = DeltaTable(uri, storage_options=credentials).to_pyarrow_dataset().to_table()`,
    PARQUET: `from pyarrow import dataset, fs

store = fs.S3FileSystem(
    access_key=credentials["AWS_ACCESS_KEY_ID"],
    secret_key=credentials["AWS_SECRET_ACCESS_KEY"],
    session_token=credentials["AWS_SESSION_TOKEN"],
    endpoint_override=credentials["AWS_ENDPOINT_URL"],
    region=credentials["AWS_REGION"],
)
folder = credentials["CHARTER_TABLE_URI"].removeprefix("s3://")
table = dataset.dataset(folder, filesystem=store, format="parquet", partitioning="hive").to_table()`,
  },
};

/** The clients that read a format. */
export function clientsOf(format: TableFormat): Client[] {
  return clients.filter((client) => client === "shell" || reading[client][format] !== undefined);
}

/** How a client reads the table with the credentials in its environment. It holds no secret. */
export function program(client: Client, format: TableFormat, address: string): string {
  if (client === "shell") return `eval "$(charter credentials ${address})"`;
  return `${environment}\n${reading[client][format] ?? ""}\nprint(table)\n`;
}

/** The credentials as settings of the environment: for a shell, or for a cell of a notebook. */
export function settings(client: Client, credentials: Credentials): string {
  const values: [string, string][] = [
    ["AWS_ACCESS_KEY_ID", credentials.accessKeyId],
    ["AWS_SECRET_ACCESS_KEY", credentials.secretAccessKey],
    ["AWS_SESSION_TOKEN", credentials.sessionToken],
    ["AWS_ENDPOINT_URL", credentials.endpoint],
    ["AWS_REGION", credentials.region],
    ["AWS_ALLOW_HTTP", String(credentials.allowHttp)],
    ["CHARTER_TABLE_URI", credentials.tableUri],
  ];
  if (client === "shell") {
    return values.map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`).join("\n");
  }
  // Python reads JSON's escapes.
  const lines = values.map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  return `import os\n\nos.environ.update({\n${lines.join("\n")}\n})`;
}
