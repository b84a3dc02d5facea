import { expect, requests, settled, test } from "./page";
import { hostile } from "./world.mjs";

const flights = "/products/nyc/flights?table=flights";

test("the page is one request when the URL names the table, and every link to it does", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("bob", "/?q=flights");
  const opened = await requests(page, () => page.getByRole("link", { name: "Flights", exact: true }).click());
  expect(opened).toHaveLength(1);
  await expect(page).toHaveURL(/\/products\/nyc\/flights\?table=flights$/);
  await expect(page.getByRole("heading", { name: "Flights", level: 1 })).toBeVisible();
  const loaded = await requests(page, () => page.reload());
  expect(loaded).toHaveLength(1);
  const bare = await requests(page, () => page.goto("/products/nyc/flights"));
  expect(bare).toHaveLength(2);
});

test("access is asked for in two clicks, with purpose and end prefilled", async ({ page, signedInAs }) => {
  await signedInAs("cat", "/products/nyc/flights?table=flights");
  const read = page.getByRole("region", { name: "Read it now" });
  const inDays = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
  await expect(read.getByLabel("Purpose")).toHaveValue("ANALYTICS");
  await expect(read.getByLabel("Until")).toHaveValue(inDays(90));
  await read.getByRole("button", { name: "Send request" }).click();
  await expect(read.getByRole("alert")).toContainText("Say in a sentence");
  await read.getByLabel("What for").click();
  await page.keyboard.type("are the promises kept");
  await read.getByRole("button", { name: "Send request" }).click();
  await expect(read.getByText("Your request waits")).toBeVisible();
  await expect(read.getByText("are the promises kept")).toBeVisible();
  await expect(read.getByRole("button", { name: "Send request" })).toHaveCount(0);
  await read.getByRole("button", { name: "Withdraw" }).click();
  await expect(read.getByRole("button", { name: "Send request" })).toBeVisible();
});

test("a request whose answer is lost is sent again as the same one, another text as another one", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("cat", flights);
  const read = page.getByRole("region", { name: "Read it now" });
  const keys: string[] = [];
  await page.route("**/graphql", async (route) => {
    const key = /"idempotencyKey":"([^"]+)"/.exec(route.request().postData() ?? "")?.[1];
    if (!key || keys.length === 3) return route.continue();
    keys.push(key);
    return route.abort();
  });
  for (const text of ["for planning", "for planning", "for training"]) {
    await read.getByLabel("What for").fill(text);
    await read.getByRole("button", { name: "Send request" }).click();
    await expect(read.getByRole("alert")).toContainText("The request was not sent.");
  }
  await read.getByLabel("What for").fill("for my repair");
  await read.getByRole("button", { name: "Send request" }).click();
  await expect(read.getByText("for my repair")).toBeVisible();
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
  await read.getByRole("button", { name: "Withdraw" }).click();
  await expect(read.getByRole("button", { name: "Send request" })).toBeVisible();
});

test("an end that the server refuses is explained beside the form", async ({ page, signedInAs }) => {
  await signedInAs("cat", flights);
  const read = page.getByRole("region", { name: "Read it now" });
  await read.getByLabel("What for").fill("too long");
  await read.getByLabel("Until").fill("2099-01-01");
  await read.getByRole("button", { name: "Send request" }).click();
  await expect(read.getByRole("alert")).toContainText("The request was not sent.");
  await expect(read.getByLabel("What for")).toHaveValue("too long");
});

test("a reader gets credentials with one click, sees their end, and hides them", async ({ page, signedInAs }) => {
  await signedInAs("bob", flights);
  const read = page.getByRole("region", { name: "Read it now" });
  await expect(read.getByText("The gate is open")).toBeVisible();
  await read.getByLabel("Client").selectOption("shell");
  await expect(read.getByRole("group", { name: "program" })).toContainText(
    'eval "$(charter credentials nyc.flights.flights__v1)"',
  );
  await expect(read.getByText("AWS_SECRET_ACCESS_KEY")).toHaveCount(0);
  await read.getByRole("button", { name: "Get credentials" }).click();
  const shown = read.getByLabel("credentials", { exact: true });
  await expect(shown).toContainText("export AWS_SECRET_ACCESS_KEY='");
  await expect(read.locator(".secrets time")).toBeVisible();
  await read.getByRole("button", { name: "Hide" }).click();
  await expect(shown).toHaveCount(0);
  await page.reload();
  await settled(page);
  await expect(read.getByLabel("Client")).toHaveValue("shell");
  await expect(page.getByText("AWS_SECRET_ACCESS_KEY")).toHaveCount(0);
});

test("credentials hide by themselves after a minute", async ({ page, signedInAs }) => {
  await page.clock.install();
  await signedInAs("bob", flights);
  await page.getByRole("button", { name: "Get credentials" }).click();
  await expect(page.getByLabel("credentials", { exact: true })).toBeVisible();
  await page.clock.fastForward(61_000);
  await expect(page.getByLabel("credentials", { exact: true })).toHaveCount(0);
});

test("the decision is told check by check, also to those who may not read", async ({ page, signedInAs }) => {
  await signedInAs("cat", flights);
  await page.getByText("Why: the decision, check by check").click();
  const grant = page.getByRole("row").filter({ hasText: "grant.missing" });
  await expect(grant).toContainText("Fails");
});

test("a change is one request and the columns, rules and snapshots are tables", async ({ page, signedInAs }) => {
  await signedInAs("ann", flights);
  const columns = page.getByRole("table", { name: /^Columns of/ });
  await expect(columns.getByRole("row")).toHaveCount(10);
  await expect(columns.getByRole("columnheader", { name: /Read by/ })).toBeVisible();
  await page.getByText(/rules? of the newest snapshot/).click();
  await expect(page.getByRole("table", { name: /^Rules measured/ })).toContainText("primary key");
  await page.getByText("As a table").click();
  const snapshots = page.getByRole("table", { name: /^Snapshots/ });
  await expect(snapshots).toContainText("Fails");
  await snapshots.getByRole("button", { name: "Rows" }).click();
  await expect(snapshots.getByRole("columnheader", { name: "Rows" })).toHaveAttribute("aria-sort", "ascending");
  await expect(page.getByRole("img", { name: /^Verdicts, oldest first: passes/ })).toBeVisible();
});

test("a table is saved as CSV and JSON", async ({ page, signedInAs }) => {
  await signedInAs("bob", flights);
  const wait = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as CSV: Columns of nyc.flights.flights__v1" }).click();
  const download = await wait;
  expect(download.suggestedFilename()).toBe("flights-columns.csv");
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(await download.path(), "utf8");
  expect(text.split("\r\n")[0]).toBe("Column,Type,May be null");
  expect(text).toContain("dep_delay,int32,yes");
});

test("two versions are compared by what the changes mean, and the URL holds the choice", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("bob", flights);
  await page.getByRole("button", { name: "Compare" }).click();
  const breaks = page.getByRole("region", { name: "Breaks readers" });
  await expect(breaks).toContainText("flights.dep_delay");
  await expect(breaks).toContainText("column.removed.optional");
  await expect(page).toHaveURL(/from=1\.1\.0&to=2\.0\.0/);
  await page.getByLabel("What changed from").selectOption("1.0.0");
  await page.getByRole("combobox", { name: "to", exact: true }).selectOption("1.1.0");
  await expect(breaks).toHaveCount(0);
  await expect(page.getByRole("region", { name: "Compatible" })).toContainText("delay_band");
  await page.reload();
  await settled(page);
  await expect(page.getByRole("region", { name: "Compatible" })).toContainText("delay_band");
});

test("lineage is a table and a drawing that the keyboard walks, and a column narrows it", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("bob", flights);
  await expect(page.getByRole("table", { name: /^What nyc.flights is made from/ })).toContainText("Punctuality");
  await page.getByRole("button", { name: "Draw it" }).click();
  const start = page.getByRole("img", { name: /nyc.flights, 2 tables, the start/ });
  await start.focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".node:focus")).toContainText("1 step downstream");
  await page.keyboard.press("ArrowLeft");
  await expect(start).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/products\/nyc\/(punctuality|causes)/);
});

test("who is affected by a column is asked from its row", async ({ page, signedInAs }) => {
  await signedInAs("ann", flights);
  await page.getByRole("link", { name: "Lineage of the column distance" }).click();
  await expect(page).toHaveURL(/column=distance/);
  await page.getByRole("button", { name: "Who is affected" }).click();
  await expect(page.getByText("Who is affected if the column distance changes")).toBeVisible();
  await expect(page.getByText("No consumer that you may see.")).toBeVisible();
  await page.getByLabel("Start").selectOption({ label: "The whole product" });
  await expect(page.getByRole("table", { name: /^Consumers affected/ })).toContainText("bob");
});

test("the notice, the requests and the grants are there, with a hostile sentence as text", async ({
  page,
  signedInAs,
}) => {
  await signedInAs("ann", flights);
  const people = page.getByRole("region", { name: "Requests, grants and notices" });
  await expect(people).toContainText("1.1.0 is followed by 2.0.0");
  await expect(people).toContainText("Use delay_band instead of dep_delay");
  await expect(people.getByRole("table", { name: "Requests that wait" })).toContainText(hostile.sentence);
  await expect(people.getByRole("table", { name: "Grants" })).toContainText("bob");
});

test("hostile names and documents are text everywhere on the page", async ({ page, signedInAs }) => {
  await signedInAs("sam", "/products/logistics/harbour?table=harbour");
  await expect(page.getByRole("heading", { name: hostile.title, exact: true, level: 1 })).toBeVisible();
  await page.getByRole("button", { name: /^Show the document of/ }).click();
  await expect(page.getByLabel("document", { exact: true })).toContainText("<script>window.hit='purpose'</script>");
  await expect(page.locator("main script, main img, svg[onload]")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "As a script" }).first().click();
  await expect(page.getByRole("dialog")).toContainText("charter product show logistics.harbour");
});

test("a hidden product and one that does not exist are the same, byte for byte", async ({ page, signedInAs }) => {
  const shown: string[] = [];
  await signedInAs("dan");
  for (const name of ["customers", "custumers"]) {
    const answered = page.waitForResponse("**/graphql");
    await page.goto(`/products/sales/${name}?table=${name}`);
    const answer = (await (await answered).text()).replace(/"requestId":"[^"]*"/g, "");
    expect(answer).toContain("NOT_FOUND");
    await expect(page.getByRole("heading", { name: "No such product" })).toBeVisible();
    shown.push(`${await page.locator("main").innerHTML()} ${answer}`.replaceAll(name, ""));
  }
  expect(shown[0]).toBe(shown[1]);
  await page.goto("/products/nothing");
  await expect(page.getByRole("heading", { name: "No such product" })).toBeVisible();
});

test("what you may only ask for says so, and a table that does not exist too", async ({ page, signedInAs }) => {
  await signedInAs("bob", "/products/nyc/flights?table=nothing");
  await expect(page.getByText("This product has no such table.")).toBeVisible();
  await page.getByRole("link", { name: "flights__v2" }).click();
  await expect(page.getByRole("heading", { name: /^Columns of flights__v2/ })).toBeVisible();
  await expect(page.getByRole("region", { name: "Read it now" })).toContainText("The gate is shut");
});
