import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import { shell } from './shell'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// One build for all pages: each has its own folder with an index.html, and shares what lies in lib/.
// While developing, VIGIE names the running post that /api is taken from.
const post = process.env['VIGIE'] ?? 'http://127.0.0.1:8000'

export default defineConfig({
  root: here('.'),
  publicDir: false,
  plugins: [svelte(), shell(here('./field'))],
  resolve: { alias: { '@lib': here('./lib'), '@texts': here('../src/vigie/texts') } },
  worker: { format: 'es' },
  build: {
    outDir: here('../src/vigie/web'),
    emptyOutDir: true,
    target: 'es2022',
    // The policy of the pages allows no data: fonts, and an inlined file could not be cached on its own.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: {
        console: here('./console/index.html'),
        field: here('./field/index.html'),
        winter: here('./winter/index.html'),
        'field-worker': here('./field/sw.ts'),
      },
      output: {
        // A browser looks for a new service worker under the old one's name.
        entryFileNames: ({ name }) => (name === 'field-worker' ? 'field/sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: {
    fs: { allow: [here('..')] },
    proxy: { '/api': { target: post, ws: true } },
  },
})
