// Every route in light and dark: loaded, empty, failed and without rights. A new route adds its line.
import { expectAccessible, expectFits, settled, test } from "./page";
import { checkViews, failServer, inBothThemes, type View } from "./views";

const views: View[] = [
  { name: "find, everything", who: "bob", path: "/" },
  { name: "find, a word", who: "bob", path: "/?q=late" },
  { name: "find, filtered", who: "ann", path: "/?domain=nyc&access=read" },
  { name: "find, nothing", who: "bob", path: "/?q=zzzzqqqq&layer=gold" },
  { name: "find, a typing error", who: "dan", path: "/?q=flihgts" },
  { name: "product, to read", who: "bob", path: "/products/nyc/flights?table=flights&from=1.1.0&to=2.0.0" },
  { name: "product, to ask for", who: "cat", path: "/products/nyc/flights?table=flights" },
  { name: "product, a request waits", who: "dan", path: "/products/nyc/flights?table=flights" },
  { name: "product, its owner", who: "ann", path: "/products/nyc/flights?table=flights__v2" },
  { name: "product, empty", who: "sam", path: "/products/logistics/harbour?table=harbour" },
  { name: "product, none", who: "dan", path: "/products/sales/customers" },
  {
    name: "product, everything open",
    who: "bob",
    path: "/products/nyc/flights?table=flights",
    step: async (page) => {
      await page.getByRole("button", { name: "Get credentials" }).click();
      await page.getByRole("button", { name: "Hide", exact: true }).waitFor();
      await page.getByRole("button", { name: "Draw it" }).click();
      await page.getByRole("button", { name: "Who is affected" }).click();
      const closed = page.locator("main details:not([open]) > summary");
      for (let n = await closed.count(); n > 0; n--) await closed.first().click();
      await settled(page);
    },
  },
  { name: "no such page", who: "bob", path: "/nowhere" },
  { name: "the palette", who: "bob", path: "/", step: (page) => page.keyboard.press("Control+k") },
  { name: "the keys", who: "bob", path: "/", step: (page) => page.keyboard.press("?") },
  {
    name: "the menu",
    who: "ann",
    path: "/",
    step: (page) => page.getByRole("button", { name: /^Signed in as/ }).click(),
  },
  {
    name: "find, as a script",
    who: "bob",
    path: "/?q=late",
    step: (page) => page.getByRole("button", { name: "As a script" }).click(),
  },
];

inBothThemes(() => {
  checkViews(views);

  test("signing in has no violation", async ({ page }) => {
    await page.goto("/sign-in");
    await expectAccessible(page, "sign-in");
    await page.getByLabel("Code").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await expectAccessible(page, "sign-in, refused");
    await page.setViewportSize({ width: 320, height: 640 });
    await expectFits(page);
  });

  test("a server that fails or is away has no violation", async ({ page, signedInAs }) => {
    await signedInAs("bob");
    await failServer(page);
    await page.goto("/?q=anything");
    await settled(page);
    await expectAccessible(page, "failed");
    await page.route("**/graphql", (route) => route.abort());
    await page.goto("/?q=other");
    await settled(page);
    await expectAccessible(page, "away");
  });
});
