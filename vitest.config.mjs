import { defineConfig } from 'vitest/config';

export default defineConfig({
  // How long a test takes says nothing on a machine that does something else as well.
  test: { include: ['labextension/src/**/*.spec.ts'], testTimeout: 60_000 }
});
