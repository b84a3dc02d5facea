// Compares the build with its budgets (kB are 1,000 bytes, gzip level 9) and fails if one is exceeded.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = join(dirname(fileURLToPath(import.meta.url)), "../dist");
const index = readFileSync(join(dist, "index.html"), "utf8");
const kb = (file) => gzipSync(readFileSync(join(dist, "assets", file)), { level: 9 }).length / 1000;
const assets = readdirSync(join(dist, "assets"));
const scripts = assets.filter((file) => file.endsWith(".js"));
const sum = (files) => files.map(kb).reduce((a, b) => a + b, 0);
const entry = scripts.filter((file) => index.includes(`assets/${file}`));

const rows = [
  ["entry JS", sum(entry), 90],
  ["CSS", sum(assets.filter((file) => file.endsWith(".css"))), 12],
  ["lineage chunk", sum(scripts.filter((file) => /^lineage/i.test(file))), 75],
  ...scripts
    .filter((file) => !entry.includes(file) && !/^lineage/i.test(file))
    .map((file) => [`  ${file.replace(/-[\w-]{8}\.js$/, "")}`, kb(file), 30]),
  ["all JS", sum(scripts), 350],
];
let over = 0;
for (const [name, size, budget] of rows) {
  const held = size <= budget;
  if (!held) over += 1;
  console.log(`${name.padEnd(28)} ${size.toFixed(1).padStart(7)} kB of ${budget} kB${held ? "" : "  exceeded"}`);
}
process.exit(over > 0 ? 1 : 0);
