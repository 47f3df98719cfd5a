// The last thing that ended a case: for a while, or until it is sent, it can be taken back.
import type { Waiting } from './types'
import { field } from './field.svelte'

class Ending {
  last = $state.raw<Waiting | null>(null)
  /** It was too late. */
  late = $state(false)

  /** What can still be taken back. */
  get open(): Waiting | null {
    const found = this.last && field.queue.find((each) => each.id === this.last?.id)
    return found && !found.tried ? found : null
  }

  set(waiting: Waiting): void {
    this.last = waiting
    this.late = false
  }

  async undo(): Promise<void> {
    const { open } = this
    this.late = !open || !(await field.takeBack(open))
    this.last = null
  }
}

export const ending = new Ending()
