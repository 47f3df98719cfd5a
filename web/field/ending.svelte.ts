// What ended a case: until it is sent, it can be taken back; on the list it is offered for a while only.
import { field } from './field.svelte'
import type { Waiting } from './types'

const OFFERED_MS = 20_000

class Ending {
  #last = $state.raw<Waiting | null>(null)
  /** It was too late. */
  late = $state(false)
  #timer: ReturnType<typeof setTimeout> | undefined

  /** The last of all, for as long as it is offered. */
  get offered(): Waiting | null {
    return this.#last && this.of(this.#last.case)
  }

  /** What ended a case here, and has never left. */
  of(id: string): Waiting | null {
    const found = field.queue.findLast((each) => each.case === id && each.deed.what === 'move')
    if (!found || found.tried || found.deed.what !== 'move') return null
    return found.deed.event === 'finish' || found.deed.event === 'block' ? found : null
  }

  set(waiting: Waiting): void {
    this.#last = waiting
    this.#until(OFFERED_MS)
  }

  async undo(waiting: Waiting): Promise<void> {
    this.late = !(await field.takeBack(waiting))
    if (this.late) this.#until(OFFERED_MS / 4)
    else this.#last = null
  }

  #until(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#last = null
      this.late = false
    }, ms)
  }
}

export const ending = new Ending()
