import { approve, askFor, clicks, expect, gql, requests, saved, settled, test } from "./page";

test("who could read, why, and whether they did: three clicks", async ({ page, signedInAs }) => {
  await signedInAs("cat");
  const n = await clicks(page, async () => {
    await page.getByRole("link", { name: "Steward" }).click();
    await page.getByRole("link", { name: "Who can read" }).click();
    await page.getByLabel("Table").fill("nyc.flights.flights__v1");
    await page.getByLabel("On the day").fill(new Date().toISOString().slice(0, 10));
    await page.getByRole("button", { name: "Show" }).click();
    await settled(page);
  });
  expect(n).toBeLessThanOrEqual(3);
  const rows = page.getByRole("table", { name: /^Who could read it/ }).getByRole("row");
  await expect(rows.filter({ hasText: "bob" }).first()).toContainText("a grant of ann");
  await expect(rows.filter({ hasText: "owner of nyc" })).toContainText("ann");
  await expect(page.getByRole("heading", { name: "Why bob could" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Checks of the gate" }).getByRole("row")).toHaveCount(9);
  await expect(page.getByRole("table", { name: "Leases" })).toContainText("bob");
  const csv = await saved(page, () => page.getByRole("button", { name: /^Save as CSV: Who could/ }).click());
  expect(csv).toContain("Who,By,For,From,Until,Read last,Decision");
});

test("on a day before everything there was no right, and a wrong day or table is said", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("cat", "/steward/readers?address=nyc.flights.flights&day=2020-01-01");
  await expect(page.getByText("There was no right to read it on 2020-01-01.")).toBeVisible();
  await expect(page.getByText("No lease was issued on that day.")).toBeVisible();
  await page.goto("/steward/readers?address=nyc.flights.flights&day=2020-99-99");
  await expect(page.getByText("is no day")).toBeVisible();
  expect(await requests(page, () => page.goto("/steward/readers?address=flights"))).toEqual([]);
  await expect(page.getByText("flights is no address of a table.")).toBeVisible();
  await page.goto("/steward/readers?address=nyc.nothing.x");
  await expect(page.getByText("No table nyc.nothing.x that you may know of.")).toBeVisible();
});

test("whoever has no role sees of others neither grants nor leases", async ({ page, signedInAs }) => {
  const answers: string[] = [];
  page.on("response", async (response) => {
    if (response.url().endsWith("/graphql")) answers.push(await response.text());
  });
  await signedInAs("dan", "/steward/readers?address=nyc.flights.flights__v1");
  await page.goto("/steward");
  await settled(page);
  expect(answers.join()).not.toContain("which flights are late, and why");
});

test("a group of grants is revoked with a reason in two clicks after it is found", async ({ page, signedInAs }) => {
  for (const [major, purpose] of [
    [1, "SUPPORT"],
    [2, "SUPPORT"],
    [1, "COMPLIANCE"],
  ]) {
    await approve("ann", await askFor("sam", `nyc.flights.flights__v${major}`, "campaign of spring", `${purpose}`));
  }
  await signedInAs("cat");
  expect(await requests(page, () => page.getByRole("link", { name: "Steward" }).click())).toHaveLength(1);
  await page.getByLabel("With the words").fill("spring");
  await expect(page).toHaveURL(/q=spring/);
  const grants = page.getByRole("table", { name: "Grants" });
  await expect(grants.getByRole("row")).toHaveCount(4);
  await page.getByRole("checkbox", { name: /for Compliance/ }).check();
  await expect(page.getByRole("button", { name: "Revoke 1 chosen grant" })).toBeVisible();
  await page.getByRole("checkbox", { name: /for Compliance/ }).uncheck();
  const n = await clicks(page, async () => {
    await page.getByRole("button", { name: "Revoke 3 grants shown" }).click();
    const dialog = page.getByRole("dialog", { name: "Revoke 3 grants" });
    await dialog.getByRole("button", { name: "Revoke", exact: true }).click();
    await expect(dialog.getByText("Give a reason", { exact: true })).toBeVisible();
    await dialog.getByLabel("Reason").fill("the campaign is over");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect(dialog).toHaveCount(0);
  });
  expect(n).toBeLessThanOrEqual(2);
  await expect(page.getByText("No grant here.")).toBeVisible();
  await signedInAs("sam", "/access");
  await expect(page.getByRole("table", { name: "What I could read" })).toContainText("the campaign is over");
});

test("a group of which one cannot be revoked says so, and shows what is left", async ({ page, signedInAs }) => {
  await approve("ann", await askFor("sam", "nyc.flights.flights__v1", "autumn one", "MACHINE_LEARNING"));
  await approve("ann", await askFor("sam", "nyc.flights.flights__v2", "autumn two", "MACHINE_LEARNING"));
  await signedInAs("cat", "/steward?q=autumn");
  let n = 0;
  await page.route("**/graphql", (route) =>
    route.request().postData()?.includes("too old") && ++n === 2
      ? route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"detail":"the server is busy"}' })
      : route.fallback(),
  );
  await page.getByRole("button", { name: "Revoke 2 grants shown" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill("too old");
  await dialog.getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(dialog.getByRole("alert")).toContainText("The server is busy.");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("table", { name: "Grants" }).getByRole("row")).toHaveCount(2);
});

test("records are filtered by action, and saved", async ({ page, signedInAs }) => {
  await signedInAs("cat", "/steward/records");
  await expect(page.getByText(/The signatures of these \d+ records fit\./)).toBeVisible();
  await page.getByLabel("Action").selectOption("Request approved");
  await expect(page).toHaveURL(/action=ACCESS_APPROVE/);
  await settled(page);
  const rows = page.getByRole("table", { name: "Records" }).getByRole("row");
  await expect(rows.nth(1)).toContainText("Request approved");
  await expect(page.getByRole("table", { name: "Records" })).not.toContainText("Role assigned");
  const json = await saved(page, () => page.getByRole("button", { name: "Save as JSON: Records" }).click());
  expect(JSON.parse(json)[0]).toMatchObject({ Action: "Request approved", Outcome: "Done" });
  await page.goto("/steward/records?action=ADMIN_RECOVER");
  await expect(page.getByText("No record of this action.")).toBeVisible();
  await page.goto("/steward/records?action=nonsense");
  await expect(page.getByText("There is no action nonsense")).toBeVisible();
});

test("records are refused without a platform role, with what to do, and who is signed in is still said", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("bob", "/steward/records");
  await expect(page.getByRole("alert")).toContainText("Not allowed to read the audit log.");
  await expect(page.getByRole("alert")).toContainText("Ask an owner of the domain, or an admin");
  await expect(page.getByRole("button", { name: "Signed in as bob" })).toBeVisible();
});

test("overrides are listed by product, and revoked with a reason", async ({ page, signedInAs }) => {
  await signedInAs("cat", "/steward/overrides");
  await page.getByRole("textbox", { name: "Product" }).fill("nonsense");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page.getByText("nonsense is no address of a product.")).toBeVisible();
  await page.getByRole("textbox", { name: "Product" }).fill("nyc.flights");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page.getByText("No breaking change was accepted here.")).toBeVisible();
});

test("a domain is set to report until a day, which a wrong day and a person without the role cannot", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("cat", "/steward/domains");
  const row = page.getByRole("row").filter({ hasText: "nyc/ops" });
  await row.getByRole("button", { name: "Change the enforcement of nyc/ops" }).click();
  const dialog = page.getByRole("dialog", { name: "Enforcement of nyc/ops" });
  await dialog.getByRole("radio", { name: /^Report/ }).check();
  await dialog.getByLabel("Bind from").fill("2020-01-01");
  expect(await requests(page, () => dialog.getByRole("button", { name: "Save" }).click())).toEqual([]);
  await expect(dialog.getByText("Give a day after today")).toBeVisible();
  await dialog.getByLabel("Bind from").fill("2027-03-01");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(row).toContainText("Report");
  await expect(row).toContainText("2027-03-01");
  await signedInAs("bob", "/steward/domains");
  await expect(page.getByRole("button", { name: /^Change the enforcement/ })).toHaveCount(0);
});

test("what is neglected is listed by kind with what to do", async ({ page, signedInAs }) => {
  await gql("cat", "mutation($input: SetEnforcementInput!) { setEnforcement(input: $input) { domain { id } } }", {
    input: { domain: "logistics", enforcement: "OFF" },
  });
  await signedInAs("cat", "/steward/rot");
  const part = page.getByRole("region", { name: "Domains whose contracts do not bind" }).first();
  await expect(part).toContainText("logistics");
  await part.getByRole("link", { name: "logistics" }).click();
  await expect(page).toHaveURL(/domain=logistics/);
  await page.getByRole("link", { name: "Of all domains" }).click();
  await gql("cat", "mutation($input: SetEnforcementInput!) { setEnforcement(input: $input) { domain { id } } }", {
    input: { domain: "logistics", enforcement: "ON" },
  });
  await signedInAs("bob", "/steward/rot");
  await expect(page.getByText("Nothing is neglected, in the domains of your roles.")).toBeVisible();
});
