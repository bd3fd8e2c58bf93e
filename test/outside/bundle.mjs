// Bundles into dist/ what does not run on Node 20 as it is: the loader (esm) of the
// @pathcheck packages, and dcc-utils, without its readers of pictures.
import { build } from "esbuild";

await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: {
    "dcc-sdk": "@pathcheck/dcc-sdk",
    "dcc-utils": "dcc-utils/src/dcc.js",
    "shc-sdk": "@pathcheck/shc-sdk",
    "vds-sdk": "@pathcheck/vds-sdk",
  },
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  mainFields: ["module", "main"],
  alias: { "cross-fetch": "./global-fetch.mjs", jimp: "./no-pictures.mjs", jsqr: "./no-pictures.mjs" },
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  logLevel: "error",
});
