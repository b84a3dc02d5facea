// A real server with a catalog to look at: the tables of `make demo`, people, products that are made from each other,
// refusals, requests, a notice, and texts that try to be markup. For the tests of the page and, as a program, for
// developing it: `node tests/world.mjs` prints where everything is and runs until Ctrl-C.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const repository = join(dirname(fileURLToPath(import.meta.url)), "../..");
const demo = (name) => readFileSync(join(repository, "tests/demo", name), "utf8");

function programs() {
  const target = process.env.CHARTER_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(repository, "target"), "debug");
  if (!existsSync(join(target, "charter"))) throw new Error(`no \`charter\` in ${target}: run \`make build\` first`);
  return { charter: join(target, "charter"), worker: join(target, "charter-worker") };
}

/** The texts that must never become markup. */
export const hostile = {
  title: `Harbour <img src=x onerror="window.hit='title'"> "fees" & 'dues'`,
  purpose: `<script>window.hit='purpose'</script> [click](javascript:window.hit='link') **bold**`,
  column: `Fee </td><svg onload="window.hit='column'">`,
  sentence: `<b onmouseover="window.hit='sentence'">please</b> {{7*7}} \${7*7}`,
};

export async function startWorld() {
  const { charter, worker } = programs();
  const data = mkdtempSync(join(tmpdir(), "charter-page."));
  mkdirSync(join(data, "lake/nyc"), { recursive: true });
  const options = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"];
  if (process.env.CHARTER_PAGE_DATABASE) options.push("--database-url", process.env.CHARTER_PAGE_DATABASE);
  const child = spawn(charter, options, { stdio: ["ignore", "pipe", process.env.CHARTER_LOG ? "inherit" : "ignore"] });
  const stop = async () => {
    const gone = new Promise((done) => child.once("exit", done));
    if (child.exitCode === null && child.kill()) await gone;
    rmSync(data, { recursive: true, force: true });
  };
  try {
    const lines = {};
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.includes(" ") && line !== "") lines.bootstrap ??= line;
      const listens = /^(charter|gateway) listens on (.*)$/.exec(line);
      if (listens) lines[listens[1]] = listens[2];
      if (lines.gateway) break;
    }
    const world = new World(lines.charter, data, worker);
    await world.fill(lines.bootstrap);
    return { server: lines.charter, tokens: world.tokens, facts: world.facts, gql: world.gql.bind(world), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

class World {
  tokens = {};
  facts = {};

  constructor(server, data, worker) {
    Object.assign(this, { server, data, worker });
  }

  async gql(who, query, variables) {
    const response = await fetch(`${this.server}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${this.tokens[who] ?? who}` },
      body: JSON.stringify({ query, variables }),
    });
    const answer = await response.json();
    if (answer.errors || !answer.data) throw new Error(`${query.slice(0, 120)}: ${JSON.stringify(answer)}`);
    return answer.data;
  }

  async fill(bootstrap) {
    const token = "mutation($input: CreateTokenInput!) { createToken(input: $input) { token } }";
    this.tokens.admin = (await this.gql(bootstrap, token, { input: {} })).createToken.token;
    for (const path of ["nyc", "nyc/ops", "sales", "logistics"]) {
      await this.gql("admin", "mutation($input: CreateDomainInput!) { createDomain(input: $input) { __typename } }", {
        input: { path },
      });
    }
    for (const subject of ["ann", "bob", "cat", "dan", "sam"]) {
      await this.gql(
        "admin",
        "mutation($input: CreatePrincipalInput!) { createPrincipal(input: $input) { __typename } }",
        {
          input: { subject },
        },
      );
      this.tokens[subject] = (await this.gql("admin", token, { input: { subject } })).createToken.token;
    }
    const role = "mutation($input: AssignRoleInput!) { assignRole(input: $input) { assignment { id } } }";
    await this.gql("admin", role, { input: { subject: "ann", role: "OWNER", domain: "nyc" } });
    await this.gql("admin", role, { input: { subject: "sam", role: "OWNER", domain: "sales" } });
    await this.gql("admin", role, { input: { subject: "sam", role: "OWNER", domain: "logistics" } });
    await this.gql("admin", role, { input: { subject: "cat", role: "STEWARD" } });

    await this.flights();
    await this.apply(
      "sam",
      "logistics",
      catalog.logistics.flatMap((product) => documents("logistics", product)),
    );
    await this.apply(
      "sam",
      "sales",
      catalog.sales.flatMap((product) => documents("sales", product)),
    );
    await this.apply(
      "ann",
      "nyc",
      catalog.nyc.flatMap((product) => documents("nyc", product)),
    );
    await this.requests();
    await this.nextMajor();
  }

  lay(folder, through) {
    execFileSync(this.worker, ["make-demo", join(this.data, "lake", folder), "--through", String(through)]);
  }

  async apply(who, domain, texts) {
    const { applyDocuments } = await this.gql(
      who,
      `mutation($input: DocumentsInput!) { applyDocuments(input: $input) { __typename
        ... on InvalidDocuments { problems { document path message } }
        ... on RefusedVersions { refusals { contract message } } } }`,
      { input: { domain, documents: texts.map((text, n) => ({ path: `${domain}-${n}.yaml`, text })) } },
    );
    if (applyDocuments.__typename !== "ApplyDocumentsPayload") throw new Error(JSON.stringify(applyDocuments));
  }

  async inspect(address) {
    await this.gql("ann", "mutation($input: InspectTableInput!) { inspectTable(input: $input) { table { id } } }", {
      input: { address },
    });
    for (let tries = 0; tries < 300; tries++) {
      const { table } = await this.gql(
        "ann",
        "query($address: String!) { table(address: $address) { head { state } } }",
        {
          address,
        },
      );
      if (table.head && table.head.state !== "PENDING") return;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`${address} is not inspected after 30 s`);
  }

  /** Five snapshots: good, good with a column that is not declared, bad, good again. */
  async flights() {
    this.lay("nyc/flights", 0);
    await this.apply("ann", "nyc", [demo("flights.product.yaml"), flightsContract("1.0.0")]);
    for (const through of [0, 1, 2, 4]) {
      this.lay("nyc/flights", through);
      await this.inspect("nyc.flights.flights");
    }
  }

  async requests() {
    const ask = `mutation($input: RequestAccessInput!) { requestAccess(input: $input) { request { id } } }`;
    const asked = async (who, sentence) =>
      (await this.gql(who, ask, { input: { address: "nyc.flights.flights", purpose: "ANALYTICS", sentence } }))
        .requestAccess.request.id;
    const request = await asked("bob", "which flights are late, and why");
    const { approveRequest } = await this.gql(
      "ann",
      `mutation($input: ApproveRequestInput!) { approveRequest(input: $input) { ... on ApproveRequestPayload { grant { id } } } }`,
      { input: { request } },
    );
    this.facts.grant = approveRequest.grant.id;
    this.facts.pending = await asked("dan", hostile.sentence);
    await this.gql("bob", `mutation($input: VendCredentialsInput!) { vendCredentials(input: $input) { __typename } }`, {
      input: { address: "nyc.flights.flights" },
    });
  }

  /** A compatible version, then a breaking successor: a notice for bob. */
  async nextMajor() {
    await this.apply("ann", "nyc", [flightsContract("1.1.0")]);
    await this.apply("ann", "nyc", [
      demo("flights.product.yaml").replace(/^outputPorts:[\s\S]*/m, "") +
        `outputPorts:
  - name: flights
    version: 1.0.0
    contractId: demo-flights-contract
  - name: flights
    version: 2.0.0
    contractId: demo-flights-contract
`,
      flightsContract("2.0.0"),
    ]);
    await this.inspect("nyc.flights.flights__v1");
    await this.inspect("nyc.flights.flights__v2");
  }
}

function flightsContract(version) {
  // Without `final`, which frees the data from any promise of its age.
  let text = demo("flights.contract.yaml")
    .replace("version: 1.0.0", `version: ${version}`)
    .replace(/^ {2}- property: final\n.*\n/m, "");
  if (version !== "1.0.0") {
    text = text.replace(
      /^ {4}quality:$/m,
      `      - name: delay_band
        logicalType: string
        description: How late, in words
    quality:`,
    );
  }
  if (version === "2.0.0") {
    text = text
      .replace(/^ {6}- name: dep_delay\n {8}.*\n {8}.*\n/m, "")
      .replace(/^ {6}- id: few-cancelled\n(?: {8}.*\n)*/m, "")
      .replace(
        "customProperties:\n",
        "customProperties:\n  - property: migrationNote\n    value: Use delay_band instead of dep_delay\n",
      );
  }
  return `${text.trimEnd()}
slaProperties:
  - property: latency
    value: 36
    unit: h
`;
}

/** [name, title, purpose, layer, columns, inputs, options]. */
const catalog = {
  logistics: [
    ["harbour", hostile.title, hostile.purpose, "bronze", { fee: hostile.column, ship: "Name of the ship" }, []],
    [
      "shipments",
      "Shipments",
      "One row for each parcel on its way",
      "silver",
      { parcel: "Parcel", weight_g: "Weight in grams", sent_at: "When it left" },
      [],
    ],
    [
      "carriers",
      "Carriers",
      "Who carries parcels, and at which price",
      "silver",
      { carrier: "Code of the carrier", price_cents: "Price of a parcel" },
      [],
    ],
    [
      "routes",
      "Routes",
      "Legs between depots with their planned time",
      "silver",
      { leg: "Leg", planned_minutes: "Planned time" },
      ["logistics.carriers"],
    ],
    [
      "late_parcels",
      "Late parcels",
      "Parcels that arrived after their promised day",
      "gold",
      { parcel: "Parcel", days_late: "Days late" },
      ["logistics.shipments", "logistics.routes"],
    ],
  ],
  sales: [
    [
      "customers",
      "Customers",
      "Who buys from us, with their address",
      "silver",
      { customer: "Customer", email: "Address for messages", country: "Country of delivery" },
      [],
      { classification: "confidential" },
    ],
    [
      "orders",
      "Orders",
      "What was ordered, when and by whom",
      "silver",
      { order: "Order", customer: "Customer", amount_cents: "What it costs", ordered_at: "When it was placed" },
      ["sales.customers"],
    ],
    [
      "refunds",
      "Refunds",
      "Money that went back, with the reason",
      "silver",
      { refund: "Refund", order: "Order", reason: "Reason" },
      ["sales.orders"],
    ],
    [
      "revenue",
      "Revenue",
      "What remains of each order after refunds",
      "gold",
      { month: "Month", net_cents: "What remains" },
      ["sales.orders", "sales.refunds"],
    ],
    [
      "campaigns",
      "Campaigns",
      "What was sent to whom, and what came of it",
      "gold",
      { campaign: "Campaign", orders: "Orders that followed" },
      ["sales.orders", "sales.customers"],
    ],
    [
      "promises",
      "Delivery promises",
      "The day that was promised for each order, and whether it was kept",
      "gold",
      { order: "Order", promised: "Promised day", kept: "Whether it was kept" },
      ["sales.orders", "logistics.late_parcels"],
    ],
  ],
  nyc: [
    [
      "punctuality",
      "Punctuality",
      "Share of flights on time by carrier and month",
      "gold",
      { carrier: "Carrier", on_time_percent: "Share of flights on time" },
      ["nyc.flights"],
    ],
    [
      "weather",
      "Weather",
      "Hourly weather at the three airports",
      "silver",
      { airport: "Airport", wind_speed: "Wind in miles per hour", visibility: "Visibility in miles" },
      [],
    ],
    [
      "causes",
      "Causes of delay",
      "Why flights were late: weather, carrier, airport",
      "gold",
      { flight: "Flight number", cause: "Cause in a word" },
      ["nyc.flights", "nyc.weather", "nyc.punctuality"],
    ],
  ],
};

const inputs = { "nyc.flights": "demo-flights-contract" };

function documents(domain, [name, title, purpose, layer, columns, from, { classification = "internal" } = {}]) {
  const quoted = JSON.stringify;
  const properties = Object.entries(columns)
    .map(
      ([column, description]) =>
        `      - name: ${column}\n        logicalType: string\n        description: ${quoted(description)}\n`,
    )
    .join("");
  const ports = from
    .map(
      (address) =>
        `  - name: ${address.split(".")[1]}\n    version: 1.0.0\n    contractId: ${inputs[address] ?? `${address.split(".")[1]}-contract`}\n`,
    )
    .join("");
  return [
    `apiVersion: v3.1.0
kind: DataContract
id: ${name}-contract
name: ${quoted(title)}
version: 1.0.0
status: active
description:
  purpose: ${quoted(purpose)}
servers:
  - server: lake
    type: local
    path: ${domain}/${name}
    format: delta
schema:
  - name: ${name}
    logicalType: object
    properties:
${properties}`,
    `apiVersion: v1.0.0
kind: DataProduct
id: ${name}
name: ${quoted(title)}
status: active
description:
  purpose: ${quoted(purpose)}
customProperties:
  - property: slug
    value: ${name}
  - property: medallion
    value: ${layer}
  - property: classification
    value: ${classification}
${ports && `inputPorts:\n${ports}`}outputPorts:
  - name: ${name}
    version: 1.0.0
    contractId: ${name}-contract
`,
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const world = await startWorld();
  console.log(`CHARTER_SERVER=${world.server}`);
  console.log(`CHARTER_DOOR_TOKENS='${JSON.stringify(world.tokens)}'`);
  process.on("SIGINT", () => void world.stop().then(() => process.exit()));
  process.on("SIGTERM", () => void world.stop().then(() => process.exit()));
}
