// {file} -> {ok, content: pages of lines}: the text of a PDF as pdfium (Chrome) copies it out.
import { readFile } from "node:fs/promises";
import { PDFiumLibrary } from "@hyzyla/pdfium";
import { answer } from "./harness.mjs";

await answer(async ({ file }) => {
  const library = await PDFiumLibrary.init();
  const document = await library.loadDocument(await readFile(file));
  const content = [...document.pages()].map((page) => page.getText().split(/\r?\n/));
  return { ok: true, content };
});
