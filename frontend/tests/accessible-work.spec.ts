// The pages of readers, teams and stewards in light and dark: loaded, empty, failed and without rights.
import { expectAccessible, expectFits, settled, test } from "./page";
import { checkViews, failServer, inBothThemes, type View } from "./views";

const views: View[] = [
  { name: "asking", who: "dan", path: "/ask?address=nyc.flights.flights__v1" },
  {
    name: "asking, wrong",
    who: "dan",
    path: "/ask?product=sales.orders&purpose=fun",
    step: (page) => page.getByRole("button", { name: "Send the request" }).click(),
  },
  { name: "asking, no such product", who: "dan", path: "/ask?product=sales.customers" },
  { name: "asking, nothing", who: "dan", path: "/ask" },
  { name: "inbox of an owner", who: "ann", path: "/inbox" },
  {
    name: "inbox, a reason is missing",
    who: "ann",
    path: "/inbox",
    step: (page) =>
      page
        .getByRole("button", { name: /^Reject/ })
        .first()
        .click(),
  },
  { name: "inbox of a reader", who: "bob", path: "/inbox" },
  {
    name: "inbox, more time",
    who: "bob",
    path: "/inbox",
    step: (page) =>
      page
        .getByRole("button", { name: /^Ask for more time/ })
        .first()
        .click(),
  },
  { name: "inbox, empty", who: "sam", path: "/inbox" },
  { name: "my access", who: "bob", path: "/access" },
  {
    name: "my access, giving up",
    who: "bob",
    path: "/access",
    step: (page) =>
      page
        .getByRole("button", { name: /^Give up/ })
        .first()
        .click(),
  },
  { name: "my access, empty", who: "sam", path: "/access" },
  { name: "board", who: "ann", path: "/team" },
  { name: "board of a domain", who: "ann", path: "/team?domain=sales" },
  { name: "board, no rights", who: "bob", path: "/team" },
  { name: "board, no such domain", who: "ann", path: "/team?domain=nowhere" },
  { name: "gate, open", who: "ann", path: "/team/gate?address=nyc.flights.flights__v1" },
  { name: "gate, shut", who: "dan", path: "/team/gate?address=nyc.flights.flights__v2" },
  { name: "gate, no data", who: "ann", path: "/team/gate?address=nyc.weather.weather" },
  { name: "gate, no table", who: "ann", path: "/team/gate?address=nyc.nothing.x" },
  { name: "gate, nothing", who: "ann", path: "/team/gate" },
  { name: "change preview", who: "ann", path: "/team/change" },
  {
    name: "change preview, wrong",
    who: "ann",
    path: "/team/change?domain=nyc",
    step: async (page) => {
      await page.getByRole("textbox", { name: "Document" }).fill("kind: DataContract\nid: [");
      await page.getByRole("button", { name: "Preview" }).click();
      await page.getByRole("table", { name: "Errors" }).waitFor();
    },
  },
  { name: "majors", who: "ann", path: "/team/majors" },
  {
    name: "majors, a notice",
    who: "ann",
    path: "/team/majors",
    step: (page) => page.getByRole("button", { name: /^Change note/ }).click(),
  },
  { name: "majors, empty", who: "bob", path: "/team/majors" },
  { name: "grants", who: "cat", path: "/steward" },
  { name: "grants, none", who: "cat", path: "/steward?group=ending&q=zzz" },
  {
    name: "grants, revoking",
    who: "cat",
    path: "/steward",
    step: (page) => page.getByRole("button", { name: /^Revoke/ }).click(),
  },
  { name: "readers", who: "cat", path: "/steward/readers?address=nyc.flights.flights__v1" },
  { name: "readers, long ago", who: "cat", path: "/steward/readers?address=nyc.flights.flights__v1&day=2020-01-01" },
  { name: "readers, wrong day", who: "cat", path: "/steward/readers?address=nyc.flights.flights__v1&day=no" },
  { name: "readers, nothing", who: "cat", path: "/steward/readers" },
  { name: "readers, no rights", who: "dan", path: "/steward/readers?address=nyc.flights.flights__v1" },
  { name: "records", who: "cat", path: "/steward/records?action=ROLE_ASSIGN" },
  { name: "records, none", who: "cat", path: "/steward/records?action=ADMIN_RECOVER" },
  { name: "records, no rights", who: "bob", path: "/steward/records" },
  { name: "overrides", who: "cat", path: "/steward/overrides?product=nyc.flights" },
  { name: "overrides, nothing", who: "cat", path: "/steward/overrides" },
  { name: "neglected", who: "cat", path: "/steward/rot" },
  { name: "neglected, no rights", who: "bob", path: "/steward/rot" },
  { name: "enforcement", who: "cat", path: "/steward/domains" },
  {
    name: "enforcement, changing",
    who: "cat",
    path: "/steward/domains",
    step: (page) => page.getByRole("button", { name: "Change the enforcement of sales" }).click(),
  },
];

/** Each route once: what it shows when the server fails. */
const routes = [
  "/ask?product=nyc.flights",
  "/inbox",
  "/access",
  "/team",
  "/team?domain=nyc",
  "/team/change",
  "/team/majors",
  "/team/gate?address=nyc.flights.flights",
  "/steward",
  "/steward/readers?address=nyc.flights.flights",
  "/steward/records",
  "/steward/overrides?product=nyc.flights",
  "/steward/rot",
  "/steward/domains",
];

inBothThemes(() => {
  checkViews(views);

  test("a server that fails leaves no page with a violation or without a next step", async ({ page, signedInAs }) => {
    await signedInAs("ann");
    await failServer(page);
    for (const path of routes) {
      await page.goto(path);
      await settled(page);
      await page.getByRole("button", { name: "Try again" }).waitFor();
      await page.getByText("req-1").waitFor();
      await expectAccessible(page, `${path}, failed`);
      await expectFits(page);
    }
  });
});
