// {text, issuer, jwks, files?} -> {ok, content: FHIR bundle}; text is shc:/ digits, a compact JWS or a card file.
// With files, by address, the keys and revocation lists are found as a directory finds them.
import { Directory, SHCReader } from "kill-the-clipboard";
import { answer, publish, publishFiles } from "./harness.mjs";

await answer(async ({ text, issuer, jwks, files }) => {
  publish(issuer, jwks);
  let issuerDirectory = null;
  if (files) {
    publishFiles(files);
    issuerDirectory = await Directory.fromURLs([issuer]);
  }
  const reader = new SHCReader({ issuerDirectory });
  const read = text.startsWith("{") ? "fromFileContent" : text.startsWith("shc:") ? "fromQRNumeric" : "fromJWS";
  const card = await reader[read](text);
  return { ok: true, content: card.getOriginalBundle() };
});
