// What the crew's application is made of, for its service worker (field/sw.ts): which files, and which version.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

/** Beside its page and what that loads. */
const BESIDE = ['manifest.webmanifest', 'icon-192.png', 'icon-512.png', 'icon-whole-512.png']
/** The parts of the catalogue that it does not speak (field/main.ts). */
const UNSPOKEN = /\/(fr|en)\.(?!field\b)\w+-/

interface Made {
  type: 'chunk' | 'asset'
  fileName: string
  code?: string
  source?: string | Uint8Array
  isEntry?: boolean
  name?: string
  imports?: string[]
  dynamicImports?: string[]
  facadeModuleId?: string | null
  viteMetadata?: { importedCss: Set<string>; importedAssets: Set<string> }
}

/** Puts the files beside the page, and their names into the service worker. folder: the page's own. */
export function shell(folder: string): Plugin {
  return {
    name: 'vigie-shell',
    apply: 'build',
    enforce: 'post',
    // The bundler would give a link of the page itself a name with a digest, which no installed application could follow.
    transformIndexHtml: (_, { path }) =>
      path.startsWith('/field/')
        ? [
            { tag: 'link', attrs: { rel: 'manifest', href: '/field/manifest.webmanifest' }, injectTo: 'head' },
            { tag: 'link', attrs: { rel: 'apple-touch-icon', href: '/field/icon-192.png' }, injectTo: 'head' },
          ]
        : [],
    generateBundle(_, made) {
      const bundle = made as unknown as Record<string, Made>
      for (const name of BESIDE) {
        this.emitFile({ type: 'asset', fileName: `field/${name}`, source: readFileSync(`${folder}/${name}`) })
      }
      const files = new Set<string>()
      const take = (name: string): void => {
        const chunk = bundle[name]
        if (!chunk || files.has(name) || UNSPOKEN.test(`/${name}`)) return
        files.add(name)
        for (const each of [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])]) take(each)
        for (const each of [...(chunk.viteMetadata?.importedCss ?? []), ...(chunk.viteMetadata?.importedAssets ?? [])]) files.add(each)
      }
      const page = bundle['field/index.html']
      const worker = bundle['field/sw.js']
      const entry = Object.values(bundle).find((each) => each.isEntry && each.name === 'field')
      if (!page || !worker?.code || !entry) throw new Error('the page of the crews has not been built')
      take(entry.fileName)
      const style = [...files].filter((name) => name.endsWith('.css')).map((name) => String(bundle[name]?.source ?? ''))
      // What a style sheet loads (type), and the worker of the map, are named in no list of the bundler.
      for (const name of Object.keys(bundle)) {
        if (name === worker.fileName) continue
        const named = name.split('/').pop() as string
        const texts = [...style, ...[...files].map((each) => bundle[each]?.code ?? '')]
        if (texts.some((text) => text.includes(named)) && !UNSPOKEN.test(`/${name}`)) files.add(name)
      }
      const digest = createHash('sha256').update(String(page.source))
      for (const name of BESIDE) digest.update(readFileSync(`${folder}/${name}`))
      const shell = ['/field', ...BESIDE.map((name) => `/field/${name}`), ...[...files].sort().map((name) => `/${name}`)]
      digest.update(shell.join('\n'))
      worker.code = worker.code
        .replace('__SHELL__', JSON.stringify(shell))
        .replace('__VERSION__', digest.digest('hex').slice(0, 16))
    },
  }
}
