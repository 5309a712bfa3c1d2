import { defineConfig } from 'vitest/config'

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: '../server/built_page',
    emptyOutDir: true,
    assetsInlineLimit: 0, // inline scripts and styles would break the page's policy
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  server: {
    proxy: Object.fromEntries(
      ['/me', '/threads', '/sign-in'].map((path) => [path, 'http://127.0.0.1:2024']),
    ),
  },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
})
