// {text, kid, certificate} -> {ok, content: the claim 1 of an EU certificate, or nothing};
// certificate is DER in base64, trusted under the key id. No key is fetched.
import { addCachedCerts, unpackAndVerify } from "./dist/dcc-sdk.mjs";
import { answer } from "./harness.mjs";

await answer(async ({ text, kid, certificate }) => {
  addCachedCerts({ [kid]: certificate });
  const verified = await unpackAndVerify(text);
  if (verified?.status !== "verified") return { ok: false, error: verified?.status ?? "refused" };
  return { ok: true, content: verified.contents.get(-260)?.get?.(1) ?? null };
});
