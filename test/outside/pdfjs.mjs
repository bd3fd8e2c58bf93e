// {file} -> {ok, content: pages of lines}: the text of a PDF as pdf.js copies it out.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs";
import { answer } from "./harness.mjs";

const folder = (name) => fileURLToPath(new URL(name, import.meta.resolve("pdfjs-dist/package.json")));

await answer(async ({ file }) => {
  const document = await getDocument({
    data: new Uint8Array(await readFile(file)),
    cMapUrl: folder("cmaps/"),
    standardFontDataUrl: folder("standard_fonts/"),
    isEvalSupported: false,
  }).promise;
  const content = [];
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    content.push(items.map((item) => item.str + (item.hasEOL ? "\n" : "")).join("").split("\n"));
  }
  return { ok: true, content };
});
