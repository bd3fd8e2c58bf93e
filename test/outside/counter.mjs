// {origin, link, user, password, zone, other} -> {ok, content}: a clerk's work in
// Chromium on the real server, from setting up the account to the paper. Keys and
// page loads are counted from the first page after signing in.
import { authenticator, closed, inBrowser, terminal } from "./browser.mjs";
import { answer } from "./harness.mjs";

await answer(({ browser, origin, link, user, password, zone }) => inBrowser(browser, async (browser) => {
  const trouble = [];
  const context = await terminal(browser, trouble);
  const page = await context.newPage();
  await authenticator(page);
  await page.goto(`${origin}/setup#${link}`);
  await page.locator("#user", { hasText: user }).waitFor();
  await page.fill("input[name=password]", password);
  await page.click("form button");
  await page.click("#said a");
  const signIn = async () => {
    await page.fill("input[name=user]", user);
    await page.fill("input[name=password]", password);
    await page.click("form button");
  };
  await signIn();
  await page.click("#read");
  await page.waitForURL(`${origin}/counter`);

  // By keyboard alone: what a scanner types is not counted, what a person types is.
  const content = { keys: 0, loads: 1, addresses: [] };
  let counting = true;
  page.on("framenavigated", (f) => f === page.mainFrame() && (counting && content.loads++, content.addresses.push(page.url())));
  const press = async (key) => { content.keys++; await page.keyboard.press(key); };
  const typed = async (text) => { content.keys += [...text].length; await page.keyboard.insertText(text); };
  const scanned = (text) => page.keyboard.type(text);
  const reach = async (selector) => {
    for (let n = 0; n < 20; n++) {
      if (await page.locator(selector).evaluate((e) => e === document.activeElement)) return;
      await press("Tab");
    }
    throw new Error(`not reached by keyboard: ${selector}`);
  };
  await scanned("219000010000000001\n");
  await typed("桜井");
  // The Enter of an input method is its own; another goes on and hands nothing in.
  content.composed = await page.evaluate(() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true })));
  content.composedAt = await page.evaluate(() => document.activeElement.name);
  await press("Enter");
  await typed("澪");
  await reach("[name='passport.mrz']");
  await scanned(zone);
  await page.locator("#zone .fine").waitFor();
  content.zone = await page.locator("#zone").innerText();
  await press("Control+Enter");
  await page.locator("form[action$='/issue'] button[name=_print]").waitFor();
  const paper = context.waitForEvent("page");
  await press("Enter");
  const shown = await paper;
  counting = false;
  content.loads++;
  await shown.waitForURL(/issue$/);
  content.paper = shown.url();
  await page.bringToFront();
  await page.reload();
  content.certificate = await page.locator("a[href^='/counter/certificates/'] code").innerText();

  // A key that is held down acts once: the paper is ready to be issued, and waits for a key.
  await page.goto(`${origin}/counter`);
  await page.locator("[name=kind][value=domestic]").check();
  for (const [name, value] of Object.entries({ ticket_number: "0000000002", "name.family": "見本", "name.given": "太郎", birth_date: "昭和33年11月3日" })) await page.fill(`[name='subject.${name}']`, value);
  await page.locator("[name='documents[]'][value=driving_licence]").check();
  await page.focus("[name='subject.birth_date']");
  await page.keyboard.down("Control");
  await page.keyboard.down("Enter");
  await page.locator("form[action$='/issue'] button[name=_print]:focus").waitFor();
  const sent = [];
  context.on("request", (r) => r.method() === "POST" && sent.push(new URL(r.url()).pathname.replace(/.*\//, "")));
  await page.evaluate(() => { window.repeats = 0; addEventListener("keydown", (e) => { if (e.repeat && e.key === "Enter") window.repeats++; }, true); });
  for (let n = 0; n < 5; n++) await page.keyboard.down("Enter");
  await page.keyboard.up("Control");
  for (let n = 0; n < 5; n++) await page.keyboard.down("Enter");
  const repeats = await page.evaluate(() => window.repeats);
  await page.keyboard.up("Enter");
  await page.reload();
  content.held = { repeats, sent: [...sent], issued: await page.locator("#made").count(), waits: await page.locator("form[action$='/issue']").count() };

  // Another person: the old form is refused, the new one knows nothing of the last.
  const stale = await context.newPage();
  await stale.goto(`${origin}/counter`);
  await stale.fill("[name='subject.name.family']", "前の人");
  await page.click("form[action$='/next-person'] button");
  await page.waitForURL(`${origin}/counter`);
  content.papers = [await closed(shown)]; // with the person that it was for
  content.left = await page.locator("#new").evaluate((f) => [...new FormData(f).values()].filter((v) => /桜井|SAKURAI|0000000001/.test(v)));
  await stale.locator("#new .acts button").click();
  content.stale = await stale.locator("#said").innerText();
  content.staleShows = await stale.locator("body").innerText();
  await stale.close();

  // What is wrong stands at its field, which has the focus.
  await page.fill("[name='subject.birth_date']", "31.2.1991");
  await page.fill("[name='passport.mrz']", zone);
  await page.locator("#new .acts button").press("Enter");
  await page.locator(".wrong").waitFor();
  content.wrong = await page.locator(".wrong .told").innerText();
  content.focus = await page.evaluate(() => document.activeElement.name);

  // Nothing personal in addresses, titles and storage; nothing after signing out.
  content.addresses.push(page.url(), await page.title());
  content.stored = await page.evaluate(async () => [Object.keys(localStorage).length, Object.keys(sessionStorage).length, (await caches.keys()).length]);
  await page.goto(`${origin}/counter/certificates/${content.certificate}`);
  const copy = context.waitForEvent("page");
  await page.click("form[action$='/print'] button");
  const printed = await copy;
  await page.bringToFront();
  await page.click("form[action$='/sign-out'] button");
  await page.waitForURL(`${origin}/sign-in`);
  content.papers.push(await closed(printed));
  await page.goBack();
  await page.waitForLoadState();
  content.afterBack = page.url();
  content.trouble = trouble;
  return { ok: true, content };
}));
