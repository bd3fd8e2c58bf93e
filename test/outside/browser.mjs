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
