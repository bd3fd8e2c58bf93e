// {origin} -> {ok, content: {visited, stories, faults, trouble}}: every page of a storybook in
// every state, and every page that a link leads to from there, judged by axe and by
// whether it fits its window and speaks in words.
import { readFile } from "node:fs/promises";
import { inBrowser, leaks, terminal } from "./browser.mjs";
import { answer } from "./harness.mjs";

const axe = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// What a page has to fit: two screens of offices, a tablet, and the first at 200 %.
const windows = { "1280x800": [1280, 800], "1024x768": [1024, 768], "tablet": [820, 1180], "200 %": [640, 400] };

// What tells of the storybook's people.
const personal = /桜井|双葉|髙橋|見本|神田|小島|池田|𠮷野|葛|森|SAKURAI|WOLFE|TK0000|0000000\d\d\d|19\d\d-\d\d-\d\d/;

// How many pages of one route are looked at besides its stories.
const further = 2;

await answer(({ browser: path, origin }) => inBrowser(path, async (browser) => {
  const trouble = [], faults = [], visited = new Set(), links = [];
  const context = await terminal(browser, trouble);
  const page = await context.newPage();
  const book = await (await context.request.get(`${origin}/storybook/book.json`)).json();
  const routes = book.pages.map((p) => ({ page: p, form: new RegExp(`^${p.replace(/\{[^}]+\}/g, "[^/]+")}$`) }));

  const look = async (name, as) => {
    for (const shown of await leaks(page, personal)) faults.push(`${name}: personal: ${shown}`);
    const found = await page.evaluate(() => [...document.querySelectorAll("a[href^='/']")].map((a) => a.pathname + a.search));
    links.push(...found.map((href) => ({ href, as })));
    await page.evaluate(axe);
    for (const v of await page.evaluate((tags) => axe.run({ runOnly: tags, resultTypes: ["violations"] }).then((r) => r.violations), rules)) {
      if (v.impact !== "minor") faults.push(`${name}: axe ${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
    }
    for (const bare of await page.evaluate(bareWords)) faults.push(`${name}: no words for people: ${bare}`);
    for (const [window, [width, height]] of Object.entries(windows)) {
      await page.setViewportSize({ width, height });
      for (const over of await page.evaluate(overflow)) faults.push(`${name}: ${window}: ${over}`);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  };

  for (const story of book.stories) {
    await page.goto(`${origin}/storybook/open/${story.n}`);
    visited.add(story.page);
    await look(`${story.page} (${story.state})`, story.n);
  }
  // What no story shows is reached by links, as people reach it.
  const seen = new Map();
  for (let i = 0; i < links.length; i++) {
    const { href, as } = links[i];
    const route = routes.find((r) => r.form.test(href.split("?")[0]));
    const before = route && (seen.get(route.page) ?? new Set());
    if (!route || book.stories.some((s) => s.page === route.page) || before.has(href) || before.size >= further) continue;
    seen.set(route.page, before.add(href));
    await page.goto(`${origin}/storybook/open/${as}`);
    const response = await page.goto(origin + href);
    if (response.ok()) visited.add(route.page);
    if (!/text\/html/.test(response.headers()["content-type"])) continue; // a paper, not a page
    await look(`${route.page} (by a link)`, as);
  }
  const unvisited = book.pages.filter((p) => !visited.has(p));
  return { ok: true, content: { stories: book.stories.length, visited: [...visited], unvisited, faults, trouble } };
}));

// Keys, codes and terms of the API where people read.
function bareWords() {
  const bare = /\b[a-z][a-z0-9]*(?:[._][a-z0-9_]+)+\b|\b(?:Idempotency-Key|JSON|UUID|null|undefined)\b|%!/g;
  const texts = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (!walk.currentNode.parentElement.closest("code")) texts.push(walk.currentNode.data);
  for (const e of document.querySelectorAll("[title], [aria-label], [placeholder], [alt]")) {
    texts.push(...["title", "aria-label", "placeholder", "alt"].map((a) => e.getAttribute(a) ?? ""));
  }
  texts.push(document.title);
  return [...new Set(texts.flatMap((t) => t.match(bare) ?? []))];
}

// What makes the page scroll sideways, and text that is cut off.
function overflow() {
  const shown = (e) => [e.tagName.toLowerCase(), ...["id", "class", "name"].map((a) => e.getAttribute(a)).filter(Boolean)].join(" ");
  const scrolls = (e) => e && e !== document.documentElement && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const wide = document.documentElement.clientWidth, list = [];
  if (document.documentElement.scrollWidth > wide) list.push(`scrolls sideways by ${document.documentElement.scrollWidth - wide}`);
  for (const e of document.body.querySelectorAll("*")) {
    const box = e.getBoundingClientRect();
    if (!box.width || e.matches(".skip, .skip *") || scrolls(e.parentElement)) continue;
    if (box.right > wide + 1 || box.left < -1) list.push(`${shown(e)} stands out`);
    const style = getComputedStyle(e);
    if (!e.matches("input, select, textarea") && style.overflowX !== "visible" && !/auto|scroll/.test(style.overflowX) && e.scrollWidth > e.clientWidth + 1) list.push(`${shown(e)} is cut off`);
    if (e.matches("button, a, td, th, dd, li, p, legend, label") && style.display !== "inline" && e.scrollWidth > e.clientWidth + 1 && e.clientWidth) list.push(`${shown(e)} holds more than fits`);
  }
  return [...new Set(list)].slice(0, 5);
}
