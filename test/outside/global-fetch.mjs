// Stands for cross-fetch in the bundles, so that harness.mjs decides what is fetched.
export default (...args) => globalThis.fetch(...args);
