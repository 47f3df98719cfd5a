// Who takes the presses on the map while streets, or corners, are picked there: works that are written, or a setting of the
// roads.
import type { PickedStretch } from '../map/works'

export type Pick = 'none' | 'added' | 'removed' | 'failed'

export interface Picker {
  /** The text that says what a press does. */
  readonly how: string
  /** As the map draws what is picked. */
  readonly drawn: PickedStretch[]
  /** How many are picked, and the text that counts them. */
  readonly count: number
  readonly counts: string
  /** Said about what was picked last. */
  readonly picked: string
  /** A press on the map: the street there is taken up, or left out again; a corner is set there. */
  pick: (lon: number, lat: number) => Promise<Pick>
  /** A handle is drawn to a place. */
  drag: (index: number, end: boolean, lon: number, lat: number) => void
  /** Takes the last one back, where they have an order. */
  undo?: () => void
  /** Back to the form, from the map. */
  back: () => void
}

class Picking {
  by = $state.raw<Picker | null>(null)

  get drawn(): PickedStretch[] {
    return this.by?.drawn ?? []
  }
}

export const picking = new Picking()
