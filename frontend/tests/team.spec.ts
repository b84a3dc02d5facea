import { readFileSync } from "node:fs";
import { clicks, expect, requests, saved, settled, test } from "./page";

const contract = readFileSync(new URL("../../tests/demo/flights.contract.yaml", import.meta.url), "utf8");
const withVersion = (version: string) => contract.replace("version: 1.0.0", `version: ${version}`);
const withoutDelay = (text: string) =>
  text.replace(/^ {6}- name: dep_delay\n {8}.*\n {8}.*\n/m, "").replace(/^ {6}- id: few-cancelled\n(?: {8}.*\n)*/m, "");

test("the board has each major of my products, and leads to the gate with one click", async ({ page, signedInAs }) => {
  await signedInAs("ann");
  expect(await requests(page, () => page.getByRole("link", { name: "Team" }).click())).toHaveLength(1);
  const row = page.getByRole("row").filter({ hasText: "nyc.flights.flights__v1" });
  await expect(row).toContainText("1.1.0");
  await expect(row).toContainText("Passes");
  const csv = await saved(page, () => page.getByRole("button", { name: "Save as CSV: Products of nyc" }).click());
  expect(csv).toContain("nyc.flights.flights__v2");
  const gate = () => row.getByRole("link", { name: "Line by line: the gate of nyc.flights.flights__v1" }).click();
  expect(await clicks(page, gate)).toBe(1);
  await expect(page).toHaveURL(/\/team\/gate\?address=nyc\.flights\.flights__v1/);
  await expect(page.getByText("Open for you")).toBeVisible();
});

test("a board needs a role, and says who gives it", async ({ page, signedInAs }) => {
  await signedInAs("bob", "/team");
  await expect(page.getByText("You own and publish for no domain.")).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Pages", exact: true }).getByText("Team")).toHaveCount(0);
  await page.goto("/team?domain=nowhere");
  await expect(page.getByText("No domain nowhere.")).toBeVisible();
});

test("the board of one domain leaves out what the viewer may not know of", async ({ page, signedInAs }) => {
  await signedInAs("dan", "/team?domain=sales");
  await expect(page.getByRole("row").filter({ hasText: "sales.orders" })).toBeVisible();
  await expect(page.getByText("sales.customers")).toHaveCount(0);
});

test("the gate says check by check what is wrong, what lifts it, and which rows broke which rule", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("bob", "/team/gate?address=nyc.flights.flights__v2");
  await expect(page.getByText("Shut for you")).toBeVisible();
  const grant = page.getByRole("table", { name: "Checks of the gate" }).getByRole("row", { name: /^Grant/ });
  await expect(grant).toContainText("Fails");
  await expect(grant).toContainText(/ask for access/i);
  const bad = page.getByRole("table", { name: "The newest snapshots" }).getByRole("row").filter({ hasText: "delta:2" });
  await page.goto("/team/gate?address=nyc.flights.flights");
  await settled(page);
  await expect(bad).toContainText("Fails");
  await expect(bad).toContainText("carrier is not null: 10");
  const rules = await saved(page, () => page.getByRole("button", { name: /^Save as JSON: Rules/ }).click());
  expect(JSON.parse(rules)).toContainEqual(
    expect.objectContaining({ Rule: "month is not null", Outcome: "Holds", Counted: "0" }),
  );
});

test("a gate that waits says for what, and its owner starts the inspection", async ({ page, signedInAs }) => {
  await signedInAs("ann", "/team/gate?address=nyc.weather.weather");
  await expect(page.getByText("Shut for you")).toBeVisible();
  await expect(page.getByText("None: nothing was written yet")).toBeVisible();
  await expect(page.getByRole("button", { name: "Inspect now" })).toBeVisible();
  await signedInAs("bob", "/team/gate?address=nyc.weather.weather");
  await expect(page.getByRole("button", { name: "Inspect now" })).toHaveCount(0);
});

test("a wrong or hidden table has no gate", async ({ page, signedInAs }) => {
  await signedInAs("dan", "/team/gate");
  for (const address of ["sales.customers.customers", "nyc.nothing.x", "nonsense", "<img src=x>"]) {
    await page.getByLabel("Table").fill(address);
    await page.getByRole("button", { name: "Show" }).click();
    await settled(page);
    await expect(page.locator("main")).toContainText(/No table|failed/);
    await expect(page.getByText("for you:")).toHaveCount(0);
  }
});

test("a contract with too small a number is refused with rule, reason and the number that it needs", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("ann", "/team/change");
  await page.getByLabel("Domain").selectOption("nyc");
  await page.getByRole("textbox", { name: "Document" }).fill(withoutDelay(withVersion("1.2.0")));
  expect(await clicks(page, () => page.getByRole("button", { name: "Preview" }).click())).toBe(1);
  await expect(page.getByRole("heading", { name: "demo-flights-contract 1.2.0 is refused" })).toBeVisible();
  const row = page.getByRole("row").filter({ hasText: "dep_delay" }).first();
  await expect(row).toContainText("Break");
  await expect(row).toContainText("major");
});

test("a new major says whom it breaks and by which differences", async ({ page, signedInAs }) => {
  await signedInAs("ann", "/team/change?domain=nyc");
  await page.getByLabel("Files").setInputFiles({
    name: "flights.yaml",
    mimeType: "application/yaml",
    buffer: Buffer.from(withoutDelay(withVersion("3.0.0"))),
  });
  await expect(page.getByRole("button", { name: "Leave out flights.yaml" })).toBeVisible();
  const asked = await requests(page, () => page.getByRole("button", { name: "Preview" }).click());
  expect(asked).toHaveLength(1);
  await expect(page.getByRole("region", { name: "What it would change" })).toContainText("demo-flights-contract");
  await expect(page.getByRole("table", { name: "What the documents change" })).toContainText("3.0.0");
  await expect(page.getByRole("heading", { name: "Who breaks by demo-flights-contract 3.0.0" })).toBeVisible();
  const bob = page.getByRole("table", { name: /^Who breaks by/ }).getByRole("row", { name: /^bob/ });
  await expect(bob).toContainText("nyc.flights flights v1");
  await expect(page.getByRole("table", { name: /^Differences of/ })).toContainText("delay_band");
});

test("documents that are wrong are said with their place", async ({ page, signedInAs }) => {
  await signedInAs("ann", "/team/change?domain=nyc");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("Paste a document, or drop its file")).toBeVisible();
  await page.getByRole("textbox", { name: "Document" }).fill("kind: DataContract\nid: [");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByRole("table", { name: "Errors" })).toContainText("pasted.yaml");
  await page.getByLabel("Files").setInputFiles({ name: "a.exe", mimeType: "x/y", buffer: Buffer.from("x") });
  await expect(page.getByText("a.exe is no contract or product")).toBeVisible();
  await page.getByRole("textbox", { name: "Document" }).fill(`a: "${"x".repeat(1_000_001)}"`);
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("larger than 1 MB")).toBeVisible();
});

test("a preview that its author may not apply shows what the server says", async ({ page, signedInAs }) => {
  await signedInAs("bob", "/team/change?domain=nyc");
  await page.getByRole("textbox", { name: "Document" }).fill(withVersion("1.2.0"));
  await page.getByRole("button", { name: "Preview" }).click();
  await settled(page);
  await expect(page.getByRole("region", { name: "What it would change" })).not.toBeEmpty();
});

test("a retiring major shows who is left; its note and day are changed, and the day never moves back", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("ann", "/team/majors");
  const readers = page.getByRole("table", { name: "Readers of Flights version 1" });
  await expect(readers.getByRole("row").filter({ hasText: "bob" })).toBeVisible();
  await page.getByRole("button", { name: /^Change note or day/ }).click();
  const dialog = page.getByRole("dialog", { name: "Change the notice" });
  await dialog.getByLabel("Served at least until the end of").fill("2026-12-01");
  expect(await requests(page, () => dialog.getByRole("button", { name: "Save" }).click())).toEqual([]);
  await expect(dialog.getByText("it can only become later")).toBeVisible();
  await dialog.getByLabel("Served at least until the end of").fill("2027-06-30");
  await dialog.getByLabel("What readers have to do").fill("Use delay_band; ask ann if you miss minutes");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText("ask ann if you miss minutes")).toBeVisible();
  await expect(page.getByText("2027-06-30").first()).toBeVisible();
});
