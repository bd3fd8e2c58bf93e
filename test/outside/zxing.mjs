// {file} -> {ok, content: [{text, version, level, corners}]}: every QR code in a PNG or JPEG.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import { answer } from "./harness.mjs";

const wasm = fileURLToPath(import.meta.resolve("zxing-wasm/reader/zxing_reader.wasm"));
prepareZXingModule({ overrides: { wasmBinary: await readFile(wasm) } });

await answer(async ({ file }) => {
  const found = await readBarcodes(await readFile(file), { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 255 });
  const content = found
    .filter((code) => code.isValid)
    .map(({ text, version, ecLevel, position: p }) => ({
      text,
      version: Number(version),
      level: ecLevel,
      corners: [p.topLeft, p.topRight, p.bottomRight, p.bottomLeft],
    }));
  return { ok: content.length > 0, content };
});
