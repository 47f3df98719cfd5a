// Where a condition is about energy, the page of energy tells more of it.
import { dayOf } from '@lib/format'
import { energy } from '../state/energy.svelte'
import { view } from '../state/view.svelte'

const TOLD: ReadonlySet<string> = new Set(['unexplained_load'])

/** What opens the month of a condition, at the cabinets; null where there is nothing to tell. */
export function energyOf({ condition, raised }: { condition: string; raised: string }): (() => void) | null {
  if (!TOLD.has(condition)) return null
  return () => {
    energy.part = 'cabinets'
    view.openEnergy(dayOf(raised).slice(0, 7), null)
  }
}
