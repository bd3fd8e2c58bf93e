// {origin, link, user, password} -> {ok, content: what the pages said}: sets up an
// account and signs in, in Chromium with a virtual authenticator.
import { chromium } from "playwright-core";
import { answer } from "./harness.mjs";

await answer(async ({ browser: executablePath, origin, link, user, password }) => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: 60_000 });
  try {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(30_000);
    const trouble = [];
    page.on("pageerror", (error) => trouble.push(String(error)));
    page.on("console", (m) => /Content Security Policy/.test(m.text()) && trouble.push(m.text()));
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: { protocol: "ctap2", transport: "internal", hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    });
    // said waits for words of the kind and returns them, by language, if they are seen.
    const said = async (kind) => {
      await page.locator(`#said[data-kind=${kind}]`).waitFor();
      const en = page.locator("#said span[lang=en]").first();
      if (!(await en.isVisible())) throw new Error("nothing in English");
      const all = await page.locator("#said").innerText();
      return { ja: all.split("\n")[0], en: await en.innerText(), page: await page.locator("html").getAttribute("lang") };
    };
    const forget = () => page.evaluate(() => delete document.getElementById("said").dataset.kind);
    const send = async (fields) => {
      for (const [name, value] of Object.entries(fields)) await page.fill(`input[name=${name}]`, value);
      await page.click("form button");
    };
    const content = {};

    await page.goto(`${origin}/setup#${link}`);
    await page.locator("#user", { hasText: user }).waitFor();
    content.address = page.url();
    await send({ password: "short" });
    content.short = await said("error");
    await forget();
    await send({ password });
    content.setUp = await said("ok");

    await page.click("#said a");
    await page.locator("form#sign-in").waitFor();
    await send({ user, password: password + "x" });
    content.wrong = await said("error");
    await forget();
    await send({ user, password });
    content.reminder = await said("ask");
    await page.click("#read");
    await page.waitForURL(`${origin}/counter`);
    content.signedIn = {
      ja: await page.locator("h1 [lang=ja]").innerText(), en: await page.locator("h1 [lang=en]").innerText(), page: await page.locator("html").getAttribute("lang"),
    };
    content.account = await page.evaluate(async () => (await fetch("/api/v1/account")).json());
    content.cookies = (await page.context().cookies()).map((c) => `${c.name} ${c.httpOnly} ${c.secure} ${c.sameSite}`).sort();

    await page.goto(`${origin}/setup#${link}`);
    content.used = await said("error");
    content.trouble = trouble;
    return { ok: true, content };
  } finally {
    await browser.close();
  }
});
