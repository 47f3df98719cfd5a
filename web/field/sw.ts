// The service worker of the crew's application: its own files, whole and of one version, and the day's pictures where
// there is no network. It keeps nothing else, and no answer of the API.

// Put in by the build: every file that the page may load, and a digest over all of them.
const SHELL: readonly string[] = JSON.parse('__SHELL__') as string[]
const VERSION = '__VERSION__'

const OWN = 'vigie-field-shell-'
const DAY = 'vigie-field-day'
const PAGE = '/field'

// TypeScript knows pages and workers, but not both in one project: what is needed of a service worker.
interface Extendable extends Event {
  waitUntil(done: Promise<unknown>): void
}
interface Fetching extends Extendable {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
interface Worker extends EventTarget {
  readonly location: Location
  readonly clients: { claim(): Promise<void> }
  skipWaiting(): Promise<void>
}
const worker = globalThis as unknown as Worker

worker.addEventListener('install', (event) => {
  // All of a version or nothing: a file that cannot be had fails the whole, and the version before stays.
  const fill = async (): Promise<void> => {
    const cache = await caches.open(OWN + VERSION)
    await cache.addAll(SHELL.map((path) => new Request(path, path.startsWith('/assets/') ? {} : { cache: 'reload' })))
  }
  ;(event as Extendable).waitUntil(fill())
})

worker.addEventListener('activate', (event) => {
  const tidy = async (): Promise<void> => {
    const old = (await caches.keys()).filter((name) => name.startsWith(OWN) && name !== OWN + VERSION)
    await Promise.all(old.map((name) => caches.delete(name)))
    await worker.clients.claim()
  }
  ;(event as Extendable).waitUntil(tidy())
})

// A new version waits until the page asks for it: nothing changes under somebody's hands.
worker.addEventListener('message', (event) => {
  if ((event as MessageEvent).data === 'take over') void worker.skipWaiting()
})

worker.addEventListener('fetch', (event) => {
  const { request } = event as Fetching
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return
  const isPage = request.mode === 'navigate' && (url.pathname === PAGE || url.pathname.startsWith(`${PAGE}/`))
  const isPicture = url.pathname.endsWith('/small') || url.pathname.includes('/tiles/base/')
  const isOwn = url.pathname.startsWith('/assets/') || url.pathname.startsWith(`${PAGE}/`)
  if (isPage) (event as Fetching).respondWith(kept(PAGE, OWN + VERSION, request))
  else if (isPicture) (event as Fetching).respondWith(kept(url.pathname, DAY, request))
  else if (isOwn) (event as Fetching).respondWith(kept(url.pathname, OWN + VERSION, request))
})

async function kept(path: string, name: string, request: Request): Promise<Response> {
  const cache = await caches.open(name)
  return (await cache.match(path, { ignoreVary: true })) ?? fetch(request)
}
