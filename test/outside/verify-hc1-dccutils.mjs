// {text, kid, certificate} -> {ok, content: claim 1 of an EU certificate}; certificate is DER
// in base64, trusted under the key id.
import { X509Certificate } from "node:crypto";
import DCC from "./dist/dcc-utils.mjs";
import { answer } from "./harness.mjs";

await answer(async ({ text, kid, certificate }) => {
  const { publicKey } = new X509Certificate(Buffer.from(certificate, "base64"));
  const ec = publicKey.asymmetricKeyType === "ec";
  const code = await DCC.fromRaw(text);
  const signer = await code.checkSignatureWithKeysList({
    [kid]: {
      publicKeyPem: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
      publicKeyAlgorithm: ec ? { name: "ECDSA", namedCurve: "P-256", hash: { name: "SHA-256" } } : { name: "RSA-PSS", hash: { name: "SHA-256" } },
    },
  });
  if (!signer) return { ok: false, error: "signature" };
  return { ok: true, content: code.payload ?? null };
});
