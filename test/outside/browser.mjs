// Chromium for tests: one browser, pages that tell what went wrong in them, and a
// virtual authenticator for passkeys.
import { chromium } from "playwright-core";

// Runs use with a browser and closes it, whatever happens.
export async function inBrowser(executablePath, use) {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: 120_000 });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

// A context as an office's terminal has it; what scripts fail at and what the policy of
// a page refuses goes into trouble.
export async function terminal(browser, trouble, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "ja-JP", timezoneId: "Asia/Tokyo", ...options });
  context.setDefaultTimeout(60_000);
  context.on("weberror", (e) => trouble.push(String(e.error())));
  context.on("console", (m) => /Content Security Policy/.test(m.text()) && trouble.push(m.text()));
  return context;
}

// Gives a page a passkey device that always agrees.
export async function authenticator(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  return devtools;
}

// Counts what a person does by keyboard and how often a page is loaded: the page that
// is open is the first, a paper that opens beside it is one more.
export function counted(page) {
  const n = { keys: 0, loads: 1 };
  page.on("framenavigated", (f) => f === page.mainFrame() && n.loads++);
  page.context().on("page", () => n.loads++);
  const press = async (key) => { n.keys++; await page.keyboard.press(key); };
  return {
    n, press,
    typed: async (text) => { n.keys += [...text].length; await page.keyboard.insertText(text); },
    scanned: (text) => page.keyboard.type(text), // by a device, and not counted
    reach: async (selector) => {
      for (let tabs = 0; tabs < 60; tabs++) {
        if (await page.locator(selector).first().evaluate((e) => e === document.activeElement)) return;
        await press("Tab");
      }
      throw new Error(`not reached by keyboard: ${selector}`);
    },
    choose: async (selector, value) => {
      for (let n = 0; n < 30; n++) {
        if (await page.locator(selector).inputValue() === value) return;
        await press("ArrowDown");
      }
      throw new Error(`no choice ${value} in ${selector}`);
    },
  };
}

// What shows a person where nobody may see one: in addresses, titles and storage.
export async function leaks(page, personal) {
  const where = [decodeURI(page.url()), await page.title()].filter((t) => personal.test(t));
  const stored = await page.evaluate(async () => localStorage.length + sessionStorage.length + (await caches.keys()).length);
  return stored ? [...where, `${stored} stored`] : where;
}

// Whether a page was closed by another, which may take a moment.
export async function closed(page) {
  if (!page.isClosed()) await page.waitForEvent("close", { timeout: 10_000 }).catch(() => {});
  return page.isClosed();
}
