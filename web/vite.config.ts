import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig } from 'vitest/config'
import type { Plugin } from 'vite'

/** Puts a compressed form beside each file, for `server/page.py` to serve. */
const compressed: Plugin = {
  name: 'compressed',
  enforce: 'post',
  generateBundle(_, bundle) {
    for (const [fileName, file] of Object.entries(bundle)) {
      const content = file.type === 'chunk' ? file.code : file.source
      this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: brotliCompressSync(content) })
      this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gzipSync(content, { level: 9 }) })
    }
  },
}

export default defineConfig({
  plugins: [compressed],
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
