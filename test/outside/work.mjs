// {origin, zones} -> {ok, content: see AtWork in outside.go}: work at the counter of a storybook, in Chromium: counted
// by keyboard; a terminal that was left; and how heavy the first page is.
import { closed, counted, inBrowser, leaks, terminal } from "./browser.mjs";
import { answer } from "./harness.mjs";

const personal = /桜井|双葉|神田|𠮷野|葛|SAKURAI|KANDA|TK0000|00000000\d\d|1991|19840630/;

await answer(({ browser: path, origin, zones }) => inBrowser(path, async (browser) => {
  const trouble = [], leaked = [];
  const book = await (await fetchOf(browser, origin)).json();
  // As somebody, at a story's page, on a terminal of its own.
  const at = async (page, state, as, options) => {
    const story = book.stories.find((s) => s.page === page && s.state === state && (!as || s.as === as));
    if (!story) throw new Error(`no story: ${page} ${state}`);
    const tab = await (await terminal(browser, trouble, options)).newPage();
    await tab.goto(`${origin}/storybook/open/${story.n}`);
    return tab;
  };
  const done = async (page) => { leaked.push(...await leaks(page, personal)); await page.context().close(); };
  const content = { counts: {}, unseen: [], leaked, trouble };

  // The forms of the cases, by keyboard alone.
  const person = async (c, page, ticket, family, given, zone) => {
    await c.scanned(`21900001${ticket}\n`);
    await c.typed(family);
    await c.press("Tab");
    await c.typed(given);
    await c.reach("[name='passport.mrz']");
    await c.scanned(zone);
    await page.locator("#zone .fine, #zone .findings").first().waitFor();
  };
  const approve = async (c, why) => {
    await c.reach("#reason");
    await c.typed(why);
    await c.reach("button[value=approve]");
    await c.press("Enter");
  };
  const issue = async (c, page) => {
    await page.locator("form[action$='/issue'] button[name=_print]").waitFor();
    await c.reach("form[action$='/issue'] button[name=_print]");
    const paper = page.context().waitForEvent("page");
    await c.press("Enter");
    await (await paper).close();
  };
  const cases = {
    plain: async (c, page) => {
      await person(c, page, "0000000001", "桜井", "澪", zones.plain);
      await c.press("Control+Enter");
      await issue(c, page);
    },
    anomaly: async (c, page) => {
      await person(c, page, "0000000008", "神田", "由美", zones.anomaly);
      await c.press("Control+Enter");
      await page.locator("#reason").waitFor();
      await approve(c, "台帳で確認");
      await issue(c, page);
    },
    proxy: async (c, page) => {
      await person(c, page, "0000000001", "桜井", "澪", zones.proxy);
      await c.reach("#passport-part summary");
      await c.press("Enter");
      await c.reach("[name='passport.alternative.surname']");
      await c.typed("TANAKA");
      await c.reach("[name='applicant.relationship']");
      await c.choose("[name='applicant.relationship']", "spouse");
      await c.reach("[name='applicant.name.family']");
      await c.typed("桜井");
      await c.press("Tab");
      await c.typed("純");
      await c.reach("[name='applicant.proof']");
      await c.choose("[name='applicant.proof']", "power_of_attorney");
      await c.press("Control+Enter");
      await page.locator("#reason").waitFor();
      await approve(c, "旅券で確認");
      await issue(c, page);
    },
    reissue: async (c, page) => {
      const id = await page.locator("a[href^='/counter/certificates/'] code").first().innerText();
      await c.reach("[name=id]");
      await c.typed(id);
      await c.press("Enter");
      await page.locator("form[action$='/reissue']").waitFor();
      await c.reach("form[action$='/reissue'] [name=reason]");
      await c.choose("form[action$='/reissue'] [name=reason]", "correction");
      await c.reach("form[action$='/reissue'] button");
      const again = page.waitForEvent("framenavigated");
      await c.press("Enter");
      await again;
      await page.locator("form[action$='/print'] button").waitFor();
      await c.reach("form[action$='/print'] button");
      const paper = page.context().waitForEvent("page");
      await c.press("Enter");
      await (await paper).close();
    },
  };
  const starts = {
    plain: ["/counter", "empty", "clerk"], anomaly: ["/counter", "empty as an approver", "approver"], proxy: ["/counter", "empty", "clerk"], reissue: ["/counter/certificates", "some", "clerk"],
  };
  for (const [name, work] of Object.entries(cases)) {
    const page = await at(...starts[name]);
    const c = counted(page, content.unseen);
    await work(c, page);
    content.counts[name] = { keys: c.n.keys, loads: c.n.loads };
    await page.reload(); // the application knows its certificate, and that its copies
    if (name !== "reissue") await page.locator("#main a[href^='/counter/certificates/']").first().click();
    await page.locator("form[action$='/print']").waitFor();
    content.counts[name].copies = await page.evaluate(async () => (await (await fetch(`/api/v1${location.pathname.replace("/counter", "")}`)).json()).copies);
    await done(page);
  }

  // An officer, by keyboard too: an alert is answered, a certificate revoked with a reason.
  const officer = async (name, from, work) => {
    const page = await at(...from);
    const c = counted(page, content.unseen);
    await work(c);
    content.counts[name] = { keys: c.n.keys, loads: c.n.loads };
    content[name] = await page.locator("#main .state").innerText();
    await done(page);
  };
  await officer("alert", ["/counter/alerts", "open"], async (c) => {
    await c.past();
    await c.follow("#main tr:has-text('決裁 次郎') a", /alerts\/./);
    await c.past();
    await c.fill("#note", "本人に確かめた");
    await c.follow("form[action*='/acknowledge'] button", /alerts/);
  });
  await officer("revoke", ["/counter/certificates/{id}", "issued, as an officer"], async (c) => {
    await c.reach("#revoke");
    await c.choose("#revoke", "issued_by_mistake");
    await c.follow("form[action$='/revoke'] button", /certificates\/./);
  });

  // What somebody has reached stays so while a page brings its progress up to date.
  const mail = await at("/counter/mailings/{id}", "running");
  await counted(mail, content.unseen).reach("#stop");
  await mail.locator("#progress").evaluate((e) => { e.dataset.before = "yes"; });
  await mail.locator("#progress:not([data-before])").waitFor();
  content.kept = await mail.evaluate(() => document.activeElement.id);
  await done(mail);

  // How heavy the first page is, cold and on a slow line.
  const slow = await at("/counter", "empty");
  await slow.goto("about:blank");
  const line = await slow.context().newCDPSession(slow);
  await line.send("Network.enable");
  await line.send("Network.clearBrowserCache");
  await line.send("Network.emulateNetworkConditions", { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 });
  await line.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  const weight = { requests: 0, bytes: 0 };
  line.on("Network.requestWillBeSent", () => weight.requests++);
  line.on("Network.loadingFinished", (e) => (weight.bytes += e.encodedDataLength));
  await slow.goto(`${origin}/counter`, { waitUntil: "load" });
  weight.ms = Math.round(await slow.evaluate(() => new Promise((told) => {
    let last = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
    new PerformanceObserver((l) => { for (const e of l.getEntries()) last = Math.max(last, e.startTime + e.duration); }).observe({ type: "longtask", buffered: true });
    requestIdleCallback(() => setTimeout(() => told(last)));
  })));
  content.weight = { ...weight };
  await done(slow);

  // Files: records of the wrong kind are refused in words, the right ones are applied by
  // another person; what is too large is not sent; the log comes as a file.
  const bringing = await at("/counter/imports", "some");
  const file = async (kind, text) => {
    await bringing.goto(`${origin}/counter/imports`);
    await bringing.check(`[name=kind][value=${kind}]`);
    await bringing.setInputFiles("#file", { name: "file.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    await bringing.click("form.bring button");
  };
  const people = "municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n900001,0000000222,,新,しい,,,1990-01-01,9,resident,\n";
  await file("records", people);
  await bringing.waitForURL(/imports\/./);
  content.files = { refused: await bringing.locator("#found ~ table").innerText() };
  await file("subjects", people);
  await bringing.waitForURL(/imports\/./);
  const second = await at("/counter/imports", "as an approver");
  await second.goto(bringing.url());
  await second.click("form[action$='/commit'] button");
  await second.locator(".state.committed").waitFor();
  content.files.taken = await second.locator(".state").innerText();
  await done(second);
  await bringing.goto(`${origin}/counter/imports`);
  await bringing.locator("#file").evaluate((e) => { e.dataset.max = "3"; });
  await bringing.setInputFiles("#file", { name: "file.csv", mimeType: "text/csv", buffer: Buffer.from("abcd") });
  content.files.tooLarge = await bringing.locator("#file").evaluate((e) => e.validationMessage);
  await done(bringing);
  const auditing = await at("/counter/log", "as an auditor");
  const saved = auditing.waitForEvent("download");
  await auditing.click("form[action$='/log/export'] button");
  content.files.saved = (await saved).suggestedFilename();
  await done(auditing);

  // Whose case it is stands in view with what is to be pressed, and covers nothing that has the focus.
  content.covered = [];
  for (const [width, height] of [[1280, 800], [1024, 768], [640, 400]]) {
    for (const [of, state] of [["/counter/applications/{id}", "approved"], ["/counter/applications/{id}", "approved by a person, long names"], ["/counter", "empty"]]) {
      const case_ = await at(of, state, "clerk", { viewport: { width, height } });
      const name = `${state}, ${width}x${height}`;
      const told = await case_.evaluate(inView);
      if (state !== "empty" && !told.holder || state === "approved" && !told.button) content.covered.push(`${name}: not in view together: ${JSON.stringify(told)}`);
      if (told.share > 0.15) content.covered.push(`${name}: the strip takes ${told.share}`);
      for (const key of height > 400 ? [] : ["Tab", "Shift+Tab"]) {
        for (let n = 0; n < 40; n++) {
          await case_.keyboard.press(key);
          const under = await case_.evaluate(obscured);
          if (under) content.covered.push(`${name}: ${key}: ${under}`);
        }
      }
      await case_.context().close();
    }
  }

  // A terminal that was left: nothing is shown any more, nor by going back.
  const left = await at("/counter/applications/{id}", "approved");
  const was = left.url();
  await left.clock.install();
  await left.reload();
  const preview = left.context().waitForEvent("page");
  await left.locator("a[target=paper]").first().click();
  const paper = await preview;
  await left.bringToFront();
  await left.clock.fastForward(901_000);
  await left.waitForURL(/sign-in$/);
  content.leftPaper = await closed(paper);
  await left.goto(was);
  await left.context().request.post(`${origin}/storybook/clock/16`);
  await left.reload();
  content.idle = [left.url()];
  await left.goBack();
  await left.goto(was);
  content.idle.push(left.url());
  await done(left);
  return { ok: true, content };
}));

async function fetchOf(browser, origin) {
  return (await terminal(browser, [])).request.get(`${origin}/storybook/book.json`);
}

// Whether the holder's name and the button that issues are in the window together, and how
// much of it the strip takes.
function inView() {
  const seen = (selector) => {
    const box = document.querySelector(selector)?.getBoundingClientRect();
    return !!box && box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
  };
  return { holder: seen(".holder"), button: seen("form[action$='/issue'] button"), share: document.querySelector(".where").offsetHeight / innerHeight };
}

// What has the focus and cannot be seen for what stands fixed over it.
function obscured() {
  const at = document.activeElement;
  if (!at || at === document.body || at.closest(".skip")) return "";
  const box = at.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  for (const y of [box.top + 1, box.top + box.height / 2, box.bottom - 1]) {
    const over = document.elementFromPoint(x, y);
    if (over && (over === at || at.contains(over) || over.contains(at) || over.closest("label")?.control === at)) return "";
  }
  return `${at.tagName} ${at.name || at.textContent.trim().slice(0, 20)}`;
}
