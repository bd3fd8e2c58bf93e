// {origin, sessions, applications} -> {ok, content: see AtLines in outside.go}: clerks with these sessions
// at the real server, in Chromium: two at one application; lines that are slow, cut or
// down; and rare characters.
import { inBrowser, leaks, terminal } from "./browser.mjs";
import { answer } from "./harness.mjs";

const personal = /桜井|見本|𠮷|葛|SAKURAI|TK0000|00000000\d\d|1991|1958/;

await answer(({ browser: path, origin, sessions, applications }) => inBrowser(path, async (browser) => {
  const trouble = [], leaked = [];
  // As one of the clerks, at a page, on a terminal of its own.
  const at = async (page, who = 0) => {
    const context = await terminal(browser, trouble);
    await context.addCookies([{ name: "__Host-akashi", value: sessions[who], domain: "localhost", path: "/", secure: true, httpOnly: true, sameSite: "Strict" }]);
    const tab = await context.newPage();
    await tab.goto(`${origin}${page}`);
    return tab;
  };
  const done = async (page) => { leaked.push(...await leaks(page, personal)); await page.context().close(); };
  const content = { leaked, trouble };

  // Two clerks correct the same application: the second is told, and what was typed stays.
  const [one, two] = [await at(`/counter/applications/${applications.both}/edit`), await at(`/counter/applications/${applications.both}/edit`, 1)];
  await two.fill("[name='subject.name.given']", "か\u3099葛󠄀𠮷﨑");
  await two.locator("#passport-part details").evaluate((d) => { d.open = true; });
  await two.fill("[name='passport.alternative.surname']", "TANAKA");
  await one.click("#new > .acts button");
  await one.waitForURL(/applications\/[^/]+$/);
  const refused = two.waitForResponse((r) => r.request().method() === "POST");
  await two.click("#new > .acts button");
  content.second = {
    status: (await refused).status(), said: await two.locator("#said").innerText(),
    given: await two.inputValue("[name='subject.name.given']"), other: await two.inputValue("[name='passport.alternative.surname']"),
  };
  await done(one);
  await done(two);

  // Names come back byte for byte, in a font that has their characters.
  const names = await at("/counter");
  const rare = { "subject.name.family": "葛\u{e0100}城𠮷か\u3099﨑", "subject.name.given": "", "subject.ticket_number": "0000000999", "subject.birth_date": "1970-01-01" };
  await names.locator("[name=kind][value=domestic]").check();
  for (const [field, value] of Object.entries(rare)) await names.fill(`[name='${field}']`, value);
  content.typedFonts = await fonts(names, "[name='subject.name.family']");
  await names.click("#new > .acts button");
  await names.waitForURL(/applications\/[^/]+$/);
  await names.goto(`${names.url()}/edit`).catch(() => {});
  const shown = names.locator("[name='subject.name.family']");
  content.name = await shown.count() ? { typed: rare["subject.name.family"], shown: await shown.inputValue() } : null;
  content.fonts = await fonts(names, "[name='subject.name.family']");
  await done(names);

  const beside = async (page) => { if (await page.locator("#why").count()) await page.selectOption("#why", "several_places"); }; // whoever has a valid certificate

  // The line is cut after the service has issued and before the page hears of it.
  const cut = await at(`/counter/applications/${applications.cut}`);
  const application = cut.url();
  await beside(cut);
  const wire = await cut.context().newCDPSession(cut);
  wire.on("Fetch.requestPaused", ({ requestId }) => wire.send("Fetch.failRequest", { requestId, errorReason: "ConnectionReset" }));
  await wire.send("Fetch.enable", { patterns: [{ urlPattern: "*/issue", requestStage: "Response" }] });
  await failed(cut, () => cut.locator("form[action$='/issue'] button:not([name=_print])").click({ noWaitAfter: true }));
  await cut.goto(application);
  content.afterCut = await cut.locator("[aria-labelledby=made] a[href^='/counter/certificates/'] code").allInnerTexts();
  await done(cut);

  // Offline altogether while issuing: the page says so in the browser's words; back on
  // line the same button issues once.
  const off = await at(`/counter/applications/${applications.down}`);
  const address = off.url();
  await beside(off);
  await off.context().setOffline(true);
  await failed(off, () => off.locator("form[action$='/issue'] button:not([name=_print])").click({ noWaitAfter: true }));
  await off.context().setOffline(false);
  await off.goto(address);
  content.afterDown = await off.locator("[aria-labelledby=made] a[href^='/counter/certificates/'] code").count();
  await beside(off);
  await off.locator("form[action$='/issue'] button:not([name=_print])").click();
  await off.waitForURL(/certificates\//);
  await off.goto(address);
  content.afterUp = await off.locator("[aria-labelledby=made] a[href^='/counter/certificates/'] code").allInnerTexts();
  await done(off);

  // A slow line and an impatient hand: sent twice, made once.
  const slow = await at("/counter");
  const line = await slow.context().newCDPSession(slow);
  await line.send("Network.enable");
  await line.send("Network.emulateNetworkConditions", { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 });
  await slow.locator("[name=kind][value=domestic]").check();
  for (const [field, value] of Object.entries({ "subject.ticket_number": "0000000002", "subject.name.family": "見本", "subject.name.given": "太郎", "subject.birth_date": "1958-11-03" })) {
    await slow.fill(`[name='${field}']`, value);
  }
  await slow.locator("[name='documents[]'][value=driving_licence]").check();
  await slow.locator("#new details:has([name=channel])").evaluate((d) => { d.open = true; });
  await slow.check("[name=channel][value=mail]");
  await slow.evaluate(() => { const b = document.querySelector("#new > .acts button"); b.click(); b.click(); });
  await slow.waitForURL(/applications\/[^/]+$/);
  const first = slow.url();
  await line.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await slow.goto(`${origin}/counter/applications?state=approved`);
  content.newest = { made: first, listed: await slow.locator("#main td a").evaluateAll((all) => all.slice(0, 2).map((a) => a.href)) };

  // The same for a file of applications, the post, and an officer's request: how many there are then.
  content.once = {};
  const twice = async (name, from, fill, button, to, listed) => {
    await slow.goto(`${origin}${from}`);
    await fill();
    await line.send("Network.emulateNetworkConditions", { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 });
    await slow.locator(button).evaluate((b) => { b.click(); b.click(); });
    await slow.waitForURL(to);
    await line.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    await slow.goto(`${origin}${from}`);
    content.once[name] = await slow.locator(listed).count();
  };
  const rows = "種類,接種券番号,姓,名,生年月日\n国内用,0000000002,見本,太郎,1958-11-03\n";
  const file = () => slow.setInputFiles("#file", { name: "file.csv", mimeType: "text/csv", buffer: Buffer.from(rows) });
  await twice("file", "/counter/batches", file, "form[action$='/batches/file'] button", /batches\/./, "a[href^='/counter/batches/']");
  await twice("mailing", "/counter/batches", async () => {}, "form[action$='/mailing'] button", /mailings\/./, "a[href^='/counter/mailings/']");
  const today = new Date().getFullYear();
  await twice("request", "/counter/accounts", async () => {
    await slow.locator("#main details").evaluate((d) => { d.open = true; });
    const person = { user_id: "900001-clerk9", name: "窓口 九", unit: "健康推進課", ends_on: `${today + 1}-03-31`, trained_on: `${today}-01-01`, section_head: "課長", system_owner: "課長" };
    for (const [field, value] of Object.entries(person)) await slow.fill(`[name=${field}]`, value);
    await slow.selectOption("[name=role]", "clerk");
  }, "form[method=post][action='/counter/accounts'] button", /account-requests\/./, "a[href^='/counter/account-requests/']");
  await done(slow);
  return { ok: true, content };
}));

// Does something that ends on the browser's own page for a line that is down.
async function failed(page, act) {
  const there = page.waitForEvent("framenavigated", (f) => f.url().startsWith("chrome-error:"));
  await act();
  await there;
}

// The fonts that draw what stands in a field.
async function fonts(page, selector) {
  const line = await page.context().newCDPSession(page);
  await page.evaluate(() => document.fonts.ready);
  await line.send("DOM.enable");
  await line.send("CSS.enable");
  const { root } = await line.send("DOM.getDocument", { depth: -1, pierce: true });
  const name = /name='([^']+)'/.exec(selector)[1];
  const find = (n) => {
    if (n.attributes?.includes(name) && n.localName === "input") return n;
    for (const c of [...(n.children ?? []), ...(n.shadowRoots ?? [])]) { const f = find(c); if (f) return f; }
  };
  const used = new Set();
  const gather = async (n) => {
    for (const f of (await line.send("CSS.getPlatformFontsForNode", { nodeId: n.nodeId })).fonts) used.add(`${f.familyName}${f.isCustomFont ? " ours" : ""}`);
    for (const c of [...(n.children ?? []), ...(n.shadowRoots ?? [])]) if (c.nodeType === 1 || c.nodeType === 11) await gather(c);
  };
  const field = find(root);
  if (field) await gather(field);
  return [...used];
}
