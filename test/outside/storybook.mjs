// Takes the pictures of docs from a storybook: ORIGIN and the folder to write to.
import { join } from "node:path";
import { inBrowser, terminal } from "./browser.mjs";

const [origin, folder] = process.argv.slice(2);

// Name of the file, page, state, and how much of it.
const pictures = [
  ["clerk-new", "/counter", "zone misread", 720],
  ["clerk-held", "/counter/applications/{id}", "anomaly in the record", 800],
  ["clerk-unavailable", "/counter/applications/{id}", "cannot be asked now", 560],
  ["clerk-approved", "/counter/applications/{id}", "approved", 900],
  ["clerk-certificate", "/counter/certificates/{id}", "issued", 560],
  ["clerk-import", "/counter/imports/{id}", "to be approved", 560],
  ["clerk-file", "/counter/batches/{id}", "with a row that is wrong", 560],
  ["clerk-mailing", "/counter/mailings/{id}", "some left for a person", 700],
  ["officer-alert", "/counter/alerts/{id}", "about somebody else", 860],
  ["officer-settings", "/counter/approvals/{id}", "of settings", 900],
  ["officer-terminals", "/counter/terminals", "one in use, one revoked, one asked for", 900],
  ["officer-account", "/counter/accounts/{id}", "active", 640],
  ["officer-approval", "/counter/approvals/{id}", "asked for by somebody else", 640],
];

await inBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium", async (browser) => {
  const context = await terminal(browser, []);
  const book = await (await context.request.get(`${origin}/storybook/book.json`)).json();
  const page = await context.newPage();
  for (const [name, of, state, height] of pictures) {
    const story = book.stories.find((s) => s.page === of && s.state === state);
    if (!story) throw new Error(`no story: ${of} ${state}`);
    await page.setViewportSize({ width: 1024, height });
    await page.goto(`${origin}/storybook/open/${story.n}`);
    // One font, whatever the machine has.
    await page.evaluate(async () => { document.documentElement.classList.add("rare"); await document.fonts.ready; scrollTo(0, 0); });
    await page.screenshot({ path: join(folder, `${name}.png`), caret: "hide", animations: "disabled" });
  }
});
