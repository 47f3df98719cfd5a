// The live figures of each service: asked for once, then told.
import { api } from '@lib/api'
import { live, type Handle } from '@lib/live.svelte'
import type { Figures, ServiceFigures } from '@lib/types'

class FiguresState {
  services = $state.raw<Record<string, ServiceFigures>>({})
  #handle: Handle | null = null

  start(): void {
    this.#handle = live.subscribe({ figures: {} }, (frame) => {
      const data = frame.header.data as Figures | undefined
      if (data?.services) this.services = { ...this.services, ...data.services }
    })
    void api
      .get<Figures>('figures')
      .then((figures) => (this.services = { ...figures.services, ...this.services }))
      .catch(() => undefined)
  }

  stop(): void {
    this.#handle?.close()
    this.#handle = null
    this.services = {}
  }

  /** What is wrong in a service, as [1, 2, 3, maintenance]. */
  wrong(service: string): [number, number, number, number] {
    const own = this.services[service]
    return own ? [own.alarm1, own.alarm2, own.alarm3, own.maintenance] : [0, 0, 0, 0]
  }
}

export const figures = new FiguresState()
