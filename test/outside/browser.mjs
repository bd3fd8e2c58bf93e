// Chromium for tests: one browser, pages that tell what went wrong in them, and a
// virtual authenticator for passkeys.
import { chromium } from "playwright-core";

// Runs use with a browser and closes it, whatever happens. What goes wrong tells where.
export async function inBrowser(executablePath, use) {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: 120_000 });
  try {
    return await use(browser);
  } catch (error) {
    const at = error.stack?.match(/[a-z-]+\.mjs:\d+/g)?.join(", ");
    throw new Error(`${error.message} (${at})`, { cause: error });
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

// Works at a page by keyboard alone, and counts what a person presses and how often a page
// is loaded: the page that is open is the first, a paper that opens beside it is one more.
// Where it stops and the focus is not to be seen goes into unseen.
export function counted(page, unseen = []) {
  const n = { keys: 0, loads: 1 };
  page.on("framenavigated", (f) => f === page.mainFrame() && !f.url().includes("#") && n.loads++);
  page.context().on("page", () => n.loads++);
  page.on("filechooser", () => {}); // from the beginning: a listener takes effect a moment later
  const press = async (key) => { n.keys++; await page.keyboard.press(key); };
  const typed = async (text) => { n.keys += [...text].length; await page.keyboard.insertText(text); };
  // Goes on, or with back the other way, to the first element that the selector finds.
  const reach = async (selector, back) => {
    await page.locator(selector).first().waitFor();
    for (let tabs = 0; tabs < 80; tabs++) {
      if (await page.locator(selector).first().evaluate((e) => e === document.activeElement)) {
        const hidden = await page.evaluate(unfocused);
        if (hidden) unseen.push(`${new URL(page.url()).pathname.replace(/[0-9a-f-]{36}|[A-Z0-9]{12}/, "{id}")} ${selector}: ${hidden}`);
        return;
      }
      await press(back ? "Shift+Tab" : "Tab");
    }
    throw new Error(`not reached by keyboard: ${selector} at ${page.url()}`);
  };
  const choose = async (selector, value) => {
    for (let n = 0; n < 30; n++) {
      if (await page.locator(selector).inputValue() === value) return;
      await press("ArrowDown");
    }
    throw new Error(`no choice ${value} in ${selector}`);
  };
  return {
    n, unseen, press, typed, reach, choose,
    scanned: (text) => page.keyboard.type(text), // by a device, and not counted
    fill: async (selector, text) => { await reach(selector); await typed(text); },
    // Goes past what stands on every page, by the links that are there for it.
    past: async () => {
      await press("Tab");
      for (let links = 0; await page.evaluate(() => document.activeElement.matches(".skip")); links++) {
        if (links > 2) throw new Error(`${page.url()}: the links to the content lead nowhere`);
        await press("Enter");
        await press("Tab");
      }
    },
    // Presses Enter at a link or button, and waits for the page that it leads to.
    follow: async (selector, to) => {
      await reach(selector);
      const there = page.waitForEvent("framenavigated", (f) => f === page.mainFrame() && (!to || to.test(f.url())));
      await press("Enter");
      await there;
      await page.waitForLoadState();
    },
    // Chooses one of a group of radio buttons with the arrow keys.
    pick: async (name, value, back) => {
      await page.locator(`[name='${name}']`).first().waitFor();
      const at = () => page.evaluate(() => document.activeElement.name && { name: document.activeElement.name, value: document.activeElement.value });
      for (let n = 0; n < 80 && (await at())?.name !== name; n++) await press(back ? "Shift+Tab" : "Tab");
      if ((await at())?.value === value) await press("Space");
      for (let n = 0; n < 10 && (await at())?.value !== value; n++) await press("ArrowDown");
      await reach(`[name='${name}'][value='${value}']`);
    },
    // Gives the field of a file what the chooser, opened by a key, would give it.
    file: async (selector, name, text) => {
      await reach(selector);
      const chooser = page.waitForEvent("filechooser");
      await press("Space");
      await (await chooser).setFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
    },
    // Presses Enter at what opens a paper beside the page, and returns the paper's window.
    paper: async (selector) => {
      await reach(selector);
      const opened = page.context().waitForEvent("page");
      await press("Enter");
      return opened;
    },
  };
}

// Why somebody at the keyboard would not see what has the focus; empty where it is seen.
function unfocused() {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
  if (!ring || !at.matches(":focus-visible")) return "no ring around it";
  if (!box.width || !box.height) return "it has no size";
  return box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth ? "it is outside the window" : "";
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
