// {text} -> {ok, content: the seal}. It checks the signature with the certificate
// in the seal, nothing about that certificate.
import { unpackAndVerify } from "./dist/vds-sdk.mjs";
import { answer } from "./harness.mjs";

await answer(async ({ text }) => {
  const seal = await unpackAndVerify(text);
  if (!seal) return { ok: false, error: "refused; the reason, if any, is on standard error" };
  return { ok: true, content: seal };
});
