// {origin} -> {ok, content: see Looked in outside.go}: every page of a storybook in every state, judged by axe and
// by whether it fits its window and speaks in words; and which states each page was seen in.
import { readFile } from "node:fs/promises";
import { inBrowser, leaks, terminal } from "./browser.mjs";
import { answer } from "./harness.mjs";

const axe = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// What a page has to fit: two screens of offices, a tablet, and the first at 200 %.
const windows = { "1280x800": [1280, 800], "1024x768": [1024, 768], "tablet": [820, 1180], "200 %": [640, 400] };

// What tells of the storybook's people.
const personal = /桜井|双葉|髙橋|見本|神田|小島|池田|𠮷野|葛|森|SAKURAI|WOLFE|TK0000|0000000\d\d\d|19\d\d-\d\d-\d\d/;

// How many tabs look at once, each with its own sign-in.
const tabs = 2;

await answer(({ browser: path, origin }) => inBrowser(path, async (browser) => {
  const trouble = [], faults = [], looks = [];
  const first = await terminal(browser, trouble);
  const book = await (await first.request.get(`${origin}/storybook/book.json`)).json();
  const stories = book.stories.values();

  const look = async (page, story) => {
    const answered = await page.goto(`${origin}/storybook/open/${story.n}`);
    if (!/text\/html/.test(answered.headers()["content-type"])) return { ...story, status: answered.status(), classes: ["paper"], states: [] };
    const fault = (text) => faults.push(`${story.page} (${story.state}): ${text}`);
    for (const shown of await leaks(page, personal)) fault(`personal: ${shown}`);
    await page.evaluate(axe);
    for (const v of await page.evaluate((runOnly) => axe.run({ runOnly, preload: false, resultTypes: ["violations"] }).then((r) => r.violations), rules)) {
      if (v.impact !== "minor") fault(`axe ${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
    }
    for (const bare of await page.evaluate(bareWords)) fault(`no words for people: ${bare}`);
    for (const [window, [width, height]] of Object.entries(windows)) {
      await page.setViewportSize({ width, height });
      for (const over of await page.evaluate(overflow)) fault(`${window}: ${over}`);
    }
    return { ...story, status: answered.status(), ...await page.evaluate(shown, book.long) };
  };

  await Promise.all(Array.from({ length: tabs }, async (_, n) => {
    const page = await (n ? await terminal(browser, trouble) : first).newPage();
    for (const story of stories) looks.push(await look(page, story));
  }));
  return { ok: true, content: { stories: looks.length, shown: shownBy(looks), pages: book.pages, faults, trouble } };
}));

// What is to be seen on a page: its heading, its states, and whether a long name is there.
function shown(long) {
  const main = document.querySelector("main");
  const text = main.innerText + [...main.querySelectorAll("input, textarea, option")].map((e) => e.value + e.text).join();
  return {
    heading: main.querySelector("h1")?.innerText, long: long.some((t) => text.includes(t)),
    classes: [...new Set([...main.querySelectorAll("*")].flatMap((e) => [...e.classList]))],
    states: [...main.querySelectorAll(".state")].flatMap((e) => [...e.classList]).filter((c) => c !== "state"),
  };
}

// The states that each page was seen in: what its elements say, and empty, filled, error and long.
function shownBy(looks) {
  const all = {};
  for (const one of looks) {
    const well = looks.find((l) => l.page === one.page && l.status === 200 && l.heading === one.heading);
    const { words, own } = all[one.page] ??= { words: [], own: [] };
    if (!well) continue; // another page told that it cannot be seen
    words.push(...one.classes, ...(one.status >= 400 ? ["error"] : one.empty ? ["empty"] : ["filled"]), ...(one.long ? ["long"] : []));
    own.push(...one.states);
  }
  return Object.fromEntries(Object.entries(all).map(([page, { words, own }]) => [page, { words: [...new Set(words)], own: [...new Set(own)] }]));
}

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
