// Tests stand beside what they test and run in Node without a page: what needs one is in tests/sdk of the repository.
// (A default export, because this file is read by a tool that takes nothing else.)
export default { test: { include: ["src/**/*.test.{ts,tsx}"], environment: "node", setupFiles: ["tools/browser-crypto.mjs"],
    testTimeout: 60_000, hookTimeout: 60_000, teardownTimeout: 60_000 } };
