// One question to one outside program: a JSON request on standard input, one
// JSON object {ok, ...} on standard output. Nothing here reaches the network.
import { text } from "node:stream/consumers";

console.log = console.info = console.debug = console.error;

const refuse = async (url) => {
  throw new Error(`no network: ${url}`);
};
globalThis.fetch = refuse;

// Lets a library that insists on fetching an issuer's keys find exactly these.
export function publish(issuer, jwks) {
  globalThis.fetch = async (url) =>
    String(url) === `${issuer}/.well-known/jwks.json` ? Response.json(jwks) : refuse(url);
}

// Lets a library find exactly these files, by address.
export function publishFiles(files) {
  globalThis.fetch = async (url) => (String(url) in files ? Response.json(files[String(url)]) : refuse(url));
}

// Answers with what ask returns; an exception is the program's refusal.
export async function answer(ask) {
  const request = JSON.parse(await text(process.stdin));
  let result;
  try {
    result = await ask(request);
  } catch (error) {
    result = { ok: false, error: String(error?.message ?? error) };
  }
  process.stdout.write(JSON.stringify(result) + "\n");
}
