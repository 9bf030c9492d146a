// Makes ../assets/page.js from src/main.js and trend.js from src/trend.js, and copies uPlot's files unchanged.
// With --check it writes nothing and fails where the committed files are not what it would write.
import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const here = new URL(".", import.meta.url);
const assets = new URL("../assets/", here);

/**
 * Returns the bytes of a script with all that it imports.
 *
 * @param {string} entry
 */
async function bundled(entry) {
  const bundle = await build({
    absWorkingDir: here.pathname,
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    charset: "ascii",
    target: ["chrome120", "firefox120", "safari17.5"],
    legalComments: "none",
    banner: { js: "/* Made by web/build.mjs from web/src. Do not edit. */" },
  });
  return Buffer.from(bundle.outputFiles[0].contents);
}

/** Returns the bytes of every generated file of ../assets by its name. */
async function made() {
  const uplot = new URL("node_modules/uplot/", here);
  return new Map([
    ["page.js", await bundled("src/main.js")],
    ["trend.js", await bundled("src/trend.js")],
    ["uPlot.iife.min.js", await readFile(new URL("dist/uPlot.iife.min.js", uplot))],
    ["uPlot.min.css", await readFile(new URL("dist/uPlot.min.css", uplot))],
    ["LICENSE-uPlot.txt", await readFile(new URL("LICENSE", uplot))],
  ]);
}

const checking = process.argv.includes("--check");
const stale = [];
for (const [name, bytes] of await made()) {
  const path = new URL(name, assets);
  if (!checking) await writeFile(path, bytes);
  else if (!bytes.equals(await readFile(path).catch(() => Buffer.alloc(0)))) stale.push(name);
}
if (stale.length) {
  console.error(`assets/${stale.join(", assets/")}: not what the sources make. Run npm run build, and commit it.`);
  process.exitCode = 1;
}
