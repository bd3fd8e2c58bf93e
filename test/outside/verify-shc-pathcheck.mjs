// {text, issuer, jwks} -> {ok, content: FHIR bundle}; text is shc:/ digits.
import { unpackAndVerify } from "./dist/shc-sdk.mjs";
import { answer, publish } from "./harness.mjs";

await answer(async ({ text, issuer, jwks }) => {
  publish(issuer, jwks);
  const verified = await unpackAndVerify(text);
  if (!verified) return { ok: false, error: "refused; the reason is on standard error" };
  return { ok: true, content: verified.credential.vc.credentialSubject.fhirBundle };
});
