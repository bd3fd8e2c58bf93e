// {origin, links, password, files, zone, wind} -> {ok, content: see AsNewcomers in outside.go}: people who have
// nothing but the links of a first start, on the real server in Chromium, by keyboard alone:
// accounts, the register, a certificate; then work on many at once, and a terminal that is left.
import { readFile } from "node:fs/promises";
import { authenticator, closed, counted, inBrowser, leaks, terminal } from "./browser.mjs";
import { answer } from "./harness.mjs";

const personal = /桜井|見本|窓口 花子|SAKURAI|TK0000|00000000\d\d|1991|1958/;

await answer(({ browser: path, origin, links, password, files, zone, wind }) => inBrowser(path, async (browser) => {
  const content = { unseen: [], trouble: [], leaked: [], counts: {} };

  // Somebody with a terminal and a passkey of their own, who follows a link and signs in.
  const person = async (user, link) => {
    const page = await (await terminal(browser, content.trouble)).newPage();
    await authenticator(page);
    const c = counted(page, content.unseen);
    await page.goto(link);
    await page.locator("#user", { hasText: user }).waitFor();
    await c.fill("[name=password]", password);
    await c.press("Enter");
    await c.follow("#said[data-kind=ok] a", /sign-in$/);
    await c.fill("[name=user]", user);
    await c.fill("[name=password]", password);
    await c.press("Enter");
    await page.locator("#read:focus").waitFor();
    await c.press("Enter");
    await page.waitForURL(/\/counter/);
    return { page, c, go: (to) => c.follow(`nav a[href='${to}']`, new RegExp(`${to}$`)) };
  };
  const counting = async (name, of, work) => {
    const before = { ...of.c.n };
    await work();
    content.counts[name] = { keys: of.c.n.keys - before.keys, loads: of.c.n.loads - before.loads };
  };
  const one = await person("900001-officer1", links["900001-officer1"]);
  const two = await person("900001-officer2", links["900001-officer2"]);
  const three = await person("900001-operator1", links["900001-operator1"]);

  // An account for a clerk: asked for, approved by another, carried out by a third.
  const user = "900001-clerk1", ends = `${new Date().getFullYear() + 1}-03-31`;
  await one.go("/counter/office");
  await one.go("/counter/accounts");
  await one.c.reach("#main summary");
  await one.c.press("Enter");
  await one.c.fill("[name=user_id]", user);
  await one.c.fill("[name=name]", "窓口 花子");
  await one.c.fill("[name=unit]", "健康推進課");
  await one.c.reach("[name=role]");
  await one.c.choose("[name=role]", "clerk");
  await one.c.fill("[name=ends_on]", ends);
  await one.c.fill("[name=trained_on]", files.today);
  await one.c.fill("[name=section_head]", "健康推進課長");
  await one.c.fill("[name=system_owner]", "情報政策課長");
  await one.c.follow("form[method=post][action='/counter/accounts'] button", /account-requests\//);
  await counting("account", two, async () => {
    await two.go("/counter/approvals");
    await two.c.past();
    await two.c.follow("#main td a", /approvals\/./);
    await two.c.past();
    await two.c.follow("form[action$='/approve'] button:not([formaction])", /approvals\/./);
  });
  await two.page.locator(".state.approved").waitFor();
  await three.go("/counter/accounts");
  await three.c.follow("#main a[href^='/counter/account-requests/']", /account-requests\/./);
  await three.c.follow("form[action$='/carry-out'] button", /carry-out$/);
  content.link = await three.page.locator("#link").inputValue();
  const clerk = await person(user, content.link);

  // The register: one person brings, the other takes it in.
  content.imports = [];
  for (const kind of ["subjects", "records"]) {
    await one.go("/counter/imports");
    await one.c.pick("kind", kind);
    await one.c.file("#file", `${kind}.csv`, files[kind]);
    await one.c.follow("form.bring button", /imports\/./);
    content.alone = await one.page.locator("form[action$='/commit']").count();
    await counting("import", two, async () => {
      await two.go("/counter/imports");
      await two.c.past();
      await two.c.follow("#main td a", /imports\/./);
      await two.c.past();
      await two.c.follow("form[action$='/commit'] button", /imports\/./);
    });
    await two.page.locator(".state.committed").waitFor();
    content.imports.push(await two.page.locator("[aria-labelledby=outcome] dd").first().innerText());
  }

  // The clerk: application, certificate, paper.
  const { page, c, go } = clerk;
  const blank = async () => { await go("/counter"); await page.locator("[name='subject.ticket_number']:focus").waitFor(); };
  await blank();
  await c.scanned("219000010000000001\n");
  await c.typed("桜井");
  await c.press("Enter");
  await c.typed("澪");
  await c.reach("[name='passport.mrz']");
  await c.scanned(zone);
  await page.locator("#zone .fine").waitFor();
  await c.press("Control+Enter");
  const printed = await c.paper("form[action$='/issue'] button[name=_print]");
  await printed.waitForURL(/issue$/);
  await printed.close();
  await page.bringToFront();
  await page.reload();
  await c.follow("#main a[href^='/counter/certificates/']", /certificates\/./);
  const shown = await page.locator("a[href*='/prints/']").first().evaluate((a) => a.href);
  content.certificate = await page.locator(".state code").innerText();
  content.paper = (await (await page.context().request.get(shown)).body()).toString("base64");

  // By mail: from the form to the file that is printed.
  await blank();
  await counting("mailing", clerk, async () => {
    await c.pick("kind", "domestic", "back");
    await c.fill("[name='subject.ticket_number']", "0000000002");
    await c.fill("[name='subject.name.family']", "見本");
    await c.fill("[name='subject.name.given']", "太郎");
    await c.fill("[name='subject.birth_date']", "S33.11.3");
    await c.reach("[name='documents[]'][value=driving_licence]");
    await c.press("Space");
    await c.reach("#new details:has([name=channel]) summary");
    await c.press("Enter");
    await c.pick("channel", "mail");
    await c.fill("[name='postal.postal_code']", "9990001");
    await c.fill("[name='postal.address']", "架空県証市一丁目1番1号");
    await c.press("Control+Enter");
    await page.waitForURL(/applications\/./);
    await go("/counter/batches");
    await c.follow("form[action$='/mailing'] button", /mailings\/./);
    await page.locator(".state.finished").waitFor();
    const file = await c.paper("form[action$='/file'] button");
    await file.waitForURL(/file$/);
    content.mailing = await page.locator("#progress td").allInnerTexts();
    await file.close();
    await page.bringToFront();
  });
  content.posted = (await (await page.context().request.get(`${origin}/api/v1${new URL(page.url()).pathname.replace("/counter", "")}/file`)).body()).subarray(0, 5).toString();

  // A file of applications: judged, what is right goes on, and it comes back with its errors.
  await go("/counter/batches");
  await counting("batch", clerk, async () => {
    await c.file("#file", "applications.csv", files.applications);
    await c.follow("form[action$='/batches/file'] button", /batches\/./);
    await c.follow("form[action$='/commit'] button", /batches\/./);
    await page.locator(".state.finished").waitFor();
    content.progress = await page.locator("#done").evaluate((p) => `${p.value} / ${p.max}`);
    await c.reach("a[download]");
    const saved = page.waitForEvent("download");
    await c.press("Enter");
    content.returned = await readFile(await (await saved).path(), "utf8");
  });

  // The terminal is left with a person on the screen and a paper beside it.
  await c.follow("#main td a[href^='/counter/applications/']", /applications\/./);
  const was = page.url();
  content.before = await page.locator(".holder").innerText();
  await page.clock.install();
  await page.reload();
  const idle = await c.paper("a[target=paper]");
  await page.bringToFront();
  const asked = () => page.context().request.get(was, { maxRedirects: 0 });
  content.idle = { before: (await asked()).status() };
  await page.context().request.post(wind);
  content.idle.after = (await asked()).status();
  await page.clock.fastForward(901_000);
  await page.waitForURL(/sign-in$/);
  content.idle.paper = await closed(idle);
  Object.assign(content.idle, { pages: 0, shows: 0 });
  for (const act of [() => page.goBack(), () => page.goto(was), () => page.goBack()]) {
    await act();
    await page.waitForURL(/sign-in$/);
    content.idle.pages++;
    if (personal.test(await page.content())) content.idle.shows++;
  }
  for (const p of [one, two, three, clerk]) content.leaked.push(...await leaks(p.page, personal));
  return { ok: true, content };
}));
