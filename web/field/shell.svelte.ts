// The application's files on this telephone, and a new version of them.

class Shell {
  /** All of it is here: it opens without a network. */
  ready = $state(false)
  /** Whether this browser has service workers here: over plain http it has none. */
  readonly able = 'serviceWorker' in navigator
  /** A new version is here, and waits. */
  #waiting = $state.raw<ServiceWorker | null>(null)
  /** Another tab has taken a new version over: this one is of the version before. */
  #isOld = $state(false)
  #asked = false

  get newer(): boolean {
    return this.#waiting !== null || this.#isOld
  }

  /** Without a service worker the page works as long as it is open. */
  async start(): Promise<void> {
    if (!this.able || !import.meta.env.PROD) return
    const own = navigator.serviceWorker
    let taken = own.controller !== null
    own.addEventListener('controllerchange', () => {
      // Whoever has not asked for it goes on: they may be writing something.
      if (taken && this.#asked) location.reload()
      else if (taken) this.#isOld = true
      taken = true
    })
    try {
      const registered = await own.register('/field/sw.js', { scope: '/field' })
      const look = (): void => void (this.#waiting = own.controller ? registered.waiting : null)
      registered.addEventListener('updatefound', () => registered.installing?.addEventListener('statechange', look))
      look()
      document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'visible') void registered.update().catch(() => undefined)
      })
    } catch {
      return // no network, or refused: what is here serves
    } finally {
      void own.ready.then(() => (this.ready = true))
    }
  }

  takeOver(): void {
    this.#asked = true
    if (this.#isOld) location.reload()
    else this.#waiting?.postMessage('take over')
  }
}

export const shell = new Shell()
