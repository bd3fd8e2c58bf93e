// {origin, link, user, password} -> {ok, content: what the pages said}: sets up an
// account and signs in, in Chromium with a virtual authenticator.
import { authenticator, inBrowser, terminal } from "./browser.mjs";
import { answer } from "./harness.mjs";

await answer(({ browser, origin, link, user, password }) => inBrowser(browser, async (browser) => {
  const trouble = [];
  const page = await (await terminal(browser, trouble)).newPage();
  const content = { passkeys: [] };
  let made = 0;
  (await authenticator(page)).on("WebAuthn.credentialAdded", () => made++);
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

  await page.goto(`${origin}/setup#${link}`);
  await page.locator("#user", { hasText: user }).waitFor();
  content.address = page.url();
  await send({ password: "short" });
  content.short = await said("error");
  content.passkeys.push(made);
  await forget();
  await send({ password });
  content.setUp = await said("ok");
  content.passkeys.push(made);

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
}));
