// {text, issuer, jwks} -> {ok, content: FHIR bundle}; text is shc:/ digits, a compact JWS or a card file.
import { SHCReader } from "kill-the-clipboard";
import { answer, publish } from "./harness.mjs";

await answer(async ({ text, issuer, jwks }) => {
  publish(issuer, jwks);
  const reader = new SHCReader({});
  const read = text.startsWith("{") ? "fromFileContent" : text.startsWith("shc:") ? "fromQRNumeric" : "fromJWS";
  const card = await reader[read](text);
  return { ok: true, content: card.getOriginalBundle() };
});
