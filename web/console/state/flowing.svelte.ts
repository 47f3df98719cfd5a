// How traffic flows in the streets where it is counted, read again each minute while the map is there.
import { api } from '@lib/api'
import type { StreetTraffic, Streets } from '@lib/traffic'

const AGAIN_MS = 60_000

class Flowing {
  streets = $state.raw<readonly StreetTraffic[]>([])
  #timer: ReturnType<typeof setTimeout> | undefined
  #watched = false

  /** Reads it from now on, until the returned function is called. */
  watch(): () => void {
    this.#watched = true
    void this.#load()
    return () => {
      this.#watched = false
      clearTimeout(this.#timer)
    }
  }

  async #load(): Promise<void> {
    try {
      this.streets = (await api.get<Streets>('traffic/streets')).streets
    } catch {
      // What was said a minute ago is no longer so: rather nothing than what may be over.
      this.streets = []
    }
    if (this.#watched) this.#timer = setTimeout(() => void this.#load(), AGAIN_MS)
  }
}

export const flowing = new Flowing()
